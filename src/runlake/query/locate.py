"""Where a page lies: from counts per hour, or per day of one task, to the units of time that hold its runs.

The counts are sums of a few thousand small numbers, which numpy adds up in a tenth of the time that a statement for
it would take to plan.
"""

from __future__ import annotations

import weakref
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake import times
from runlake.index.view import View
from runlake.query.engine import Session

_Numbers = npt.NDArray[np.int64]
# Counts of all runs per hour, once a View.
_HOURS: Final[weakref.WeakKeyDictionary[View, pa.Table]] = weakref.WeakKeyDictionary()


class Filters(Struct, frozen=True):
    """What a run of the page must match; `low` and `high` (half open, microseconds) only count if `windowed`."""

    task_id: object
    success: bool | None
    windowed: bool
    low: int
    high: int

    def match(self) -> dict[str, Any]:
        """What a run must match wherever it lies, as parameters of a statement."""
        return {"task_id": self.task_id, "success": self.success}


class Place(Struct, frozen=True):
    """Where a page lies: how many runs match in all, the units that hold the page, and how many match after them."""

    total: int
    unit: int  # microseconds
    units: list[int]  # the newest first
    newer: int

    def days(self) -> list[int]:
        """The days of those units."""
        return sorted({number * self.unit // times.DAY_US for number in self.units})


class _Units(Struct, frozen=True):
    """How many runs match in each of some units of time; the numbers of the units (since the epoch) ascend."""

    unit: int  # microseconds
    numbers: _Numbers
    counts: _Numbers


def locate(session: Session, view: View, filters: Filters, offset: int, limit: int) -> Place:
    """Find the page of `limit` runs after the first `offset` that match."""
    units = _units(session, view, filters)
    if filters.windowed:
        units = _within(session, view, filters, units)
    numbers, counts = units.numbers[::-1], units.counts[::-1]
    upto = np.cumsum(counts)
    total = int(upto[-1]) if len(upto) else 0
    first = int(np.searchsorted(upto, offset, side="right"))
    last = int(np.searchsorted(upto, offset + limit, side="left"))
    page = slice(first, last + 1)
    found = [int(number) for number in numbers[page][counts[page] > 0]]
    return Place(total, units.unit, found, int(upto[first - 1]) if first and found else 0)


def _units(session: Session, view: View, filters: Filters) -> _Units:
    if filters.task_id is None:
        unit, table = times.HOUR_US, _hours(session, view)
    else:
        unit, table = times.DAY_US, session.run("days_of_task", view, {"task_id": filters.task_id})
    kinds = {None: ("good", "bad", "open"), True: ("good",), False: ("bad",)}[filters.success]
    names = [*kinds, *(() if filters.windowed else (f"{kind}_unstarted" for kind in kinds))]
    counts = np.zeros(table.num_rows, dtype=np.int64)
    for name in names:
        counts += table[name].to_numpy()
    return _Units(unit, table["unit"].to_numpy(), counts)


def _hours(session: Session, view: View) -> pa.Table:
    table = _HOURS.get(view)
    if table is None:
        table = _HOURS[view] = session.run("hours", view, {})
    return table


def _within(session: Session, view: View, filters: Filters, units: _Units) -> _Units:
    """Only the units of the window; those that it cuts in two are counted run by run."""
    unit = units.unit
    first, last = -(-filters.low // unit), filters.high // unit
    first = min(first, last)  # for a window within one unit
    whole = slice(*np.searchsorted(units.numbers, [first, last]))
    numbers, counts = units.numbers[whole], units.counts[whole]
    if filters.low < first * unit or last * unit < filters.high:
        cut = {filters.low // unit, (filters.high - 1) // unit}
        days = sorted({number * unit // times.DAY_US for number in cut})
        files = [file.path for day in days for file in view.files.between(day, day)]
        ends = {"low": filters.low, "high": filters.high, "whole_low": first * unit, "whole_high": last * unit}
        found = session.run("cut_units", view, {**filters.match(), **ends, "unit": unit, "files": files})
        numbers = np.concatenate([numbers, found["unit"].to_numpy()])
        counts = np.concatenate([counts, found["n"].to_numpy()])
        order = np.argsort(numbers)
        numbers, counts = numbers[order], counts[order]
    return _Units(unit, numbers, counts)
