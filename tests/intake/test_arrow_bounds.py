"""A small Arrow body cannot become a large one: it is refused before anything is unpacked."""

from __future__ import annotations

import contextlib
import random
import struct
import time
import uuid
from typing import Any, Final

import pyarrow as pa
import pytest
from fuzzing import changed_streams
from hypothesis import given, settings
from hypothesis import strategies as st
from support import arrow_stream

from runlake.api.body import from_arrow
from runlake.errors import BadInput, TooLarge
from runlake.intake import stream
from runlake.model import MAX_BATCH

LIMIT: Final = 1_000_000
TASK: Final = str(uuid.UUID(int=5))
CODECS: Final = ("zstd", "lz4")


def rows(number: int, **columns: Any) -> pa.Table:
    return pa.table({"task_id": [TASK] * number, **columns})


def grown(sent: bytes, limit: int = LIMIT) -> int:
    """How much memory Arrow takes at most while it refuses a body."""
    pool = pa.default_memory_pool()
    before = pool.bytes_allocated()
    peak = pa.proxy_memory_pool(pool)
    pa.set_memory_pool(peak)
    try:
        with pytest.raises(TooLarge, match=str(limit)):
            from_arrow(sent, limit=limit)
    finally:
        pa.set_memory_pool(pool)
    assert pool.bytes_allocated() <= before + 1_000_000
    return int(peak.max_memory() or 0)


@pytest.mark.parametrize("codec", CODECS)
def test_compressed_bodies_are_read(codec: str) -> None:
    """Also with buffers that are too small to be worth it, and with dictionaries."""
    table = rows(100, output=[f'"{"x" * i}"' for i in range(100)], attempt=[1] * 100)
    assert (
        from_arrow(arrow_stream(table, compression=codec), limit=LIMIT).rows["output"].to_pylist()[9] == f'"{"x" * 9}"'
    )
    table = table.set_column(1, "output", table["output"].dictionary_encode())
    assert (
        from_arrow(arrow_stream(table, compression=codec), limit=LIMIT).rows["output"].to_pylist()[9] == f'"{"x" * 9}"'
    )


@pytest.mark.parametrize("codec", CODECS)
def test_a_compressed_bomb(codec: str) -> None:
    """Two hundred megabytes in a few kilobytes of zstd: nothing is unpacked."""
    sent = arrow_stream(rows(200, error=["x" * 1_000_000] * 200), compression=codec)
    assert len(sent) < 2_000_000
    assert grown(sent) < 2 * LIMIT
    assert from_arrow(arrow_stream(rows(1, error=["x" * 900_000]), compression=codec), limit=LIMIT).rows.num_rows == 1


@pytest.mark.parametrize("codec", CODECS)
def test_a_compressed_dictionary_bomb(codec: str) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0], pa.int8()), pa.array(["x" * 50_000_000]))
    sent = arrow_stream(rows(1, error=texts), compression=codec)
    assert len(sent) < 300_000
    assert grown(sent) < 2 * LIMIT


def test_many_small_batches_add_up() -> None:
    """Each is below the limit, all together are not."""
    table = rows(100, error=["x" * 20_000] * 100)
    assert grown(arrow_stream(table, chunk=10, compression="zstd")) < 2 * LIMIT


@pytest.mark.parametrize("claim", [0, 1, 100, 2**20, 2**31, 2**62, 2**63 - 1, -2, -(2**63)])
def test_claims_that_lie(claim: int) -> None:
    """A compressed buffer that says another size than it has: too large, or no Arrow stream."""
    sent = bytearray(arrow_stream(rows(1, error=["x" * 5000]), compression="zstd"))
    place = sent.rindex(struct.pack("<q", 5000))
    sent[place : place + 8] = struct.pack("<q", claim)
    with pytest.raises((TooLarge, BadInput)):
        from_arrow(bytes(sent), limit=LIMIT)


REPEATED: Final = {
    "dictionary": pa.DictionaryArray.from_arrays(pa.array([0] * 9000, pa.int16()), pa.array(["x" * 900_000])),
    "large dictionary": pa.DictionaryArray.from_arrays(
        pa.array([0] * 9000, pa.int16()), pa.array(["x" * 900_000], pa.large_string())
    ),
    "views": pa.DictionaryArray.from_arrays(pa.array([0] * 2, pa.int16()), pa.array(["x" * 900_000], pa.string_view())),
}


@pytest.mark.parametrize("kind", REPEATED)
def test_one_text_many_times(kind: str) -> None:
    """Nine thousand rows share a text of 900 KB: eight gigabytes, if each row had its own."""
    table = rows(len(REPEATED[kind]), error=REPEATED[kind])
    sent = arrow_stream(table)
    assert len(sent) < LIMIT + 500_000
    assert grown(sent) < 10 * LIMIT


