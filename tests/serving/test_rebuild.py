"""Deleting the serving database changes no answer: its tables are a function of the lake, however they came about."""

from __future__ import annotations

import random
import shutil
import uuid
from pathlib import Path
from typing import Any, Final

import histories
import msgspec
import pytest
from asking import assert_pages, assert_runs, assert_summary, assert_task, assert_windows
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import append, batches, opened_store
from oracle import DAY, Oracle, Row, run_at

from runlake.serving.sql import RECENT
from runlake.settings import Settings
from runlake.store import Store

# Each rollup with its task by id, its histograms in order, and sums of doubles without their last digits.
FIGURES: Final = """ELSE_KEYS, succeeded, failed, succeeded_unstarted, failed_unstarted, retried, duration_count,
    round(duration_us), shortest, longest, last_success, last_failure, list_sort(durations)"""
TABLES: Final[dict[str, str]] = {
    **{
        table: f"SELECT {unit}, success, started, runs, duration_count, round(duration_us) FROM {table}"
        for table, unit in (("quarter", "quarter"), ("day_count", "day"))
    },
    **{
        table: f"SELECT {FIGURES.replace('ELSE_KEYS', f'{unit}, task_id')}{also} FROM {table} JOIN task USING (task)"
        for table, unit, also in (
            ("task_hour", "hour", ""),
            ("task_day", "day", ", quarters"),
            ("day_of_task", "day", ", quarters, round(p95)"),
            ("task_month", "month", ""),
        )
    },
    **{
        table: f"SELECT {unit}, success, bucket, runs FROM {table}"
        for table, unit in (("hour_histogram", "hour"), ("day_histogram", "day"), ("month_histogram", "month"))
    },
    "day_figure": "SELECT day, succeeded, failed, duration_count, round(duration_us), round(p95) FROM day_figure",
    "task": "SELECT task_id FROM task",
    "state": "SELECT first_day, hot_from, months, newest FROM state",
    "live_file": "SELECT day, number, path, rows, bytes, readable FROM live_file",
    "inlined_run": "SELECT * EXCLUDE (run_at), epoch_us(run_at) FROM inlined_run",
    "hot_run": "SELECT run_at, task_id, success, started, duration, bucket, attempt, lease_owner"
    " FROM hot_run JOIN task USING (task)",
    "failed_run": """SELECT failed_run.id, run_at, task_id, started, duration, bucket, attempt, lease_owner,
        finished_at, error_group.id FROM failed_run JOIN task USING (task) LEFT JOIN error_group USING (error_group)""",
    "error_group": "SELECT id, kind, message, frame FROM error_group",
}
NEWEST: Final = f"""SELECT task_id, id, whole, error, output, epoch_us(run_at) FROM (
    SELECT task.task_id, recent.id, whole, error, output, run_at,
           row_number() OVER (PARTITION BY task ORDER BY run_at DESC, recent.id DESC) AS place
    FROM task_recent AS recent JOIN task USING (task)
) WHERE place <= {RECENT}"""


def settled(store: Store) -> None:
    """Everything is counted, every month that is over is added up."""
    serving = store.serving
    store.writer.close()
    with serving._opened.transaction():
        serving._count()
    serving._busy = set()
    for _ in range(600):
        before = serving._opened.execute("SELECT months FROM state")
        serving._due = 0.0
        serving.run_one_step()
        if serving._opened.execute("SELECT months FROM state") == before:
            return
    raise AssertionError("months are settled for ever")


def content(store: Store, tables: dict[str, str]) -> dict[str, list[Any]]:
    """The rows of each table as a sorted list."""
    found = {}
    with store.serving.readers.reading() as cursor:
        cursor.execute("SET TimeZone = 'UTC'")
        for name, statement in tables.items():
            columns = f"SELECT CAST(COLUMNS(*) AS VARCHAR) FROM ({statement})"
            found[name] = sorted(cursor.execute(columns).fetchall(), key=repr)
    return found


