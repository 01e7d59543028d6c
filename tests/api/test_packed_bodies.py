"""POST /runs with Content-Encoding: gzip: read to the last byte, or refused; never larger than a body may be."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inprocess import assert_problem
from support import Server, arrow_stream, environment, record

from runlake.api import gzip_body
from runlake.errors import BadInput

NUMBERS: Final = itertools.count(1 << 65)
LIMIT: Final = 4_000_000
JSON: Final = "application/json"
ARROW: Final = "application/vnd.apache.arrow.stream"
# Zeros are unpacked until they are too much; the most memory beyond what there was is printed, in MiB.
MEASURE: Final = """
import asyncio, resource, sys
from runlake.api import body
from runlake.errors import TooLarge
from runlake.settings import Settings
bomb = sys.stdin.buffer.read()
reader = body.BodyReader(Settings(body_bytes=64 * 2**20, bodies_bytes=2**40))
reservation = body.Reservation(reader.budget)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    asyncio.run(reader._unpacked(bomb, reservation))
except TooLarge as exc:
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(len(bomb), reservation.size - len(bomb), round(grown), exc)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file, which takes bodies of up to LIMIT."""
    env = environment(None, RUNLAKE_BODY_BYTES=str(LIMIT), RUNLAKE_BODIES_BYTES=str(3 * LIMIT))
    with Server(tmp_path_factory.mktemp("packed") / "lake", env=env) as running:
        yield running


def runs(count: int) -> list[dict[str, Any]]:
    return [record(next(NUMBERS), output={"rows": i}) for i in range(count)]


def forms(batch: list[dict[str, Any]]) -> dict[str, bytes]:
    """The batch as each of the types."""
    columns = {name: [run[name] for run in batch] for name in batch[0]}
    columns["output"] = [json.dumps(run["output"]) for run in batch]
    return {
        JSON: json.dumps({"runs": batch}).encode(),
        "application/x-ndjson": b"".join(json.dumps(run).encode() + b"\n" for run in batch),
        ARROW: arrow_stream(pa.table(columns)),
    }


def post(server: Server, body: bytes, kind: str = JSON, encoding: str = "gzip") -> httpx.Response:
    return server.client.post("/runs", content=body, headers={"Content-Type": kind, "Content-Encoding": encoding})


def total(server: Server) -> int:
    found: int = server.client.get("/runs?limit=1").json()["total"]
    return found


def zeros(gibibytes: int) -> bytes:
    """So many GiB of zeros in one member, packed once and repeated; its end, of fewer zeros, is never come to."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    head, *rest = (packer.compress(bytes(1 << 26)) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return head + rest[0] * (16 * gibibytes - 1) + packer.flush()


def members(body: bytes, size: int) -> bytes:
    return b"".join(gzip.compress(body[at : at + size]) for at in range(0, len(body), size))


