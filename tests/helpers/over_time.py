"""Histograms, compared with the oracle and with Python's own time zones."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

import histories
import pytest
from asking import SCANS, ask, asked_for, instants, now, page
from oracle import DAY, Json, Oracle, Row, group_of, text_of, took

from runlake.model import HistogramQuery
from runlake.query.histogram import histogram
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
    zone, buckets = rng.choice(ZONES), rng.choice([1, 7, 120, 400])
    one = len(chosen.get("task_id", [])) == 1
    by_runs = by == "owner" and (zone != "UTC" or not chosen.keys().isdisjoint(("task_id", "success", "status")))
    short = 31 * DAY if (by_runs or any(name in chosen for name in SCANS)) and not one else 3_650 * DAY
    window = {"start_time": max(start, end - short), "end_time": end}
    return {**chosen, **window, "by": by, "tz": zone, "buckets": buckets}


def assert_histogram(store: Store, oracle: Oracle, question: Json) -> None:
    answer = asked(store, **question)
    filters = {name: value for name, value in question.items() if name not in ("by", "tz", "buckets", "width")}
    assert_holds(answer, oracle.selected(now(), **filters), question)
    assert answer["total"] == page(store, **filters, limit=1)["total"], question
    queued = {name: value for name, value in filters.items() if name not in ("start_time", "end_time")}
    waiting = [row for row in oracle.selected(now(), **queued) if row["success"] is None and row["started_at"] is None]
    assert answer["queued"] == len(waiting)


def assert_holds(answer: Json, rows: list[Row], question: Json) -> None:
    """The answer holds these runs, in the buckets that the question asks for."""
    assert answer["total"] == len(rows), question
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