def without(settings: Settings) -> None:
    """Nothing is served from any more."""
    shutil.rmtree(Path(settings.data) / "serving")


def assert_same_tables(settings: Settings, known: list[Row]) -> None:
    """Those of the lake that was followed, and those of the lake that is counted anew."""
    quiet = msgspec.structs.replace(settings, maintain_seconds=1000.0, tidy_seconds=1e9)
    every = TABLES | {"task_recent": NEWEST}
    with opened_store(quiet) as store:
        settled(store)
        followed = content(store, every)
        assert_everything(store, known)
    without(settings)
    with opened_store(quiet) as store:
        settled(store)
        made = content(store, every)
        assert_everything(store, known)
    for name in every:
        assert followed[name] == made[name], name
    assert any(followed["task_hour"]) and any(followed["hour_histogram"])


def assert_everything(store: Store, known: list[Row]) -> None:
    oracle, rng = Oracle(known), random.Random(2)
    assert_pages(store, oracle, rng, 15)
    assert_runs(store, oracle, rng)
    assert_windows(store, oracle, rng, 6)
    assert_summary(store, oracle, 365, histories.NOON)


def history(count: int, seed: int, days: int = 100) -> list[Row]:
    """Runs of some months, a few of them open."""
    rng = random.Random(seed)
    made = [histories.made(rng, histories.MIDNIGHT - rng.randrange(days * DAY)) for _ in range(count)]
    return [row for row in made if row["finished_at"] is not None or rng.random() < 0.3]


