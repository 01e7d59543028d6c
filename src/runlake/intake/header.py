"""The first line of a CSV file: the names of the columns, and the separator."""

from __future__ import annotations

import codecs
import csv
import io
import re
from typing import Final

from msgspec import Struct

from runlake.errors import ImportFailed
from runlake.intake.files import File
from runlake.intake.messages import NOT_UTF8

SEPARATORS: Final = ",;\t|"
INDEX: Final = "__index_level_0__"  # the index of a pandas data frame: so in Parquet, and in CSV without a name
_MOST: Final = 1 << 20  # bytes of a file that are read for its header
_QUOTED: Final = re.compile(r'"(?:[^"]|"")*"')


class Header(Struct, frozen=True):
    """The distinct names of the columns of a CSV file, and the separator."""

    names: tuple[str, ...]
    separator: str


def read(file: File, separator: str | None) -> Header | None:
    """The header of an uncompressed CSV file; None for an empty file.

    A repeated name gets a number (`a`, `a_1`). An empty name becomes `column` and its position from 0, or INDEX at
    position 0. Raises ImportFailed when the first line is no header.
    """
    with file.path.open("rb") as stream:
        raw = stream.read(_MOST)
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(raw, final=len(raw) < _MOST)
    except UnicodeDecodeError as exc:
        line = raw.count(b"\n", 0, exc.start) + 1
        raise ImportFailed(f"{file.name}: line {line}: not UTF-8: {exc.reason}", hint=NOT_UTF8) from None
    if "\0" in text.split("\n", 1)[0]:
        raise ImportFailed(f"{file.name}: the first line holds NUL characters: it is no text in UTF-8", hint=NOT_UTF8)
    if not text:
        return None
    separator = separator or _separator_in(text, file)
    try:
        names = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))
    except (csv.Error, StopIteration) as exc:
        raise ImportFailed(f"{file.name}: the first line is no header: {exc}") from None
    if not names:
        raise ImportFailed(f"{file.name}: the first line is empty; it has to name the columns")
    if len("".join(names)) > _MOST // 2:
        raise ImportFailed(f"{file.name}: the first line is too long for a header")
    return Header(_distinct(names), separator)


def _separator_in(text: str, file: File) -> str:
    """The separator that occurs in the first line outside of quotes; raises ImportFailed when several do."""
    bare = _QUOTED.sub("", text)
    line = re.split(r"[\r\n]", bare, maxsplit=1)[0]
    found = [mark for mark in SEPARATORS if mark in line]
    if len(found) > 1:
        marks = " and ".join(repr(mark) for mark in found)
        raise ImportFailed(f"{file.name}: the first line holds {marks}", hint="--delimiter says which one separates")
    return found[0] if found else SEPARATORS[0]


def _distinct(names: list[str]) -> tuple[str, ...]:
    """The names, numbered so that they differ in more than case, as SQL requires."""
    given = [name or (f"column{place}" if place else INDEX) for place, name in enumerate(names)]
    taken = {name.lower() for name in given}
    seen: set[str] = set()
    found = []
    for name in given:
        unique, number = name, 0
        while unique.lower() in seen or (number and unique.lower() in taken):
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique.lower())
        found.append(unique)
    return tuple(found)
