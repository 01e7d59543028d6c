"""Finding runs run by run: the newest that match, in row groups and among the rows in no file.

Narrow columns are read until enough is found; the whole rows only of what is answered.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from msgspec import Struct

from runlake import times
from runlake.index.figures import NONE
from runlake.index.recent import halves_of
from runlake.index.view import View
from runlake.intake.batch import uuid_bytes
from runlake.query.engine import Session
from runlake.query.files import Groups, Positions, micros

_MOST_READS: Final = 16  # row groups read at a time, at most
ANY_HOUR: Final = (1 << 24) - 1


class Wanted(Struct, frozen=True, kw_only=True):
    """What a run must be: run time low..high (half open, microseconds), and more. `hours` says in which hours of a
    day (a bit each) a run of the task is at all; days that are missing have none in files."""

    low: int
    high: int
    task_id: uuid.UUID | None = None
    success: bool | None = None
    started: bool = False
    hours: Mapping[int, int] | None = None


class Found(Struct, frozen=True):
    """Runs that match, side by side: their order, and where they are (`source` None: among the View's recent runs)."""

    source: Groups | None
    ran_at: npt.NDArray[np.int64]
    halves: npt.NDArray[np.uint64]
    success: npt.NDArray[np.int8]
    positions: Positions


def newest(session: Session, view: View, wanted: Wanted, need: int | None = None) -> list[Found]:
    """Runs that match, at least the newest `need` of them (None: all)."""
    found = [_recent(view, wanted)]
    seen = found[0].ran_at
    reads = _reads(session, view, wanted)
    step = 1
    while reads:
        session.check()
        part, reads = reads[:step], reads[step:]
        step = min(2 * step, _MOST_READS)
        files = list(_by_file(part))
        found += session.reader.each(lambda file: _matching(session, *file, wanted), files)
        seen = np.concatenate([seen, *(one.ran_at for one in found[-len(files) :])])
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


def _reads(session: Session, view: View, wanted: Wanted) -> list[tuple[int, Groups, int]]:
    """(latest run time, file, row group) of all row groups that may hold a match, the latest first."""
    first, last = wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US
    reads = []
    for file in view.files.between(first, last):
        hours = ANY_HOUR if wanted.hours is None else wanted.hours.get(file.day, 0)
        if not hours:
            continue
        session.check()
        of = session.reader.groups(file)
        for group in of.within(wanted.low, wanted.high):
            low, high = int(of.low[group]), int(of.high[group])
            if hours == ANY_HOUR or hours & _span(low, high):
                reads.append((high, of, int(group)))
    reads.sort(key=lambda read: read[0], reverse=True)
    return reads


def _span(low: int, high: int) -> int:
    """The bits of the hours low..high (microseconds, both inside, of one day)."""
    first, last = low // times.HOUR_US % 24, high // times.HOUR_US % 24
    return (2 << last) - (1 << first)


def _by_file(reads: Sequence[tuple[int, Groups, int]]) -> Iterator[tuple[Groups, list[int]]]:
    by_path: dict[str, tuple[Groups, list[int]]] = {}
    for _, of, group in reads:
        by_path.setdefault(of.file.path, (of, []))[1].append(group)
    yield from by_path.values()


def _matching(session: Session, of: Groups, groups: Sequence[int], wanted: Wanted) -> Found:
    """The runs of some row groups of a file that match."""
    at = of.positions(groups)
    if wanted.task_id is not None:
        # A column of its own first: most row groups hold no run of a rare task.
        tasks = session.reader.columns(of, groups, ["task_id"])
        at = at[_is_task(uuid_bytes(tasks["task_id"]), wanted.task_id)]
    if not len(at):
        return Found(of, at, np.empty((0, 2), dtype=np.uint64), at.astype(np.int8), at)
    groups, inside = of.places(at)
    names = ["id", "run_at", "success", *(["started_at"] if wanted.started else [])]
    rows = session.reader.columns(of, groups, names)
    ran_at = micros(rows["run_at"])[inside]
    success = np.asarray(pc.fill_null(rows["success"].cast("int8"), NONE).to_numpy())[inside]
    fits = (ran_at >= wanted.low) & (ran_at < wanted.high)
    if wanted.success is not None:
        fits &= success == int(wanted.success)
    if wanted.started:
        fits &= rows["started_at"].is_valid().to_numpy()[inside]
    return Found(of, ran_at[fits], uuid_bytes(rows["id"])[inside][fits], success[fits], at[fits])


def _is_task(halves: npt.NDArray[np.uint64], task_id: uuid.UUID) -> npt.NDArray[np.bool_]:
    high, low = task_id.int >> 64, task_id.int & (2**64 - 1)
    return np.asarray((halves[:, 0] == np.uint64(high)) & (halves[:, 1] == np.uint64(low)))
