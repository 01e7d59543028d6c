"""Histograms add up to the total of the list, bucket by bucket, in every time zone and width."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final
from zoneinfo import ZoneInfo

import histories
import pytest
from asking import SCANS, ask, asked_for, instants, now, page
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import loaded
from oracle import DAY, Json, Oracle, Row, group_of, text_of, took

from runlake.errors import BadInput
from runlake.model import HistogramQuery
from runlake.query.histogram import histogram
from runlake.settings import Settings
from runlake.store import Store

FIXED: Final = {"1s": 1, "5s": 5, "15s": 15, "30s": 30, "1m": 60, "5m": 300, "15m": 900, "30m": 1800, "1h": 3600}
FIXED_HOURS: Final = {"3h": 3, "6h": 6, "12h": 12}
WIDTHS: Final = {**FIXED, **{name: hours * 3600 for name, hours in FIXED_HOURS.items()}}
CALENDAR: Final = ("1d", "1w", "1month")
ZONES: Final = ("UTC", "Asia/Kolkata", "Europe/Vienna", "America/New_York", "Pacific/Apia", "Asia/Kathmandu")


def asked(store: Store, **given_: Any) -> Json:
    answer = ask(store, histogram, HistogramQuery(**instants(given_)))
    assert isinstance(answer, dict)
    return answer


def edge_of(micros: int, width: str, zone: str) -> int:
    """Where the bucket of a moment begins, by Python's own time zones."""
    if width in WIDTHS:
        step = WIDTHS[width] * 10**6
        return micros // step * step
    local = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)).astimezone(ZoneInfo(zone))
    day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    if width == "1w":
        day = (day.replace(tzinfo=None) - timedelta(days=day.weekday())).replace(tzinfo=ZoneInfo(zone))
    if width == "1month":
        day = day.replace(day=1)
    return round((day - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))


def key_of(row: Row, by: str) -> str | None:
    if by == "owner":
        owner: str | None = row["lease_owner"]
        return owner
    if by == "task":
        return str(row["task_id"])
    if by == "error_group":
        return group_of(row)
    return "open" if row["success"] is None else "success" if row["success"] else "failed"


def expected(rows: list[Row], answer: Json, by: str, zone: str) -> tuple[Counter[Any], Counter[Any]]:
    """Runs by key and bucket, and runs with a duration by bucket."""
    edges = {edge: number for number, edge in enumerate(answer["edges"])}
    counts: Counter[Any] = Counter()
    timed: Counter[Any] = Counter()
    shown = {one["key"] for one in answer["series"]}
    for row in rows:
        bucket = edges[text_of(edge_of(row["started_at"], answer["width"], zone))]
        key = key_of(row, by)
        counts[(key if key in shown else None, bucket)] += 1
        timed[bucket] += took(row) is not None
    return counts, timed


def questions(rows: list[Row], rng: random.Random) -> Json:
    """Any histogram that the contract allows."""
    chosen = asked_for(rows, rng)
    start, end = sorted(histories.moments(rows, rng, 2))
    by = rng.choice(["outcome", "outcome", "task", "owner", "error_group"])
    one = len(chosen.get("task_id", [])) == 1
    short = 31 * DAY if (by == "owner" or any(name in chosen for name in SCANS)) and not one else 3_650 * DAY
    window = {"start_time": max(start, end - short), "end_time": end}
    buckets = rng.choice([1, 7, 120, 400])
    return {**chosen, **window, "by": by, "tz": rng.choice(ZONES), "buckets": buckets}


def assert_histogram(store: Store, oracle: Oracle, question: Json) -> None:
    answer = asked(store, **question)
    filters = {name: value for name, value in question.items() if name not in ("by", "tz", "buckets", "width")}
    rows = oracle.selected(now(), **filters)
    assert answer["total"] == len(rows), question
    assert answer["total"] == page(store, **filters, limit=1)["total"], question
    size = len(answer["edges"]) - 1
    assert size <= question.get("buckets", 400) or (answer["width"] == "1month" and "width" not in question)
    edges = [datetime.fromisoformat(edge) for edge in (answer["start"], answer["end"], *answer["edges"])]
    assert edges[2:] == sorted(set(edges[2:]))
    assert edges[2] <= edges[0] and edges[1] <= edges[-1]
    counts, timed = expected(rows, answer, question["by"], question["tz"])
    found = {(one["key"], n): runs for one in answer["series"] for n, runs in enumerate(one["runs"]) if runs}
    assert found == dict(counts), question
    assert {n: runs for n, runs in enumerate(answer["timed"]) if runs} == {n: c for n, c in timed.items() if c}, (
        question
    )
    durations = sum(us for row in rows if (us := took(row)) is not None)
    assert sum(answer["seconds"]) == pytest.approx(durations / 1e6, rel=1e-9)
    queued = {name: value for name, value in filters.items() if name not in ("start_time", "end_time")}
    waiting = [row for row in oracle.selected(now(), **queued) if row["success"] is None and row["started_at"] is None]
    assert answer["queued"] == len(waiting)


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(10):
            assert_histogram(store, oracle, questions(oracle.rows, rng))


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    rng = random.Random(12)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        for _ in range(25):
            assert_histogram(store, oracle, questions(oracle.rows, rng))


@options(max_examples=8, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("histogram") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(12):
            assert_histogram(store, oracle, questions(oracle.rows, rng))


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
