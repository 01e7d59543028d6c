"""A question about one day reads that day's files and no others: all others may be gone."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

import histories
import msgspec
import pytest
from asking import ask, page
from loading import append, opened_store
from oracle import DAY, Json, Oracle, assert_same

from runlake.errors import LakeDamaged
from runlake.model import Instant, SummaryQuery, TaskStatsQuery
from runlake.query import queries, statistics
from runlake.settings import Settings
from runlake.store import Store

DAYS: Final = 9
DAY_ASKED: Final = histories.MIDNIGHT // DAY - 4
TASK: Final = histories.TASKS[1]


@pytest.fixture
def lake(settings: Settings) -> tuple[Settings, Oracle]:
    """A lake of nine days with a few files each, and nothing in its catalog."""
    rng = random.Random(4)
    rows = [
        histories.made(rng, histories.MIDNIGHT - day * DAY + rng.randrange(DAY))
        for day in range(DAYS)
        for _ in range(20)
    ]
    only_files = msgspec.structs.replace(settings, inline_rows=0)
    with opened_store(only_files) as store:
        for start in range(0, len(rows), 60):
            append(store, rows[start : start + 60])
    return only_files, Oracle(rows)


def day_of(file: Path) -> int:
    """The day of a Parquet file, from the names of its folders."""
    year, month, day = (int(part.split("=")[1]) for part in file.parts[-4:-1])
    return (date(year, month, day) - date(1970, 1, 1)).days


@contextmanager
def without(store: Store, gone: Callable[[int], bool]) -> Iterator[None]:
    """The files of some days are away for a while."""
    files = [Path(file.path) for file in store.stored.files if gone(day_of(Path(file.path)))]
    assert files
    for file in files:
        file.rename(file.with_suffix(".away"))
    try:
        yield
    finally:
        for file in files:
            file.with_suffix(".away").rename(file)


def run_id(oracle: Oracle) -> uuid.UUID:
    """A run of the day that is asked about."""
    return next(row["id"] for row in oracle.rows if row["started_at"] // DAY == DAY_ASKED)  # type: ignore[no-any-return]


WINDOW: Final[dict[str, Any]] = {"start_time": DAY_ASKED * DAY, "end_time": (DAY_ASKED + 1) * DAY}
UNTIL: Final = DAY_ASKED * DAY + DAY - 1
Question = tuple[Callable[[Store, Oracle], Any], Callable[[Oracle], Json | None], set[int]]
# What is asked, what is right, and the days that may be read (relative to the one that is asked about).
QUESTIONS: Final[dict[str, Question]] = {
    "window": (lambda s, _: page(s, **WINDOW), lambda o: o.page(**WINDOW), {0}),
    "window of failures": (
        lambda s, _: page(s, **WINDOW, success=False, task_id=TASK),
        lambda o: o.page(**WINDOW, success=False, task_id=TASK),
        {0},
    ),
    "detail": (lambda s, o: ask(s, queries.detail, run_id(o)), lambda o: o.detail(run_id(o)), {0}),
    "task": (
        lambda s, _: ask(s, statistics.task_stats, TASK, TaskStatsQuery(days=1, until=Instant(UNTIL))),
        lambda o: o.task_stats(TASK, days=1, until=UNTIL),
        {-1, 0},
    ),
    "summary": (
        lambda s, _: ask(s, statistics.summary, SummaryQuery(days=1, until=Instant(UNTIL))),
        lambda o: o.summary(days=1, until=UNTIL),
        {-2, -1, 0},
    ),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_only_the_days_that_are_asked_about(lake: tuple[Settings, Oracle], name: str) -> None:
    """The answer is right while all other days are gone."""
    settings, oracle = lake
    question, expected, days = QUESTIONS[name]
    needed = {DAY_ASKED + day for day in days}
    with opened_store(settings) as store, without(store, lambda day: day not in needed):
        assert_same(question(store, oracle), expected(oracle))


@pytest.mark.parametrize("name", ["window", "detail"])
def test_the_day_itself_is_read(lake: tuple[Settings, Oracle], name: str) -> None:
    """There is no answer while the day that is asked about is gone: nothing else holds it."""
    settings, oracle = lake
    question, _, _ = QUESTIONS[name]
    missing = pytest.raises(LakeDamaged)
    with opened_store(settings) as store, without(store, lambda day: day == DAY_ASKED), missing:
        question(store, oracle)


def test_the_newest_page_reads_the_newest_days(lake: tuple[Settings, Oracle]) -> None:
    settings, oracle = lake
    newest = histories.MIDNIGHT // DAY
    with opened_store(settings) as store, without(store, lambda day: day < newest - 1):
        assert_same(page(store, limit=30), oracle.page(limit=30))
