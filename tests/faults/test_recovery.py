"""After a failure between a commit and its apply, answers are those of the lake before anything else is done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Final

import duckdb
import msgspec
import pytest
from asking import page
from loading import opened_store
from support import post, record

from runlake.errors import Busy, DiskFull, LakeDamaged
from runlake.inspect import verify
from runlake.lake import write
from runlake.lake.append import AppendResult
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit
from runlake.lake.steps import Step
from runlake.lake.stored import Stored
from runlake.serving.database import Database
from runlake.serving.serving import Serving
from runlake.settings import Settings
from runlake.store import Store

FAILURES: Final[tuple[type[Exception], ...]] = (
    LakeDamaged,
    duckdb.TransactionException,
    duckdb.InternalException,
    duckdb.FatalException,
    MemoryError,
)


def failing(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, exc: Exception) -> Callable[[int], None]:
    """A method that fails at its next calls, as many as are given. Before a store is opened, which binds methods."""
    real, left = getattr(kind, name), [0]

    def fails(*args: Any, **kw: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise exc
        return real(*args, **kw)

    monkeypatch.setattr(kind, name, fails)

    def arm(times: int) -> None:
        left[0] = times

    return arm


def raising(exc: Exception) -> Callable[[], None]:
    """What raises it."""

    def fails() -> None:
        raise exc

    return fails


def totals(store: Store) -> tuple[int, int]:
    answer = page(store, limit=200)
    return answer["total"], len(answer["items"])


def assert_sound(settings: Settings, runs: int) -> None:
    """The lake is, and so is what the next start answers."""
    assert verify.check(settings).findings == []
    with opened_store(settings) as store:
        assert totals(store) == (runs, runs)


@pytest.mark.parametrize("kind", FAILURES, ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("place", ["execute", "given"])
def test_an_apply_that_fails(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: type[Exception], place: str
) -> None:
    """Before, or in the middle of its transaction: the runs are stored, and the callers hear so once reads see them."""
    arm = failing(monkeypatch, Database, place, kind("just now"))
    with opened_store(msgspec.structs.replace(settings, maintain_seconds=1000.0)) as store:
        post(store, *(record(i) for i in range(5)), record(99, finished_at=None, success=None))
        arm(1)
        assert post(store, *(record(i) for i in range(5, 8))) == AppendResult(3, 0, 0)
        assert totals(store) == (9, 9)
        assert post(store, record(99), record(4), record(10)) == AppendResult(2, 1, 0)
        assert totals(store) == (10, 10)
    assert_sound(settings, 10)


def begun_before(monkeypatch: pytest.MonkeyPatch, store: Store, then: Callable[[], None]) -> None:
    """From now on the lake writes a commit only once the follower has taken it, and `then` is called in between."""
    real = write.write_rows

    def late(lake: Lake, changed: Commit) -> None:
        while store.serving._begun is None:
            threading.Event().wait(0.001)
        then()
        real(lake, changed)

    monkeypatch.setattr(write, "write_rows", late)


def test_nobody_sees_a_commit_before_it_has_taken_place(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Although the serving database has taken all its rows; the next question sees them all."""
    opened = record(99, finished_at=None, success=None)
    post(store, *(record(i) for i in range(5)), opened)
    seen: list[tuple[tuple[int, int], str | None]] = []

    def look() -> None:
        finished = page(store, limit=200, status="queued,running,lost")["items"]
        seen.append((totals(store), finished[0]["id"] if finished else None))

    begun_before(monkeypatch, store, look)
    assert post(store, record(99), *(record(i) for i in range(5, 8))) == AppendResult(4, 0, 0)
    assert seen == [((6, 6), opened["id"])]
    assert totals(store) == (9, 9)
    assert page(store, status="queued,running,lost")["total"] == 0


@pytest.mark.parametrize("kind", [DiskFull, LakeDamaged, MemoryError], ids=lambda kind: kind.__name__)
def test_a_commit_that_fails_once_it_is_taken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: type[Exception]
) -> None:
    """Nothing of it stays, and the same runs can be sent again."""
    batch = [record(99), *(record(i) for i in range(5, 8))]
    with opened_store(msgspec.structs.replace(settings, maintain_seconds=1000.0)) as store:
        post(store, *(record(i) for i in range(5)), record(99, finished_at=None, success=None))
        with monkeypatch.context() as patched:
            begun_before(patched, store, raising(kind("just now")))
            with pytest.raises(DiskFull if kind is DiskFull else Busy):
                post(store, *batch)
        assert totals(store) == (6, 6)
        assert post(store, *batch) == AppendResult(4, 0, 0)
        assert totals(store) == (9, 9)
    assert_sound(settings, 9)


