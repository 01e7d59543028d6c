"""Admission: compares new records with the stored runs, and decides for each whether it is stored.

Records apply in order, as if each had been posted alone. Nearly all ids are new and unique: numpy decides on all of
these at once. Only ids that occur twice in a group, or that are open, go through a state machine record by record.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake.errors import Clash, Conflict
from runlake.intake.batch import Batch, IdWords, id_words
from runlake.intake.decoded import Decoded, joined
from runlake.lake.commit import Locate
from runlake.lake.rows import Row, row_tuples, run_days
from runlake.lake.stored import Stored

Bools = npt.NDArray[np.bool_]

STORE: Final = 0
DUPLICATE: Final = 1
STALE: Final = 2
CONFLICT: Final = 3
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth)
_OPEN: Final = -1  # a position: the version is the stored open one
_DROPPED: Final = -2  # a position: retention has dropped the run
MAX_PERIODS: Final = 16  # of time, in which the stored runs are compared with a group

Positions = npt.NDArray[np.intp]
Quarters = tuple[int, int]  # the first and the last one
# (rows, positions of those to compare, quarter hours in which their runs may have begun) -> positions of the rows whose
# id is stored, and for each of them whether the stored run is equal in all columns
Verify = Callable[[pa.Table, Positions, Quarters], tuple[Positions, Bools]]


class Admission(Struct, frozen=True):
    """The decisions on a group of batches.

    rows        all rows of the group, with the schema columns.ARROW
    status      STORE, DUPLICATE, STALE or CONFLICT of each row
    finished    positions of the rows to write as history
    opened      positions of the rows to write as open runs
    closed      16-byte ids whose stored open version has to go
    conflicts   a Conflict or None for each batch
    """

    rows: pa.Table
    status: npt.NDArray[np.int8]
    finished: npt.NDArray[np.intp]
    opened: npt.NDArray[np.intp]
    closed: tuple[bytes, ...]
    conflicts: tuple[Conflict | None, ...]


def admit(
    batches: Sequence[Batch | Decoded], stored: Stored, locate: Locate, verify: Verify, *, whole: bool = True
) -> Admission:
    """Decide on a group of batches. A batch with a conflict is left out whole, and the other batches are not affected.

    Without `whole` only the conflicting rows are left out; their status is CONFLICT.
    """
    group = joined(batches)
    rows, received = group.rows, group.received
    bounds = np.cumsum([0, *map(len, batches)])
    words = id_words(rows["id"])
    done = np.asarray(rows["finished_at"].is_valid())
    known, equal = _known(rows, words, locate, verify)

    status = np.zeros(len(words), dtype=np.int8)
    status[known & ~done] = STALE
    status[known & done] = np.where(equal[known & done], DUPLICATE, CONFLICT)
    expired = _expired(rows, done, stored.horizon)
    status[expired & ~known] = STALE

    raw = np.ascontiguousarray(words.astype(">u8")).tobytes()
    ordered = np.flatnonzero(_repeats(_hashes(words)) | _may_be_open(words, raw, stored.open_runs))
    life_cycle = _LifeCycle(
        _Group(rows, raw, done, received, known, known & ~equal, expired), ordered, stored.open_runs
    )
    conflicts: list[Conflict | None] = []
    for start, stop in itertools.pairwise(bounds):
        conflicts.append(life_cycle.batch(int(start), int(stop), status, whole=whole))

    simple = (status == STORE).copy()
    simple[ordered] = False
    for conflict, (start, stop) in zip(conflicts, itertools.pairwise(bounds), strict=True):
        if conflict is not None:
            simple[start:stop] = False
    finished, opened, closed = life_cycle.outcome()
    return Admission(
        rows=rows,
        status=status,
        finished=np.sort(np.concatenate([np.flatnonzero(simple & done), finished])),
        opened=np.sort(np.concatenate([np.flatnonzero(simple & ~done), opened])),
        closed=closed,
        conflicts=tuple(conflicts),
    )


def _known(rows: pa.Table, words: IdWords, locate: Locate, verify: Verify) -> tuple[Bools, Bools]:
    """Flags of the rows whose id is in the history, and of those among them that are equal to the stored run."""
    known = np.zeros(len(words), dtype=np.bool_)
    equal = known.copy()
    positions, quarters = locate(words)
    for part in _periods(quarters):
        found, same = verify(rows, np.unique(positions[part]), (int(quarters[part].min()), int(quarters[part].max())))
        known[found] = True
        equal[found] = same
    return known, equal


def _expired(rows: pa.Table, done: Bools, horizon: int | None) -> Bools:
    """Flags of the rows that are finished runs of days before the horizon."""
    if horizon is None:
        return np.zeros_like(done)
    return np.asarray(done & (run_days(rows) < horizon))


def _periods(quarters: npt.NDArray[np.int64]) -> list[npt.NDArray[np.intp]]:
    """Positions in `quarters`, in at most MAX_PERIODS groups: the history between two groups need not be read."""
    if not len(quarters):
        return []
    order = np.argsort(quarters, kind="stable")
    gaps = np.diff(quarters[order])
    widest = np.argsort(gaps, kind="stable")[-(MAX_PERIODS - 1) :]
    return np.split(order, np.sort(widest[gaps[widest] > 96]) + 1)


def _hashes(words: IdWords) -> npt.NDArray[np.uint64]:
    """A 64-bit hash of each id. Two ids that share one only go through the state machine in vain."""
    return words[:, 0] * _MULTIPLIER + words[:, 1]


def _repeats(hashes: npt.NDArray[np.uint64]) -> Bools:
    """Flags of the hashes that occur more than once."""
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)


def _may_be_open(words: IdWords, raw: bytes, open_runs: Mapping[bytes, Row]) -> Bools:
    """Flags of the ids that are open; of many ids, of those that share a hash with an open one, which is quicker."""
    count = len(words)
    if not open_runs:
        return np.zeros(count, dtype=np.bool_)
    if count < len(open_runs):
        return np.fromiter((raw[16 * i : 16 * i + 16] in open_runs for i in range(count)), np.bool_, count)
    opened = np.frombuffer(b"".join(open_runs), dtype=">u8").astype(np.uint64).reshape(-1, 2)
    return np.isin(_hashes(words), _hashes(opened))


class _State(Struct, frozen=True):
    """The newest version of a run within the group, and the position of its row, or _OPEN or _DROPPED."""

    finished: bool
    row: Row
    position: int

    @property
    def dropped(self) -> bool:
        """Whether it began before the horizon: it is not stored, but its stored open version has to go."""
        return self.position == _DROPPED


class _Group(Struct, frozen=True):
    """The rows of a group, their ids as 16 bytes each, and flags of the rows.

    done        the run is finished
    received    its creation time is the time of receipt
    stored      its id is in the history
    differs     the stored run differs from it
    expired     it is finished, of a day before the horizon
    """

    rows: pa.Table
    raw: bytes
    done: Bools
    received: Bools
    stored: Bools
    differs: Bools
    expired: Bools

    def id_at(self, position: int) -> bytes:
        """The 16-byte id of a row."""
        return self.raw[16 * position : 16 * position + 16]


class _LifeCycle:
    """The state machine for ids whose records have to be applied one after the other.

    ordered     positions of these records in the group, ascending
    """

    def __init__(self, group: _Group, ordered: npt.NDArray[np.intp], open_runs: Mapping[bytes, Row]) -> None:
        self._group = group
        self._ordered = ordered
        self._rows = row_tuples(group.rows, ordered) if len(ordered) else []
        self._open_runs = open_runs
        self._states: dict[bytes, _State] = {}
        self._rivals: dict[int, int] = {}  # position of a conflicting row -> that of the row that finished its run

    def batch(self, start: int, stop: int, status: npt.NDArray[np.int8], *, whole: bool) -> Conflict | None:
        """Decide on the ordered rows of a batch, start..stop; with `whole` a conflict undoes it, and is returned."""
        trial: dict[bytes, _State] = {}
        first, last = np.searchsorted(self._ordered, [start, stop])
        for k in range(first, last):
            status[self._ordered[k]] = self._decide(k, trial)
        clashes = np.flatnonzero(status[start:stop] == CONFLICT)
        if whole and len(clashes):
            return Conflict([self._clash(start, int(index)) for index in clashes])
        self._states.update(trial)
        return None

    def _clash(self, start: int, index: int) -> Clash:
        rival = self._rivals.get(start + index, -1) - start
        return Clash(index, uuid_text(self._group.id_at(start + index)), rival if rival >= 0 else None)

    def _decide(self, k: int, trial: dict[bytes, _State]) -> int:
        """The status of the k-th ordered row; its new state goes into `trial`."""
        group, position, row = self._group, int(self._ordered[k]), self._rows[k]
        run_id, done = group.id_at(position), bool(group.done[position])
        if group.stored[position]:
            return (CONFLICT if group.differs[position] else DUPLICATE) if done else STALE
        now = trial.get(run_id) or self._states.get(run_id)
        if now is None and run_id in self._open_runs:
            now = _State(False, self._open_runs[run_id], _OPEN)
        if now is not None and not now.dropped:
            if now.finished and not done:
                return STALE
            if now.finished == done and self._same(row, now.row, position):
                return DUPLICATE
            if now.finished:
                self._rivals[position] = now.position
                return CONFLICT
        if group.expired[position]:
            if now is not None:
                trial[run_id] = _State(done, row, _DROPPED)
            return STALE
        trial[run_id] = _State(done, row, position)
        return STORE

    def _same(self, new: Row, old: Row, position: int) -> bool:
        # The creation time, the last column, is the time of receipt if the record has no time: do not compare it then.
        return new == old or (bool(self._group.received[position]) and new[:-1] == old[:-1])

    def outcome(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], tuple[bytes, ...]]:
        """The `finished`, `opened` and `closed` of an Admission, as far as the ordered rows go."""
        finished = [s.position for s in self._states.values() if s.finished and not s.dropped]
        opened = [s.position for s in self._states.values() if not s.finished]
        closed = tuple(run_id for run_id in self._states if run_id in self._open_runs)
        return np.array(finished, dtype=np.intp), np.array(opened, dtype=np.intp), closed


def uuid_text(raw: bytes) -> str:
    """The text of a 16-byte id."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
