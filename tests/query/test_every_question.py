"""Every question over every kind of history, compared with the oracle; one store answers all of them."""

from __future__ import annotations

import random

import densities
import histories
import in_parts
import lists
import over_time
import pytest
import side_by_side
from asking import assert_pages, assert_runs, assert_windows
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import loaded
from oracle import Oracle, Row

from runlake.settings import Settings
from runlake.store import Store


def assert_all(store: Store, oracle: Oracle, rng: random.Random, questions: int, *, pages: int, windows: int) -> None:
    """So many pages, windows, and questions of each other kind; three times as many of lists and pictures of time."""
    assert_pages(store, oracle, rng, pages)
    assert_runs(store, oracle, rng)
    assert_windows(store, oracle, rng, windows)
    lists.assert_lists(store, oracle, rng, 3 * questions)
    lists.assert_walks(store, oracle, rng, 2)
    for _ in range(3 * questions):
        over_time.assert_histogram(store, oracle, over_time.questions(oracle.rows, rng))
        densities.assert_durations(store, oracle, densities.questions(oracle.rows, rng))
    in_parts.assert_lists(store, oracle, rng, 2 * questions)
    in_parts.assert_charts(store, oracle, rng, questions)
    side_by_side.assert_all(store, oracle, rng, questions)


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    """As shipped: most rows stay in the catalog, large batches become files."""
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        assert_all(store, oracle, rng, 3, pages=30, windows=8)


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    """In the catalog, in files, in hot_run, in none of them; flushed and merged while they are read."""
    rng = random.Random(11)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        assert_all(store, oracle, rng, 6, pages=60, windows=15)


@options(max_examples=10, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("history") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        assert_all(store, oracle, rng, 4, pages=6, windows=3)
