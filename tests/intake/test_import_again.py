"""Loading again what was loaded, or written by runlake itself: nothing new, in any format; and random tables."""

from __future__ import annotations

import csv
import io
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final

import click.testing
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyarrow import parquet
from support import record
from taking import PACKERS, loaded, refusal, taken, written

from runlake.cli.group import commands
from runlake.errors import ImportFailed
from runlake.sandbox.sources import Reading

OUTPUTS: Final = [
    {"a": 1, "n": 12345678901234567890},
    "12",
    12,
    None,
    'text\nof "lines"',
    "",
    [],
    {"a": {"b": [1, None, 0.5]}},
    False,
    "null",
]


def sql(lake: Path, form: str) -> bytes:
    """What `runlake sql "FROM runs"` writes."""
    done = click.testing.CliRunner().invoke(commands, ["sql", "FROM runs", "--format", form, "--data", str(lake)])
    assert done.exit_code == 0, done.stderr
    return done.stdout_bytes


WRITTEN: Final = ("csv", "json", "parquet", "arrow")
RUNS: Final = [
    *(record(i, output=output, error="", lease_owner=None) for i, output in enumerate(OUTPUTS)),
    record(100, finished_at=None, success=None, output={"open": 1}),
    record(101, error='a,"b"\r\n', attempt=3),
]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, bytes]]:
    """A closed lake of these runs, and what it is in each format. Copy it."""
    folder = tmp_path_factory.mktemp("kept")
    lake = folder / "lake"
    loaded(lake, written(folder / "runs.ndjson", "\n".join(map(json.dumps, RUNS))))
    return lake, {form: sql(lake, form) for form in WRITTEN}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("select", [None, "FROM source"])
def test_what_runlake_wrote_can_be_loaded_as_it_is(
    kept: tuple[Path, dict[str, bytes]], tmp_path: Path, form: str, select: str | None
) -> None:
    """All duplicates, open runs included; in an empty lake the same runs."""
    lake, texts = kept
    shutil.copytree(lake, tmp_path / "a")
    text = texts[form]
    file = written(tmp_path / f"again.{form}", text)
    if form == "json" and select:
        select = "SELECT * EXCLUDE (json) REPLACE (json -> 'output' AS output) FROM source"
    assert loaded(tmp_path / "a", file, select=select).duplicates == len(RUNS)
    assert loaded(tmp_path / "b", file, select=select).stored == len(RUNS)
    again = sql(tmp_path / "b", "json")
    assert sorted(again.splitlines(), key=len) == sorted(texts["json"].splitlines(), key=len)
    if form == "json":
        assert [row["output"] for row in sorted(json.loads(text), key=lambda row: row["id"])[:10]] == OUTPUTS


def test_a_clash_names_both_rows(tmp_path: Path) -> None:
    """In the same file, in another file of the load, and with what is stored."""
    lake = tmp_path / "lake"
    lines = [json.dumps(record(i)) for i in range(5)]
    other = json.dumps(record(3, error="other"))
    first = written(tmp_path / "a.ndjson", "\n".join([*lines, other]))
    with pytest.raises(ImportFailed, match=r"row 6: id: .* other content stands in row 4 of this file"):
        loaded(lake, first)
    second = written(tmp_path / "b.ndjson", other)
    good = written(tmp_path / "a.ndjson", "\n".join(lines))
    with pytest.raises(ImportFailed, match=r"b\.ndjson: row 1: id: .* stands in row 4 of .*a\.ndjson"):
        loaded(lake, good, second)
    loaded(lake, good)
    with pytest.raises(ImportFailed, match=r"b\.ndjson: row 1: id: .* is stored already"):
        loaded(lake, second)


def test_parquet_files_are_put_together_by_name(tmp_path: Path) -> None:
    """In any order of columns; where a type would change, the load says so instead of rounding."""
    files = [tmp_path / f"{n}.parquet" for n in range(3)]
    parquet.write_table(pa.table({"a": [1], "b": ["x"]}), files[0])
    parquet.write_table(pa.table({"c": [None], "b": ["y"], "a": [2**53 + 1]}), files[1])
    parquet.write_table(pa.table({"a": [0.5]}), files[2])
    assert taken(files[0], files[1]) == [{"a": 1, "b": "x", "c": None}, {"a": 2**53 + 1, "b": "y", "c": None}]
    assert "column a is DOUBLE, and BIGINT in" in refusal(files[0], files[2])


# Texts that readers like to take for something else.
ODD: Final = st.sampled_from(
    [
        *(
            "",
            "1",
            "1.10",
            "007",
            "1e3",
            "9007199254740993",
            "18446744073709551616",
            "true",
            "NULL",
            "null",
            "None",
            "nan",
        ),
        *(
            "2026-01-01",
            "03/04/2026",
            "#note",
            '"',
            '""',
            "a,b",
            "a;b|c\td",
            "line\nbreak",
            "cr\r\nlf",
            " x ",
            "'",
            "\\",
        ),
        *('{"a":1, "b":[1.0]}', '[{},{"x":null}]', '{"a":1,"a":2}', "[1,]", "\ufeff", "é😀", "--", "\x00", "-0", "+5"),
    ]
)
CELL: Final = st.none() | ODD | st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
TABLE: Final = st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=12)
SELECT: Final = """SELECT md5(concat_ws('~', k, a IS NULL, coalesce(a, ''), b IS NULL, coalesce(b, ''),
        c IS NULL, coalesce(c, '')))::UUID AS id, md5('t')::UUID AS task_id, TIMESTAMP '2026-01-01' AS started_at,
    left(a, 255) AS lease_owner, b AS error, to_json(c) AS output FROM source"""

