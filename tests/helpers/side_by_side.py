"""Errors, tasks, owners, breakdowns and the context of a run, compared with brute force."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any, Final, Literal, get_args

import around
import histories
import pytest
from asking import SCANS, ask, asked_for, instants, now
from oracle import DAY, Json, Oracle, Row, assert_same, group_of, run_at, text_of

from runlake.model import (
    BreakdownQuery,
    ContextQuery,
    Dimension,
    ErrorsQuery,
    Filter,
    Instant,
    Measure,
    OwnersQuery,
    TaskSort,
    TasksQuery,
)
from runlake.query import breakdown, context, errors, owners, tasks
from runlake.store import Store

DIRECTIONS: Final[tuple[Literal["asc"], Literal["desc"]]] = ("asc", "desc")


def window(rows: list[Row], rng: random.Random, longest: int) -> tuple[int, int]:
    """A window that is not empty, and ends where a query string may have it end."""
    start, end = sorted(min(moment, histories.LAST - 1) for moment in histories.moments(rows, rng, 2))
    return max(start, end - longest), end + 1


def selection(rows: list[Row], rng: random.Random) -> Json:
    """Any filters but those of time."""
    return {k: v for k, v in asked_for(rows, rng).items() if k not in ("start_time", "end_time")}


def assert_errors(store: Store, oracle: Oracle, rng: random.Random) -> None:
    asked = selection(oracle.rows, rng)
    scans = any(name in asked for name in SCANS) and len(asked.get("task_id", [])) != 1
    start, end = window(oracle.rows, rng, 31 * DAY - 1 if scans else 3_000 * DAY)
    times = {"start_time": Instant(start), "end_time": Instant(end)}
    expected = around.groups(oracle, now(), start, end, **asked)
    query = {**instants(asked), **times}
    answer = ask(store, errors.errors, ErrorsQuery(**query, limit=500))
    assert {key: answer[key] for key in ("total_failed", "without_text")} == expected.pop("all"), query
    assert answer["total_groups"] == len(expected)
    found = {group["id"]: {k: group[k] for k in around_keys(group)} for group in answer["groups"]}
    assert found == expected, query
    assert [g["runs"] for g in answer["groups"]] == sorted((g["runs"] for g in answer["groups"]), reverse=True)
    every = sorted({group for row in oracle.rows if (group := group_of(row))})
    others = rng.sample(every, min(2, len(every)))
    known = around.groups(oracle, now(), start, end, *others, **asked)
    for group in {*list(expected)[:2], *others}:
        if asked.get("error_group", group) == group:  # no run is of two groups
            detail = ask(store, errors.error_group, group, Filter(**query))
            assert {k: detail[k] for k in known[group]} == known[group]
            assert_detail(oracle, detail, asked | {"error_group": group}, (start, end))


def around_keys(group: Json) -> list[str]:
    return [name for name in group if name not in ("id", "kind", "message", "frame")]


def assert_detail(oracle: Oracle, detail: Json, asked: Json, span: tuple[int, int]) -> None:
    rows = [row for row in oracle.selected(now(), **asked) if around.is_in(row, *span)]
    ids = {str(row["id"]) for row in rows}
    samples = detail["samples"]
    assert len(samples) == min(5, len(rows)) and {run["id"] for run in samples} <= ids
    tasks = {str(row["task_id"]) for row in rows}
    assert len({run["task_id"] for run in samples}) == min(len(tasks), 5)
    by_task = Counter(str(row["task_id"]) for row in rows)
    assert [one["runs"] for one in detail["by_task"]] == sorted(by_task.values(), reverse=True)[:10]
    assert {one["task_id"]: one["runs"] for one in detail["by_task"]}.items() <= by_task.items()
    assert {one["owner"]: one["runs"] for one in detail["by_owner"]} == {
        owner: sum(row["lease_owner"] == owner for row in rows) for owner in {row["lease_owner"] for row in rows}
    }
    assert sum(day["runs"] for day in detail["daily"]) == len(rows)
    first, last = (text_of(at)[:10] for at in (span[0], span[1] - 1))
    assert (detail["daily"][0]["date"], detail["daily"][-1]["date"]) == (first, last)
    for day in detail["daily"]:
        assert day["runs"] == sum(text_of(run_at(row))[:10] == day["date"] for row in rows)


def assert_owners(store: Store, oracle: Oracle, rng: random.Random) -> None:
    start, end = window(oracle.rows, rng, 1_000 * DAY)
    parts = rng.choice([0, 1, 7, 30])
    query = OwnersQuery(start_time=Instant(start), end_time=Instant(end), spark=parts)
    answer = ask(store, owners.owners, query)
    expected = around.owners(oracle, now(), start, end)
    columns = answer["columns"]
    found = {
        owner: {name: values[at] for name, values in columns.items() if name != "owner"}
        for at, owner in enumerate(columns["owner"])
    }
    assert found.keys() == expected.keys()
    for owner, figures in expected.items():
        assert_same(found[owner], figures, f"{owner} from {start} to {end}")
    assert columns["failed"] == sorted(columns["failed"], reverse=True)
    oldest = min((run_at(row) for row in oracle.rows), default=end)
    assert answer["previous_complete"] == (oldest <= 2 * start - end)
    if not parts:
        assert answer["spark"] is None
        return
    spark = answer["spark"]
    assert all(len(line) <= parts + 1 for line in spark["runs"])
    assert [sum(line) for line in spark["runs"]] == columns["runs"]
    assert [sum(line) for line in spark["failed"]] == columns["failed"]


def assert_breakdown(store: Store, oracle: Oracle, rng: random.Random) -> None:
    asked = selection(oracle.rows, rng)
    start, end = window(oracle.rows, rng, 31 * DAY - 1)
    chosen = [row for row in oracle.selected(now(), **asked) if around.is_in(row, start, end)]
    other = sorted(histories.moments(oracle.rows, rng, 2))
    other[0] = max(other[0], other[1] - 31 * DAY)
    against = rng.choice(["rest", "previous", ",".join(map(text_of, other))])
    if against == "rest":
        others = [row for row in oracle.rows if around.is_in(row, start, end) and row not in chosen]
    else:
        low, high = (max(0, 2 * start - end), start) if against == "previous" else other
        others = [row for row in oracle.selected(now(), **asked) if around.is_in(row, low, high)]
    times = {"start_time": Instant(start), "end_time": Instant(end)}
    by = rng.sample(get_args(Dimension), rng.choice([1, 2, 6]))
    query = BreakdownQuery(**{**instants(asked), **times}, against=against, by=by)
    answer = ask(store, breakdown.breakdown, query)
    assert (answer["selected"], answer["baseline"]) == (len(chosen), len(others)), query
    assert answer["by"].keys() == set(by)
    for kind, shares in answer["by"].items():
        expected = around.breakdown(chosen, others, kind)
        found = {share["value"]: (share["selected"], share["baseline"]) for share in shares}
        assert len(found) == min(10, len(expected))
        assert found.items() <= expected.items(), (kind, query)
        for share in shares:
            assert share["selected_share"] == pytest.approx(share["selected"] / len(chosen))
            assert share["baseline_share"] == pytest.approx(share["baseline"] / len(others) if others else 0)
            lift = share["selected_share"] / share["baseline_share"] if share["baseline"] else None
            assert share["lift"] == pytest.approx(lift)
        excess = [share["selected"] - len(chosen) * share["baseline_share"] for share in shares]
        assert excess == pytest.approx(sorted(excess, reverse=True))


def assert_context(store: Store, oracle: Oracle, rng: random.Random) -> None:
    if not oracle.rows:
        return
    tried = [row for row in oracle.rows if row["attempt"] > 1 or not row["success"]]
    row = rng.choice(tried if tried and rng.random() < 0.7 else oracle.rows)
    days = rng.choice([1, 7, 31])
    answer = ask(store, context.context, row["id"], ContextQuery(days=days))
    expected = around.neighbours(oracle, row["id"])
    assert {name: answer[name] for name in expected} == expected
    assert_same(answer["duration_rank"], around.rank(oracle, row, days), f"rank of {row['id']}")
    assert answer["error_group"] == group_of(row)
    same = [
        other
        for other in oracle.rows
        if group_of(other) == group_of(row) and run_at(row) - days * DAY <= run_at(other) <= run_at(row)
    ]
    assert answer["same_error_runs"] == (len(same) if group_of(row) else None)
    assert (answer["attempts"], answer["candidates"]) == around.attempts(oracle, row), row["id"]


def assert_tasks(store: Store, oracle: Oracle, rng: random.Random) -> None:
    start, end = window(oracle.rows, rng, 1_000 * DAY)
    parts = rng.choice([0, 1, 7, 30])
    times: dict[str, Any] = {"start_time": Instant(start), "end_time": Instant(end)}
    answer = ask(store, tasks.tasks, TasksQuery(**times, spark=parts))
    expected = around.tasks(oracle, now(), start, end)
    columns = answer["columns"]
    found = {
        task: {name: values[at] for name, values in columns.items() if name not in ("task_id", "name")}
        for at, task in enumerate(columns["task_id"])
    }
    assert found.keys() == expected.keys() and answer["total_tasks"] == len(expected)
    for task, figures in expected.items():
        assert_same(found[task], figures, f"{task} from {start} to {end}")
    timed = [around.timed(oracle, task, start, end) for task in columns["task_id"]]
    need = [
        (-around.attention(found[task], *counts), -found[task]["failed"], task)
        for task, counts in zip(columns["task_id"], timed, strict=True)
    ]
    assert need == sorted(need)
    if parts:
        assert [sum(line) for line in answer["spark"]["runs"]] == columns["runs"]
        assert [sum(line) for line in answer["spark"]["failed"]] == columns["failed"]
    assert_orders(store, answer, times, rng)


def assert_orders(store: Store, whole: Json, times: dict[str, Any], rng: random.Random) -> None:
    """A page in the order of any column is that part of all tasks in this order."""
    by, order, limit = rng.choice(get_args(TaskSort)[1:]), rng.choice(DIRECTIONS), rng.choice([1, 2, 5000])
    offset, measures = rng.choice([0, 1, 3]), rng.sample(get_args(Measure), 3)
    query = TasksQuery(**times, sort=by, order=order, limit=limit, offset=offset, measures=measures, spark=0)
    answer = ask(store, tasks.tasks, query)
    values = dict(zip(whole["columns"]["task_id"], whole["columns"][by], strict=True))
    ids = sorted(values)
    known = sorted((task for task in ids if values[task] is not None), key=values.__getitem__, reverse=order == "desc")
    if by == "task_id":
        known = sorted(ids, reverse=order == "desc")
    expected = [*known, *(task for task in ids if values[task] is None)][offset : offset + limit]
    assert answer["columns"].keys() == {"task_id", "name", *measures} or not expected
    assert answer["columns"]["task_id"] == expected, (by, order)
    assert answer["total_tasks"] == len(ids)
    assert answer["truncated"] == (offset + len(expected) < len(ids) if expected else False)


def assert_all(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> None:
    for _ in range(questions):
        assert_errors(store, oracle, rng)
        assert_owners(store, oracle, rng)
        assert_tasks(store, oracle, rng)
        assert_breakdown(store, oracle, rng)
        assert_context(store, oracle, rng)
