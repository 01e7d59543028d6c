"""Files that are read line by line: NDJSON as records, other texts as a column of lines."""

from __future__ import annotations

import io
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from runlake.columns import TEXTS
from runlake.errors import ImportFailed
from runlake.intake.messages import NOT_UTF8

SCHEMA: Final = pa.schema([("line", pa.string())])
CHUNK_BYTES: Final = 64 << 20  # limit of a chunk of lines, and of a line
_BLOCK: Final = 4 << 20  # bytes that are read at once


def records(stream: io.BufferedReader, name: str, rows: int) -> Iterator[tuple[int, pa.Table]]:
    """The lines that are not blank, as (number of the first one, counted from 1, table of up to `rows` TEXTS)."""
    found: list[bytes] = []
    first, size = 1, 0
    _skip_bom(stream)
    line = b"\n"
    while line:
        line = stream.readline(CHUNK_BYTES)
        if len(line) == CHUNK_BYTES:
            raise ImportFailed(f"{name}: row {first + len(found)}: a line of {CHUNK_BYTES} bytes or more")
        if line.strip():
            found.append(line)
            size += len(line)
        if found and (not line or len(found) == rows or size >= CHUNK_BYTES):
            yield first, pa.table([pa.array(found, pa.large_binary())], schema=TEXTS)
            first, found, size = first + len(found), [], 0


def texts(stream: io.BufferedReader, name: str) -> Iterator[pa.RecordBatch]:
    """All lines as text, also blank ones, without their ends (`\\n` or `\\r\\n`)."""
    number, rest = 1, b""
    _skip_bom(stream)
    while block := stream.read(_BLOCK):
        whole = (rest + block).split(b"\n")
        rest = whole.pop()
        if len(rest) > CHUNK_BYTES:
            raise ImportFailed(f"{name}: line {number + len(whole)}: a line of {CHUNK_BYTES} bytes or more")
        if whole:
            yield _text(whole, name, number)
            number += len(whole)
    if rest:
        yield _text([rest], name, number)


def _text(found: list[bytes], name: str, number: int) -> pa.RecordBatch:
    column = pa.array(found, pa.binary())
    try:
        texts = column.cast(pa.string())
    except pa.ArrowInvalid:
        bad = next(i for i, line in enumerate(found) if not _is_text(line))
        raise ImportFailed(f"{name}: line {number + bad}: not UTF-8", hint=NOT_UTF8) from None
    ends = pc.ends_with(texts, "\r")
    if pc.any(ends).as_py():
        texts = pc.if_else(ends, pc.utf8_slice_codeunits(texts, 0, -1), texts)
    return pa.record_batch([texts], schema=SCHEMA)


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _skip_bom(stream: io.BufferedReader) -> None:
    """Skip the byte order mark that some programs write first."""
    if stream.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
        stream.read(len(BOM_UTF8))
