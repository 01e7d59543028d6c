"""Questions to a store, and the comparison of its answers with the oracle's."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Concatenate, Final, ParamSpec

import histories
import msgspec
import pytest
from oracle import DAY, Json, Oracle, Row, assert_same, group_of, text_of, took

from runlake.errors import NotFound
from runlake.model import Instant, RunsQuery, SummaryQuery, TaskStatsQuery
from runlake.query import pages, queries, statistics
from runlake.query.engine import Session
from runlake.store import Store

P = ParamSpec("P")
SECONDS: Final = 120.0
SCANS: Final = ("lease_owner", "attempt_min", "duration_min", "duration_max", "error")
UNKNOWN_GROUP: Final = "v1:0123456789abcdef"
UNKNOWN: Final = uuid.UUID(int=2**127 + 12345)


def ask(store: Store, question: Callable[Concatenate[Session, P], Any], *args: P.args, **kw: P.kwargs) -> Any:
    """The answer to a question as its decoded JSON."""
    answer = store.engine.submit(question, *args, **kw).result(SECONDS)
    return msgspec.json.decode(msgspec.json.encode(answer))


def instants(asked: dict[str, Any]) -> dict[str, Any]:
    """The oracle's parameters as those of a query."""
    known = {name: value for name, value in asked.items() if value is not None}
    for name in {"start_time", "end_time"} & known.keys():
        known[name] = Instant(known[name])
    if isinstance(known.get("task_id"), uuid.UUID):
        known["task_id"] = [known["task_id"]]
    return known


def query_of(**asked: Any) -> RunsQuery:
    """GET /runs with the oracle's parameters."""
    return RunsQuery(**instants(asked))


def page(store: Store, **asked: Any) -> Json:
    """The answer to GET /runs."""
    answer = ask(store, pages.page, query_of(**asked))
    assert isinstance(answer, dict)
    return answer


def filters(rows: Sequence[Row], rng: random.Random) -> dict[str, Any]:
    """Parameters of a page: any mixture of filters, and an offset that often matters."""
    start, end = sorted(histories.moments(rows, rng, 2))
    chosen: dict[str, Any] = {
        "task_id": rng.choice([None, None, *histories.TASKS, UNKNOWN]),
        "success": rng.choice([None, None, True, False]),
        "start_time": start if rng.random() < 0.4 else None,
        "end_time": end if rng.random() < 0.4 else None,
        "include_errors": rng.random() < 0.5,
        "limit": rng.choice([1, 2, 7, 50, 199, 200]),
        "offset": 0,
    }
    if rng.random() < 0.5:
        chosen["offset"] = rng.choice([1, rng.randrange(len(rows) + 2), len(rows), 2**53 - 1])
    return chosen


def now() -> int:
    """As the service cuts it."""
    return time.time_ns() // 10**10 * 10**7


def durations(rows: Sequence[Row], rng: random.Random) -> float:
    """A duration of one of the runs, or near it, in seconds."""
    known = [us for row in rows if (us := took(row)) is not None] or [0]
    return max(0, rng.choice(known) + rng.choice([-1, 0, 0, 0, 1])) / 1e6


def asked_for(rows: Sequence[Row], rng: random.Random) -> dict[str, Any]:
    """Any filters that the contract allows together."""
    tasks = rng.sample([*histories.TASKS, UNKNOWN], rng.choice([1, 1, 2, 5]))
    every: dict[str, Any] = {
        "task_id": tasks,
        "success": rng.random() < 0.5,
        "status": rng.sample(["queued", "running", "lost", "success", "failed"], rng.randrange(1, 6)),
        "lease_owner": rng.choice(["worker-1", "Ω", "nobody", "'); --"]),
        "attempt_min": rng.choice([1, 2, 3, 2_147_483_647]),
        "duration_min": durations(rows, rng),
        "duration_max": durations(rows, rng),
        "error": rng.choice(["boom", "BOOM", "zeile 1\nZ", "日本 ", "100%", '" and \\']),
    }
    known = sorted({group for row in rows if (group := group_of(row))})
    every["error_group"] = rng.choice([*known, *known, UNKNOWN_GROUP])
    chosen = {name: every[name] for name in rng.sample(list(every), rng.choice([0, 1, 1, 2, 3, 4]))}
    start, end = sorted(histories.moments(rows, rng, 2))
    if rng.random() < 0.5:
        chosen |= {"start_time": start, "end_time": end}
    return chosen


def allowed(asked: dict[str, Any]) -> dict[str, Any]:
    """The same, but with a window that is short enough where the contract wants one."""
    one = len(asked.get("task_id", [])) == 1
    if (any(name in asked for name in SCANS) or asked.get("order") == "duration") and not one:
        end = asked.get("end_time", histories.NOON)
        asked = {**asked, "end_time": end, "start_time": max(asked.get("start_time", 0), end - 31 * DAY)}
    return asked


def assert_pages(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> None:
    """Pages under random filters, compared; a failure shows what was asked."""
    for _ in range(questions):
        asked = filters(oracle.rows, rng)
        assert_same(page(store, **asked), oracle.page(**asked), f"page of {asked}")


def assert_runs(store: Store, oracle: Oracle, rng: random.Random) -> None:
    """Details of some runs, and the latest run of some tasks, compared."""
    for row in rng.sample(oracle.rows, min(len(oracle.rows), 12)):
        run_id = row["id"]
        assert_same(ask(store, queries.detail, run_id), oracle.detail(run_id), f"detail of {run_id}")
    for task in {*histories.TASKS, UNKNOWN, *(row["task_id"] for row in oracle.rows[:8])}:
        assert_same(ask(store, queries.latest, task), oracle.latest(task), f"latest of {task}")
    with pytest.raises(NotFound):
        ask(store, queries.detail, UNKNOWN)


def assert_summary(store: Store, oracle: Oracle, days: int, until: int) -> None:
    """The summary of one window, compared."""
    answer = ask(store, statistics.summary, SummaryQuery(days=days, until=Instant(until)))
    assert_same(answer, oracle.summary(days=days, until=until), f"summary of {days} days until {text_of(until)}")


def assert_task(store: Store, oracle: Oracle, task: uuid.UUID, days: int, until: int) -> None:
    """The statistics of one task over one window, compared."""
    answer = ask(store, statistics.task_stats, task, TaskStatsQuery(days=days, until=Instant(until)))
    expected = oracle.task_stats(task, days=days, until=until)
    assert_same(answer, expected, f"stats of {task}, {days} days until {text_of(until)}")


def assert_windows(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> None:
    """Statistics of windows that end at any moment that may matter, or begin there."""
    tasks = [*histories.TASKS, UNKNOWN, *{row["task_id"] for row in oracle.rows[:4]}]
    for moment in histories.moments(oracle.rows, rng, questions):
        days = rng.choice([1, 1, 2, 7, 30])
        until = rng.choice([moment, min(moment + days * DAY, histories.LAST)])
        assert_summary(store, oracle, days, until)
        assert_task(store, oracle, rng.choice(tasks), days, until)
        assert_task(store, oracle, rng.choice(histories.TASKS), rng.choice([1, 7, 30]), until)
