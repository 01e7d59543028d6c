"""Histograms add up to the total of the list, bucket by bucket, in every time zone and width."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import histories
import pytest
from loading import loaded
from oracle import DAY, Json, Oracle
from over_time import CALENDAR, WIDTHS, ZONES, asked, assert_histogram

from runlake.errors import BadInput
from runlake.settings import Settings
from runlake.store import Store

SPRING: Final = 20_541 * DAY  # 2026-03-29


@pytest.fixture(scope="module")
def spring(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Oracle]]:
    """Three days before and after a change of the clock in Vienna. Tests only read it."""
    rng = random.Random(9)
    rows = [histories.made(rng, SPRING + rng.randrange(-3 * DAY, 3 * DAY)) for _ in range(300)]
    with loaded(Settings(data=str(tmp_path_factory.mktemp("spring") / "lake")), rows, rng) as store:
        yield store, Oracle(rows)


@pytest.mark.parametrize("width", [*WIDTHS, *CALENDAR])
def test_widths_and_zones(spring: tuple[Store, Oracle], width: str) -> None:
    """Each width in each zone over a window that fits, across a change of the clock in Vienna."""
    rng = random.Random(width)
    longest = min(300 * WIDTHS.get(width, 86_400) * 10**6, 300 * DAY)
    for zone in ZONES:
        start = SPRING + rng.randrange(-DAY, DAY)
        question = {"start_time": start, "end_time": start + rng.randrange(longest), "width": width}
        assert_histogram(*spring, {**question, "tz": zone, "by": "outcome"})


def test_days_of_23_and_25_hours(store: Store) -> None:
    for day, hours in ((20_540, 23), (20_750, 25)):  # 2026-03-29 and 2026-10-25 in Vienna
        start = day * DAY
        answer = asked(store, start_time=start, end_time=start + 4 * DAY, width="1d", tz="Europe/Vienna")
        edges = [datetime.fromisoformat(edge) for edge in answer["edges"]]
        lengths = {(later - earlier) / timedelta(hours=1) for earlier, later in pairwise(edges)}
        assert lengths == {24, hours}


def test_the_ten_tasks_with_the_most_runs(settings: Settings) -> None:
    """And all others as one series without a key."""
    rng = random.Random(8)
    tasks = [histories.new_id(rng) for _ in range(14)]
    rows = [histories.made(rng, histories.NOON - i, task_id=task) for n, task in enumerate(tasks) for i in range(n + 1)]
    with loaded(settings, rows, rng) as store:
        answer = asked(store, start_time=histories.MIDNIGHT, end_time=histories.NOON + 1, width="1h", by="task")
    assert [one["key"] for one in answer["series"]] == [*map(str, tasks[:3:-1]), None]
    assert [sum(one["runs"]) for one in answer["series"]] == [*range(14, 4, -1), 1 + 2 + 3 + 4]


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"end_time": DAY}, "start_time"),
        ({"start_time": DAY}, "end_time"),
        ({"start_time": 0, "end_time": 3_651 * DAY}, "start_time"),
        ({"start_time": 0, "end_time": DAY, "tz": "Mars/Olympus"}, "tz"),
        ({"start_time": 0, "end_time": DAY, "tz": "'; --"}, "tz"),
        ({"start_time": 0, "end_time": DAY, "width": "1s"}, "width"),
        ({"start_time": 0, "end_time": 32 * DAY, "by": "owner", "success": False}, "by"),
        ({"start_time": 0, "end_time": 32 * DAY, "by": "owner", "tz": "Asia/Kolkata", "width": "1d"}, "by"),
        ({"start_time": 0, "end_time": 32 * DAY, "attempt_min": 2}, "attempt_min"),
    ],
    ids=str,
)
def test_what_is_refused(store: Store, question: Json, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        asked(store, **question)
    assert [error.field for error in refused.value.errors] == [field]


def test_an_empty_window(store: Store) -> None:
    answer = asked(store, start_time=5, end_time=5)
    assert (answer["total"], len(answer["edges"])) == (0, 2)
