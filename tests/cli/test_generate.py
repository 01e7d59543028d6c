"""The synthetic history: what it promises to every reader, on every row, and the shape it claims."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import arrow_stream

from runlake import generate, model, times
from runlake.columns import ARROW, COLUMNS
from runlake.errors import UsageError

UNTIL: Final = times.parse("2025-01-11T08:00:00Z")
DAYS: Final = 30


def table(**arguments: int) -> pa.Table:
    defaults: dict[str, Any] = {"runs": 20_000, "days": DAYS, "tasks": 200, "seed": 42, "until": UNTIL}
    return pa.concat_tables(list(generate.history(**{**defaults, **arguments})))


@pytest.fixture(scope="module")
def sample() -> pa.Table:
    return table()


@pytest.fixture(scope="module")
def rows(sample: pa.Table) -> list[dict[str, Any]]:
    return sample.to_pylist()  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def connection(sample: pa.Table) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("runs", sample)
    return connection


def one(connection: duckdb.DuckDBPyConnection, select: str) -> Any:
    found = connection.execute(f"SELECT {select}").fetchone()
    assert found is not None
    return found[0]


def content(source: pa.Table) -> bytes:
    """The content as bytes, however the table is chunked."""
    return arrow_stream(source.combine_chunks())


def run_times(source: pa.Table) -> np.ndarray[Any, np.dtype[np.int64]]:
    run_at = pa.compute.coalesce(source["started_at"], source["created_at"])
    return np.asarray(run_at.cast(pa.int64()).to_numpy())


def check_record(row: dict[str, Any], begin: datetime, until: datetime) -> None:
    """The contract's rules for one row."""
    is_open = row["finished_at"] is None
    assert (row["success"] is None) == is_open
    assert (row["error"] is not None) == (row["success"] is False)
    assert row["output"] is None or not is_open
    assert (row["success"] is True) <= (row["output"] not in (None, "{}"))
    assert 1 <= row["attempt"] <= model.MAX_ATTEMPT
    assert (row["lease_owner"] is None) == (row["leased_until"] is None) == (row["started_at"] is None)
    assert row["lease_owner"] is None or 1 <= len(row["lease_owner"]) <= model.MAX_OWNER
    assert row["id"].version == row["task_id"].version == 4
    for name in ("created_at", "started_at", "finished_at"):
        assert row[name] is None or begin <= row[name] <= until
    if row["started_at"] is not None:
        assert row["created_at"] <= row["started_at"] <= (row["finished_at"] or until)
        assert row["started_at"] <= row["leased_until"]
        assert is_open or row["leased_until"] <= until
    elif not is_open:
        assert row["error"] == generate.CANCELLED_ERROR
        assert row["created_at"] <= row["finished_at"]


def test_every_row_keeps_the_contract(rows: list[dict[str, Any]]) -> None:
    until = times.to_datetime(UNTIL)
    for row in rows:
        check_record(row, until - timedelta(days=DAYS), until)


def test_a_dense_day_stays_inside_its_window() -> None:
    """Hundreds of runs start within their own duration of either edge."""
    until = times.to_datetime(UNTIL)
    for row in table(days=1, runs=20_000).to_pylist():
        check_record(row, until - timedelta(days=1), until)


def test_schema_and_validity(sample: pa.Table) -> None:
    assert sample.schema.equals(ARROW, check_metadata=True)
    sample.validate(full=True)
    for column in COLUMNS:
        assert column.nullable or sample[column.name].null_count == 0, column.name


def test_ids_are_random_version_4(rows: list[dict[str, Any]]) -> None:
    ids = [row["id"] for row in rows]
    assert len(set(ids)) == len(rows)
    assert {value.variant for value in ids} == {"specified in RFC 4122"}
    ones = sum(value.int.bit_count() for value in ids) / len(ids)
    assert ones == pytest.approx(122 / 2 + 2, abs=0.5)


def test_outputs_are_as_json_writes_them(connection: duckdb.DuckDBPyConnection) -> None:
    assert one(connection, "count(*) FROM runs WHERE output <> json(output)::VARCHAR") == 0
    assert one(connection, "min(length(output)) FROM runs WHERE success") >= 100
    assert one(connection, "max(length(output)) FROM runs WHERE success") <= 300
    assert one(connection, "count(*) FROM runs WHERE output = '{}'") > 0
    assert one(connection, "count(DISTINCT output) / count(output) FROM runs WHERE success") > 0.99


def test_every_template_stays_within_its_lengths() -> None:
    for template in generate._OUTPUTS:
        fixed = len(template.replace("#", ""))
        # The shortest slots are 1, 20, 0.1 and 0; the longest have 6, 9, 5 and 10 digits.
        assert fixed + 7 >= 100
        assert fixed + 30 <= 300


