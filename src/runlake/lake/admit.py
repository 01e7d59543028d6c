"""The door: compares new records with all that is stored, and says what becomes of each.

Records apply in order, as if each had been posted alone. Nearly all ids are new and unique; those are settled
with whole arrays. Only ids that repeat within a group, or that are open, go through the small state machine.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from runlake import times
from runlake.errors import Clash, Conflict
from runlake.intake.batch import Batch, IdWords, id_words
from runlake.intake.decoded import Decoded, joined
from runlake.lake.commit import Locate
from runlake.lake.rows import Row, row_tuples
from runlake.lake.stored import Stored

Bools = npt.NDArray[np.bool_]

STORE: Final = 0
DUPLICATE: Final = 1
STALE: Final = 2
CONFLICT: Final = 3
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth)
_OPEN: Final = -1  # for a position: the version is the stored open one
_GONE: Final = -2
STRETCHES: Final = 16  # of time, in which a batch is compared with what is stored, at most


# (rows with their positions, first quarter, last quarter) -> positions of stored ids, and whether all columns are equal
Verify = Callable[[pa.Table, npt.NDArray[np.intp], int, int], tuple[npt.NDArray[np.intp], Bools]]


class Admission(Struct, frozen=True):
    """The verdict on a group: `status` per row, the rows to write, and a Conflict or None per batch."""

    rows: pa.Table
    status: npt.NDArray[np.int8]
    finished: npt.NDArray[np.intp]
    opened: npt.NDArray[np.intp]
    closed: tuple[bytes, ...]
    conflicts: tuple[Conflict | None, ...]


def admit(
    batches: Sequence[Batch | Decoded], stored: Stored, locate: Locate, verify: Verify, *, whole: bool = True
) -> Admission:
    """Judge a group of batches; a batch with a conflict is left out whole, its neighbours are not touched.

    With `whole` false only the conflicting rows are left out (their status is CONFLICT).
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
    ordered = np.flatnonzero(_repeats(_prints(words)) | _may_be_open(words, raw, stored.open_runs))
    machine = _Machine(_Group(rows, raw, done, received, known, known & ~equal, expired), ordered, stored.open_runs)
    conflicts: list[Conflict | None] = []
    for start, stop in itertools.pairwise(bounds):
        conflicts.append(machine.batch(int(start), int(stop), status, whole=whole))

    simple = (status == STORE).copy()
    simple[ordered] = False
    for conflict, (start, stop) in zip(conflicts, itertools.pairwise(bounds), strict=True):
        if conflict is not None:
            simple[start:stop] = False
    finished, opened, closed = machine.outcome()
    return Admission(
        rows=rows,
        status=status,
        finished=np.sort(np.concatenate([np.flatnonzero(simple & done), finished])),
        opened=np.sort(np.concatenate([np.flatnonzero(simple & ~done), opened])),
        closed=closed,
        conflicts=tuple(conflicts),
    )


def _known(rows: pa.Table, words: IdWords, locate: Locate, verify: Verify) -> tuple[Bools, Bools]:
    """Which rows have their id in the history, and which of them are equal to what is stored there."""
    known = np.zeros(len(words), dtype=np.bool_)
    equal = known.copy()
    positions, quarters = locate(words)
    for part in _stretches(quarters):
        found, same = verify(rows, np.unique(positions[part]), int(quarters[part].min()), int(quarters[part].max()))
        known[found] = True
        equal[found] = same
    return known, equal


def _expired(rows: pa.Table, done: Bools, horizon: int | None) -> Bools:
    """Which rows are finished runs of days that are no longer kept."""
    if horizon is None:
        return np.zeros_like(done)
    run_at = pc.coalesce(rows["started_at"], rows["created_at"]).cast(pa.int64()).to_numpy()
    return np.asarray(done & (run_at < horizon * times.DAY_US))


def _stretches(quarters: npt.NDArray[np.int64]) -> list[npt.NDArray[np.intp]]:
    """Which hits lie close together in time: one that is wrong must not have the whole history read for it."""
    if not len(quarters):
        return []
    order = np.argsort(quarters, kind="stable")
    gaps = np.diff(quarters[order])
    widest = np.argsort(gaps, kind="stable")[-(STRETCHES - 1) :]
    return np.split(order, np.sort(widest[gaps[widest] > 96]) + 1)


def _prints(words: IdWords) -> IdWords:
    """One number an id; equal ids have equal ones, and few others have."""
    return words[:, 0] * _ODD + words[:, 1]


