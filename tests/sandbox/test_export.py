"""Every format holds every value: what is written is read back, by another reader where there is one."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runlake.errors import SqlError, Timeout, UsageError
from runlake.sandbox.export import FORMS, write
from runlake.sandbox.sandbox import Sandbox

ID = "7f3e4d2c-1a9b-4c8d-9e6f-2b5a8c7d4e9f"
HUGE = 2**127 - 1

# SQL value, its JSON, its CSV cell (None: the JSON text itself)
VALUES: list[tuple[str, Any, str | None]] = [
    ("NULL", None, ""),
    ("''", "", ""),
    ("'x,\"\n'", 'x,"\n', 'x,"\n'),
    ("' x '", " x ", " x "),
    ("true", True, None),
    ("42", 42, None),
    ("-9223372036854775808", -(2**63), None),
    (f"{HUGE}::HUGEINT", HUGE, None),
    ("sum(1)", 1, None),
    ("1.50::DECIMAL(9, 2)", 1.5, "1.50"),
    ("0.1::DOUBLE", 0.1, None),
    ("1e300::DOUBLE", 1e300, "1e+300"),
    ("'nan'::DOUBLE", None, "nan"),
    ("'-inf'::FLOAT", None, "-inf"),
    (f"'{ID}'::UUID", ID, ID),
    ("TIMESTAMPTZ '2025-01-11 09:00:00+01'", "2025-01-11T08:00:00Z", "2025-01-11T08:00:00Z"),
    ("TIMESTAMPTZ '2025-01-11 08:00:00.12Z'", "2025-01-11T08:00:00.120000Z", "2025-01-11T08:00:00.120000Z"),
    ("TIMESTAMPTZ '0001-01-01 00:00:00Z'", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
    ("TIMESTAMP '2025-01-11 08:00:00'", "2025-01-11T08:00:00", "2025-01-11T08:00:00"),
    ("TIMESTAMP_MS '2025-01-11 08:00:00.5'", "2025-01-11T08:00:00.500000", "2025-01-11T08:00:00.500000"),
    ("TIMESTAMP_NS '2025-01-11 08:00:00'", "2025-01-11T08:00:00", "2025-01-11T08:00:00"),
    ("DATE '9999-12-31'", "9999-12-31", "9999-12-31"),
    ("TIME '01:02:03'", "01:02:03", "01:02:03"),
    ("INTERVAL '14 months -2 days -3.5 seconds'", "P14M-2DT-3.5S", "P14M-2DT-3.5S"),
    ("INTERVAL 0 seconds", "PT0S", "PT0S"),
    ("'\\xAB'::BLOB", "ab", "ab"),
    ("'b'::ENUM('a', 'b')", "b", "b"),
    ("""'{"a": [1]}'::JSON""", '{"a": [1]}', '{"a": [1]}'),
    ("[1, NULL, 3]", [1, None, 3], "[1,null,3]"),
    ("[]::INT[]", [], "[]"),
    ("array_value(1, 2)", [1, 2], "[1,2]"),
    ("NULL::INT[2]", None, ""),
    ("{'a': 1, 'b': [true]}", {"a": 1, "b": [True]}, '{"a":1,"b":[true]}'),
    ("NULL::STRUCT(a INT)", None, ""),
    ("row(1, 'x')", [1, "x"], '[1,"x"]'),
    (f"[{{'id': '{ID}'::UUID, 'at': TIMESTAMPTZ '2025-01-11 00:00:00Z'}}]",
     [{"id": ID, "at": "2025-01-11T00:00:00Z"}], None),
    ("MAP {'k': 1, 'l': NULL}", {"k": 1, "l": None}, '{"k":1,"l":null}'),
    ("MAP {1: [HUGEINT '1']}", {"1": [1]}, '{"1":[1]}'),
    ("union_value(k := 1)", 1, "1"),
]  # fmt: skip
COLUMNS = ", ".join(f"{sql} AS c{number}" for number, (sql, _, _) in enumerate(VALUES))


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox([], threads=1, memory_limit="500MB") as made:
        made.lock()
        yield made


def export(reader: pa.RecordBatchReader, form: str, **options: int) -> bytes:
    out = io.BytesIO()
    write(reader, form, out, **options)
    assert not out.closed
    return out.getvalue()


def test_json_of_every_type(sandbox: Sandbox) -> None:
    (row,) = json.loads(export(sandbox.run(f"SELECT {COLUMNS}", timeout=20), "json"))
    for (sql, expected, _), value in zip(VALUES, row.values(), strict=True):
        assert value == expected, sql


def test_lossless_types_read_the_same() -> None:
    with Sandbox([], threads=1, memory_limit="500MB", lossless=True) as made:
        made.lock()
        reader = made.run(f"SELECT '{ID}'::UUID AS u, [true] AS b, '[]'::JSON AS j", timeout=20)
        assert json.loads(export(reader, "json")) == [{"u": ID, "b": [True], "j": "[]"}]
        with pytest.raises(SqlError, match="hugeint"):
            export(made.run("SELECT 1::HUGEINT", timeout=20), "json")


def test_csv_of_every_type(sandbox: Sandbox) -> None:
    text = export(sandbox.run(f"SELECT {COLUMNS}", timeout=20), "csv").decode()
    _, row = csv.reader(io.StringIO(text, newline=""))
    for (sql, value, cell), found in zip(VALUES, row, strict=True):
        assert found == (json.dumps(value, separators=(",", ":")) if cell is None else cell), sql


def test_csv_keeps_null_apart_from_the_empty_text(sandbox: Sandbox) -> None:
    query = "SELECT NULL AS \"a,b\", '' AS b, 'plain' AS c, NULL AS d"
    assert export(sandbox.run(query, timeout=20), "csv") == b'"a,b",b,c,d\r\n,"",plain,\r\n'
    assert export(sandbox.run("SELECT NULL AS a", timeout=20), "csv") == b'a\r\n""\r\n'


def test_table_is_aligned_and_never_cut(sandbox: Sandbox) -> None:
    query = "FROM (VALUES (1, 'é漢', 'a\nb\x1b[0m'), (234, NULL, repeat('x', 300))) t(n, text, wide)"
    wide = "-" * 60
    assert export(sandbox.run(query, timeout=20), "table").decode() == (
        f"  n  text  wide\n---  ----  {wide}\n  1  é漢   a\\nb\\x1b[0m\n234  NULL  {'x' * 300}\n(2 rows)\n"
    )


def test_table_stops_at_its_limit_and_says_so(sandbox: Sandbox) -> None:
    for rows, shown, note in [(4, 4, "(4 rows)"), (5, 5, "(5 rows)"), (10**9, 5, "(the first 5 rows; ")]:
        text = export(sandbox.run(f"FROM range({rows})", timeout=20), "table", max_table_rows=5).decode()
        *lines, last = text.splitlines()
        assert len(lines) == 2 + shown
        assert last.startswith(note)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("rows", [0, 1, 25_000])
def test_row_count_and_round_trip(sandbox: Sandbox, tmp_path: Path, form: str, rows: int) -> None:
    path = tmp_path / f"out.{form}"
    query = f"SELECT i, 'é' || i AS s, to_timestamp(i) AS t FROM range({rows}) r(i)"
    with path.open("wb") as out:
        written = write(sandbox.run(query, timeout=20), form, out)
    assert written == (min(rows, 1000) if form == "table" else rows)
    if form in ("csv", "json", "parquet") and rows:
        sums = "count(*), sum(i)::BIGINT, max(s), max(epoch(t::TIMESTAMPTZ))"
        best = max(f"é{i}" for i in range(rows))
        found = duckdb.sql(f"SELECT {sums} FROM '{path}'").fetchone()
        assert found == (rows, rows * (rows - 1) // 2, best, rows - 1)
    elif form == "arrow":
        table = pa.ipc.open_stream(path).read_all()
        assert table["i"].to_pylist() == list(range(rows))
        assert table.schema.field("t").type == pa.timestamp("us", "UTC")


@pytest.mark.parametrize("query", ["SELECT 1 AS a, [1] AS b WHERE false", "SELECT 1 AS a, 2 AS b LIMIT 0"])
def test_empty_results_are_valid(sandbox: Sandbox, query: str) -> None:
    texts = {form: export(sandbox.run(query, timeout=20), form) for form in FORMS}
    assert texts["json"] == b"[]\n"
    assert texts["csv"] == b"a,b\r\n"
    assert texts["table"] == b"a  b\n-  -\n(0 rows)\n"
    assert pq.read_table(io.BytesIO(texts["parquet"])).column_names == ["a", "b"]
    assert pa.ipc.open_stream(texts["arrow"]).read_all().num_rows == 0


def test_parquet_is_zstd_with_whole_row_groups(sandbox: Sandbox) -> None:
    out = io.BytesIO(export(sandbox.run("FROM range(250000)", timeout=20), "parquet"))
    meta = pq.ParquetFile(out).metadata
    assert meta.row_group(0).column(0).compression == "ZSTD"
    assert [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] == [130_000, 120_000]


def test_parquet_writes_as_text_what_it_has_no_type_for(sandbox: Sandbox) -> None:
    query = "SELECT INTERVAL 90 seconds AS a, [union_value(k := 1)] AS b, sum(7) AS c, {'x': 1} AS d"
    table = pq.read_table(io.BytesIO(export(sandbox.run(query, timeout=20), "parquet")))
    assert table.to_pylist() == [{"a": "PT90S", "b": "[1]", "c": Decimal(7), "d": {"x": 1}}]


def test_columns_of_one_name_are_numbered(sandbox: Sandbox) -> None:
    for form in ("json", "csv", "parquet", "arrow"):
        text = export(sandbox.run("SELECT 1 AS n, 2 AS n, 3 AS n_1, 4 AS n", timeout=20), form)
        if form == "json":
            assert json.loads(text) == [{"n": 1, "n_2": 2, "n_1": 3, "n_3": 4}]
        assert all(name in text for name in (b"n_1", b"n_2", b"n_3"))


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_a_number_too_long_for_a_format_is_an_error(sandbox: Sandbox, form: str) -> None:
    with pytest.raises(SqlError, match="more than 38 digits"):
        export(sandbox.run(f"SELECT {HUGE}::HUGEINT AS h", timeout=20), form)


@pytest.mark.parametrize("value", ["TIMESTAMPTZ 'infinity'", "DATE '-infinity'", "TIMESTAMP '290000-01-01'"])
def test_times_outside_the_calendar_are_an_error(sandbox: Sandbox, value: str) -> None:
    with pytest.raises(SqlError, match="years 1 to 9999"):
        export(sandbox.run(f"SELECT {value} AS t", timeout=20), "json")


def test_unknown_format_is_wrong_usage(sandbox: Sandbox) -> None:
    with pytest.raises(UsageError, match="xml"):
        export(sandbox.run("SELECT 1", timeout=20), "xml")


@pytest.mark.parametrize("form", [form for form in FORMS if form != "table"])
def test_errors_of_the_query_come_through(sandbox: Sandbox, form: str) -> None:
    with pytest.raises(Timeout):
        export(sandbox.run("SELECT repeat('x', 100) FROM range(100000000000)", timeout=0.2), form)
    late = "SELECT if(i = 500000, error('boom'), i) FROM range(1000000) t(i)"
    with pytest.raises(SqlError, match="boom"):
        export(sandbox.run(late, timeout=20), form)


records = st.fixed_dictionaries(
    {
        "i": st.none() | st.integers(-(2**63), 2**63 - 1),
        "f": st.none() | st.floats(),
        "s": st.none() | st.text(),
        "b": st.none() | st.booleans(),
        "t": st.none() | st.datetimes(timezones=st.just(UTC)),
        "l": st.none() | st.lists(st.none() | st.text(), max_size=3),
        "m": st.none() | st.fixed_dictionaries({"x": st.none() | st.lists(st.integers(0, 9), max_size=3)}),
    }
)
SCHEMA = pa.schema(
    [
        ("i", pa.int64()),
        ("f", pa.float64()),
        ("s", pa.string()),
        ("b", pa.bool_()),
        ("t", pa.timestamp("us", "UTC")),
        ("l", pa.list_(pa.string())),
        ("m", pa.struct([("x", pa.list_(pa.int8()))])),
    ]
)


def expected(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.replace(tzinfo=None).isoformat() + "Z"
    return None if isinstance(value, float) and not math.isfinite(value) else value


@given(st.lists(records, max_size=8), st.integers(1, 4))
def test_json_round_trip(rows: list[dict[str, Any]], batch: int) -> None:
    table = pa.Table.from_pylist(rows, SCHEMA)
    text = export(pa.RecordBatchReader.from_batches(SCHEMA, table.to_batches(max_chunksize=batch)), "json")
    assert json.loads(text) == [{name: expected(value) for name, value in row.items()} for row in rows]


@given(st.lists(st.tuples(st.text(), st.text()), max_size=8))
def test_csv_round_trip(rows: list[tuple[str, str]]) -> None:
    table = pa.table(
        {"a": [a for a, _ in rows], "b": [b for _, b in rows]}, pa.schema([("a", "string"), ("b", "string")])
    )
    text = export(table.to_reader(), "csv").decode()
    assert list(csv.reader(io.StringIO(text, newline="")))[1:] == [list(row) for row in rows]