Table = list[tuple[str | None, ...]]


def as_csv(table: Table) -> bytes:
    """Null is nothing, the empty text `""`."""
    rows = [("k", "a", "b", "c"), *table]
    cells = (["" if cell is None else '"' + cell.replace('"', '""') + '"' for cell in row] for row in rows)
    return "".join(",".join(row) + "\n" for row in cells).encode()


def as_bare_csv(table: Table) -> bytes:
    """Quotes only where they have to be, another separator; it cannot say the empty text."""
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";").writerows([("k", "a", "b", "c"), *table])
    return out.getvalue().encode()


def objects(table: Table) -> list[str]:
    return [json.dumps(dict(zip("kabc", row, strict=True)), ensure_ascii=i % 2 == 0) for i, row in enumerate(table)]


def as_ndjson(table: Table) -> bytes:
    return "\n".join(objects(table)).encode()


def as_json(table: Table) -> bytes:
    return f"[{', '.join(objects(table))}]".encode()


def as_parquet(table: Table) -> bytes:
    sink = pa.BufferOutputStream()
    columns = zip(*table, strict=True)
    parquet.write_table(pa.table({n: pa.array(c, pa.string()) for n, c in zip("kabc", columns, strict=True)}), sink)
    return bytes(sink.getvalue())


def as_arrow(table: Table) -> bytes:
    sink = pa.BufferOutputStream()
    columns = zip(*table, strict=True)
    rows = pa.table({n: pa.array(c, pa.string()) for n, c in zip("kabc", columns, strict=True)})
    with pa.ipc.new_stream(sink, rows.schema) as out:
        out.write_table(rows)
    return bytes(sink.getvalue())


FORMS: Final = {"csv": as_csv, "ndjson": as_ndjson, "json": as_json, "parquet": as_parquet, "arrow": as_arrow}


def numbered(table: list[tuple[str | None, ...]]) -> Table:
    """With a key, so that equal rows are different runs."""
    return [(f"k{i}", *row) for i, row in enumerate(table)]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=TABLE, more=TABLE, rng=st.randoms(use_true_random=False))
def test_every_format_gives_the_same_runs(table: Any, more: Any, rng: Any) -> None:
    """Plain and compressed; and each row stays the same run when others are added anywhere."""
    rows = numbered(table)
    grown = [*rows, *((f"m{i}", *row) for i, row in enumerate(more))]
    rng.shuffle(grown)
    keys = {row[0] for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        expected: list[dict[str, Any]] | None = None
        for form, write in FORMS.items():
            for suffix, pack in PACKERS.items():
                query = f"SELECT k, * EXCLUDE (k) FROM ({SELECT.replace(' FROM source', ', k FROM source')})"
                file = written(Path(folder) / f"a.{form}{suffix}", pack(write(rows)))
                found = taken(file, select=f"{query} ORDER BY k")
                expected = expected or found
                assert found == expected, file.name
            file = written(Path(folder) / f"grown.{form}", write(grown))
            found = [row for row in taken(file, select=f"{query} ORDER BY k") if row["k"] in keys]
            assert found == expected, form


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=TABLE, more=TABLE, rng=st.randoms(use_true_random=False))
def test_old_rows_are_duplicates_when_others_are_added(table: Any, more: Any, rng: Any) -> None:
    """In a lake: one format after the other, each file longer than the one before."""
    rows = numbered(table)
    with tempfile.TemporaryDirectory() as folder:
        lake, known = Path(folder) / "lake", 0
        for form, write in FORMS.items():
            if known:
                rows.insert(rng.randrange(len(rows)), (f"{form}", *rng.choice(more)))
            suffix = rng.choice(list(PACKERS))
            totals = loaded(
                lake, written(Path(folder) / f"a.{form}{suffix}", PACKERS[suffix](write(rows))), select=SELECT
            )
            assert (totals.stored, totals.duplicates) == (len(rows) - known, known)
            known = len(rows)


@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(table=TABLE)
def test_csv_as_python_writes_it(table: Any) -> None:
    """Quotes only where they are needed; null and the empty text cannot be told apart there."""
    rows = numbered(table)
    with tempfile.TemporaryDirectory() as folder:
        file = written(Path(folder) / "a.csv", as_bare_csv(rows))
        found = [tuple(row.values()) for row in taken(file, reading=Reading(separator=";"))]
        assert [tuple(cell or None for cell in row) for row in found] == [
            tuple(cell or None for cell in row) for row in rows
        ]
