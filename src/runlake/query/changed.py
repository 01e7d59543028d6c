"""Runs that have changed, for streams: some commits are one table, and each filter is one statement over it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import pyarrow as pa
from msgspec import Struct

from runlake import duck, macros
from runlake.columns import CHANGED, NAMES
from runlake.model import MAX_PAGE, ChangeCounts, Filter, RunChanges
from runlake.query import filters
from runlake.query.engine import written
from runlake.query.filters import union_of
from runlake.query.rows import columns, run_of
from runlake.query.sql import SQL
from runlake.serving.changes import Changes

_MEMORY: Final = "512MB"
_SHOWN: Final = columns(set(NAMES) - {"error", "output"})
_COUNTS: Final = len(NAMES)  # where they begin in a row


class Batch(Struct, frozen=True):
    """What changed up to a snapshot, for each filter by its name; None when that is not known."""

    snapshot: int
    found: Mapping[bytes, RunChanges] | None


def nothing(snapshot: int) -> RunChanges:
    """No changed runs."""
    return RunChanges(snapshot, ChangeCounts(0, 0, 0), [], 0)


class ChangedRuns:
    """Reads the runs that changed lately. One thread at a time may do so."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._instance: _Instance | None = None  # made when it is first needed, and anew after an error

    @property
    def snapshot(self) -> int:
        """The newest snapshot; any thread may ask."""
        return self._changes.snapshot

    def read(self, after: int, queries: Mapping[bytes, Filter]) -> Batch:
        """What changed after a snapshot, for each query by its name."""
        snapshot, tables = self._changes.after(after)
        if tables is None:
            return Batch(snapshot, None)
        if not tables:
            return Batch(snapshot, {name: nothing(snapshot) for name in queries})
        instance, self._instance = self._instance or _Instance(), None
        with duck.translated("reading changed runs"):
            instance.take(tables)
            found = {name: instance.matching(snapshot, query) for name, query in queries.items()}
        self._instance = instance
        return Batch(snapshot, found)


class _Instance:
    """A DuckDB that holds a batch of changed runs."""

    def __init__(self) -> None:
        with duck.translated("opening a DuckDB for streams"):
            self._con = duck.connect(threads=1, memory_limit=_MEMORY)
            # Of a statement over a few hundred rows most is planning, and a fifth of that is the optimizer's.
            self._con.execute("PRAGMA disable_optimizer")
            for macro in macros.definitions():
                self._con.execute(macro)
            self._slot = duck.Slot(CHANGED)
            self._con.register("changed", self._slot)

    def take(self, tables: list[pa.Table]) -> None:
        """From now on these are the changed runs; the oldest come first."""
        with duck.given({"changed": self._slot}, {"changed": _in_order(tables)}):
            self._con.execute(SQL["changed_runs"])

    def matching(self, snapshot: int, query: Filter) -> RunChanges:
        """Those that match."""
        union = union_of(filters.of(query), {"limit": MAX_PAGE}, listed=_SHOWN)
        rows = self._con.execute(written(*union.of("changes"))).fetchall()
        if not rows:
            return nothing(snapshot)
        counts = ChangeCounts(*rows[0][_COUNTS:])
        more = counts.success + counts.failed + counts.open - len(rows)
        return RunChanges(snapshot, counts, [run_of(row) for row in rows], more)


def _in_order(tables: list[pa.Table]) -> pa.Table:
    return pa.concat_tables(
        table.append_column(CHANGED.field("place"), pa.repeat(pa.scalar(place, pa.int32()), table.num_rows))
        for place, table in enumerate(tables)
    )
