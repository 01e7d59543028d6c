"""The ring of changed runs: what it knows, what it lets go, and when it begins anew."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

import pyarrow as pa
import pytest
from loading import opened_store
from support import post, record

from runlake.columns import ARROW
from runlake.intake import decode_json
from runlake.lake.commit import Commit
from runlake.serving import changes
from runlake.serving.changes import Changes
from runlake.settings import Settings


def rows(*numbers: int) -> pa.Table:
    """Runs with ids made of numbers."""
    texts = ",".join(f'{{"id":"{uuid.UUID(int=n)}","task_id":"{uuid.UUID(int=1)}","output":"{n}"}}' for n in numbers)
    return decode_json(f'{{"runs":[{texts}]}}'.encode()).batch().rows


def numbers(tables: Sequence[pa.Table] | None) -> list[int] | None:
    if tables is None:
        return None
    return [uuid.UUID(bytes=one).int for table in tables for one in table["id"].combine_chunks().storage.to_pylist()]


def ring(*commits: Commit) -> Changes:
    found = Changes()
    found.begin(10)
    for commit in commits:
        found.add(commit)
    return found


def test_what_came_after_a_snapshot() -> None:
    """In the order of commits; one that changes no run is a snapshot like others."""
    found = ring(
        Commit(snapshot=11, finished=rows(1, 2), opened=rows(3)),
        Commit(snapshot=12, flushed=True),
        Commit(snapshot=14, opened=rows(4)),
    )
    known = {at: numbers(found.after(at)[1]) for at in range(8, 17)}
    assert known == {
        **dict.fromkeys((8, 9, 15, 16)),  # before it began, and of another lake
        10: [1, 2, 3, 4],
        **{at: [4] for at in (11, 12, 13)},
        14: [],
    }
    assert found.after(10)[0] == found.snapshot == 14


def test_nothing_is_copied() -> None:
    """The columns are those of the writer."""
    given = rows(1, 2)
    (kept,) = ring(Commit(snapshot=11, finished=given)).after(10)[1] or []
    assert kept.column_names == [name for name in ARROW.names if name != "output"]
    assert [kept[name].chunk(0).buffers()[-1].address for name in ("id", "created_at")] == [
        given[name].chunk(0).buffers()[-1].address for name in ("id", "created_at")
    ]


def test_too_many_rows_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST_ROWS", 3)
    found = ring(*(Commit(snapshot=at, finished=rows(at)) for at in range(11, 17)))
    assert [numbers(found.after(at)[1]) for at in (12, 13, 14)] == [None, [14, 15, 16], [15, 16]]
    found.add(Commit(snapshot=17, finished=rows(1, 2, 3, 4)))  # too many for it alone
    assert [numbers(found.after(at)[1]) for at in (16, 17)] == [None, []]


def test_too_many_bytes_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of outputs count: a body of Arrow stays in memory as long as one of its columns."""
    monkeypatch.setattr(changes, "MOST_BYTES", 2 * rows(11).nbytes)
    found = ring(*(Commit(snapshot=at, finished=rows(at)) for at in (11, 12, 13)))
    assert [numbers(found.after(at)[1]) for at in (10, 11)] == [None, [12, 13]]


def test_it_begins_anew_only_where_something_was_missed() -> None:
    found = ring(Commit(snapshot=11, finished=rows(1)))
    found.begin(11)
    assert numbers(found.after(10)[1]) == [1]
    found.begin(12)
    assert (found.after(11), found.after(12)) == ((12, None), (12, []))


def test_commits_of_a_store(settings: Settings) -> None:
    """After the next start, which has changed nothing, the newest snapshot is known and no other one."""
    with opened_store(settings) as store:
        begun = store.serving.changes.snapshot
        post(store, record(1), record(2, finished_at=None, success=None))
        between = store.serving.changes.snapshot
        post(store, record(2))
        newest, tables = store.serving.changes.after(begun)
        assert (newest, numbers(tables)) == (store.serving.snapshot, [1, 2, 2])
        assert numbers(store.serving.changes.after(between)[1]) == [2]
    with opened_store(settings) as store:
        assert store.serving.changes.after(newest) == (newest, [])
        assert store.serving.changes.after(between) == (newest, None)
