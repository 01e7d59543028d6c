"""Every filter, alone and with any others, in every order of a list, by offset and by cursor."""

from __future__ import annotations

import random
import threading
from typing import Any

import histories
import msgspec
import pytest
from asking import SCANS, SECONDS, allowed, asked_for, now, page, query_of
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from loading import append, loaded, opened_store
from oracle import DAY, Json, Oracle, Row, assert_same, run_at

from runlake.errors import BadInput, TooLong, TooMany
from runlake.model import RunsQuery
from runlake.query import filters, pages, scan
from runlake.query.engine import Session
from runlake.settings import Settings
from runlake.store import Store


def pages_of(rng: random.Random) -> dict[str, Any]:
    """Any page."""
    return {
        "include_errors": rng.random() < 0.5,
        "limit": rng.choice([1, 3, 50, 200]),
        "offset": rng.choice([0, 0, 1, 7, 60, 5_000]),
        "order": rng.choice(["started", "started", "duration"]),
    }


def assert_lists(store: Store, oracle: Oracle, rng: random.Random, questions: int) -> None:
    for _ in range(questions):
        asked = allowed(asked_for(oracle.rows, rng) | pages_of(rng))
        assert_same(page(store, **asked), oracle.page(now=now(), **asked), f"page of {asked}")


def find(store: Store, query: RunsQuery, cursor: str | None = None) -> pages.Found:
    """The page of a query, or of a cursor in the same list."""
    at = query if cursor is None else msgspec.structs.replace(query, cursor=cursor)
    return store.engine.submit(pages.find, at).result(SECONDS)


def items_of(found: pages.Found) -> list[Json]:
    items: list[Json] = msgspec.json.decode(msgspec.json.encode(found.page.items))
    return items


def walked(store: Store, **asked: Any) -> list[Json]:
    """All items of a list, by the cursors of its pages, forth; then back, which must be the same."""
    query = query_of(**asked)
    found = find(store, query)
    forth = items_of(found)
    while found.next is not None:
        found = find(store, query, found.next)
        assert found.page.offset == len(forth)
        forth += items_of(found)
    assert not found.page.has_more
    rest = len(forth) - len(found.page.items)
    back: list[Json] = []
    while found.previous is not None:
        found = find(store, query, found.previous)
        back = items_of(found) + back
        assert found.page.offset + len(back) == rest
    assert back == forth[:rest]
    return forth


def assert_walks(store: Store, oracle: Oracle, rng: random.Random, walks: int) -> None:
    for _ in range(walks):
        limit = rng.choice([7, 50, 199])
        asked = allowed(asked_for(oracle.rows, rng) | {"order": rng.choice(["started", "duration"])})
        expected = oracle.page(now=now(), **asked, limit=10**6)["items"]
        assert_same(walked(store, **asked, limit=limit), expected, f"all pages of {asked}")


@pytest.mark.parametrize("name", [name for name in histories.NAMES if name != "thin"])
def test_each_history(settings: Settings, name: str) -> None:
    rng = random.Random(name)
    oracle = Oracle(histories.history(name))
    with loaded(settings, oracle.rows, rng) as store:
        assert_lists(store, oracle, rng, 15)
        assert_walks(store, oracle, rng, 2)


def test_all_histories_under_any_settings(any_settings: Settings) -> None:
    """In the catalog, in files, in hot_run, in none of them."""
    rng = random.Random(11)
    oracle = Oracle(histories.together())
    with loaded(any_settings, oracle.rows, rng) as store:
        assert_lists(store, oracle, rng, 30)
        assert_walks(store, oracle, rng, 2)


@options(max_examples=8, suppress_health_check=list(HealthCheck))
@given(rows=histories.small(), seed=st.integers(0, 2**16))
def test_any_small_history(tmp_path_factory: pytest.TempPathFactory, rows: list[Row], seed: int) -> None:
    rng = random.Random(seed)
    folder = str(tmp_path_factory.mktemp("filters") / "lake")
    settings = Settings(data=folder, hot_days=rng.choice([1, 5, 62]), rollup_rows=rng.choice([1, 20, 4096]))
    oracle = Oracle(rows)
    with loaded(settings, oracle.rows, rng) as store:
        assert_lists(store, oracle, rng, 12)
        assert_walks(store, oracle, rng, 2)


