"""Arrow bodies: any type that can hold a field is read alike; what cannot is bad input, never a failure."""

from __future__ import annotations

import uuid
from typing import Any, Final

import pyarrow as pa
import pytest
from support import arrow_stream

from runlake import times
from runlake.api.body import from_arrow
from runlake.errors import BadInput

TASK: Final = uuid.UUID("550e8400-e29b-41d4-a716-446655440000")
AT: Final = times.parse("2025-01-11T08:00:00.123456Z")
UNITS: Final = ("s", "ms", "us", "ns")
ZONES: Final = (None, "UTC", "+02:00", "Europe/Berlin")


def sent(**columns: Any) -> bytes:
    """A body of these columns."""
    return arrow_stream(pa.table({"task_id": [str(TASK)], **columns}))


def read(**columns: Any) -> dict[str, Any]:
    """The first row of a body of these columns, times as microseconds."""
    rows = from_arrow(sent(**columns)).rows
    created = rows["created_at"].cast(pa.int64())
    row: dict[str, Any] = rows.drop_columns("created_at").to_pylist()[0]
    return row | {"created_at": created[0].as_py()}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("zone", ZONES)
def test_timestamps_of_any_unit_and_zone(unit: str, zone: str | None) -> None:
    """A zone says how to show a time, not which time it is; nanoseconds are cut off."""
    micros = AT if unit in ("us", "ns") else AT // 1_000 * 1_000 if unit == "ms" else AT // 1_000_000 * 1_000_000
    value = {"s": micros // 1_000_000, "ms": micros // 1_000, "us": micros, "ns": micros * 1_000 + 999}[unit]
    assert read(created_at=pa.array([value], pa.timestamp(unit, zone)))["created_at"] == micros


OUT_OF_RANGE: Final = [
    (unit, value)
    for unit in UNITS
    for value in (-1, -(2**62), 2**62, 2**63 - 1, -(2**63) + 1)
    if unit != "ns" or value < 0  # the last nanosecond there is lies in 2262
]


@pytest.mark.parametrize(("unit", "value"), OUT_OF_RANGE)
@pytest.mark.parametrize("zone", [None, "UTC"])
def test_timestamps_out_of_range(unit: str, zone: str | None, value: int) -> None:
    """Before 1970 or after 9999, however large the number."""
    with pytest.raises(BadInput) as caught:
        read(created_at=pa.array([value], pa.timestamp(unit, zone)))
    assert [error.field for error in caught.value.errors] == ["runs[0].created_at"]


TEXT: Final = pa.array([str(TASK)])
BYTES: Final = pa.array([TASK.bytes], pa.binary())


@pytest.mark.parametrize(
    "ids",
    [
        pa.array([str(TASK).upper()]),
        pa.array([TASK.hex]),
        TEXT.cast(pa.large_string()),
        TEXT.cast(pa.string_view()),
        TEXT.dictionary_encode(),
        BYTES,
        BYTES.cast(pa.large_binary()),
        BYTES.cast(pa.binary_view()),
        BYTES.cast(pa.binary(16)),
        pa.array([TASK.bytes], pa.uuid()),
    ],
    ids=lambda array: str(array.type),
)
def test_ids_of_any_type(ids: pa.Array) -> None:
    row = read(id=ids, task_id=ids)
    assert (row["id"], row["task_id"]) == (TASK, TASK)


REFUSED: Final[dict[str, pa.Array]] = {
    "id": pa.array([b"123456789012345"]),
    "task_id": pa.nulls(1),
    "lease_owner": pa.array(["🦆" * 256]),
    "leased_until": pa.array([1_736_580_000]),
    "started_at": pa.array([1], pa.time32("s")),
    "success": pa.array([True]),
    "error": pa.array([5]),
    "attempt": pa.array([1.5]),
    "output": pa.array(["{a"]),
}


@pytest.mark.parametrize("field", REFUSED)
def test_a_column_that_cannot_be(field: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(**{field: REFUSED[field]})
    assert [error.field for error in caught.value.errors] == [f"runs[0].{field}"]


@pytest.mark.parametrize("name", ["nope", "Task_id", "", 'a"b', "run_at"])
def test_an_unknown_column(name: str) -> None:
    with pytest.raises(BadInput) as caught:
        read(**{name: [1]})
    assert [error.field for error in caught.value.errors] == [name]


@pytest.mark.parametrize(
    ("output", "stored"),
    [
        (['{"b": 1, "a": 1E2}'], '{"b":1,"a":100.0}'),
        (["null"], None),
        ([None], None),
        (["123456789012345678901234567890"], "123456789012345678901234567890"),
        (["-0"], "0"),
        (["1e400"], "1e400"),
    ],
    ids=str,
)
def test_output_is_json_text(output: list[str | None], stored: str | None) -> None:
    assert read(output=pa.array(output, pa.string()))["output"] == stored


UNKNOWN_TYPES: Final = [
    pa.array([1], pa.decimal256(76, 0)),
    pa.array([None], pa.list_view(pa.decimal256(40, 2))),
]


@pytest.mark.parametrize("values", UNKNOWN_TYPES, ids=lambda values: str(values.type))
@pytest.mark.parametrize("field", ["attempt", "output", "id"])
def test_types_the_engine_does_not_know(field: str, values: pa.Array) -> None:
    """Bad input that names the column, not a failure."""
    with pytest.raises(BadInput) as caught:
        read(**{field: values})
    assert [error.field for error in caught.value.errors] == [field]
    assert str(values.type) in caught.value.errors[0].message


def test_a_column_name_that_is_not_utf8() -> None:
    """Bad input as well."""
    body = sent(lease_owner=["x"])
    with pytest.raises(BadInput, match="UTF-8"):
        from_arrow(body.replace(b"lease_owner", b"lease_\x80wner"))


@pytest.mark.parametrize("unit", UNITS)
def test_a_zone_whose_name_is_not_utf8(unit: str) -> None:
    """It is not looked at, as of any zone."""
    at = 1_736_582_400_000_000
    value = {"s": at // 1_000_000, "ms": at // 1_000, "us": at, "ns": at * 1_000}[unit]
    body = sent(created_at=pa.array([value], pa.timestamp(unit, "Mars/Base")))
    rows = from_arrow(body.replace(b"Mars/Base", b"Mars\x80Base")).rows
    assert rows["created_at"].cast(pa.int64()).to_pylist() == [at]
