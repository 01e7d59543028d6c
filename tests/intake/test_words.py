"""Messages about a value show it, and what was expected; NaN and Infinity are called by their names."""

from __future__ import annotations

import decimal
import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet
from support import runlake
from taking import written

from runlake.errors import BadInput, SqlError
from runlake.intake import Tables, decode_json, decode_ndjson
from runlake.sandbox import sources
from runlake.settings import Settings

TASK = "550e8400-e29b-41d4-a716-446655440000"
LONG = "x" * 5000
VALUES: list[tuple[str, Any, str]] = [
    ("id", "nope", 'expected a UUID, not "nope"'),
    ("started_at", "03/04/2026", 'expected an ISO 8601 time .*, not "03/04/2026"'),
    ("success", "yes", 'expected true or false, not "yes"'),
    ("attempt", 1.5, "expected a whole number from 1 to 2147483647, not 1.5"),
    ("attempt", 0, "expected a whole number from 1 to 2147483647, not 0"),
    ("lease_owner", LONG, 'expected text of at most 255 characters, not "x{98}…$'),
]


def said(field: str, value: Any, way: str) -> str:
    """The message about a value, posted in one of three ways."""
    record = json.dumps({"task_id": TASK, field: value}).encode()
    with pytest.raises(BadInput) as refused:
        if way == "json":
            decode_json(b'{"runs":[%s]}' % record)
        elif way == "ndjson":
            decode_ndjson(record)
        else:
            Tables().batch(pa.table({"task_id": [TASK], field: [value]}))
    (error,) = refused.value.errors
    assert error.field == f"runs[0].{field}"
    return error.message


@pytest.mark.parametrize("way", ["json", "ndjson", "arrow"])
@pytest.mark.parametrize(("field", "value", "words"), VALUES, ids=[f"{f}-{i}" for i, (f, *_) in enumerate(VALUES)])
def test_the_value_is_shown(field: str, value: Any, words: str, way: str) -> None:
    assert re.search(words, said(field, value, way))


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
def test_not_a_number_in_json(number: str) -> None:
    """With the index of its record, on every way; in texts these are words like others."""
    good = f'{{"task_id":"{TASK}","error":"NaN, Infinity"}}'
    bad = f'{{"task_id":"{TASK}","output":{{"a":[1,{number}]}}}}'
    with pytest.raises(BadInput, match=rf"runs\[1\]: {number} at byte .*JSON does not have"):
        decode_json(f'{{"runs":[{good},{bad}]}}'.encode())
    with pytest.raises(BadInput, match=rf"runs\[1\]: {number} at byte .*JSON does not have"):
        decode_ndjson(f"{good}\n{bad}".encode())
    with pytest.raises(BadInput, match=rf"runs\[1\]\.output: .* holds {number}, which JSON does not have"):
        Tables().batch(pa.table({"task_id": [TASK] * 2, "output": ['"NaN"', f'{{"a":[1,{number}]}}']}))


@pytest.mark.parametrize("kind", [pa.int8(), pa.uint64(), pa.float32(), pa.float64(), pa.decimal128(10, 2)])
def test_numbers_that_stand_for_others(kind: pa.DataType) -> None:
    """1 and 0 of any type of number for success, and 3.0 for 3 attempts; no other."""
    numbers = [decimal.Decimal(n) for n in (1, 0)] if pa.types.is_decimal(kind) else [1, 0]
    column = pa.array(numbers, kind)
    table = pa.table({"task_id": [TASK] * 2, "finished_at": ["2026-01-01"] * 2, "success": column})
    assert Tables().batch(table).rows["success"].to_pylist() == [True, False]
    attempts = pa.table({"task_id": [TASK], "attempt": column.slice(0, 1)})
    assert Tables().batch(attempts).rows["attempt"].to_pylist() == [1]
    with pytest.raises(BadInput, match=r"runs\[0\]\.success: expected true or false, not .?2"):
        Tables().batch(table.set_column(2, "success", pa.array([numbers[0] + 1, numbers[1]], kind)))


def test_a_time_in_a_zone_that_is_none() -> None:
    """Python cannot even say it; the message can."""
    column = pa.array([-1], pa.timestamp("us", "Mars/Base"))
    with pytest.raises(BadInput, match=r"runs\[0\]\.started_at: expected an ISO 8601 time .*, not .*1969"):
        Tables().batch(pa.table({"task_id": [TASK], "started_at": column}))


def test_plain_text_as_output() -> None:
    assert "to_json(…) makes JSON of plain text" in said("output", "Traceback (most", "arrow")


def test_a_rejected_struct_shows_its_nan(tmp_path: Path) -> None:
    """The file of rejects does not call it null."""
    ids = ["00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002"]
    outputs = pa.array([{"f": float("nan"), "g": [float("-inf")]}, {"f": 1.0, "g": []}])
    file = tmp_path / "a.parquet"
    parquet.write_table(pa.table({"id": ids, "task_id": [TASK] * 2, "output": outputs}), file)
    done = runlake("import", str(file), "--rejects", "bad", "--data", "lake", cwd=tmp_path)
    assert "rejected    1" in done.stdout, done.stderr
    bad = json.loads((tmp_path / "bad").read_text())
    assert bad["record"]["output"] == {"f": "NaN", "g": ["-Infinity"]}
    assert "holds NaN, which JSON does not have" in bad["reason"]


def test_a_type_error_of_a_query_is_short(tmp_path: Path) -> None:
    """One line, without the list of all functions of that name."""
    file = written(tmp_path / "a.csv", "began\n2026-01-01\n")
    with pytest.raises(SqlError) as failed:
        list(sources.tables([file], "SELECT began + INTERVAL 1 DAY FROM source", Settings(data="unused")))
    assert len(failed.value.line()) < 250
    assert "explicit type casts" in failed.value.line()
