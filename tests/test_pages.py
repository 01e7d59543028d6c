"""Lists, details and latest runs of any history, under any settings, are what the oracle says."""

from __future__ import annotations

import itertools
import random
import uuid
from collections.abc import Iterator
from typing import Any, Final

import histories
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from loading import append, ask, instant, loaded, opened_store
from oracle import Json, Oracle, Row, assert_same

from runlake.errors import BadInput, NotFound
from runlake.model import RunsQuery
from runlake.query import queries
from runlake.settings import Settings
from runlake.store import Store

QUESTIONS: Final = 40
UNKNOWN: Final = uuid.UUID(int=2**127 + 12345)


def page(store: Store, filters: dict[str, Any]) -> Json:
    """GET /runs with the oracle's parameters."""
    known = {name: value for name, value in filters.items() if value is not None}
    times = {name: instant(known[name]) for name in ("start_time", "end_time") if name in known}
    answer = ask(store, queries.page, RunsQuery(**(known | times)))
    assert isinstance(answer, dict)
    return answer


def filters(rows: list[Row], rng: random.Random) -> dict[str, Any]:
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


def assert_page(store: Store, oracle: Oracle, asked: dict[str, Any]) -> None:
    """One page, compared; a failure shows what was asked."""
    assert_same(page(store, asked), oracle.page(**asked), f"page of {asked}")


def assert_runs(store: Store, oracle: Oracle, rng: random.Random) -> None:
    """Details of some runs, and the latest run of every task."""
    for row in rng.sample(oracle.rows, min(len(oracle.rows), 12)):
        run_id = row["id"]
        assert_same(ask(store, queries.detail, run_id), oracle.detail(run_id), f"detail of {run_id}")
    for task in [*histories.TASKS, UNKNOWN, *{row["task_id"] for row in oracle.rows[:8]}]:
        assert_same(ask(store, queries.latest, task), oracle.latest(task), f"latest of {task}")
    with pytest.raises(NotFound):
        ask(store, queries.detail, UNKNOWN)


@pytest.mark.parametrize("name", histories.NAMES)
def test_history_under_any_settings(any_settings: Settings, name: str) -> None:
    """Random filters, offsets and limits, with rows in the catalog, in files and in merged files."""
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(any_settings, oracle.rows, rng) as store:
        for _ in range(QUESTIONS):
            assert_page(store, oracle, filters(oracle.rows, rng))
        assert_runs(store, oracle, rng)


def test_generated_history(settings: Settings) -> None:
    """20,000 runs of realistic shape."""
    rng = random.Random(7)
    oracle = Oracle(histories.generated())
    with loaded(settings, oracle.rows, rng) as store:
        tasks = list({row["task_id"] for row in oracle.rows})
        for _ in range(60):
            assert_page(store, oracle, filters(oracle.rows, rng) | {"task_id": rng.choice([None, *tasks])})
        assert_runs(store, oracle, rng)


@pytest.mark.parametrize("limit", [1, 7, 200])
@pytest.mark.parametrize("asked", [{}, {"success": True}, {"end_time": histories.NOON}], ids=str)
def test_pages_tile(tied: tuple[Store, Oracle], asked: dict[str, Any], limit: int) -> None:
    """Page after page a whole history comes once, in order, and the last page says that it is the last."""
    store, oracle = tied
    seen: list[Json] = []
    more = True
    while more:
        answer = page(store, asked | {"offset": len(seen), "limit": limit, "include_errors": True})
        assert len(answer["items"]) == limit or not answer["has_more"]
        seen += answer["items"]
        more = answer["has_more"]
    assert len(seen) == answer["total"]
    everything = oracle.page(**asked, include_errors=True, limit=len(oracle.rows))
    assert_same(seen, everything["items"])


def test_windows_tile(tied: tuple[Store, Oracle]) -> None:
    """Half-open windows that meet, on any microsecond, hold every started run once."""
    store, oracle = tied
    started = sorted({row["started_at"] for row in oracle.rows if row["started_at"] is not None})
    cuts = sorted({0, histories.LAST, *started, *(at + 1 for at in started), *(at - 1 for at in started)})
    totals = []
    for start, end in itertools.pairwise(cuts):
        asked = {"start_time": start, "end_time": end}
        answer = page(store, asked)
        assert answer["total"] == oracle.page(**asked)["total"], asked
        totals.append(answer["total"])
    assert sum(totals) == sum(row["started_at"] is not None for row in oracle.rows)
    for at in started:
        assert page(store, {"start_time": at, "end_time": at})["total"] == 0


def test_window_backwards_is_refused(store: Store) -> None:
    with pytest.raises(BadInput, match="start_time"):
        page(store, {"start_time": 2, "end_time": 1})


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Oracle]]:
    """A store with a history of many equal times, and its oracle."""
    oracle = Oracle(histories.history("ties"))
    folder = tmp_path_factory.mktemp("tied")
    with loaded(Settings(data=str(folder / "lake")), oracle.rows, random.Random(1)) as store:
        yield store, oracle


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    """Whatever the history and the question."""
    rng = random.Random(seed)
    oracle = Oracle(rows)
    with opened_store(Settings(data=str(tmp_path_factory.mktemp("small") / "lake"))) as store:
        for start in range(0, len(rows), 9):
            append(store, rows[start : start + 9])
        for _ in range(6):
            assert_page(store, oracle, filters(rows, rng) if rows else {})
