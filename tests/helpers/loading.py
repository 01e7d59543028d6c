"""Getting a history into a store, in many small steps."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from beginnings import begin
from oracle import DAY, FIELDS, TIMES, Row, text_of

from runlake.intake import decode_json
from runlake.lake import bulk
from runlake.lake.append import AppendResult
from runlake.settings import Settings
from runlake.store import Store

SECONDS: Final = 120.0
_SIZES: Final = (1, 2, 5, 40, 101, 150)


def record(row: Row) -> dict[str, Any]:
    """A row as it is posted; what is null is left out."""
    sent = {name: row[name] for name in FIELDS if row[name] is not None}
    sent |= {"id": str(row["id"]), "task_id": str(row["task_id"])}
    sent |= {name: text_of(row[name]) for name in TIMES if row[name] is not None}
    if "output" in sent:
        sent["output"] = msgspec.Raw(row["output"].encode())
    return sent


def before_it_finished(row: Row) -> Row:
    """An earlier, open version of a finished run: dated otherwise, and of another day."""
    at = max(row["created_at"] - DAY, 0)
    return row | {"started_at": None, "finished_at": None, "success": None, "error": "early", "created_at": at}


def append(store: Store, rows: Sequence[Row]) -> AppendResult:
    """Append rows as POST /runs does, and wait for the answer."""
    body = msgspec.json.encode({"runs": [record(row) for row in rows]})
    return store.writer.submit(decode_json(body).batch()).result(SECONDS)


def load_pieces(store: Store, pieces: Iterable[bulk.Chunk], **options: Any) -> bulk.Totals:
    """Load pieces in bulk as `runlake import` does; close the store afterwards."""
    serving = store.serving
    return bulk.BulkLoad(store.lake, store.stored, serving.locate, serving.remember).run(pieces, **options)


@contextmanager
def opened_store(settings: Settings, *, new: bool = False) -> Iterator[Store]:
    """An open store that is ready. A lake that is not there is copied from an empty one, or with `new` made anew."""
    store = Store(settings if new else begin(settings))
    try:
        store.load()
        store.start()
        yield store
    finally:
        store.close()


def batches(rows: Sequence[Row], rng: random.Random) -> Iterator[list[Row]]:
    """All rows in any order, in batches of various sizes, the last of them large."""
    left = list(rows)
    rng.shuffle(left)
    for _ in range(5):
        size = min(rng.choice(_SIZES), len(left))
        if size:
            yield left[:size]
            left = left[size:]
    for start in range(0, len(left), 5_000):
        yield left[start : start + 5_000]


def load(store: Store, rows: Sequence[Row], rng: random.Random) -> None:
    """Append a history bit by bit; some runs are posted open first."""
    for batch in batches(rows, rng):
        early = [before_it_finished(row) for row in batch if rng.random() < 0.2][:30]
        if early and rng.random() < 0.7:
            append(store, early)
        assert append(store, batch).stored == len(batch)


@contextmanager
def loaded(settings: Settings, rows: Sequence[Row], rng: random.Random) -> Iterator[Store]:
    """A store with a history; it was closed and opened again half way, unless the history is tiny."""
    half = len(rows) // 2 if rng.random() < 0.4 else 0
    if half:
        with opened_store(settings) as store:
            load(store, rows[:half], rng)
    with opened_store(settings) as store:
        load(store, rows[half:], rng)
        yield store
