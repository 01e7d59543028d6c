"""Runs that are in no Parquet file: open ones, and finished ones that wait in the catalog.

Rows are only ever added, and marked with the snapshot they end with; a View sees the first so many of them, those
that have not ended by its own snapshot. When most have ended the living ones move to new arrays, and older Views
keep the old ones: nothing has to wait for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake import times
from runlake.index.figures import NONE, RUN, Records, runs_of
from runlake.index.tasks import Tasks
from runlake.intake.batch import uuid_bytes
from runlake.lake.admit import Row, row_tuples

# A run, its id in two halves, and the first snapshot without it.
_RUN: Final = RUN.names or ()
RECENT: Final = np.dtype([*((name, RUN[name]) for name in _RUN), ("high", "<u8"), ("low", "<u8"), ("died", "<i8")])
_LIVING: Final = np.iinfo(np.int64).max
FEW: Final = 1000


class Recent(Struct, frozen=True, eq=False, dict=True):
    """What a View sees of them."""

    rows: Records
    full: Sequence[Row]  # the whole rows, by position
    snapshot: int

    @cached_property
    def positions(self) -> npt.NDArray[np.intp]:
        """Where the View's rows are."""
        return np.flatnonzero(self.rows["died"] > self.snapshot)

    @cached_property
    def runs(self) -> Records:
        """The View's rows as RECENT records."""
        return self.rows[self.positions]

    def row(self, index: int) -> Row:
        """The whole row of one of `runs`."""
        return self.full[int(self.positions[index])]


class Recents:
    """All of them; only the writing thread changes it."""

    def __init__(self) -> None:
        self.open: dict[bytes, Row] = {}
        self._places: dict[bytes, int] = {}  # of the open ones
        self._clear()

    def _clear(self) -> None:
        self._rows = np.zeros(FEW, dtype=RECENT)
        self._full: list[Row] = []
        self._dead = 0

    def seen(self, snapshot: int) -> Recent:
        """What a View of this snapshot sees: all that lives now."""
        return Recent(self._rows[: len(self._full)], self._full, snapshot)

    def add(self, table: pa.Table, tasks: Tasks) -> Tasks:
        """More rows, with the schema columns.ARROW; returns the tasks with theirs added."""
        if not table.num_rows:
            return tasks
        runs, tasks = runs_of(table, tasks)
        start, stop = len(self._full), len(self._full) + len(runs)
        if stop > len(self._rows):
            self._rows = np.concatenate([self._rows[:start], np.zeros(stop, dtype=RECENT)])
        new = self._rows[start:stop]
        for name in _RUN:
            new[name] = runs[name]
        halves = uuid_bytes(table["id"])
        new["high"], new["low"], new["died"] = halves[:, 0], halves[:, 1], _LIVING
        full = row_tuples(table, np.arange(table.num_rows))
        self._full += full
        for i in np.flatnonzero(runs["success"] == NONE):
            run_id = full[i][0]
            assert isinstance(run_id, bytes)  # noqa: S101 - row_tuples gives ids as bytes
            self.open[run_id], self._places[run_id] = full[i], start + int(i)
        return tasks

    def close(self, ids: Iterable[bytes], snapshot: int) -> None:
        """Open rows end with this snapshot."""
        gone = [self._places.pop(run_id) for run_id in ids if self.open.pop(run_id, None) is not None]
        self._rows["died"][gone] = snapshot
        self._dead += len(gone)

    def flushed(self, snapshot: int) -> Records:
        """The finished rows end with this snapshot: they are in files now. Returns them."""
        waiting = self._waiting()
        self._rows["died"][waiting] = snapshot
        self._dead += len(waiting)
        return self._rows[waiting]

    def forget(self) -> None:
        """Begin anew: what is there is read from the lake again. Views keep what they see."""
        self.open, self._places = {}, {}
        self._clear()

    def tidy(self) -> None:
        """Move the living rows to new arrays, when most are dead; call it between two Views."""
        if self._dead <= max(FEW, len(self._full) // 2):
            return
        living = np.flatnonzero(self._rows["died"][: len(self._full)] == _LIVING)
        moved = np.zeros(len(self._rows), dtype=np.int64)
        moved[living] = np.arange(len(living))
        self._places = {run_id: int(moved[place]) for run_id, place in self._places.items()}
        self._full = [self._full[i] for i in living]
        self._rows, self._dead = self._rows[living], 0

    def _waiting(self) -> npt.NDArray[np.intp]:
        rows = self._rows[: len(self._full)]
        return np.flatnonzero((rows["died"] == _LIVING) & (rows["success"] != NONE))

    @property
    def waiting(self) -> Records:
        """Finished rows that wait in the catalog."""
        return self._rows[self._waiting()]

    def days(self) -> list[int]:
        """The days of those."""
        return [int(day) for day in np.unique(self.waiting["ran_at"] // times.DAY_US)]

    def __len__(self) -> int:
        """How many rows are kept, dead ones included."""
        return len(self._full)


def halves_of(rows: Records) -> npt.NDArray[np.uint64]:
    """The ids of RECENT records as an (n, 2) array."""
    return np.column_stack([rows["high"], rows["low"]])


def among(halves: npt.NDArray[np.uint64], others: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Which ids are among the others."""
    known = set(map(tuple, others.tolist()))
    if not known:
        return np.zeros(len(halves), dtype=np.bool_)
    found = np.isin(halves[:, 0], others[:, 0])
    found[found] = [tuple(pair) in known for pair in halves[found].tolist()]
    return found
