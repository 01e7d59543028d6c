"""Every answer is of one snapshot, while others write and upkeep moves the rows about."""

from __future__ import annotations

import gc
import random
import threading
import uuid
from collections.abc import Callable

import histories
import msgspec
import pytest
from asking import ask, page
from loading import append, batches, opened_store
from oracle import DAY, Row

from runlake.errors import NotFound
from runlake.model import Instant, RunsQuery, SummaryQuery
from runlake.query import pages, queries, statistics
from runlake.settings import Settings
from runlake.store import Store

Question = Callable[[Store, random.Random], int]


def one_page(store: Store, rng: random.Random) -> int:
    """The total of a page that agrees with itself."""
    answer = page(store, limit=200, success=rng.choice([None, True]), offset=rng.choice([0, 150]))
    items = answer["items"]
    assert len(items) == max(0, min(200, answer["total"] - answer["offset"]))
    assert len({item["id"] for item in items}) == len(items)
    assert items == sorted(items, key=lambda item: (item["started_at"], item["id"]), reverse=True)
    return int(page(store, limit=1)["total"])


def one_summary(store: Store, rng: random.Random) -> int:
    """The total of a summary that agrees with itself."""
    answer = ask(store, statistics.summary, SummaryQuery(days=rng.choice([30, 60]), until=Instant(histories.NOON)))
    assert answer["total_runs"] == sum(day["total_runs"] for day in answer["daily"])
    assert answer["total_runs"] == answer["successful_runs"] + answer["failed_runs"] + answer["open_runs"]
    return int(answer["total_runs"])


def test_totals_agree_and_never_fall(any_settings: Settings) -> None:
    """Runs only arrive, and end: what a later answer counts is never less, and nothing is counted twice. What was
    appended is there at once."""
    rng = random.Random(6)
    times = (histories.NOON - rng.randrange(20 * DAY) for _ in range(500))
    rows: list[Row] = [histories.made(rng, at, started_at=at // 1_000_000 * 1_000_000) for at in times]
    written = threading.Event()
    failures: list[BaseException] = []
    seen: dict[Question, list[int]] = {one_page: [], one_summary: []}

    def read(store: Store, question: Question) -> None:
        totals = seen[question]
        try:
            while not written.is_set():
                totals.append(question(store, random.Random(len(totals))))
        except BaseException as exc:  # noqa: BLE001 - the test's own thread raises it
            failures.append(exc)

    with opened_store(msgspec.structs.replace(any_settings, flush_rows=min(any_settings.flush_rows, 200))) as store:
        readers = [threading.Thread(target=read, args=(store, question)) for question in seen]
        for reader in readers:
            reader.start()
        for batch in batches(rows, rng):
            append(store, batch)
        for number, row in enumerate(rows[:15]):
            new = row | {"id": histories.new_id(rng)}
            if number % 3 == 0:
                append(store, [new | {"finished_at": None, "success": None, "error": None}])
                assert page(store, limit=1)["total"] == len(rows) + number + 1
            append(store, [new])
            assert page(store, limit=1)["total"] == len(rows) + number + 1
        written.set()
        for reader in readers:
            reader.join()
        assert not failures, failures
        assert all(totals == sorted(totals) for totals in seen.values())
        assert ask(store, pages.page, RunsQuery())["total"] == len(rows) + 15


def test_an_error_lets_its_snapshot_go(store: Store) -> None:
    """A question that fails must not hold its snapshot until some later garbage collection: clean-up waits for it."""
    append(store, [histories.made(random.Random(1), histories.NOON)])
    gc.disable()
    try:
        kept = []
        for _ in range(3):
            with pytest.raises(NotFound) as caught:
                store.engine.submit(queries.detail, uuid.UUID(int=5)).result(60)
            kept.append(caught.value)
        append(store, [histories.made(random.Random(2), histories.NOON)])
        assert not store.serving.readers.has_old()
        assert kept[0].__traceback__ is not None
    finally:
        gc.enable()
