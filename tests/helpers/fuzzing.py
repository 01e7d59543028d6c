"""Bodies of POST /runs that ought to be refused, or to be read as what they say: JSON, NDJSON and Arrow streams."""

from __future__ import annotations

import json
import random
import struct
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
from hypothesis import strategies as st
from oracle import FIELDS
from support import arrow_stream

TASK: Final = str(uuid.UUID(int=1 << 100))

# JSON values nobody expects, most of them not JSON at all.
FRAGMENTS: Final[tuple[bytes, ...]] = (
    *b"null true 0 -1 -0 1e400 1E5 0.1 01 - NaN Infinity -Infinity 1e308 {} [] [1,] {1:2} .5 +1 nul".split(),
    *b'"" " " "x" "\\" "\\x" "true" "1" "NaN" {"a":1,"a":2}'.split(),
    *b'"\\ud800" "\\udc00\\ud800" "\\u0000" "\\ud83e\\udd86"'.split(),
    b'"a\x00b"',
    b'"\xff\xfe"',
    b'"\xed\xa0\x80"',
    b'"\xc0\x80"',
    b'{"\xff":1}',
    b'{"\\ud800":1}',
    b"12345678901234567890123456789012345678901234567890",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775809",
    b"2147483648",
    b"1" * 5000,
    b"1e" + b"9" * 400,
    b"0." + b"3" * 4000,
    b'"' + b"x" * 256 + b'"',
    b'"' + b"x" * (1 << 20) + b'"',
    b"[" * 101 + b"]" * 101,
    b"[" * 100 + b"]" * 100,
    b"[" * 20_000,
    b'{"a":' * 150 + b"1" + b"}" * 150,
    b"[" * 5_000 + b"]" * 5_000,
    *(json.dumps(text).encode() for text in (TASK, TASK.upper(), f"{{{TASK}}}", TASK[:-1], f"urn:uuid:{TASK}")),
    *b'"1969-12-31T23:59:59.999999Z" "1970-01-01" "9999-12-31T23:59:59.9999999Z" "9999-12-31T23:59:59-23:59"'.split(),
    *b'"2025-02-30" "2025-01-01T24:00:00Z" "2025-01-01T08:00:60Z" "+292278994-08-17" "2025-01-11T08:00+99:99"'.split(),
    *b'"0000-00-00" "2025-01-11T08:00:00.000000000000000000001Z" "2025-01-11 08:00" "infinity" "epoch"'.split(),
)
_OPEN: Final[dict[str, bytes]] = {
    "task_id": json.dumps(TASK).encode(),
    "started_at": b'"2025-01-11T08:00:00Z"',
    "attempt": b"2",
    "output": b'{"rows":1}',
}
_FINISHED: Final = _OPEN | {"finished_at": b'"2025-01-11T09:00:01Z"', "success": b"true"}
_JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
_FRAGMENT: Final = st.sampled_from(FRAGMENTS) | _JSON.map(lambda value: json.dumps(value).encode())


@st.composite
def _record(draw: st.DrawFn) -> bytes:
    """A record of the right fields, up to three of them changed."""
    pairs = dict(draw(st.sampled_from([_OPEN, _FINISHED])))
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 1, 2]))):
        pairs[draw(st.sampled_from((*FIELDS, "unknown", "task_ID", "")))] = draw(_FRAGMENT)
    if draw(st.integers(0, 9)) == 0:
        pairs.pop(draw(st.sampled_from(sorted(pairs))))
    joined = [b"%s:%s" % (json.dumps(name).encode(), value) for name, value in pairs.items()]
    return b"{" + b",".join(joined + joined[:1] * (draw(st.integers(0, 19)) == 0)) + b"}"


_LIES: Final = (0, 1, -1, 2**31 - 1, -(2**31), 2**24, 255, 10_001)


@st.composite
def _mutated(draw: st.DrawFn, inner: st.SearchStrategy[bytes], one_in: int) -> bytes:
    """A body, one in so many with some of its bytes changed, lost or added; its numbers may lie."""
    body = bytearray(draw(inner))
    if not body or draw(st.integers(1, one_in)) > 1:
        return bytes(body)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(0, len(body) - 1)))
        match draw(st.integers(0, 4)):
            case 0:
                body[at : at + 1] = bytes([draw(st.integers(0, 255))])
            case 1:
                del body[at : at + draw(st.integers(1, 9))]
            case 2:
                body[at:at] = draw(st.binary(min_size=1, max_size=9))
            case 3:
                del body[at:]
            case _:
                at -= at % 4
                number = draw(st.sampled_from(_LIES))
                body[at : at + 4] = struct.pack("<i", number)
    return bytes(body)


def _wrapped(records: list[bytes], shape: int) -> bytes:
    listed = b"[" + b",".join(records) + b"]"
    match shape:
        case 0:
            return listed
        case 1:
            return records[0] if records else b""
        case 2:
            return b'{"runs":' + listed + b',"more":1}'
        case 3:
            return b'\xef\xbb\xbf{"runs":' + listed + b"}"
        case _:
            return b'{"runs":' + listed + b"}"


def json_bodies() -> st.SearchStrategy[bytes]:
    """Bodies that look like JSON."""
    made = st.builds(_wrapped, st.lists(_record(), max_size=4), st.integers(0, 24))
    return _mutated(made, 4) | _mutated(_JSON.map(lambda value: json.dumps(value).encode()), 2) | st.binary()


def ndjson_bodies() -> st.SearchStrategy[bytes]:
    """Bodies that look like NDJSON."""
    between = st.sampled_from([b"\n", b"\n", b"\r\n", b"\n\n", b"\r", b" ", b"\n\x00\n"])
    return _mutated(st.builds(lambda gap, rows: gap.join(rows), between, st.lists(_record(), max_size=4)), 4)


