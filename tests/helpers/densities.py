"""Densities, compared with the oracle."""

from __future__ import annotations

import random
from collections import Counter
from fractions import Fraction
from typing import Any

import histories
import pytest
from asking import SCANS, ask, asked_for, instants, now, page
from oracle import DAY, Json, Oracle, Row, percentile, run_at, took

from runlake.model import DurationsQuery
from runlake.query.durations import durations
from runlake.store import Store


def asked(store: Store, **given_: Any) -> Json:
    answer = ask(store, durations, DurationsQuery(**instants(given_)))
    assert isinstance(answer, dict)
    return answer


def questions(rows: list[Row], rng: random.Random) -> Json:
    """Any density that the contract allows."""
    chosen = asked_for(rows, rng)
    start, end = sorted(histories.moments(rows, rng, 2))
    one = len(chosen.get("task_id", [])) == 1
    short = 31 * DAY if any(name in chosen for name in SCANS) and not one else 3_650 * DAY
    window = {"start_time": max(start, end - short), "end_time": end}
    return {**chosen, **window, "columns": rng.choice([1, 24, 168, 240]), "points": rng.choice([0, 0, 5, 2_000])}


def assert_cells(answer: Json, rows: list[Row], first: int) -> None:
    """Each run is in the cell of its time and its duration."""
    width, edges = answer["column_seconds"] * 10**6, answer["row_edges_seconds"]
    assert edges == sorted(set(edges))
    for name, result in (("success", True), ("failed", False)):
        columns = Counter((run_at(row) - first) // width for row in rows if row["success"] is result)
        found: Counter[int] = Counter()
        for x, y, n in zip(*(answer[name][axis] for axis in "xyn"), strict=True):
            assert n > 0
            found[x] += n
            here = [took(row) for row in rows if row["success"] is result and (run_at(row) - first) // width == x]
            inside = [us for us in here if us is not None and edges[y] - 1e-9 <= us / 1e6 < edges[y + 1] - 1e-9]
            assert len(inside) == n, (x, y)
        assert found == columns


def assert_durations(store: Store, oracle: Oracle, question: Json) -> None:
    answer = asked(store, **question)
    filters = {name: value for name, value in question.items() if name not in ("columns", "points")}
    assert_holds(answer, oracle.selected(now(), **filters), question)
    assert answer["timed"] + answer["open"] == page(store, **filters, limit=1)["total"]


def assert_holds(answer: Json, rows: list[Row], question: Json) -> None:
    """The answer holds these runs, as the question asks for."""
    timed = [row for row in rows if took(row) is not None]
    assert (answer["timed"], answer["open"]) == (len(timed), len(rows) - len(timed)), question
    width = answer["column_seconds"] * 10**6
    first = question["start_time"] // width * width
    assert answer["columns"] == len(answer["p50_seconds"]) == len(answer["p95_seconds"])
    assert answer["columns"] <= question["columns"] or answer["column_seconds"] == 28 * 86_400
    for x in range(answer["columns"]):
        here = [us for row in timed if (run_at(row) - first) // width == x and (us := took(row)) is not None]
        for p in (50, 95):
            expected, found = percentile(here, Fraction(p, 100)), answer[f"p{p}_seconds"][x]
            assert (found is None) is (expected is None)
            assert expected is None or expected.holds(found), (question, x, p)
    if answer["points"] is None:
        assert len(timed) > question["points"]
        assert_cells(answer, timed, first)
    else:
        assert answer["row_edges_seconds"] == answer["success"]["n"] == answer["failed"]["n"] == []
        assert_points(answer["points"], timed)


def assert_points(points: Json, rows: list[Row]) -> None:
    assert points["id"] == [str(row["id"]) for row in rows]
    assert points["started_at"] == [row["started_at"] for row in rows]
    assert points["success"] == [row["success"] for row in rows]
    assert [points["tasks"][place] for place in points["task"]] == [str(row["task_id"]) for row in rows]
    assert points["seconds"] == pytest.approx([(took(row) or 0) / 1e6 for row in rows], rel=1e-12)
