"""Histograms add up to the total of the list, bucket by bucket, in every time zone and width."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import histories
import pytest
from asking import ask, instants, now, page
from charts import CALENDAR, WIDTHS, ZONES, assert_histogram_of, histograms
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import loaded
from oracle import DAY, Json, Oracle, Row

from runlake.errors import BadInput
from runlake.model import HistogramQuery
from runlake.query.histogram import histogram
from runlake.settings import Settings
from runlake.store import Store


def asked(store: Store, **given_: Any) -> Json:
    answer = ask(store, histogram, HistogramQuery(**instants(given_)))
    assert isinstance(answer, dict)
    return answer


def assert_histogram(store: Store, oracle: Oracle, question: Json) -> None:
    answer = asked(store, **question)
    filters = {name: value for name, value in question.items() if name not in ("by", "tz", "buckets", "width")}
    assert_histogram_of(answer, oracle.selected(now(), **filters), question)
    assert answer["total"] == page(store, **filters, limit=1)["total"], question
    queued = {name: value for name, value in filters.items() if name not in ("start_time", "end_time")}
    waiting = [row for row in oracle.selected(now(), **queued) if row["success"] is None and row["started_at"] is None]
    assert answer["queued"] == len(waiting)


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(10):
            assert_histogram(store, oracle, histograms(oracle.rows, rng))


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    rng = random.Random(12)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        for _ in range(25):
            assert_histogram(store, oracle, histograms(oracle.rows, rng))


@options(max_examples=8, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("histogram") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(12):
            assert_histogram(store, oracle, histograms(oracle.rows, rng))


@pytest.mark.parametrize("width", [*WIDTHS, *CALENDAR])
def test_widths_and_zones(settings: Settings, width: str) -> None:
    """Each width in each zone over a window that fits, across a change of the clock in Vienna."""
    rng = random.Random(width)
    spring = 20_541 * DAY  # 2026-03-29
    rows = [histories.made(rng, spring + rng.randrange(-3 * DAY, 3 * DAY)) for _ in range(80)]
    oracle = Oracle(rows)
    longest = min(300 * WIDTHS.get(width, 86_400) * 10**6, 300 * DAY)
    with loaded(settings, rows, rng) as store:
        for zone in ZONES:
            start = spring + rng.randrange(-DAY, DAY)
            question = {"start_time": start, "end_time": start + rng.randrange(longest), "width": width}
            assert_histogram(store, oracle, {**question, "tz": zone, "by": "outcome"})


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
        ({"start_time": 0, "end_time": 32 * DAY, "by": "owner"}, "by"),
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