@pytest.mark.parametrize("count", [1, 1000])
@pytest.mark.parametrize("kind", [JSON, "application/x-ndjson", ARROW])
def test_every_type_may_come_packed(server: Server, kind: str, count: int) -> None:
    """As one member, as many, with padding; and the same unpacked is all duplicates."""
    batch = runs(count)
    body, other = forms(batch)[kind], forms(runs(count))[kind]
    first = post(server, gzip.compress(body), kind)
    assert (first.status_code, first.json()["stored"]) == (200, count), first.text
    assert post(server, members(other, len(other) // 7 + 1), kind).json()["stored"] == count
    for again in (members(body, 1 + len(body) // 9_000), gzip.compress(body) + bytes(1000), gzip.compress(b"") * 5):
        whole = again if len(again) > 200 else again + gzip.compress(body)
        assert post(server, whole, kind).json()["duplicates"] == count
    assert server.client.post("/runs", content=body, headers={"Content-Type": kind}).json()["duplicates"] == count


@pytest.mark.parametrize("named", ["gzip", "GZip", "x-gzip", "gzip, identity", "gzip ,"])
def test_names_of_gzip(server: Server, named: str) -> None:
    assert post(server, gzip.compress(forms(runs(1))[JSON]), encoding=named).json()["stored"] == 1


@pytest.mark.parametrize("named", ["br", "deflate", "zstd", "compress", "gzip, gzip", "gzip, br", "gzipped", "utf-8"])
def test_other_encodings_are_named(server: Server, named: str) -> None:
    """And so is what is read."""
    problem = assert_problem(post(server, b"x" * 100, encoding=named), 415)
    assert problem["detail"] == f"Content-Encoding {named} is not read here (send the body as it is, or as gzip)"
    for same in ("identity", ""):
        assert post(server, forms(runs(1))[JSON], encoding=same).json()["stored"] == 1


def test_every_cut_and_every_changed_byte_is_found(server: Server) -> None:
    """Only the bytes of the header that say nothing of the content may change: time, level, system."""
    body = gzip.compress(forms(runs(3))[JSON])
    before = total(server)
    for end in [*range(1, len(body), 17), *range(len(body) - 9, len(body))]:
        problem = assert_problem(post(server, body[:end]), 400, "body")
        assert "ends too early" in problem["detail"]
    for at in [0, 1, 2, 3, *range(10, len(body), 13), *range(len(body) - 8, len(body))]:
        changed = bytearray(body)
        changed[at] ^= 0x20 if at != 3 else 0x80
        assert_problem(post(server, bytes(changed)), 400, "body")
    assert total(server) == before


@pytest.mark.parametrize(
    ("rubbish", "says"),
    [
        (b"\n", "follows b'\\n'"),
        (b'{"runs":[]}', "follows"),
        (bytes(7) + b"x", "follows"),
        (b"\x1f\x8b", "ends too early"),
        (b"\x1f", "ends too early"),
        (gzip.compress(b"x", mtime=0)[:-1], "ends too early"),
        (zlib.compress(b"x"), "follows"),
    ],
)
def test_rubbish_after_the_end(server: Server, rubbish: bytes, says: str) -> None:
    body = gzip.compress(forms(runs(1))[JSON])
    before = total(server)
    problem = assert_problem(post(server, body + rubbish), 400, "body")
    assert says in problem["detail"]
    assert "follows" not in says or f"at byte {len(body)}," in problem["detail"]
    assert total(server) == before


@pytest.mark.parametrize("body", [b'{"runs":[]}', b"\x28\xb5\x2f\xfd", b"\0" * 50])
def test_what_is_not_gzip_is_shown(server: Server, body: bytes) -> None:
    problem = assert_problem(post(server, body), 400, "body")
    assert "is not gzip, as Content-Encoding says, but begins with b'" in problem["detail"]


def test_nothing_packed_is_nothing(server: Server) -> None:
    for body in (gzip.compress(b""), gzip.compress(b"") * 100):
        assert_problem(post(server, body), 400, "body")
    assert_problem(post(server, gzip.compress(b"") * (gzip_body.MEMBERS + 1)), 400, "body")
    # 60 MB of members without content: each is cheap, and they end soon.
    with pytest.raises(BadInput, match="gzip members"):
        list(gzip_body.pieces(gzip.compress(b"") * 3_000_000))


def test_the_limit_is_of_what_is_unpacked(server: Server) -> None:
    """To the byte, in one member and in many; and of what came, too."""
    whole = forms(runs(1))[JSON]
    fits = whole + b" " * (LIMIT - len(whole))
    assert post(server, gzip.compress(fits)).status_code == 200
    for body in (gzip.compress(fits + b" "), members(fits + b" ", 100_000), zeros(1)):
        problem = assert_problem(post(server, body), 413)
        assert problem["detail"] == f"a body is at most {LIMIT} bytes, unpacked too"
    noise = gzip.compress(random.Random(1).randbytes(LIMIT + 100))
    assert_problem(post(server, noise), 413)
    # What is unpacked does not stay when it is refused.
    deadline = time.monotonic() + 60
    while b"runlake_bodies_bytes 0.0" not in server.client.get("/metrics").content:
        assert time.monotonic() < deadline


def test_a_bomb_takes_little_memory() -> None:
    """4 GiB in 4 MB: one step more than the 64 MiB of a body is unpacked, and counted in the room of all bodies."""
    done = subprocess.run([sys.executable, "-c", MEASURE], input=zeros(4), capture_output=True, timeout=300, check=True)
    packed, counted, grown, said = done.stdout.decode().split(" ", 3)
    assert int(packed) < 5_000_000 and said.startswith("a body is at most 67108864 bytes")
    assert int(counted) == 64 * 2**20
    assert int(grown) < 64 + 30, done.stdout


def test_bombs_share_the_room_and_hold_nobody_up(tmp_path: Path) -> None:
    """Eight at once, unpacked far larger than the room: some get 413, some 503; the process stays small, and questions
    are answered meanwhile."""
    env = environment(None, RUNLAKE_BODIES_BYTES=str(100 * 2**20))
    bomb = zeros(1)
    with Server(tmp_path / "lake", env=env) as server:
        before = memory(server.process.pid)
        codes: list[int] = []

        def throw() -> None:
            for _ in range(3):
                answer = httpx.post(
                    f"{server.url}/runs",
                    content=bomb,
                    headers={"Content-Type": JSON, "Content-Encoding": "gzip"},
                    timeout=300,
                )
                codes.append(answer.status_code)

        threads = [threading.Thread(target=throw) for _ in range(8)]
        for thread in threads:
            thread.start()
        answered = 0
        while any(thread.is_alive() for thread in threads):
            assert server.client.get("/health").status_code == 200
            answered += 1
        for thread in threads:
            thread.join()
        assert len(codes) == 24 and set(codes) <= {413, 503} and 413 in codes
        assert answered > 10
        assert memory(server.process.pid) - before < 250 * 2**20
        assert server.post(record(1)).json()["stored"] == 1


def memory(pid: int) -> int:
    """The most memory a process ever had, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))


def test_members_whose_ends_fall_on_a_step() -> None:
    """The last piece of one is full, or nearly, and another follows in what was fed to it."""
    for size in (gzip_body.PIECE - 1, gzip_body.PIECE, gzip_body.PIECE + 1, 3 * gzip_body.PIECE + 100):
        body = bytes(size)
        for level in (0, 1, 9):
            packed = gzip.compress(body, level) + gzip.compress(b"x" * 100) + gzip.compress(body, level) + bytes(9)
            assert b"".join(gzip_body.pieces(packed)) == body + b"x" * 100 + body


@given(
    st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 50_000), st.integers(0, 9)), min_size=1, max_size=5),
    st.integers(0, 300),
)
def test_pieces_are_what_gzip_reads(parts: list[tuple[bytes, int, int]], padding: int) -> None:
    """As Python's own module does, however the members were made; no piece is empty or longer than a step."""
    packed = b"".join(gzip.compress(seed * times, level) for seed, times, level in parts) + bytes(padding)
    found = list(gzip_body.pieces(packed))
    assert b"".join(found) == gzip.decompress(packed)
    assert all(0 < len(piece) <= gzip_body.PIECE for piece in found)
