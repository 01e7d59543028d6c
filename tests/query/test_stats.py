"""The windows of statistics: both ends inside, to the microsecond, in any year."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator

import histories
import msgspec
import pytest
from asking import UNKNOWN, ask, assert_summary, assert_task
from loading import append, loaded, opened_store
from oracle import DAY, Oracle, assert_same, text_of

from runlake import times
from runlake.model import SummaryQuery
from runlake.query import statistics
from runlake.settings import Settings
from runlake.store import Store


@pytest.fixture(scope="module")
def edge_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Oracle]]:
    """A store with runs around the edges of windows, and its oracle."""
    oracle = Oracle(histories.history("edges"))
    with loaded(Settings(data=str(tmp_path_factory.mktemp("edges") / "lake")), oracle.rows, random.Random(1)) as store:
        yield store, oracle


@pytest.mark.parametrize("until", [histories.NOON, histories.MIDNIGHT, histories.MIDNIGHT - 1], ids=text_of)
@pytest.mark.parametrize("days", [1, 7, 30])
def test_both_ends_of_a_window_are_inside(edge_store: tuple[Store, Oracle], days: int, until: int) -> None:
    """One microsecond before, on and after both ends of the window and of the one before it."""
    store, oracle = edge_store
    assert_summary(store, oracle, days, until)
    for task in histories.TASKS:
        assert_task(store, oracle, task, days, until)


@pytest.mark.parametrize("year", [1970, 2024, 2149, 2200, 3000, 9999])
def test_days_of_a_window_in_any_year(store: Store, year: int) -> None:
    """`daily` begins with the day of the window's first microsecond, however near midnight that is."""
    for step in (-20, -2, -1, 0, 1):
        until = times.parse(f"{year}-06-10") + step
        assert_summary(store, Oracle([]), 7, until)
        assert_task(store, Oracle([]), UNKNOWN, 1, until)


@pytest.mark.parametrize("days", [1, 3650])
def test_longest_and_shortest_window_at_both_ends_of_time(store: Store, days: int) -> None:
    """Windows that begin before 1970, and one that ends with the last microsecond of 9999."""
    rng = random.Random(days)
    rows = [histories.made(rng, at) for at in (0, 1, DAY, histories.LAST - DAY, histories.LAST)]
    oracle = Oracle(rows)
    append(store, rows)
    for until in (0, 1, DAY - 1, DAY, histories.LAST - 1, histories.LAST):
        assert_summary(store, oracle, days, until)
        assert_task(store, oracle, rows[0]["task_id"], days, until)


def test_late_runs_in_no_file_are_counted(settings: Settings) -> None:
    """They are counted, wait in the catalog, and began before the time that hot_run holds: windows cut their hour."""
    rng = random.Random(5)
    late = [histories.made(rng, histories.MIDNIGHT - 20 * DAY + step) for step in (0, 1, 900_000_000)]
    rows = [histories.made(rng, histories.MIDNIGHT), *late]
    cold = msgspec.structs.replace(settings, rollup_rows=1, hot_days=1, inline_rows=100, maintain_seconds=0.01)
    oracle = Oracle(rows)
    with opened_store(cold) as store:
        for row in rows:
            append(store, [row])
        while _uncounted(store):
            time.sleep(0.01)
        at = late[0]["started_at"]
        for until in (at, at + 1, at + 2, at + DAY, at + DAY + 1, at + 30 * DAY):
            for days in (1, 30):
                assert_summary(store, oracle, days, until)
                for task in {row["task_id"] for row in late}:
                    assert_task(store, oracle, task, days, until)


def _uncounted(store: Store) -> int:
    with store.serving.readers.reading() as cursor:
        found: list[tuple[int]] = cursor.execute(
            "SELECT count(*) FROM uncounted_run WHERE success IS NOT NULL"
        ).fetchall()
    return found[0][0]


def test_until_defaults_to_now(store: Store) -> None:
    """The rolling window ends when it is asked for."""
    before = times.now()
    answer = ask(store, statistics.summary, SummaryQuery())
    until = times.parse(answer["window_end"])
    assert before <= until <= times.now()
    assert_same(answer, Oracle([]).summary(days=7, until=until))
