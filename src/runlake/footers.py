"""Footers of Parquet files, small: what Arrow makes of one takes 13 KB of memory a row group, this about 1 KB.

Of a file's footer only the schema, and of each row group only where its columns lie, are kept as bytes in the format's
own terms (Thrift's compact protocol, parquet.thrift of the Parquet format). Out of them the footer of a file of any of
these row groups is put together when it is to be read, which Arrow parses as quickly as there are few. Statistics are
left out.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet

_MAGIC: Final = b"PAR1"
_I32, _I64, _BINARY, _LIST, _STRUCT = 5, 6, 8, 9, 12
_TYPES: Final = ("BOOLEAN", "INT32", "INT64", "INT96", "FLOAT", "DOUBLE", "BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")
# Arrow's names, in the order of the format's numbers: the format's LZ4 is another, and its LZ4_RAW is Arrow's LZ4.
_CODECS: Final = ("UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4_HADOOP", "ZSTD", "LZ4")
_WIDE: Final = 7  # bytes of a number: it may end in empty groups of 7 bits, so that all take the same place
_PLACE: Final = 5  # numbers: see _place
_NUMBER: Final = b"\x80" * (_WIDE - 1) + b"\x00"


class Footer(Struct, frozen=True):
    """`head` is the version and the schema; `groups` has a row of bytes for each row group, `rows` how many runs."""

    head: bytes
    groups: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int64]

    def of(self, groups: Sequence[int]) -> parquet.FileMetaData:
        """The metadata of a file that holds these row groups only, in this order."""
        chosen = list(groups)
        count = len(chosen)
        parts = [
            _MAGIC,
            self.head,
            _field(1, _I64) + _number(int(self.rows[chosen].sum())),
            _field(1, _LIST) + bytes([0xF0 | _STRUCT]) + _varint(count),
            self.groups[chosen].tobytes(),
            b"\x00",
        ]
        body = b"".join(parts)
        return parquet.read_metadata(pa.BufferReader(body + struct.pack("<I", len(body) - len(_MAGIC)) + _MAGIC))

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self.head) + int(self.groups.nbytes + self.rows.nbytes)


def small(path: str, full: parquet.FileMetaData) -> Footer:
    """The footer of a file whose metadata Arrow has read. Raises OSError, or ValueError for what runlake never writes:
    an unknown compression, or columns within columns."""
    columns = [full.schema.column(number) for number in range(full.num_columns)]
    if any("." in column.path for column in columns):
        raise ValueError("has columns within columns")
    groups = [full.row_group(number) for number in range(full.num_row_groups)]
    places = [[_place(group.column(number)) for number in range(full.num_columns)] for group in groups]
    values = np.array(places, dtype=np.int64).reshape(len(groups), full.num_columns, _PLACE)
    rows = np.array([group.num_rows for group in groups], dtype=np.int64)
    template, at = _template([(column.physical_type, column.name) for column in columns])
    made = np.tile(np.frombuffer(template, dtype=np.uint8), (len(groups), 1))
    codec, sizes = values[:, :, :1], values[:, :, 1:]
    # Per column: codec, rows, bytes unpacked, bytes packed, and twice where it starts; then of the whole group.
    per_column = np.concatenate([codec, np.broadcast_to(rows[:, None, None], codec.shape), sizes], axis=2)
    whole = np.stack([sizes[:, :, 0].sum(axis=1), rows], axis=1)
    numbers = np.concatenate([per_column.reshape(len(groups), (_PLACE + 1) * len(columns)), whole], axis=1)
    for byte in range(_WIDE):
        made[:, np.array(at, dtype=np.intp) + byte] |= (numbers * 2 >> 7 * byte & 0x7F).astype(np.uint8)
    return Footer(_head(path), made, rows)


def _place(column: parquet.ColumnChunkMetaData) -> tuple[int, ...]:
    return (
        _CODECS.index(column.compression),
        column.total_uncompressed_size,
        column.total_compressed_size,
        column.data_page_offset,
        column.dictionary_page_offset or 0,  # Arrow takes 0 for none
    )


def _template(columns: Sequence[tuple[str, str]]) -> tuple[bytes, list[int]]:
    """A RowGroup without its numbers, and where they belong: for each column those of `small`, then of the group."""
    out = bytearray(_field(1, _LIST) + bytes([0xF0 | _STRUCT]) + _varint(len(columns)))
    at: list[int] = []

    def number(step: int, kind: int) -> None:
        out.extend(_field(step, kind))
        at.append(len(out))
        out.extend(_NUMBER)

    for kind, name in columns:
        text = name.encode()
        out += _field(2, _I64) + b"\x00" + _field(1, _STRUCT)  # file_offset, which nobody reads; meta_data
        out += _field(1, _I32) + _varint(2 * _TYPES.index(kind))
        out += _field(1, _LIST) + bytes([1 << 4 | _I32, 0])  # encodings, which the pages tell themselves
        out += _field(1, _LIST) + bytes([1 << 4 | _BINARY]) + _varint(len(text)) + text
        for step, width in ((1, _I32), (1, _I64), (1, _I64), (1, _I64), (2, _I64), (2, _I64)):
            number(step, width)
        out += b"\x00\x00"
    number(1, _I64)
    number(1, _I64)
    out += b"\x00"
    return bytes(out), at


def _head(path: str) -> bytes:
    """The version and the schema of a footer as they are in the file: its first two fields."""
    with Path(path).open("rb") as file:
        file.seek(-8, 2)
        size = struct.unpack("<I", file.read(4))[0]
        file.seek(-8 - size, 2)
        data = file.read(size)
    end = _after(data, 1, data[0] & 0xF)
    return data[: _after(data, end + 1, data[end] & 0xF)]


def _after(data: bytes, at: int, kind: int) -> int:
    """Where a value of some type ends that begins at `at`."""
    if kind in (1, 2):  # truth itself: the type says which
        return at
    if kind == 3:
        return at + 1
    if kind == _BINARY:
        size, at = _read(data, at)
        return at + size
    if kind == _LIST:
        count, inner = data[at] >> 4, data[at] & 0xF
        at += 1
        if count == 0xF:
            count, at = _read(data, at)
        for _ in range(count):
            at = _after(data, at, inner)
        return at
    if kind == _STRUCT:
        while data[at]:
            header = data[at]
            at += 1
            if not header >> 4:
                _, at = _read(data, at)
            at = _after(data, at, header & 0xF)
        return at + 1
    return _read(data, at)[1]


def _read(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if data[at - 1] < 0x80:
            return value, at


def _field(step: int, kind: int) -> bytes:
    """The header of a field whose number is `step` higher than that of the field before."""
    return bytes([step << 4 | kind])


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _number(value: int) -> bytes:
    """A number that is not negative, as Thrift writes it: doubled, so that the last bit is its sign."""
    return _varint(2 * value)
