"""Every filter, alone and with any others, in every order of a list, by offset and by cursor."""

from __future__ import annotations

import os
import random
import sys
import threading
from typing import Any

import histories
import msgspec
import pytest
from asking import SCANS, page, query_of
from lists import find
from loading import append, loaded, opened_store
from oracle import DAY, Oracle, assert_same, run_at

from runlake.errors import BadInput, TooLong, TooMany
from runlake.query import filters, scan
from runlake.query.engine import Session
from runlake.settings import Settings
from runlake.store import Store


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


@pytest.mark.skipif(sys.platform != "linux", reason="threads have no priority of their own")
def test_a_scan_leaves_a_busy_processor_to_others(store: Store) -> None:
    def priority(_: Session) -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    others = store.engine.submit(priority).result(60)
    assert store.engine.scan(priority).result(60) == min(19, others + 5)
    assert store.engine.submit(priority).result(60) == others == os.getpriority(os.PRIO_PROCESS, 0)


def test_a_scan_that_takes_too_long_says_how_far_it_came(store: Store) -> None:
    wanted = filters.of(query_of(attempt_min=2))
    with store.serving.readers.reading() as cursor, pytest.raises(TooLong, match="none of it was read"):
        scan.quarters(Session(cursor, store.serving, 0), wanted)