def test_a_failure_between_a_commit_and_its_apply(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the serving database has taken is undone, and read again from the lake; it is not made anew."""
    arm = failing(monkeypatch, Stored, "apply", MemoryError("just now"))
    batch = [record(99), *(record(i) for i in range(5, 8))]
    with opened_store(msgspec.structs.replace(settings, maintain_seconds=1000.0)) as store:
        post(store, *(record(i) for i in range(5)), record(99, finished_at=None, success=None))
        database = store.serving._database
        arm(1)
        with pytest.raises(Busy):
            post(store, *batch)
        assert post(store, *batch, record(8)) == AppendResult(1, 4, 0)
        assert totals(store) == (10, 10)
        assert store.serving._database is database
    assert_sound(settings, 10)


@pytest.mark.parametrize("step", [Step.FLUSH, Step.REWRITE_OPEN])
def test_upkeep_after_a_commit_that_was_not_followed(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    """The callers got 503 and send again: nothing is stored twice, and counts are those of the lake."""
    busy = msgspec.structs.replace(settings, maintain_seconds=0.01)
    batch = [record(i) for i in range(5, 8)]
    applying = failing(monkeypatch, Serving, "apply", LakeDamaged("just now"))
    loading = failing(monkeypatch, Serving, "load", LakeDamaged("just now"))
    with opened_store(busy) as store:
        post(store, *(record(i) for i in range(5)), record(99, finished_at=None, success=None))
        applying(1)
        loading(1)
        with pytest.raises(Busy):
            post(store, *batch)
        while store.writer.lag():  # nobody posts; upkeep comes by itself
            threading.Event().wait(0.01)
        store.writer.maintenance._due.append(step)
        while step in store.writer.maintenance._due:
            threading.Event().wait(0.01)
        assert totals(store) == (9, 9)
        assert post(store, *batch) == AppendResult(0, 3, 0)
        assert post(store, record(10), record(11)) == AppendResult(2, 0, 0)
        assert totals(store) == (11, 11)
    assert_sound(settings, 11)


def test_a_step_that_fails_after_its_commit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushed rows are not counted twice, nor forgotten by the next checkpoint."""
    often = msgspec.structs.replace(settings, rollup_rows=3, maintain_seconds=0.01)
    applying = failing(monkeypatch, Serving, "apply", LakeDamaged("just now"))
    with opened_store(often) as store:
        post(store, *(record(i) for i in range(9)))
        applying(1)
        store.writer.maintenance._due.append(Step.FLUSH)
        while store.stored.inlined_rows or store.writer.lag():
            threading.Event().wait(0.01)
        assert totals(store) == (9, 9)
    assert_sound(often, 9)


def test_counting_that_fails(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the middle of its statements: nothing is counted twice or lost, and it is done later."""
    often = msgspec.structs.replace(settings, rollup_rows=5, maintain_seconds=0.01)
    real = Database.execute
    failed: list[str] = []

    def fails(self: Database, statement: str, *args: Any) -> Any:
        if "day_of_task" in statement and "INSERT" in statement and len(failed) < 2:
            failed.append(statement)
            raise duckdb.OutOfMemoryException("just now")
        return real(self, statement, *args)

    with opened_store(often) as store:
        monkeypatch.setattr(Database, "execute", fails)
        for start in range(0, 30, 3):
            assert post(store, *(record(start + i) for i in range(3))) == AppendResult(3, 0, 0)
            assert totals(store) == (start + 3, start + 3)
        while len(failed) < 2 or store.writer.lag():
            threading.Event().wait(0.01)
        assert totals(store) == (30, 30)
    assert_sound(settings, 30)


def test_one_large_output_among_many(settings: Settings) -> None:
    """Pages of wide rows, whichever part of a file they come from."""
    runs = [record(i, output={"text": f"{i:05}" * 200}, error="boom" * i, success=False) for i in range(300)]
    with opened_store(msgspec.structs.replace(settings, inline_rows=0)) as store:
        post(store, *runs)
        whole = page(store, limit=200, include_errors=True, offset=17)
        assert [item["error"] for item in whole["items"]] == [
            "boom" * int(item["id"][-8:], 16) for item in whole["items"]
        ]
        assert page(store, limit=1, offset=299)["items"] == page(store, limit=200, offset=299)["items"]