_INTS: Final = (0, 1, -1, 127, 1_736_582_400, 1_736_582_400_000_000, 2**62, 2**63 - 1, -(2**63))
_TEXTS: Final = (
    TASK,
    "",
    "2025-01-11T08:00:00Z",
    "x\x00y",
    "true",
    "1",
    '{"a":[1]}',
    "[" * 101 + "]" * 101,
    "🦆",
    "nan",
)
_BYTES: Final = (uuid.UUID(TASK).bytes, b"", b"\xff" * 16, b"[1]", b"\x00")
_FLOATS: Final = (0.0, 1.0, float("nan"), float("inf"), -1e308)
_UNITS: Final = ("s", "ms", "us", "ns")


def _fitting(kind: pa.DataType, values: tuple[Any, ...]) -> tuple[pa.DataType, tuple[Any, ...]]:
    """A type with those of the values that it can hold."""
    held = []
    for value in values:
        try:
            pa.array([value], kind)
        except (pa.ArrowException, ValueError, OverflowError, TypeError):
            continue
        held.append(value)
    return kind, (*held, None)


COLUMNS: Final[tuple[tuple[pa.DataType, tuple[Any, ...]], ...]] = tuple(
    _fitting(kind, values)
    for kinds, values in (
        ((pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string())), _TEXTS),
        ((pa.json_(), pa.list_(pa.string()), pa.map_(pa.string(), pa.int8())), (*_TEXTS, ["a", None], [("k", 1)])),
        ((pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(16), pa.uuid()), _BYTES),
        ((pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint32(), pa.uint64()), (*_INTS, 2**64 - 1)),
        ((pa.float16(), pa.float32(), pa.float64()), _FLOATS),
        ((pa.decimal128(38, 5), pa.decimal256(76, 0)), (Decimal(1), Decimal(-(10**30)))),
        (tuple(pa.timestamp(u, z) for u in _UNITS for z in (None, "UTC", "+02:00", "Mars/Base")), _INTS),
        (tuple(pa.duration(u) for u in _UNITS), (timedelta(1), timedelta(-1))),
        ((pa.date32(), pa.date64()), (*_INTS, date(2025, 1, 11), date(1, 1, 1), date(9999, 12, 31))),
        ((pa.time32("ms"), pa.time64("ns")), (time(8),)),
        ((pa.bool_(), pa.bool8()), (True, False)),
        ((pa.null(),), ()),
        ((pa.struct([("a", pa.int8())]), pa.list_(pa.int8()), pa.list_(pa.float64(), 2)), ({"a": 1}, [1], [1.5, 2.0])),
        ((pa.month_day_nano_interval(),), ((1, 2, 3),)),
        ((pa.timestamp("us", "UTC"),), (datetime(2025, 1, 11, 8, tzinfo=UTC),)),
    )
    for kind in kinds
)
_GOOD_COLUMNS: Final = {
    "task_id": (pa.string(), (TASK,)),
    "started_at": (pa.timestamp("us", "UTC"), (datetime(2025, 1, 11, 8, tzinfo=UTC),)),
    "finished_at": (pa.timestamp("us", "UTC"), (datetime(2025, 1, 11, 9, tzinfo=UTC),)),
    "success": (pa.bool_(), (True,)),
}


@st.composite
def _stream(draw: st.DrawFn) -> bytes:
    """An Arrow IPC stream of a few rows, some of its columns of any type."""
    rows = draw(st.integers(0, 3))
    columns = dict(_GOOD_COLUMNS)
    for _ in range(draw(st.integers(0, 4))):
        columns[draw(st.sampled_from((*FIELDS, "unknown")))] = draw(st.sampled_from(COLUMNS))
    if draw(st.integers(0, 9)) == 0:
        columns.pop(draw(st.sampled_from(sorted(columns))))
    arrays = {
        name: pa.array([draw(st.sampled_from(values)) for _ in range(rows)], kind)
        for name, (kind, values) in columns.items()
    }
    table = pa.table(arrays)
    if draw(st.integers(0, 19)) == 0 and columns:
        table = table.append_column(draw(st.sampled_from(sorted(columns))), table.column(0))
    codec = draw(st.sampled_from([None, None, "lz4", "zstd"]))
    return arrow_stream(table, copies=draw(st.sampled_from([0, 1, 1, 1, 2])), compression=codec)


def arrow_bodies() -> st.SearchStrategy[bytes]:
    """Bodies that look like Arrow streams."""
    return _mutated(_stream(), 2)


def changed_streams(rng: random.Random, number: int) -> Iterator[bytes]:
    """So many streams with a column of each type of `COLUMNS` in turn, a few of their bytes or numbers changed.

    Made without hypothesis; for decoding alone.
    """
    for turn in range(number):
        kind, values = COLUMNS[turn % len(COLUMNS)]
        rows = rng.randrange(4)
        columns = _GOOD_COLUMNS | {rng.choice(FIELDS): (kind, values)}
        table = pa.table({name: pa.array(rng.choices(held, k=rows), typed) for name, (typed, held) in columns.items()})
        body = bytearray(arrow_stream(table))
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(body))
            if rng.random() < 0.75:
                body[at] = rng.choice([rng.randrange(256), body[at] ^ 1 << rng.randrange(8)])
            else:
                struct.pack_into("<i", body, at // 4 * 4, rng.choice(_LIES))
        yield bytes(body)


def bomb(size: int) -> bytes:
    """An Arrow stream of one error text of so many bytes, which compress to next to nothing."""
    return arrow_stream(pa.table({"task_id": [TASK], "error": ["\x00" * size]}), compression="zstd")
