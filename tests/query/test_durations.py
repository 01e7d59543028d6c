"""A density holds every run with a duration once, and together with the open ones it is the list."""

from __future__ import annotations

import random
from typing import Any

import histories
import pytest
from asking import ask, instants, now, page
from charts import assert_durations_of, densities
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import loaded
from oracle import DAY, Json, Oracle, Row

from runlake.errors import BadInput
from runlake.model import DurationsQuery
from runlake.query.durations import durations
from runlake.settings import Settings
from runlake.store import Store


def asked(store: Store, **given_: Any) -> Json:
    answer = ask(store, durations, DurationsQuery(**instants(given_)))
    assert isinstance(answer, dict)
    return answer


def assert_durations(store: Store, oracle: Oracle, question: Json) -> None:
    answer = asked(store, **question)
    filters = {name: value for name, value in question.items() if name not in ("columns", "points")}
    assert_durations_of(answer, oracle.selected(now(), **filters), question)
    assert answer["timed"] + answer["open"] == page(store, **filters, limit=1)["total"]


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(8):
            assert_durations(store, oracle, densities(oracle.rows, rng))


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    rng = random.Random(13)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        for _ in range(16):
            assert_durations(store, oracle, densities(oracle.rows, rng))


@options(max_examples=8, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("durations") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        for _ in range(10):
            assert_durations(store, oracle, densities(oracle.rows, rng))


@pytest.mark.parametrize(
    ("question", "field"),
    [
        ({"end_time": DAY}, "start_time"),
        ({"start_time": 0, "end_time": 3_651 * DAY}, "start_time"),
        ({"start_time": 0, "end_time": 32 * DAY, "error": "boom"}, "error"),
    ],
    ids=str,
)
def test_what_is_refused(store: Store, question: Json, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        asked(store, **question)
    assert [error.field for error in refused.value.errors] == [field]
