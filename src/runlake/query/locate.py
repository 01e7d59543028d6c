"""Where a page lies: from counts per hour, or per day of one task, to the stretch of time that holds its runs."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from runlake import times
from runlake.index.figures import Records
from runlake.index.view import View
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.scan import Wanted

_Numbers = npt.NDArray[np.int64]
_RESULTS: Final[Mapping[bool | None, tuple[str, ...]]] = {None: ("good", "bad"), True: ("good",), False: ("bad",)}


class Place(Struct, frozen=True):
    """Where a page lies: how many runs match in all, those that hold it, and how many match after those."""

    total: int
    wanted: Wanted | None  # None: nowhere
    newer: int


class Units(Struct, frozen=True):
    """How many runs match in each of some units of time; the numbers of the units (since the epoch) ascend."""

    unit: int  # microseconds
    numbers: _Numbers
    counts: _Numbers


# Counts of all runs per hour, by result and whether they must have started, once a View.
_HOURS: Final[weakref.WeakKeyDictionary[View, dict[tuple[bool | None, bool], Units]]] = weakref.WeakKeyDictionary()


def locate(session: Session, view: View, wanted: Wanted, offset: int, limit: int) -> Place:
    """Find the page of `limit` runs after the first `offset` that match; `cells` of `wanted` do not matter."""
    everything = wanted.task_id is None and wanted.success is None and not wanted.started
    if not everything:
        view.need(*wanted.days)
    if wanted.task_id is not None:
        number = view.tasks.number(wanted.task_id)
        cells = view.cells(number)
        wanted = replace(wanted, cells=cells)
        units = _units(view, cells, "day", wanted, number)
    else:
        units = _of_all(view, wanted)
    if wanted.started:
        units = _within(session, view, wanted, units)
    numbers, counts = units.numbers[::-1], units.counts[::-1]
    upto = np.cumsum(counts)
    total = int(upto[-1]) if len(upto) else 0
    if offset >= total:
        return Place(total, None, 0)
    first = int(np.searchsorted(upto, offset, side="right"))
    last = int(np.searchsorted(upto, min(offset + limit, total), side="left"))
    low, high = int(numbers[last]) * units.unit, (int(numbers[first]) + 1) * units.unit
    view.need(low // times.DAY_US, (high - 1) // times.DAY_US)
    newer = int(upto[first - 1]) if first else 0
    return Place(total, replace(wanted, low=max(low, wanted.low), high=min(high, wanted.high)), newer)


def _of_all(view: View, wanted: Wanted) -> Units:
    known = _HOURS.setdefault(view, {})
    key = (wanted.success, wanted.started)
    if key not in known:
        known[key] = _units(view, view.hours, "unit", wanted)
    return known[key]


def _units(view: View, counts: Records, by: str, wanted: Wanted, task: int | None = None) -> Units:
    """Counts of the runs in files and of those that are in none, by the unit of time that this field numbers."""
    unit = times.DAY_US if by == "day" else times.HOUR_US
    kinds = _RESULTS[wanted.success]
    sums = np.zeros(len(counts), dtype=np.int64)
    for name in (*kinds, *(() if wanted.started else (f"{kind}_unstarted" for kind in kinds))):
        sums += counts[name]
    recent = view.recent.runs
    mask = np.ones(len(recent), dtype=np.bool_)
    if task is not None:
        mask &= recent["task"] == task
    if wanted.success is not None:
        mask &= recent["success"] == int(wanted.success)
    if wanted.started:
        mask &= recent["started"]
    others = recent["ran_at"][mask] // unit
    # Runs of files that could not be read count at the beginning of their day: nothing is answered of the day itself.
    unread = np.array([(file.day * times.DAY_US // unit, file.rows) for file in view.unread], dtype=np.int64)
    unread = unread.reshape(-1, 2)
    every = np.concatenate([counts[by], others, unread[:, 0]])
    found, inverse = np.unique(every, return_inverse=True)
    totals = np.zeros(len(found), dtype=np.int64)
    np.add.at(totals, inverse, np.concatenate([sums, np.ones(len(others), dtype=np.int64), unread[:, 1]]))
    return Units(unit, found, totals)


def _within(session: Session, view: View, wanted: Wanted, units: Units) -> Units:
    """Only the units of the window; those that it cuts in two are counted run by run."""
    unit = units.unit
    first, last = -(-wanted.low // unit), wanted.high // unit
    last = max(last, first)
    whole = slice(*np.searchsorted(units.numbers, [first, last]))
    numbers, counts = [units.numbers[whole]], [units.counts[whole]]
    for number in sorted({wanted.low // unit, (wanted.high - 1) // unit}):
        low, high = max(number * unit, wanted.low), min((number + 1) * unit, wanted.high)
        known = np.searchsorted(units.numbers, [number, number + 1])
        if high - low < unit and known[0] < known[1]:
            found = scan.newest(session, view, replace(wanted, low=low, high=high))
            numbers.append(np.array([number]))
            counts.append(np.array([sum(len(part.ran_at) for part in found)]))
    every = np.concatenate(numbers)
    order = np.argsort(every)
    return Units(unit, every[order], np.concatenate(counts)[order])
