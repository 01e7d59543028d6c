"""After a failure between a commit and its View, the index is right again before anything else is done with it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from asking import page
from loading import opened_store
from support import post, record

from runlake.errors import Busy, LakeDamaged
from runlake.index.grown import Grown
from runlake.index.index import Index
from runlake.index.saved import Folder
from runlake.lake.append import Counts
from runlake.lake.maintain import Step
from runlake.query import verify
from runlake.settings import Settings
from runlake.store import Store


def once(monkeypatch: pytest.MonkeyPatch, kind: type, name: str, exc: Exception) -> None:
    """The method fails at its next call, and no more."""
    real = getattr(kind, name)

    def fails(*_: Any, **__: Any) -> None:
        monkeypatch.setattr(kind, name, real)
        raise exc

    monkeypatch.setattr(kind, name, fails)


def totals(store: Store) -> tuple[int, int]:
    answer = page(store, limit=200)
    return answer["total"], len(answer["items"])


@pytest.mark.parametrize("step", [Step.FLUSH, Step.REWRITE_OPEN])
def test_upkeep_after_a_commit_without_its_view(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, step: Step
) -> None:
    """The callers got 503 and send again: nothing is stored twice, and counts are those of the lake."""
    busy = msgspec.structs.replace(settings, maintain_seconds=0.01)
    batch = [record(i) for i in range(5, 8)]
    with opened_store(busy) as store:
        post(store, *(record(i) for i in range(5)), record(99, finished_at=None, success=None))
        once(monkeypatch, Index, "apply", LakeDamaged("just now"))
        with pytest.raises(Busy):
            post(store, *batch)
        while store.writer.lag():  # nobody posts; upkeep comes by itself
            threading.Event().wait(0.01)
        store.writer.keeper._due.append(step)
        while step in store.writer.keeper._due:
            threading.Event().wait(0.01)
        assert totals(store) == (9, 9)
        assert post(store, *batch) == Counts(0, 3, 0)
        assert post(store, record(10), record(11)) == Counts(2, 0, 0)
        assert totals(store) == (11, 11)
    assert verify.check(settings).findings == []
    with opened_store(settings) as store:
        assert totals(store) == (11, 11)


def test_a_step_that_fails_after_its_commit(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Flushed rows are not told twice, nor forgotten by what is saved next."""
    often = msgspec.structs.replace(settings, index_rows=3, maintain_seconds=0.01)
    with opened_store(often) as store:
        post(store, *(record(i) for i in range(9)))
        real = Grown.count

        def fails(self: Grown, runs: object) -> None:
            monkeypatch.setattr(Grown, "count", real)
            raise LakeDamaged("just now")

        monkeypatch.setattr(Grown, "count", fails)
        store.writer.keeper._due.append(Step.FLUSH)
        while store.index.inlined_rows() or store.writer.lag():
            threading.Event().wait(0.01)
        assert totals(store) == (9, 9)
    with opened_store(often) as store:
        assert totals(store) == (9, 9)
    assert verify.check(settings).findings == []


@pytest.mark.parametrize("held", ["prepare", "commit"])
def test_a_reload_while_the_index_is_saved(settings: Settings, monkeypatch: pytest.MonkeyPatch, held: str) -> None:
    """Whatever the saving thread has done so far, the index is that of the lake afterwards, and is saved again."""
    often = msgspec.structs.replace(settings, index_rows=3, maintain_seconds=0.01, inline_rows=0)
    with opened_store(often) as store:
        reached, go_on = threading.Event(), threading.Event()
        real = getattr(Folder, held)

        def slow(self: Folder, *args: Any) -> object:
            if threading.current_thread().name == "runlake-index":
                reached.set()
                go_on.wait(20)
            return real(self, *args)

        monkeypatch.setattr(Folder, held, slow)
        post(store, *(record(i) for i in range(6)))
        assert reached.wait(20)
        once(monkeypatch, Index, "apply", LakeDamaged("just now"))
        with pytest.raises(Busy):
            post(store, *(record(i) for i in range(6, 9)))
        go_on.set()
        assert post(store, *(record(i) for i in range(6, 12))) == Counts(3, 3, 0)
        assert totals(store) == (12, 12)
        monkeypatch.setattr(Folder, held, real)
        saved = manifest(settings)
        for i in range(12, 60):
            post(store, record(i))
            if manifest(settings) != saved:
                break
            threading.Event().wait(0.02)
        assert manifest(settings) != saved
        known = totals(store)
        assert known[0] == known[1]
    with opened_store(settings) as store:
        assert totals(store) == known


def manifest(settings: Settings) -> bytes:
    return (Path(settings.data) / "index" / "manifest.json").read_bytes()


def test_one_large_output_among_many(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row groups that are large in memory are read a part at a time, with the same answer."""
    runs = [record(i, output={"text": f"{i:05}" * 200}, error="boom" * i, success=False) for i in range(300)]
    with opened_store(msgspec.structs.replace(settings, inline_rows=0)) as store:
        post(store, *runs)
        whole = page(store, limit=200, include_errors=True, offset=17)
        monkeypatch.setattr("runlake.parquet._LARGE", 0)
        assert page(store, limit=200, include_errors=True, offset=17) == whole
        assert page(store, limit=1, offset=299)["items"] == page(store, limit=200, offset=299)["items"]