@pytest.mark.parametrize(
    "changes", [{}, {"rollup_rows": 7, "inline_rows": 0}, {"rollup_rows": 90, "hot_days": 3}], ids=str
)
def test_tables_followed_are_tables_made_anew(settings: Settings, changes: dict[str, Any]) -> None:
    """Counted in parts in random order, flushed, merged, closed half way; or all at once."""
    here = msgspec.structs.replace(settings, **changes)
    known, rng = history(900, 5), random.Random(7)
    parts = list(batches(known, rng))
    for half in (parts[: len(parts) // 2], parts[len(parts) // 2 :]):
        with opened_store(here) as store:
            for batch in half:
                for start in range(0, len(batch), 60):
                    append(store, batch[start : start + 60])
            store.writer.close()
            store.writer.maintenance.run(store.writer.maintenance.pending_steps())
    assert_same_tables(here, known)


def test_months_are_added_up_once(settings: Settings) -> None:
    """What was done while nothing came in is there at the next start."""
    with opened_store(settings) as store:
        append(store, history(300, 3))
        settled(store)
        before = content(store, TABLES)
    with opened_store(settings) as store:
        assert content(store, TABLES) == before
    assert len(before["task_month"]) > 1


def test_tables_after_days_went(settings: Settings) -> None:
    """Nothing outlives its runs: neither a task nor a bucket."""
    known = history(400, 9, 30)
    keeps = msgspec.structs.replace(settings, rollup_rows=50, retention_days=9, inline_rows=0)
    old_only = [histories.made(random.Random(1), histories.MIDNIGHT - 25 * DAY, task_id=uuid.UUID(int=77))]
    with opened_store(keeps) as store:
        append(store, [*known, *old_only])
        store.writer.close()
        settled(store)
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
        horizon = store.stored.horizon
    assert horizon is not None
    stay = [row for row in known if row["finished_at"] is None or run_at(row) >= horizon * DAY]
    assert len(stay) < len(known)
    assert_same_tables(keeps, stay)
    with opened_store(keeps) as store, store.serving.readers.reading() as cursor:
        tasks = {task for (task,) in cursor.execute("SELECT task_id FROM task").fetchall()}
    assert tasks == {row["task_id"] for row in stay}


@options(max_examples=12, suppress_health_check=list(HealthCheck))
@given(
    rows=histories.small(),
    rollup_rows=st.sampled_from([1, 2, 7, 30]),
    hot_days=st.sampled_from([0, 1, 62]),
    seed=st.integers(0, 2**16),
)
def test_parts_in_any_order(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row], rollup_rows: int, hot_days: int, seed: int
) -> None:
    """However runs come in, and however few are counted at a time, answers are those of the oracle."""
    rng, oracle = random.Random(seed), Oracle(rows)
    settings = Settings(
        data=str(tmp_path_factory.mktemp("parts") / "lake"),
        rollup_rows=rollup_rows,
        hot_days=hot_days,
        inline_rows=rng.choice([0, 3, 100]),
        maintain_seconds=0.001,
    )
    left = list(rows)
    rng.shuffle(left)
    with opened_store(settings) as store:
        while left:
            size = rng.randrange(1, 12)
            append(store, left[:size])
            left = left[size:]
        assert_pages(store, oracle, rng, 6)
        if rows:
            assert_runs(store, oracle, rng)
        assert_windows(store, oracle, rng, 4)
    without(settings)
    with opened_store(settings) as store:
        assert_pages(store, oracle, rng, 6)
        assert_windows(store, oracle, rng, 4)


def test_deleting_it_changes_no_answer(any_settings: Settings) -> None:
    """Under every settings file."""
    known, rng = list(histories.history("random_mixed")), random.Random(4)
    with opened_store(any_settings) as store:
        for batch in batches(known, rng):
            append(store, batch)
    without(any_settings)
    with opened_store(any_settings) as store:
        assert_everything(store, known)


def test_many_tasks_of_one_run_and_a_huge_one(settings: Settings) -> None:
    """20,000 tasks beside one of 30,000 runs: followed, and made anew."""
    rng = random.Random(8)
    huge = uuid.UUID(int=1 << 90)
    rows = [
        histories.made(
            rng,
            histories.MIDNIGHT - rng.randrange(3 * DAY),
            id=uuid.UUID(int=(i << 64) + 1),
            task_id=huge if i >= 20_000 else uuid.UUID(int=(1 << 100) + i),
        )
        for i in range(50_000)
    ]
    oracle = Oracle(rows)
    some = [rows[i]["task_id"] for i in rng.sample(range(20_000), 5)]

    def check(store: Store) -> None:
        assert_pages(store, oracle, rng, 6)
        for task in (huge, *some):
            assert_task(store, oracle, task, 30, histories.MIDNIGHT)
        assert_summary(store, oracle, 2, histories.MIDNIGHT)
        assert_runs(store, oracle, rng)

    counts = msgspec.structs.replace(settings, rollup_rows=15_000)
    with opened_store(counts) as store:
        shuffled = rng.sample(rows, len(rows))
        for start in range(0, len(rows), 10_000):
            append(store, shuffled[start : start + 10_000])
        check(store)
    without(settings)
    with opened_store(settings) as store:
        check(store)


def test_a_late_run_of_a_day_in_a_month_that_is_over(settings: Settings) -> None:
    """The percentile of that day is of all its runs, the new one that is not counted included."""
    rng = random.Random(2)
    rows = [histories.made(rng, histories.MIDNIGHT - day * DAY, took=1_000_000) for day in range(100) for _ in range(5)]
    late = [histories.made(rng, histories.MIDNIGHT - 20 * DAY + 5, took=took) for took in (1_000, 2_000)]
    counts = msgspec.structs.replace(settings, rollup_rows=400)
    with opened_store(counts) as store:
        append(store, rows)
        store.writer.close()
        settled(store)
    with opened_store(counts) as store:
        append(store, late)
        with store.serving.readers.reading() as cursor:
            looked = "SELECT len(months), (SELECT count(*) FROM uncounted_run) FROM state"
            ((months, waiting),) = cursor.execute(looked).fetchall()
        assert months >= 1 and waiting == 2
        for days in (90, 60):
            assert_summary(store, Oracle([*rows, *late]), days, histories.MIDNIGHT)
