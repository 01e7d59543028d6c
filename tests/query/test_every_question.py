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
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import loaded
from oracle import Oracle, Row

from runlake.settings import Settings
from runlake.store import Store


def assert_all(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> None:
    """So many questions of each kind; of lists and pictures of time, which vary most, three times as many."""
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
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        assert_all(store, oracle, rng, 3)


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    """In the catalog, in files, in hot_run, in none of them."""
    rng = random.Random(11)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        assert_all(store, oracle, rng, 6)


@options(max_examples=8, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("history") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        assert_all(store, oracle, rng, 4)
