"""A history of realistic shape and one of very many files: pages and statistics are what the oracle says."""

from __future__ import annotations

import random
from typing import Any

import histories
from asking import UNKNOWN, ask, assert_runs, assert_summary, assert_task, assert_windows, filters, page
from loading import append, loaded
from oracle import Oracle, assert_same

from runlake.query import queries
from runlake.settings import Settings
from runlake.store import Store


def test_generated_history(settings: Settings) -> None:
    """20,000 runs of realistic shape."""
    rng = random.Random(7)
    oracle = Oracle(histories.generated())
    tasks = list({row["task_id"] for row in oracle.rows})
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(40):
            asked = filters(oracle.rows, rng) | {"task_id": rng.choice([None, *tasks])}
            assert_same(page(store, **asked), oracle.page(**asked), f"page of {asked}")
        assert_runs(store, oracle, rng)
        for until in histories.moments(oracle.rows, rng, 8):
            assert_summary(store, oracle, rng.choice([1, 7, 30]), until)
            assert_task(store, oracle, rng.choice(tasks), rng.choice([1, 7, 30]), until)
        assert_summary(store, oracle, 365, histories.NOON)


def test_thin_history(store: Store) -> None:
    """Ten years, one run every third day: 1,218 files."""
    rng = random.Random(5)
    oracle = Oracle(histories.history("thin"))
    append(store, oracle.rows)
    questions: list[dict[str, Any]] = [{}, {"offset": 1_200, "limit": 200}, {"success": False, "offset": 300}]
    for asked in questions:
        assert_same(page(store, **asked), oracle.page(**asked), f"page of {asked}")
    for task in (*histories.TASKS[:2], UNKNOWN):
        assert_same(ask(store, queries.latest, task), oracle.latest(task))
    assert_windows(store, oracle, rng, 4)
    assert_summary(store, oracle, 3_650, histories.NOON)
    assert_task(store, oracle, histories.TASKS[0], 3_650, histories.NOON)
