"""Every endpoint, over any history and under any settings, answers what the oracle says."""

from __future__ import annotations

import random
from typing import Any

import histories
import pytest
from asking import UNKNOWN, ask, assert_pages, assert_runs, assert_summary, assert_task, assert_windows, filters, page
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from loading import append, loaded, opened_store
from oracle import Oracle, Row, assert_same

from runlake.query import queries
from runlake.settings import Settings
from runlake.store import Store


def assert_answers(settings: Settings, oracle: Oracle, rng: random.Random, *, pages: int, windows: int) -> None:
    """A store of the oracle's runs answers so many pages and windows, and each run, as the oracle does."""
    with loaded(settings, oracle.rows, rng) as store:
        assert_pages(store, oracle, rng, pages)
        assert_runs(store, oracle, rng)
        assert_windows(store, oracle, rng, windows)


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    """As shipped: most rows stay in the catalog, large batches become files."""
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    assert_answers(settings, oracle, rng, pages=30, windows=8)


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    """All in the catalog, all in files, flushed and merged while they are read."""
    rng = random.Random(3)
    oracle = Oracle(histories.together())
    assert_answers(any_settings, oracle, rng, pages=60, windows=15)


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
    """Ten years, one run a day: 3,653 files."""
    rng = random.Random(5)
    oracle = Oracle(histories.history("thin"))
    append(store, oracle.rows)
    questions: list[dict[str, Any]] = [{}, {"offset": 3_600, "limit": 200}, {"success": False, "offset": 900}]
    for asked in questions:
        assert_same(page(store, **asked), oracle.page(**asked), f"page of {asked}")
    for task in (*histories.TASKS[:2], UNKNOWN):
        assert_same(ask(store, queries.latest, task), oracle.latest(task))
    assert_windows(store, oracle, rng, 4)
    assert_summary(store, oracle, 3_650, histories.NOON)
    assert_task(store, oracle, histories.TASKS[0], 3_650, histories.NOON)


@hypothesis_settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    """Whatever the history and the question."""
    rng = random.Random(seed)
    oracle = Oracle(rows)
    with opened_store(Settings(data=str(tmp_path_factory.mktemp("small") / "lake"))) as store:
        for start in range(0, len(rows), 9):
            append(store, rows[start : start + 9])
        assert_pages(store, oracle, rng, 6)
        assert_windows(store, oracle, rng, 3)