def _repeats(prints: IdWords) -> Bools:
    _, inverse, counts = np.unique(prints, return_inverse=True, return_counts=True)
    return np.asarray(counts[inverse] > 1)


def _may_be_open(words: IdWords, raw: bytes, open_runs: Mapping[bytes, Row]) -> Bools:
    """Which ids are open; of many ids, which have the number of one that is."""
    count = len(words)
    if not open_runs:
        return np.zeros(count, dtype=np.bool_)
    if count < len(open_runs):
        return np.fromiter((raw[16 * i : 16 * i + 16] in open_runs for i in range(count)), np.bool_, count)
    opened = np.frombuffer(b"".join(open_runs), dtype=">u8").astype(np.uint64).reshape(-1, 2)
    return np.isin(_prints(words), _prints(opened))


class _State(Struct, frozen=True):
    """An id while the group is judged: the version that holds now, and the input row it came from (or _OPEN, _GONE)."""

    finished: bool
    row: Row
    position: int

    @property
    def gone(self) -> bool:
        """Whether it ended before the horizon: nothing is known of it any more, but its open version has to go."""
        return self.position == _GONE


class _Group(Struct, frozen=True):
    """The rows of a group side by side: ids as bytes, and a flag per row for what is known of it."""

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


class _Machine:
    """The life cycle of the ids whose records must be taken one after the other."""

    def __init__(self, group: _Group, ordered: npt.NDArray[np.intp], open_runs: Mapping[bytes, Row]) -> None:
        self._group = group
        self._ordered = ordered
        self._rows = row_tuples(group.rows, ordered) if len(ordered) else []
        self._open_runs = open_runs
        self._states: dict[bytes, _State] = {}
        self._rivals: dict[int, int] = {}  # of a row in conflict, the row of the group that finished its run

    def batch(self, start: int, stop: int, status: npt.NDArray[np.int8], *, whole: bool) -> Conflict | None:
        """Judge rows start..stop, filling in `status`; if `whole`, a conflict undoes the batch and is returned."""
        trial: dict[bytes, _State] = {}
        first, last = np.searchsorted(self._ordered, [start, stop])
        for k in range(first, last):
            status[self._ordered[k]] = self._judge(k, trial)
        clashes = np.flatnonzero(status[start:stop] == CONFLICT)
        if whole and len(clashes):
            return Conflict([self._clash(start, int(index)) for index in clashes])
        self._states.update(trial)
        return None

    def _clash(self, start: int, index: int) -> Clash:
        rival = self._rivals.get(start + index, -1) - start
        return Clash(index, uuid_text(self._group.id_at(start + index)), rival if rival >= 0 else None)

    def _judge(self, k: int, trial: dict[bytes, _State]) -> int:
        group, position, row = self._group, int(self._ordered[k]), self._rows[k]
        run_id, done = group.id_at(position), bool(group.done[position])
        if group.stored[position]:
            return (CONFLICT if group.differs[position] else DUPLICATE) if done else STALE
        now = trial.get(run_id) or self._states.get(run_id)
        if now is None and run_id in self._open_runs:
            now = _State(False, self._open_runs[run_id], _OPEN)
        if now is not None and not now.gone:
            if now.finished and not done:
                return STALE
            if now.finished == done and self._same(row, now.row, position):
                return DUPLICATE
            if now.finished:
                self._rivals[position] = now.position
                return CONFLICT
        if group.expired[position]:
            if now is not None:
                trial[run_id] = _State(done, row, _GONE)
            return STALE
        trial[run_id] = _State(done, row, position)
        return STORE

    def _same(self, new: Row, old: Row, position: int) -> bool:
        # A record without any time is dated by its receipt: sent again, it is still the same record.
        return new == old or (bool(self._group.received[position]) and new[:-1] == old[:-1])

    def outcome(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], tuple[bytes, ...]]:
        """(rows that finish, rows that stay open, ids whose stored open version is gone)."""
        finished = [s.position for s in self._states.values() if s.finished and not s.gone]
        opened = [s.position for s in self._states.values() if not s.finished]
        closed = tuple(run_id for run_id in self._states if run_id in self._open_runs)
        return np.array(finished, dtype=np.intp), np.array(opened, dtype=np.intp), closed


def uuid_text(raw: bytes) -> str:
    """A 16-byte id as text."""
    h = raw.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"