def test_a_cursor_stays_where_it_is(settings: Settings) -> None:
    """While newer runs, and runs in between, are appended, no run comes twice and none is left out."""
    rng = random.Random(1)
    rows = [histories.made(rng, histories.NOON - i * 10**6) for i in range(120)]
    with opened_store(settings) as store:
        append(store, rows)
        query = query_of(limit=50)
        found = find(store, query)
        seen = [run.id for run in found.page.items]
        while found.next is not None:
            append(store, [histories.made(rng, histories.NOON + len(seen) * 10**6) for _ in range(3)])
            found = find(store, query, found.next)
            seen += [run.id for run in found.page.items]
        assert seen == [row["id"] for row in rows]
        assert found.page.offset == 100 + 6  # runs before the page, the appended ones included


def test_fields(settings: Settings) -> None:
    """Items have the fields that were asked for, as they are in whole items."""
    oracle = Oracle(histories.history("random_mixed"))
    with loaded(settings, oracle.rows, random.Random(2)) as store:
        whole = page(store, include_errors=True)["items"]
        for fields in (["id"], ["success", "task_id"], ["error", "output"]):
            for offset in (0, 40):
                answer = page(store, fields=fields, include_errors=True, offset=offset, limit=10)
                expected = [{name: item[name] for name in fields} for item in whole[offset : offset + 10]]
                assert answer["items"] == expected


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        *[({name: value}, name) for name, value in zip(SCANS, ["a", 1, 1.0, 1.0, "abc"], strict=True)],
        ({"attempt_min": 2, "task_id": histories.TASKS[:2]}, "attempt_min"),
        ({"attempt_min": 2, "start_time": 5, "end_time": 6 + 31 * DAY}, "attempt_min"),
        ({"order": "duration"}, "order"),
        ({"cursor": "AAAA"}, "cursor"),
        ({"cursor": "ä"}, "cursor"),
        ({"cursor": "AAAA", "offset": 0}, "cursor"),
        ({"start_time": 6, "end_time": 5}, "start_time"),
    ],
    ids=str,
)
def test_what_is_refused(store: Store, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        page(store, **asked)
    assert [error.field for error in refused.value.errors] == [field]


def test_a_cursor_of_another_list(settings: Settings) -> None:
    """It is refused: under another filter or in another order its position means nothing."""
    rng = random.Random(3)
    with opened_store(settings) as store:
        append(store, [histories.made(rng, histories.NOON - i, success=True) for i in range(5)])
        found = find(store, query_of(limit=2))
        for other in ({"success": True}, {"task_id": [histories.TASKS[0]]}, {"end_time": histories.NOON}):
            with pytest.raises(BadInput, match="another filter"):
                page(store, cursor=found.next, **other)
        window = {"start_time": histories.NOON - DAY, "end_time": histories.NOON + DAY}
        with pytest.raises(BadInput, match="another filter or order"):
            page(store, cursor=found.next, order="duration", **window)
        assert page(store, cursor=found.next, limit=200, include_errors=True)["offset"] == 2


def test_a_task_with_a_filter_needs_no_window(settings: Settings) -> None:
    """Over years of one task, also where nothing is in narrow rows."""
    rng = random.Random(5)
    rows = [histories.made(rng, histories.MIDNIGHT - 40 * i * DAY, task_id=histories.TASKS[i % 2]) for i in range(60)]
    oracle = Oracle(rows)
    for hot_days in (1, 4_000):
        with opened_store(msgspec.structs.replace(settings, hot_days=hot_days, inline_rows=0)) as store:
            append(store, rows)
            questions: list[dict[str, Any]] = [
                {"attempt_min": 2},
                {"lease_owner": "Ω"},
                {"error": "boom"},
                {"order": "duration"},
            ]
            for asked in questions:
                question = {**asked, "task_id": [histories.TASKS[0]], "limit": 7}
                assert_same(page(store, **question), oracle.page(**question), f"page of {question}")
    assert len({run_at(row) // DAY for row in rows}) == 60


def test_scans_wait_for_each_other_and_for_nothing_else(store: Store) -> None:
    """One runs and eight wait; other questions are answered meanwhile."""
    go = threading.Event()
    scans = [store.engine.scan(lambda _: go.wait(60)) for _ in range(9)]
    try:
        with pytest.raises(TooMany):
            store.engine.scan(lambda _: True)
        assert page(store)["total"] == 0
    finally:
        go.set()
    assert all(scan.result(60) for scan in scans)
    assert store.engine.scan(lambda _: True).result(60)


def test_a_scan_that_takes_too_long_says_how_far_it_came(store: Store) -> None:
    wanted = filters.of(query_of(attempt_min=2))
    with store.serving.readers.reading() as cursor, pytest.raises(TooLong, match="none of it was read"):
        scan.quarters(Session(cursor, store.serving, 0), wanted)