def views_of_one_text(number: int, size: int) -> pa.Array:
    """A column of views that all lie on one text."""
    text = pa.py_buffer(b"x" * size)
    view = struct.pack("<i4sii", size, b"xxxx", 0, 0)
    return pa.Array.from_buffers(pa.string_view(), number, [None, pa.py_buffer(view * number), text])


def test_views_of_one_text() -> None:
    sent = arrow_stream(rows(9000, error=views_of_one_text(9000, 900_000)))
    assert len(sent) < LIMIT + 500_000
    assert grown(sent) < 10 * LIMIT
    few = from_arrow(arrow_stream(rows(3, error=views_of_one_text(3, 1000))), limit=LIMIT)
    assert few.rows["error"].to_pylist() == ["x" * 1000] * 3


def test_views_of_a_slice_are_measured_where_they_lie() -> None:
    texts = pa.array(["a" * 100, None, "b" * 200, "c", "d" * 50], pa.string_view())
    assert stream._size(pa.chunked_array([texts])) == 351
    assert stream._size(pa.chunked_array([texts.slice(1, 3)])) == 201
    assert stream._size(pa.chunked_array([pa.array(["a", "bb", None])])) == 3


def test_columns_that_share_a_buffer() -> None:
    """A hundred thousand columns in a small body are unknown columns before they are looked at."""
    text = pa.array(["x" * 100_000])
    table = pa.table([text] * 2000, names=[f"c{i}" for i in range(2000)])
    body, began = arrow_stream(table), time.process_time()
    with pytest.raises(BadInput, match="unknown field"):
        from_arrow(body, limit=10**9)
    assert time.process_time() - began < 1


NESTED: Final = {
    "struct": pa.array([{"a": 1}]),
    "list": pa.array([[1]]),
    "large list": pa.array([[1]], pa.large_list(pa.int8())),
    "fixed list": pa.array([[1]], pa.list_(pa.int8(), 1)),
    "list view": pa.array([[1]], pa.list_view(pa.int8())),
    "map": pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int8())),
    "runs": pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["x"])),
}


@pytest.mark.parametrize("kind", NESTED)
def test_nested_types_are_refused(kind: str) -> None:
    """`output` is JSON text; a value with long names in it could be made to repeat them in each row."""
    with pytest.raises(BadInput) as caught:
        from_arrow(arrow_stream(rows(1, output=NESTED[kind])), limit=LIMIT)
    assert [error.field for error in caught.value.errors] == ["output"]


def test_rows_are_counted_before_they_are_read() -> None:
    """Rows of nothing weigh nothing: two billion of them are still too many."""
    sent = arrow_stream(pa.table({"task_id": pa.nulls(MAX_BATCH // 2)}), copies=3)
    with pytest.raises(BadInput, match="10000 records"):
        from_arrow(sent, limit=LIMIT)


WHOLE: Final = [
    arrow_stream(rows(3, error=["x" * 200, None, "y"], attempt=[1, 2, 3]), compression=codec)
    for codec in (None, *CODECS)
]


@settings(max_examples=300)
@given(st.sampled_from(WHOLE), st.data())
def test_damaged_streams_are_bad_input(whole: bytes, data: st.DataObject) -> None:
    """Bytes changed, cut off or doubled anywhere: BadInput, TooLarge, or still a batch; nothing else."""
    changed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    if data.draw(st.booleans()):
        changed = changed[: data.draw(st.integers(0, len(changed)))]
    with contextlib.suppress(BadInput, TooLarge):
        from_arrow(bytes(changed), limit=LIMIT)


@pytest.mark.parametrize(("seed", "number"), [(4, 1000), (7, 3000)])
def test_changed_streams_of_every_type_are_bad_input(seed: int, number: int) -> None:
    """The same with columns of all types, which changed bytes turn into others: of these two seeds into a decimal of
    an impossible scale and an interval of months."""
    for changed in changed_streams(random.Random(seed), number):
        with contextlib.suppress(BadInput, TooLarge):
            from_arrow(changed, limit=LIMIT)


ODD: Final = {
    "scale": pa.array([None], pa.decimal128(38, 1_459_617_797)),
    "negative scale": pa.array([None], pa.decimal128(5, -2)),
    "interval": pa.array([(1, 2, 3)], pa.month_day_nano_interval()),
}


@pytest.mark.parametrize("kind", ODD)
def test_types_that_hold_no_field(kind: str) -> None:
    """DuckDB fails on the scale, Arrow on intervals of months."""
    with pytest.raises(BadInput, match="is not read here") as caught:
        from_arrow(arrow_stream(rows(1, attempt=ODD[kind])), limit=LIMIT)
    assert [error.field for error in caught.value.errors] == ["attempt"]
