"""Real histories, imported by the command: the service answers what the oracle makes of the source itself."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import duckdb
import pytest
from asking import assert_runs, assert_summary, assert_task, page
from histories import rows_of
from loading import opened_store
from oracle import DAY, Oracle, Row, assert_same, run_at
from support import TRACES, runlake
from traces import LCG, LORA

from runlake.settings import Settings
from runlake.store import Store

# The SELECT of each file, and how a reader of our own opens it.
SOURCES: Final = {
    "LCG.swf.gz": (LCG, "read_csv({}, columns = {{'line': 'VARCHAR'}}, delim = chr(1), quote = '', header = false)"),
    "lora_request_trace.csv": (LORA, "read_csv({})"),
}
COUNTS: Final = {"LCG.swf.gz": 188_041, "lora_request_trace.csv": 26_823}


def independent(file: Path, select: str, reader: str) -> list[Row]:
    """The rows of a source, read by a DuckDB of the test's own."""
    times = ", ".join(f"{name}::TIMESTAMPTZ AS {name}" for name in ("created_at", "started_at", "finished_at"))
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.execute(f"CREATE VIEW source AS FROM {reader.format(repr(str(file)))}")
        found = con.execute(f"""SELECT * REPLACE ({times}, to_json(output)::VARCHAR AS output),
            NULL::TIMESTAMPTZ AS leased_until, NULL AS error, 1 AS attempt FROM ({select})""")
        rows = rows_of(found.to_arrow_table())
    return [row | {name: uuid.UUID(row[name]) for name in ("id", "task_id")} for row in rows]


@pytest.fixture(scope="module", params=SOURCES)
def trace(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Oracle]]:
    """A store that holds an imported trace, and the oracle of the same file."""
    name: str = request.param
    file = TRACES / name
    if not file.is_file():
        pytest.skip(f"the trace {name} is not here; it is no part of the project")
    select, reader = SOURCES[name]
    data = tmp_path_factory.mktemp("trace") / "lake"
    ended = runlake("import", str(file), "--select", select, "--data", str(data))
    assert ended.returncode == 0, ended.stderr
    oracle = Oracle(independent(file, select, reader))
    assert len(oracle.rows) == COUNTS[name]
    with opened_store(Settings(data=str(data))) as store:
        yield store, oracle


def test_pages_and_runs(trace: tuple[Store, Oracle]) -> None:
    store, oracle = trace
    rng = random.Random(2)
    for _ in range(8):
        start = run_at(rng.choice(oracle.rows))
        asked = {
            "task_id": rng.choice([None, rng.choice(oracle.rows)["task_id"]]),
            "success": rng.choice([None, True, False]),
            "start_time": rng.choice([None, start]),
            "end_time": rng.choice([None, start + DAY]),
            "offset": rng.choice([0, 10, 1_000, 20_000]),
        }
        assert_same(page(store, **asked), oracle.page(**asked), f"page of {asked}")
    assert_runs(store, oracle, rng)


def test_statistics(trace: tuple[Store, Oracle]) -> None:
    store, oracle = trace
    rng = random.Random(3)
    newest = run_at(oracle.rows[0])
    for until in (newest, newest - 3 * DAY - 1, run_at(rng.choice(oracle.rows))):
        assert_summary(store, oracle, rng.choice([1, 7, 30]), until)
        for row in rng.sample(oracle.rows, 3):
            assert_task(store, oracle, row["task_id"], rng.choice([1, 7, 30]), until)
