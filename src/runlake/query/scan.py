"""Finding runs run by run: the newest that match, in row groups and among the rows in no file.

Narrow columns are read until enough is found; the whole rows only of what is answered.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from msgspec import Struct

from runlake import times
from runlake.index.figures import NONE, Records, slot_of
from runlake.index.recent import halves_of
from runlake.index.view import View
from runlake.intake.batch import uuid_bytes
from runlake.query.engine import Session
from runlake.query.files import Groups, Positions, micros

_MOST_READS: Final = 64  # row groups read at a time, at most
PIECE: Final = 8  # by one thread
_FEW: Final = 4  # runs of a task in a row group that has any: they are read whole at once
Numbers = npt.NDArray[np.int64]


class Wanted(Struct, frozen=True, kw_only=True):
    """What a run must be: run time low..high (half open, microseconds), and more. `cells` are CELL records of the task,
    by day, where it is known: days without one have no run of it in files."""

    low: int
    high: int
    task_id: uuid.UUID | None = None
    success: bool | None = None
    started: bool = False
    cells: Records | None = None

    @property
    def days(self) -> tuple[int, int]:
        """Its first and last day."""
        return self.low // times.DAY_US, (self.high - 1) // times.DAY_US


class Found(Struct, frozen=True):
    """Runs that match, side by side: their order, and where they are (`source` None: among the View's recent runs)."""

    source: Groups | None
    ran_at: npt.NDArray[np.int64]
    halves: npt.NDArray[np.uint64]
    success: npt.NDArray[np.int8]
    positions: Positions
    rows: pa.Table | None = None  # their columns, where these have been read


def newest(
    session: Session, view: View, wanted: Wanted, need: int | None = None, whole: Sequence[str] = ()
) -> list[Found]:
    """Runs that match, at least the newest `need` of them (None: all).

    `whole` are the columns that will be asked of them: those of a rare task are read at once.
    """
    found = [_recent(view, wanted)]
    seen = found[0].ran_at
    spots = None if wanted.cells is None else _spots(wanted.cells, wanted)
    reads = _reads(session, view, wanted, spots)
    step = 1
    if spots and need is not None:
        # Runs of a task are spread over the row groups of its days: enough of these for `need`, the first time.
        step = min(need * len(reads) // sum(spot.runs for spot in spots.values()) + 1, _MOST_READS)
    while reads:
        session.check()
        part, reads = reads[:step], reads[step:]
        step = min(2 * step, _MOST_READS)
        pieces = _pieces(part)
        found += session.reader.each(lambda piece: _matching(session, *piece, wanted, whole), pieces)
        seen = np.concatenate([seen, *(one.ran_at for one in found[-len(pieces) :])])
        if need is not None and reads and np.count_nonzero(seen > reads[0][0]) >= need:
            break
    return found


def ordered(found: Sequence[Found], first: int = 0, count: int | None = None) -> list[tuple[int, int]]:
    """The newest first, ties by the higher id: (which of `found`, which of its runs). `count` of them from `first`."""
    which = np.repeat(np.arange(len(found)), [len(one.ran_at) for one in found])
    inside = np.concatenate([np.arange(len(one.ran_at)) for one in found])
    halves = np.concatenate([one.halves for one in found])
    ran_at = np.concatenate([one.ran_at for one in found])
    if count is not None and first + count < len(ran_at):
        # Put only those in order that may be asked for, by the run times of the first and the last of them.
        ends = [len(ran_at) - first - count, len(ran_at) - first - 1]
        low, high = np.partition(ran_at, ends)[ends]
        some = np.flatnonzero((ran_at >= low) & (ran_at <= high))
        first -= int(np.count_nonzero(ran_at > high))
        which, inside, halves, ran_at = which[some], inside[some], halves[some], ran_at[some]
    order = np.lexsort((halves[:, 1], halves[:, 0], ran_at))[::-1][first:][:count]
    return list(zip(which[order].tolist(), inside[order].tolist(), strict=True))


def _recent(view: View, wanted: Wanted) -> Found:
    runs = view.recent.runs
    mask = (runs["ran_at"] >= wanted.low) & (runs["ran_at"] < wanted.high)
    if wanted.task_id is not None:
        mask &= runs["task"] == view.tasks.number(wanted.task_id)
    if wanted.success is not None:
        mask &= runs["success"] == int(wanted.success)
    if wanted.started:
        mask &= runs["started"]
    at = np.flatnonzero(mask)
    return Found(None, runs["ran_at"][at], halves_of(runs[at]), runs["success"][at], at)


def _reads(
    session: Session, view: View, wanted: Wanted, spots: Mapping[int, _Spot] | None
) -> list[tuple[int, Groups, int]]:
    """(latest run time, file, row group) of all row groups that may hold a match, the latest first."""
    reads = []
    for file in view.files.between(*wanted.days):
        if spots is not None and file.day not in spots:
            continue
        session.check()
        of = session.reader.groups(file)
        groups = of.within(wanted.low, wanted.high)
        if spots is not None:
            groups = groups[spots[file.day].among(of.low[groups], of.high[groups])]
        reads += [(int(of.high[group]), of, int(group)) for group in groups]
    reads.sort(key=lambda read: read[0], reverse=True)
    return reads


class _Spot(Struct):
    """How many runs of a task a day has, and in which slots of it: see CELL."""

    runs: int
    slots: npt.NDArray[np.uint64]

    def among(self, low: Numbers, high: Numbers) -> npt.NDArray[np.bool_]:
        """Which of some stretches of time within the day (microseconds, both ends inside) may hold one."""
        bits = np.unpackbits(self.slots.view(np.uint8), bitorder="little")
        upto = np.concatenate([[0], np.cumsum(bits)])
        return np.asarray(upto[slot_of(high) + 1] > upto[slot_of(low)])


def _spots(cells: Records, wanted: Wanted) -> dict[int, _Spot]:
    """By day, where there are runs with the wanted result."""
    first, last = wanted.days
    cells = cells[slice(*np.searchsorted(cells["day"], [first, last + 1]))]
    kinds = ("bad", "good") if wanted.success is None else (("bad", "good")[wanted.success],)
    counts = np.zeros(len(cells), dtype=np.int64)
    for kind in kinds:
        counts += cells[kind] + cells[f"{kind}_unstarted"]
    spots: dict[int, _Spot] = {}
    for place in np.flatnonzero(counts).tolist():
        spot = spots.setdefault(int(cells["day"][place]), _Spot(0, np.zeros_like(cells["slots"][place])))
        spot.runs += int(counts[place])
        spot.slots |= cells["slots"][place]
    return spots


def _pieces(reads: Sequence[tuple[int, Groups, int]]) -> list[tuple[Groups, list[int]]]:
    """By file, and of one file a few row groups at a time."""
    by_path: dict[str, tuple[Groups, list[int]]] = {}
    for _, of, group in reads:
        by_path.setdefault(of.file.path, (of, []))[1].append(group)
    return [(of, groups[at : at + PIECE]) for of, groups in by_path.values() for at in range(0, len(groups), PIECE)]


def _matching(session: Session, of: Groups, groups: Sequence[int], wanted: Wanted, whole: Sequence[str]) -> Found:
    """The runs of some row groups of a file that match."""
    at = of.positions(groups)
    if wanted.task_id is not None:
        # A column of its own first: most row groups hold no run of a rare task.
        tasks = session.reader.columns(of, groups, ["task_id"])
        at = at[_is_task(uuid_bytes(tasks["task_id"]), wanted.task_id)]
        if not len(at):
            return Found(of, at, np.empty((0, 2), dtype=np.uint64), at.astype(np.int8), at)
    groups, inside = of.places(at)
    rare = whole and len(at) <= _FEW * len(groups)
    if rare:
        rows = session.reader.rows(of, at, list(dict.fromkeys(["run_at", "started_at", *whole])))
        return _fitting(of, rows, at, wanted, kept=True)
    names = ["id", "run_at", "success", *(["started_at"] if wanted.started else [])]
    rows = session.reader.columns(of, groups, names)
    rows = rows if len(at) == rows.num_rows else rows.take(pa.array(inside))
    return _fitting(of, rows, at, wanted, kept=False)


def _fitting(of: Groups, rows: pa.Table, at: Positions, wanted: Wanted, *, kept: bool) -> Found:
    """Of the rows at some positions those that match in all else; their columns are `kept` or not."""
    ran_at = micros(rows["run_at"])
    success = np.asarray(pc.fill_null(rows["success"].cast("int8"), NONE).to_numpy())
    fits = (ran_at >= wanted.low) & (ran_at < wanted.high)
    if wanted.success is not None:
        fits &= success == int(wanted.success)
    if wanted.started:
        fits &= rows["started_at"].is_valid().to_numpy()
    found = uuid_bytes(rows["id"])[fits], success[fits], at[fits]
    return Found(of, ran_at[fits], *found, rows.filter(pa.array(fits)) if kept else None)


def _is_task(halves: npt.NDArray[np.uint64], task_id: uuid.UUID) -> npt.NDArray[np.bool_]:
    high, low = task_id.int >> 64, task_id.int & (2**64 - 1)
    return np.asarray((halves[:, 0] == np.uint64(high)) & (halves[:, 1] == np.uint64(low)))
