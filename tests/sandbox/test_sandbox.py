"""The sandbox runs one SELECT over the given files and nothing else: every known attack is a test."""

from __future__ import annotations

import _thread
import gc
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hostile_sql import ATTACKS

from runlake.errors import SqlError, Timeout
from runlake.sandbox.sandbox import TABLE_FUNCTIONS, Sandbox

ROWS = 1000
ENDLESS = "SELECT count(*) FROM range(100000000000) a, range(1000) b"
python_variable = pa.table({"secret": [1]})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the one file that may be read, and everything around it that may not be touched."""
    (tmp_path / "lake" / "spill").mkdir(parents=True)
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT range AS i FROM range({ROWS})) TO '{tmp_path}/lake/own.parquet'")
        con.execute(f"COPY (SELECT 1 AS hidden) TO '{tmp_path}/lake/sibling.parquet'")
        con.execute(f"COPY (SELECT 1 AS hidden) TO '{tmp_path}/lake/own.parquet.csv'")
    (tmp_path / "lake" / "link.parquet").symlink_to(tmp_path / "lake" / "sibling.parquet")
    (tmp_path / "secret.txt").write_text("secret")
    catalog = sqlite3.connect(tmp_path / "lake" / "catalog.sqlite")
    catalog.execute("CREATE TABLE ducklake_metadata (key TEXT)")
    catalog.commit()
    catalog.close()
    return tmp_path


@pytest.fixture
def sandbox(place: Path) -> Iterator[Sandbox]:
    own = f"{place}/lake/own.parquet"
    with Sandbox([own], threads=2, memory_limit="200MB", temp_directory=f"{place}/lake/spill") as made:
        made.table("open_runs", pa.table({"i": [-1]}))
        made.view("finished_runs", f"SELECT * FROM read_parquet(['{own}'])")
        made.view("runs", "FROM finished_runs UNION ALL FROM open_runs")
        made.lock()
        yield made


def rows(sandbox: Sandbox, query: str, timeout: float | None = 20) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.run(query, timeout=timeout).read_all().to_pylist()
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack_is_refused_and_changes_nothing(sandbox: Sandbox, place: Path, attack: str) -> None:
    before = contents(place)
    query = attack.replace("\\n", "\n").format(lake=f"{place}/lake", root=place)
    with pytest.raises(SqlError) as refused:
        rows(sandbox, query)
    assert contents(place) == before
    assert "\n" not in refused.value.line()
    assert rows(sandbox, "SELECT count(*) AS n FROM runs") == [{"n": ROWS + 1}]


@pytest.mark.parametrize("query", ["", ";", "-- no", "SELECT 1\0; BEGIN", "SELECT '\ud800'", "SELECT $1"])
def test_text_that_is_no_query_is_refused(sandbox: Sandbox, query: str) -> None:
    with pytest.raises(SqlError):
        rows(sandbox, query)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("SELECT i FROM runs", ROWS + 1),
        ("TABLE open_runs;", 1),
        ("VALUES (1), (2)", 2),
        ("WITH a AS (FROM runs LIMIT 3) FROM a", 3),
        ("PIVOT open_runs ON i IN (1, 2) USING count(*)", 1),
        ("WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x + 1 FROM r WHERE x < 5) FROM r", 5),
        ("DESCRIBE runs", 1),
        ("SUMMARIZE runs", 1),
        ("SHOW TABLES", 3),
        ("SELECT 1 -- ; DROP VIEW runs", 1),
        ("SELECT i FROM runs WHERE false", 0),
    ],
)
def test_reading_queries_run(sandbox: Sandbox, query: str, count: int) -> None:
    assert len(rows(sandbox, query)) == count


def test_settings_show_utc_and_no_secret_path(sandbox: Sandbox) -> None:
    shown = {row["name"]: row["value"] for row in rows(sandbox, "SELECT name, value FROM duckdb_settings()")}
    assert shown["TimeZone"] == "UTC"
    assert shown["secret_directory"] == ""
    assert shown["lock_configuration"] == "true"
    loaded = rows(sandbox, "SELECT DISTINCT function_name AS f FROM duckdb_functions()")
    assert {row["f"] for row in loaded} >= TABLE_FUNCTIONS


def test_errors_are_one_line_that_helps(sandbox: Sandbox) -> None:
    for query, words in {
        "SELECT nope FROM runs": 'Referenced column "nope" not found',
        "SELECT 1\nFROM\nnope": "line 3: ",
        "SELECT\n1 +": "line 2: ",
        "FROM read_text('/etc/passwd')": "Cannot access file",
        "PIVOT runs ON i": "ON x IN",
        "SELECT 1::UHUGEINT AS big": "cast it to VARCHAR",
        "SELECT [{'a': '1'::BIT}] AS bits": "cast it to VARCHAR",
        "SELECT 1" + " + 1" * 900: "nested too deeply",
    }.items():
        with pytest.raises(SqlError) as failed:
            rows(sandbox, query)
        assert words in failed.value.line()
        assert "\n" not in failed.value.detail


def test_error_in_the_middle_of_a_result(sandbox: Sandbox) -> None:
    reader = sandbox.run("SELECT if(i = 500000, error('boom'), i) FROM range(1000000) t(i)", timeout=20)
    assert reader.read_next_batch().num_rows > 0
    with pytest.raises(SqlError, match="boom"):
        reader.read_all()


# The last one has its first rows at once: the time passes while they are read.
@pytest.mark.parametrize("query", [ENDLESS, "SELECT sleep_ms(60000)", "FROM range(100000000000)"])
def test_timeout_ends_a_query(sandbox: Sandbox, query: str) -> None:
    start = time.monotonic()
    with pytest.raises(Timeout, match=r"0\.3 s"):
        rows(sandbox, query, timeout=0.3)
    assert time.monotonic() - start < 2
    assert rows(sandbox, "SELECT 1 AS one") == [{"one": 1}]


def clocks() -> int:
    return sum(thread.name == "runlake-clock" for thread in threading.enumerate())


def test_clock_ends_with_its_reader(sandbox: Sandbox) -> None:
    reader = sandbox.run("FROM range(100000000000)", timeout=600)
    reader.read_next_batch()
    abandoned = [sandbox.run("FROM range(100000000000)", timeout=timeout) for timeout in [0.01, None] * 10]
    assert clocks() == 21
    del reader, abandoned
    gc.collect()
    assert clocks() == 0  # at once: a clock that outlives its reader may abort a process that ends


def test_close_ends_running_queries_and_may_be_repeated(sandbox: Sandbox) -> None:
    reader = sandbox.run("FROM range(100000000000)", timeout=None)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(rows, sandbox, ENDLESS, None)
        time.sleep(0.2)
        sandbox.close()
        sandbox.close()
        with pytest.raises(SqlError):
            running.result(timeout=5)
    with pytest.raises(SqlError):
        reader.read_all()
    with pytest.raises(SqlError):
        rows(sandbox, "SELECT 1")
    assert clocks() == 0


def test_runs_of_two_threads_do_not_disturb_each_other(sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(4) as pool:
        endless = [pool.submit(rows, sandbox, ENDLESS, 0.5) for _ in range(2)]
        counts = pool.map(lambda n: rows(sandbox, f"SELECT count(*) + {n} AS n FROM runs"), range(20))
        assert [found[0]["n"] for found in counts] == [ROWS + 1 + n for n in range(20)]
        for future in endless:
            with pytest.raises(Timeout):
                future.result()


def test_spill_stays_in_its_folder_and_goes_away(place: Path) -> None:
    query = "SELECT i, repeat('x', 50) AS x FROM range(2000000) t(i) ORDER BY hash(i)"
    limits: dict[str, Any] = {"threads": 1, "memory_limit": "100MB"}
    before = contents(place)
    with Sandbox([], **limits, temp_directory=f"{place}/lake/spill") as made:
        made.lock()
        reader = made.run(query, timeout=60)
        spilled = contents(place).keys() - before.keys()
        assert spilled
        assert all(path.startswith(f"{place}/lake/spill/sql-") for path in spilled)
        assert sum(batch.num_rows for batch in reader) == 2_000_000
    assert contents(place) == before
    assert not list((place / "lake" / "spill").iterdir())
    with Sandbox([], **limits) as made:
        made.lock()
        with pytest.raises(SqlError, match="Out of Memory"):
            rows(made, query)
    assert contents(place) == before


@pytest.mark.parametrize("form", ["s.csv", "s.csv.gz", "it's.csv", "s.json", "s.json.zst", "s.parquet"])
def test_source_view_over_any_file(tmp_path: Path, form: str) -> None:
    source = str(tmp_path / form).replace("'", "''")
    with duckdb.connect() as con:
        con.execute(f"COPY (SELECT range AS i FROM range(5)) TO '{source}'")
    with Sandbox([str(tmp_path / form)], threads=1, memory_limit="200MB") as made:
        made.view("source", f"FROM '{source}'")
        made.lock()
        assert rows(made, "SELECT sum(i)::BIGINT AS s FROM source") == [{"s": 10}]


def test_types_are_plain_or_lossless() -> None:
    for lossless, types in {True: [pa.uuid(), pa.bool8()], False: [pa.string(), pa.bool_()]}.items():
        with Sandbox([], threads=1, memory_limit="200MB", lossless=lossless) as made:
            made.lock()
            assert made.run("SELECT uuid(), true", timeout=None).schema.types == types


def test_ctrl_c_ends_a_query(sandbox: Sandbox) -> None:
    # A shell starts its background jobs with Ctrl-C ignored, and Python leaves it so.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        threading.Timer(0.2, _thread.interrupt_main).start()
        with pytest.raises(KeyboardInterrupt):
            rows(sandbox, ENDLESS)
    finally:
        signal.signal(signal.SIGINT, before)


def test_order_of_use_is_enforced() -> None:
    with Sandbox([], threads=1, memory_limit="200MB") as made:
        with pytest.raises(RuntimeError, match="lock"):
            made.run("SELECT 1", timeout=None)
        with pytest.raises(SqlError):
            made.view("broken", "FROM nowhere")
        made.lock()
        with pytest.raises(RuntimeError, match="locked"):
            made.table("late", python_variable)
