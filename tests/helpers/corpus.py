"""Error texts in many languages, with the parts of the group that each belongs to: errors/*.txt.

An entry begins with `=== name` and the expected kind, message and frame. Each of its texts follows a line of `%%%` and
what is special about it. A mark such as `«n»` stands for something that differs from run to run.
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

FOLDER: Final = Path(__file__).parent / "errors"
_MARK: Final = re.compile(r"«([a-z]+)»")
_WORDS: Final = ("srv", "app", "home", "jörg", "jobs-2", "release_17", "data.d", "日本", "v1.2", "a+b", "@scope", "x")
_ENDS: Final = ("com", "net", "internal", "svc.cluster.local", "example.org", "eu-west-1.compute.amazonaws.com")
_HEX: Final = "0123456789abcdef"
_MONTHS: Final = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
_DAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


class Entry(NamedTuple):
    """A group of the corpus: its name, the parts of it (null for none), and its texts with their marks."""

    name: str
    kind: str | None
    message: str
    frame: str | None
    texts: list[str]


def entries() -> list[Entry]:
    """All groups of the corpus."""
    found = []
    for file in sorted(FOLDER.glob("*.txt")):
        for block in re.split(r"(?m)^=== ", file.read_text(encoding="utf-8"))[1:]:
            head, *texts = re.split(r"(?m)^%%%.*\n", block)
            name, *lines = head.strip("\n").split("\n")
            parts = dict(line.split(":", 1) for line in lines)
            kind, message, frame = (parts[part].removeprefix(" ") for part in ("kind", "message", "frame"))
            assert texts, name
            found.append(Entry(name, kind or None, filled(message, random.Random(0)), frame or None, texts))
    return found


def filled(text: str, rng: random.Random) -> str:
    """A text with something else in place of each mark."""
    return _MARK.sub(lambda mark: MARKS[mark[1]](rng), text).removesuffix("\n")


def _number(rng: random.Random) -> str:
    return str(rng.randrange(10 ** rng.randint(1, 18)))


def _float(rng: random.Random) -> str:
    value = rng.choice([0.0, 1.0, 12.5, rng.random(), rng.random() * 10**12, -rng.random(), 1e-7, 2.5e30])
    return rng.choice([repr(value), f"{value:.3e}", f"{value:,.2f}", f"{value:.12f}"])


def _hex(rng: random.Random) -> str:
    digits = "".join(rng.choices(_HEX, k=rng.choice([8, 9, 12, 16, 32, 40, 64])))
    return rng.choice([digits, digits.upper(), "".join(rng.choices(string.digits, k=8))])


def _folders(rng: random.Random, separator: str) -> str:
    words = [*_WORDS, str(rng.randrange(10**6)), str(_uuid(rng)), "year=2025", _hex(rng)]
    return separator.join(rng.choices(words, k=rng.randint(1, 5)))


def _time(rng: random.Random) -> str:
    month, day, hour, minute = rng.randint(1, 12), rng.randint(1, 28), rng.randrange(24), rng.randrange(60)
    year, second, name = rng.randint(1970, 2099), rng.randrange(60), rng.choice(_DAYS)
    fraction = rng.choice(["", ".5", ".123", ",123", ".123456", ".123456789"])
    zone = rng.choice(["", "Z", "+00:00", "-0530", " UTC", " +0200"])
    clock = f"{hour:02}:{minute:02}:{second:02}"
    word = _MONTHS[month - 1]
    return rng.choice(
        [
            f"{year}-{month:02}-{day:02}",
            f"{year}-{month:02}-{day:02}T{clock}{fraction}{zone}",
            f"{year}-{month:02}-{day:02} {clock}{fraction}{zone}",
            f"{year}/{month:02}/{day:02} {clock}{fraction}",
            f"{month:02}/{day:02}/{year} {clock}",
            f"{name}, {day:02} {word} {year} {clock} +0000",
            f"{name}, {day} {word} {year} {clock} GMT",
            f"{name} {word} {day:2} {clock} {year}",
            f"{name} {word} {day:2} {clock} CET {year}",
            f"{day:02}/{word}/{year}:{clock} +0000",
            f"{word} {day:2} {clock}",
            f"{clock}{fraction}",
            f"{hour % 12 + 1}:{minute:02}:{second:02} {rng.choice(['AM', 'PM'])}",
        ]
    )


def _uuid(rng: random.Random) -> str:
    made = str(uuid.UUID(int=rng.getrandbits(128)))
    return rng.choice([made, made.upper()])


def _ip(rng: random.Random) -> str:
    return ".".join(str(rng.randrange(256)) for _ in range(4))


def _ip6(rng: random.Random) -> str:
    groups = [f"{rng.randrange(1 << 16):x}" for _ in range(8)]
    short = f"2001:db8::{rng.randrange(1 << 16):x}"
    return rng.choice([":".join(groups), short, "::1", "fe80::1", f"[{short}]:443", "[::1]:8080"])


def _name(rng: random.Random) -> str:
    return rng.choice(["db", "db-1", "web7", "a.b", "cache_2"]) + "." + rng.choice(_ENDS)


def _host(rng: random.Random) -> str:
    port = rng.randrange(1, 65536)
    return rng.choice([_name(rng), f"{_name(rng)}:{port}", f"localhost:{port}", f"worker-{port}:{port}", _ip6(rng)])


def _url(rng: random.Random) -> str:
    path = f"/{_folders(rng, '/')}" + rng.choice(["", f"?page={_number(rng)}&at={_uuid(rng)}", f"#{_hex(rng)}"])
    host = rng.choice([_name(rng), f"{_ip(rng)}:{rng.randrange(1, 65536)}", "[2001:db8::1]:443", "bucket"])
    return rng.choice(["http", "https", "s3"]) + "://" + host + path


def _ulid(rng: random.Random) -> str:
    return "0" + "".join(rng.choices("0123456789ABCDEFGHJKMNPQRSTVWXYZ", k=25))


MARKS: Final[dict[str, Callable[[random.Random], str]]] = {
    "n": _number,
    "float": _float,
    "hex": _hex,
    "uuid": _uuid,
    "ulid": _ulid,
    "time": _time,
    "epoch": lambda rng: rng.choice([f"{rng.randrange(2 * 10**9)}", f"{rng.random() * 2e9:.6f}"]),
    "ip": _ip,
    "host": _host,
    "name": _name,
    "mail": lambda rng: f"{rng.choice(['ann', 'bob.x', 'c+d'])}@{rng.choice(['mx', 'a-b'])}.{rng.choice(_ENDS)}",
    "url": _url,
    "version": lambda rng: f"{rng.randrange(30)}.{rng.randrange(30)}.{rng.randrange(10**4)}",
    "tmp": lambda rng: "".join(rng.choices(string.ascii_lowercase + string.digits + "_", k=8)),
    "dir": lambda rng: f"/{_folders(rng, '/')}/",
    "windir": lambda rng: rng.choice(["C:\\", "d:\\", "E:\\Program Files\\"]) + _folders(rng, "\\") + "\\",
    "esc": lambda _: "\x1b",
    "cr": lambda _: "\r",
    "nul": lambda _: "\0",
}