def test_times_ascend_across_blocks_and_tables() -> None:
    long = table(runs=2 * generate.BLOCK_ROWS + 17, batch_rows=33_333)
    assert (np.diff(run_times(long)) >= 0).all()


@pytest.mark.parametrize("batch_rows", [1, 7_777, generate.BLOCK_ROWS, generate.BLOCK_ROWS + 1, 10**9])
def test_batch_rows_changes_only_the_cut(batch_rows: int) -> None:
    runs = 1_000 if batch_rows == 1 else generate.BLOCK_ROWS + 2_000
    asked: dict[str, Any] = {"runs": runs, "days": 3, "tasks": 50, "seed": 5, "until": UNTIL}
    tables = list(generate.history(**asked, batch_rows=batch_rows))
    assert [t.num_rows for t in tables[:-1]] == [batch_rows] * (len(tables) - 1)
    assert 1 <= tables[-1].num_rows <= batch_rows
    assert content(pa.concat_tables(tables)) == content(table(**asked))


def test_seeds_differ_in_runs_and_tasks(sample: pa.Table) -> None:
    other = table(seed=43)
    for name in ("id", "task_id"):
        mine, theirs = (set(t[name].to_pylist()) for t in (sample, other))
        assert not mine & theirs, name


def test_task_ids_do_not_depend_on_how_many_there_are() -> None:
    few, many = (set(table(runs=3_000, tasks=n)["task_id"].to_pylist()) for n in (5, 50))
    assert len(few) == 5
    assert few < many


def test_ids_stay_unique_across_blocks() -> None:
    ids = table(runs=3 * generate.BLOCK_ROWS)["id"]
    assert len(set(ids.cast(pa.binary(16)).to_pylist())) == 3 * generate.BLOCK_ROWS


def test_a_few_tasks_have_most_runs(connection: duckdb.DuckDBPyConnection) -> None:
    counts = "(SELECT count(*) AS n FROM runs GROUP BY task_id)"
    tenth = f"(SELECT n FROM {counts} ORDER BY n DESC LIMIT 20)"
    assert one(connection, f"sum(n) FROM {tenth}") > 0.5 * 20_000
    assert one(connection, f"median(n) FROM {counts}") < 50
    assert one(connection, f"max(n) FROM {counts}") > 2_000


def test_some_tasks_fall_silent(connection: duckdb.DuckDBPyConnection) -> None:
    gaps = """(SELECT task_id, count(*) OVER (PARTITION BY task_id) AS n, created_at -
        lag(created_at) OVER (PARTITION BY task_id ORDER BY created_at) AS gap FROM runs)"""
    assert one(connection, f"count(DISTINCT task_id) FROM {gaps} WHERE n > 30 AND gap > INTERVAL '7 days'") > 3


def test_failures_are_few_and_come_in_bursts(connection: duckdb.DuckDBPyConnection) -> None:
    assert 0.025 < one(connection, "avg((NOT success)::INT) FROM runs") < 0.065
    window = """(SELECT avg((NOT success)::INT) AS failing FROM runs
        GROUP BY task_id, epoch_us(created_at) // 10_800_000_000 HAVING count(*) >= 10)"""
    assert one(connection, f"count(*) FROM {window} WHERE failing >= 0.5") >= 3
    assert one(connection, f"median(failing) FROM {window}") < 0.05


def test_days_are_busier_than_nights(connection: duckdb.DuckDBPyConnection) -> None:
    hour = "FROM runs WHERE hour(created_at::TIMESTAMP) BETWEEN"
    ratio = one(connection, f"count(*) {hour} 12 AND 15") / one(connection, f"count(*) {hour} 0 AND 3")
    assert 2.5 < ratio < 5.5
    day = "FROM runs WHERE isodow(created_at::TIMESTAMP)"
    assert one(connection, f"count(*) {day} = 7") < 0.8 * one(connection, f"count(*) {day} = 3")


def test_retries_follow_a_failure_of_their_task(rows: list[dict[str, Any]]) -> None:
    retries = [row for row in rows if row["attempt"] > 1]
    assert {2, 3, 4} == {row["attempt"] for row in retries}
    assert 0.01 < len(retries) / len(rows) < 0.05
    ended: dict[Any, list[datetime]] = {}
    for row in rows:
        if row["success"] is False and row["started_at"] is not None:
            ended.setdefault((row["task_id"], row["attempt"]), []).append(row["finished_at"])
    for row in retries:
        before = [t for t in ended[row["task_id"], row["attempt"] - 1] if t <= row["started_at"]]
        assert before
        assert row["started_at"] - max(before) < timedelta(minutes=3)


