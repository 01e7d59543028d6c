"""Arrow IPC streams from clients: their unpacked size is known before anything is unpacked.

A few kilobytes can unpack to gigabytes: by compressed buffers, by dictionaries and views that repeat one long text, or
by columns that share buffers. So the metadata are read first, nested types are refused, and repeated texts are counted
as often as they occur.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from runlake.errors import BadInput, TooLarge
from runlake.intake.tables import check_columns
from runlake.model import MAX_BATCH

# The numbers of fields, and of header types, in Arrow's Message.fbs.
_HEADER_TYPE: Final = 1
_HEADER: Final = 2
_DICTIONARY_BATCH: Final = 2
_RECORD_BATCH: Final = 3
_DATA: Final = 1  # field of a DictionaryBatch
_LENGTH: Final = 0  # fields of a RecordBatch
_BUFFERS: Final = 2
_COMPRESSION: Final = 3

# The accepted types. Others (nested, run-end encoded, intervals) would need ways of their own to measure their size,
# and Arrow or DuckDB fail on some of them.
_ACCEPTED: Final[tuple[Callable[[pa.DataType], bool], ...]] = (
    *(pa.types.is_null, pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating),
    *(pa.types.is_timestamp, pa.types.is_date, pa.types.is_time, pa.types.is_duration),
    *(pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view),
    *(pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view, pa.types.is_fixed_size_binary),
)


def table(body: bytes, limit: int) -> pa.Table:
    """The rows of a stream, validated; raises BadInput, or TooLarge when it unpacks to more than `limit` bytes."""
    try:
        _measure(body, limit)
        with pa.ipc.open_stream(body) as stream:
            check_columns(stream.schema.names)
            _check_types(stream.schema)
            batches = []
            for part in stream:
                # A stream may have wrong lengths and invalid UTF-8, so validate before anything reads the values.
                part.validate(full=True)
                batches.append(part)
            rows = pa.Table.from_batches(batches, schema=stream.schema)
        size = sum(_size(rows.column(place)) for place in range(rows.num_columns))
    except UnicodeDecodeError:
        raise BadInput.of("body", "the name of a column is not UTF-8") from None
    except (pa.ArrowException, OSError, ValueError, struct.error) as exc:
        raise BadInput.of("body", f"not an Arrow IPC stream: {' '.join(str(exc).split())}") from None
    if size > limit:
        raise _too_large(limit)
    return rows


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"a body is at most {limit} bytes, also when it is unpacked")


def _measure(body: bytes, limit: int) -> None:
    """Check the number of rows and the size that compressed buffers claim, from the metadata; raises as `table` does.

    A buffer that claims a wrong size fails when it is unpacked.
    """
    rows = size = 0
    source = pa.BufferReader(body)
    for message in pa.ipc.MessageReader.open_stream(source):
        data = bytes(message.metadata)
        root = _u32(data, 0)
        header = _indirect(data, root, _HEADER)
        kind = data[at] if (at := _field(data, root, _HEADER_TYPE)) else 0
        if kind == _DICTIONARY_BATCH and header:
            header = _indirect(data, header, _DATA)
        elif kind == _RECORD_BATCH and header:
            rows += _i64(data, at) if (at := _field(data, header, _LENGTH)) else 0
        else:
            continue
        if rows > MAX_BATCH:
            raise BadInput.of("runs", f"a batch holds 1 to {MAX_BATCH} records, not {rows} or more")
        if header and _field(data, header, _COMPRESSION):
            size += sum(_unpacked(message.body, offset, length) for offset, length in _buffers(data, header))
        if size > limit:
            raise _too_large(limit)
    if more := len(body) - source.tell():  # Arrow would ignore a second stream
        raise BadInput.of("body", f"goes on for {more} bytes after the end of the Arrow IPC stream")


def _unpacked(body: pa.Buffer, offset: int, length: int) -> int:
    """The size in bytes that a compressed buffer claims to unpack to; its prefix is -1 if it is not compressed."""
    if length == 0:
        return 0
    claimed = _i64(bytes(body[offset : offset + 8]), 0)
    return length if claimed == -1 else max(claimed, 0)


def _buffers(data: bytes, batch: int) -> Iterator[tuple[int, int]]:
    """(offset, length) of the buffers of a RecordBatch, in the body of its message."""
    start = _indirect(data, batch, _BUFFERS)
    if start:
        for number in range(_u32(data, start)):
            yield struct.unpack_from("<qq", data, start + 4 + 16 * number)


def _field(data: bytes, at: int, number: int) -> int:
    """The position of a field of the flatbuffer table at `at`; 0 when the field is absent."""
    vtable = at - struct.unpack_from("<i", data, at)[0]
    if 4 + 2 * number >= struct.unpack_from("<H", data, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", data, vtable + 4 + 2 * number)[0]
    return at + int(offset) if offset else 0


def _indirect(data: bytes, at: int, number: int) -> int:
    """The position of the table or vector that a field points to; 0 when the field is absent."""
    place = _field(data, at, number)
    return place + _u32(data, place) if place else 0


def _u32(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<I", data, at)[0])


def _i64(data: bytes, at: int) -> int:
    return int(struct.unpack_from("<q", data, at)[0])


def _check_types(schema: pa.Schema) -> None:
    for field in schema:
        kind = field.type.storage_type if isinstance(field.type, pa.BaseExtensionType) else field.type
        if not _is_read(kind.value_type if pa.types.is_dictionary(kind) else kind):
            raise BadInput.of(field.name, f"a column of type {field.type} is not read here; `output` is JSON text")


def _is_read(kind: pa.DataType) -> bool:
    if pa.types.is_decimal(kind):  # DuckDB fails on a scale out of range
        return bool(0 <= kind.scale <= kind.precision)
    return any(is_(kind) for is_ in _ACCEPTED)


def _size(column: pa.ChunkedArray) -> int:
    """The size in bytes of a column in which each row has its own copy of its value."""
    return sum(_array_size(chunk) for chunk in column.chunks)


def _array_size(array: pa.Array) -> int:
    if isinstance(array, pa.ExtensionArray):
        return _array_size(array.storage)
    if pa.types.is_dictionary(array.type):
        lengths = _lengths(array.dictionary)
        return int(pc.sum(lengths.take(array.indices)).as_py() or 0) if lengths is not None else array.nbytes
    lengths = _lengths(array)
    return int(pc.sum(lengths).as_py() or 0) if lengths is not None else array.nbytes


def _lengths(array: pa.Array) -> pa.Array | None:
    """The length in bytes of each text or binary value; None for a type of fixed size."""
    if pa.types.is_string_view(array.type) or pa.types.is_binary_view(array.type):
        # A view has four 32-bit integers; the first one is the length.
        views = np.frombuffer(array.buffers()[1] or b"", dtype="<i4").reshape(-1, 4)
        lengths = views[array.offset : array.offset + len(array), 0].astype(np.int64)
        return pa.array(lengths, mask=np.asarray(array.is_null()))
    kind = array.type
    textual = pa.types.is_string(kind) or pa.types.is_binary(kind)
    large = pa.types.is_large_string(kind) or pa.types.is_large_binary(kind)
    return pc.binary_length(array).cast(pa.int64()) if textual or large else None
