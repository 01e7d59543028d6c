"""Ids that share the 41 bits by which the id index knows them: in a load, and in what a lake had before it."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa
import pytest
from beginnings import begin
from loading import load_pieces
from support import record

from runlake.columns import TEXTS
from runlake.lake import bulk
from runlake.lake.bulk import Reject, Totals
from runlake.serving.id_index import fingerprint
from runlake.settings import Settings
from runlake.store import Store

MANY: Final = 6_000_000  # of so many ids about eight pairs are alike


def alike() -> tuple[uuid.UUID, uuid.UUID]:
    """Two ids that the index cannot tell apart."""
    words = np.random.default_rng(7).integers(0, 2**64, (MANY, 2), dtype=np.uint64)
    prints = fingerprint(words)
    order = np.argsort(prints)
    first = np.flatnonzero(prints[order][1:] == prints[order][:-1])[0]
    one, two = (words[order[at]] for at in (first, first + 1))
    return tuple(uuid.UUID(int=(int(high) << 64) | int(low)) for high, low in (one, two))  # type: ignore[return-value]


ONE, TWO = alike()


def chunk(row: int, run_id: uuid.UUID, day: int, **fields: object) -> bulk.Chunk:
    """A chunk of one finished run."""
    times = {"started_at": f"2025-01-{day:02}T08:00:00Z", "finished_at": f"2025-01-{day:02}T08:00:01Z"}
    text = json.dumps(record(row, **{"id": str(run_id), **times, **fields}))
    return bulk.Chunk("file", row, pa.table([pa.array([text.encode()], TEXTS.field(0).type)], schema=TEXTS))


def loaded(settings: Settings, *chunks: bulk.Chunk) -> tuple[Totals, list[Reject]]:
    """What a load says, and what it rejects."""
    rejected: list[Reject] = []
    store = Store(begin(settings))
    try:
        store.load()
        return load_pieces(store, iter(chunks), reject=rejected.append), rejected
    finally:
        store.close()


@pytest.mark.parametrize("inlined", [0, 100], ids=["files", "inlined"])
@pytest.mark.parametrize("day", [1, 2], ids=["same-day", "other-day"])
@pytest.mark.parametrize("before", [False, True], ids=["in-the-load", "before-it"])
def test_ids_that_the_index_cannot_tell_apart(tmp_path: Path, before: bool, day: int, inlined: int) -> None:
    """Each is its own run: new once, then a duplicate, then in conflict, whatever stands beside it."""
    settings = msgspec.structs.replace(Settings(data=str(tmp_path / "lake")), inline_rows=inlined)
    assert ONE != TWO
    first = [chunk(1, ONE, 1)]
    if before:
        assert loaded(settings, *first)[0].stored == 1
        first = []
    others = [chunk(2, TWO, day), chunk(1, ONE, 1), chunk(2, TWO, day), chunk(3, TWO, day, lease_owner="other")]
    totals, rejected = loaded(settings, *first, *others)
    assert (totals.stored, totals.duplicates, totals.rejected) == (1 + len(first), 2, 1)
    assert [(reject.row, reject.field) for reject in rejected] == [(3, "id")]
    again, _ = loaded(settings, *others[:3])
    assert (again.stored, again.duplicates) == (0, 3)