def test_durations_are_heavy_tailed(connection: duckdb.DuckDBPyConnection) -> None:
    took = "(epoch_us(finished_at) - epoch_us(started_at)) / 1e6"
    assert 0 < one(connection, f"count(*) FILTER ({took} = 0) FROM runs") < 200
    assert one(connection, f"max({took}) FROM runs") > 3_600
    medians = f"(SELECT median({took}) AS m FROM runs GROUP BY task_id HAVING count(*) > 20)"
    assert one(connection, f"quantile_disc(m, 0.95) / quantile_disc(m, 0.05) FROM {medians}") > 50


def test_errors_are_tracebacks_with_varying_numbers(connection: duckdb.DuckDBPyConnection) -> None:
    traced = f"FROM runs WHERE error <> '{generate.CANCELLED_ERROR}'"
    failed = one(connection, f"count(*) {traced}")
    assert one(connection, f"count(*) {traced} AND error LIKE 'Traceback (most recent call last):\n%'") == failed
    assert one(connection, rf"count(DISTINCT regexp_replace(error, '\d+', '', 'g')) {traced}") == 40
    assert one(connection, f"count(DISTINCT error) {traced}") > failed * 0.7
    assert one(connection, "count(*) FROM runs WHERE success = false AND started_at IS NULL") > 0


@pytest.mark.parametrize(
    ("runs", "days", "count"), [(200, 30, 0), (1_000, 30, 3), (20_000, 3_650, 3), (120_000, 1, 12)]
)
def test_open_runs_are_few_and_late(runs: int, days: int, count: int) -> None:
    history = table(runs=runs, days=days)
    rows = history.slice(runs - min(runs, 5 * count + 100)).to_pylist()
    opened = [row for row in rows if row["finished_at"] is None]
    assert len(opened) == count == history["finished_at"].null_count
    until = times.to_datetime(UNTIL)
    queued = [row for row in opened if row["started_at"] is None]
    running = [row for row in opened if row["leased_until"] is not None and row["leased_until"] > until]
    lost = [row for row in opened if row["leased_until"] is not None and row["leased_until"] < until]
    assert [len(queued), len(running), len(lost)] == [count // 3] * 3


@settings(max_examples=60)
@given(
    runs=st.integers(1, 700),
    days=st.one_of(st.integers(1, 40), st.just(3_650)),
    tasks=st.integers(1, 40),
    seed=st.one_of(st.integers(0, 100), st.integers(2**31, 2**70)),
    until=st.one_of(st.just(UNTIL), st.integers(3_650 * times.DAY_US, times.MAX_US)),
    batch_rows=st.integers(1, 900),
)
def test_any_arguments(*, runs: int, days: int, tasks: int, seed: int, until: int, batch_rows: int) -> None:
    asked: dict[str, Any] = {"runs": runs, "days": days, "tasks": tasks, "seed": seed, "until": until}
    tables = list(generate.history(**asked, batch_rows=batch_rows))
    whole = pa.concat_tables(tables)
    assert sum(t.num_rows for t in tables) == runs
    whole.validate(full=True)
    assert (np.diff(run_times(whole)) >= 0).all()
    begin, end = times.to_datetime(until - days * times.DAY_US), times.to_datetime(until)
    for row in whole.to_pylist():
        check_record(row, begin, end)
    assert len(set(whole["task_id"].to_pylist())) <= tasks
    assert content(whole) == content(table(**asked))


@pytest.mark.parametrize(
    "wrong",
    [
        {"runs": 0},
        {"days": 0},
        {"tasks": -1},
        {"seed": -1},
        {"batch_rows": 0},
        {"until": DAYS * times.DAY_US - 1},
        {"until": times.MAX_US + 1},
    ],
    ids=str,
)
def test_wrong_arguments_fail_at_the_call(wrong: dict[str, int]) -> None:
    asked: dict[str, Any] = {"runs": 10, "days": DAYS, "tasks": 3, "seed": 0, "until": UNTIL}
    with pytest.raises(UsageError):
        generate.history(**{**asked, **wrong})


def test_a_huge_history_starts_at_once() -> None:
    history = generate.history(runs=10**11, days=3_650, tasks=1_000, seed=1, until=UNTIL, batch_rows=1_000)
    first = list(itertools.islice(history, 3))
    assert [t.num_rows for t in first] == [1_000] * 3
    assert first[0]["created_at"][0].as_py() >= times.to_datetime(UNTIL - 3_650 * times.DAY_US)
