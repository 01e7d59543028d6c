"""Counts of finished runs in Parquet files: all of them add up, so parts made at different times are added as one.

Counts are never changed once made. A View holds a few of them, each at least twice as large as the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake import times
from runlake.index import figures
from runlake.index.figures import BUCKET, CELL, DAY_BUCKET, HOUR, NONE, NONE_MIN, Records, added, grouped

_BLOCK: Final = 32  # days
_PIECE: Final = 2_000_000  # buckets merged at a time
_MEASURES: Final = ("good", "bad", "timed", "us")
Numbers = npt.NDArray[np.float64]
Positions = npt.NDArray[np.intp]


class _ByTask(Struct, frozen=True):
    """Figures by unit of time and task, in the order of units: results, and durations with their sum."""

    unit: npt.NDArray[np.int64]
    task: npt.NDArray[np.int64]
    measures: Numbers  # a row for each of _MEASURES

    def add(self, low: int, high: int, out: Numbers) -> None:
        """Add the units low..high (half open) to `out`, which has a column for each task."""
        part = slice(*np.searchsorted(self.unit, [low, high]))
        task = self.task[part]
        # Counting all tasks anew is fast for many values, and wasteful for few of many tasks.
        many, count = 8 * len(task) > out.shape[1], out.shape[1]
        for row, values in enumerate(self.measures):
            if many:
                out[row] += np.bincount(task, weights=values[part], minlength=count)
            else:
                np.add.at(out[row], task, values[part])


class Counts(Struct, frozen=True, eq=False, dict=True):
    """What some runs add up to: CELL records by task and day, with their BUCKETs; HOUR and DAY_BUCKET records."""

    cells: Records
    buckets: Records
    hours: Records
    days: Records

    @property
    def size(self) -> int:
        """How much there is to go through when it is merged."""
        return len(self.cells) + len(self.buckets) + len(self.hours) + len(self.days)

    def of_task(self, task: int) -> Records:
        """The cells of one task, by day."""
        return self.of_tasks(task, task + 1)

    def of_tasks(self, low: int, high: int) -> Records:
        """The cells of the tasks low..high (half open)."""
        return self.cells[slice(*np.searchsorted(self._tasks, [low, high]))]

    @cached_property
    def _tasks(self) -> npt.NDArray[np.int64]:
        # A search in a field of records would copy the field each time.
        return self.cells["task"].astype(np.int64)

    def histogram(self, cells: Records) -> tuple[npt.NDArray[np.int64], Records]:
        """(days, BUCKET records) of some neighbouring cells: one entry each for every bucket of each day."""
        if not len(cells):
            return np.empty(0, dtype=np.int64), self.buckets[:0]
        last = cells[-1]
        found = self.buckets[int(cells[0]["first"]) : int(last["first"]) + int(last["buckets"])]
        return np.repeat(cells["day"].astype(np.int64), cells["buckets"]), found

    def add_tasks(self, first: int, last: int, out: Numbers) -> None:
        """Add figures of the days first..last (half open) to `out`: rows good, bad, timed, us; a column a task."""
        low, high = -(-first // _BLOCK), last // _BLOCK
        if low < high:
            self._by_block.add(low, high, out)
            self._by_day.add(first, low * _BLOCK, out)
            self._by_day.add(high * _BLOCK, last, out)
        else:
            self._by_day.add(first, last, out)

    @cached_property
    def _by_day(self) -> _ByTask:
        cells = self.cells[np.argsort(self.cells["day"], kind="stable")]
        good, bad = cells["good"] + cells["good_unstarted"], cells["bad"] + cells["bad_unstarted"]
        measures = np.array([good, bad, cells["timed"], cells["us"]], dtype=np.float64)
        return _ByTask(cells["day"].astype(np.int64), cells["task"].astype(np.int64), measures)

    @cached_property
    def _by_block(self) -> _ByTask:
        by_day = self._by_day
        block = by_day.unit // _BLOCK
        order, starts = grouped(block, by_day.task)
        if not len(starts):
            return by_day
        sums = np.add.reduceat(by_day.measures[:, order], starts, axis=1)
        return _ByTask(block[order][starts], by_day.task[order][starts], sums)


EMPTY: Final = Counts(*(np.empty(0, dtype=kind) for kind in (CELL, BUCKET, HOUR, DAY_BUCKET)))
Parts = tuple[Counts, ...]


def counted(runs: Records) -> Counts:
    """Counts of RUN records of finished runs."""
    if not len(runs):
        return EMPTY
    day, hour = runs["ran_at"] // times.DAY_US, runs["ran_at"] // times.HOUR_US
    order, starts = grouped(runs["task"], day)
    cells = _summed(runs, order, starts, CELL)
    cells["task"], cells["day"] = runs["task"][order][starts], day[order][starts]
    by_cell = _Sums(order, starts)
    cells["retried"] = by_cell.count(runs["retried"])
    for name, value in (("last_good", 1), ("last_bad", 0)):
        cells[name] = by_cell.largest(np.where(runs["success"] == value, runs["ran_at"], NONE))
    cells["slots"] = np.bitwise_or.reduceat(figures.bits_of(figures.slot_of(runs["ran_at"]))[order], starts)
    buckets = _histograms(cells, runs, order, starts)
    order, starts = grouped(hour)
    hours = _summed(runs, order, starts, HOUR)
    hours["unit"] = hour[order][starts]
    return Counts(cells, buckets, hours, _day_buckets(cells, buckets))


class _Sums:
    """Figures of groups of runs."""

    def __init__(self, order: Positions, starts: Positions) -> None:
        self._order, self._starts = order, starts

    def count(self, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        return np.add.reduceat(flags[self._order].astype(np.int64), self._starts)

    def total(self, values: npt.NDArray[np.int64]) -> Numbers:
        return np.add.reduceat(values[self._order].astype(np.float64), self._starts)

    def smallest(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.minimum.reduceat(values[self._order], self._starts)

    def largest(self, values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.maximum.reduceat(values[self._order], self._starts)


def _summed(runs: Records, order: Positions, starts: Positions, kind: np.dtype[np.void]) -> Records:
    """Records of a kind with all that cells and hours have in common."""
    out, sums = np.zeros(len(starts), dtype=kind), _Sums(order, starts)
    good, started, timed = runs["success"] == 1, runs["started"], runs["us"] != NONE
    out["good"], out["bad"] = sums.count(good & started), sums.count(~good & started)
    out["good_unstarted"], out["bad_unstarted"] = sums.count(good & ~started), sums.count(~good & ~started)
    out["timed"] = sums.count(timed)
    out["us"] = sums.total(np.where(timed, runs["us"], 0))
    out["us_min"] = sums.smallest(np.where(timed, runs["us"], NONE_MIN))
    out["us_max"] = sums.largest(runs["us"])
    return out


def _histograms(cells: Records, runs: Records, order: Positions, starts: Positions) -> Records:
    """The BUCKETs of cells, in their order; fills in where each cell finds its own."""
    cell = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
    us = runs["us"][order]
    timed = us != NONE
    key = cell[timed] << 16 | figures.bucket_of(us[timed])
    key.sort()
    _, first = grouped(key)
    return _placed(cells, key[first], np.diff(np.append(first, len(key))))


def _placed(cells: Records, key: npt.NDArray[np.int64], n: npt.NDArray[np.int64]) -> Records:
    """BUCKET records of keys `cell << 16 | bucket` in ascending order; tells the cells where theirs are."""
    buckets = np.zeros(len(key), dtype=BUCKET)
    buckets["bucket"], buckets["n"] = key & 0xFFFF, n
    bounds = np.searchsorted(key >> 16, np.arange(len(cells) + 1))
    cells["first"], cells["buckets"] = bounds[:-1], np.diff(bounds)
    return buckets


def _day_buckets(cells: Records, buckets: Records) -> Records:
    """The histograms of days, of those of their cells."""
    out = np.zeros(len(buckets), dtype=DAY_BUCKET)
    out["day"] = np.repeat(cells["day"], cells["buckets"])
    out["bucket"], out["n"] = buckets["bucket"], buckets["n"]
    return added([out], "day", "bucket")


def merged(parts: Sequence[Counts]) -> Counts:
    """The sum of some counts."""
    pieces = list(pieces_of(parts))
    cells = np.concatenate([EMPTY.cells, *(cells for cells, _ in pieces)])
    buckets = np.concatenate([EMPTY.buckets, *(buckets for _, buckets in pieces)])
    return Counts(cells, buckets, *merged_times(parts))


def merged_times(parts: Sequence[Counts], first_day: int = 0) -> tuple[Records, Records]:
    """The sum of their hours and of their days' histograms, from some day on."""
    hours, days = added([part.hours for part in parts], "unit"), added([part.days for part in parts], "day", "bucket")
    return hours[hours["unit"] >= 24 * first_day], days[days["day"] >= first_day]


def pieces_of(parts: Sequence[Counts], first_day: int = 0) -> Iterator[tuple[Records, Records]]:
    """Merged cells and their buckets, from some day on, some tasks at a time: the memory it takes does not grow."""
    start = 0
    for tasks in _stretches(parts):
        some = [part.of_tasks(*tasks) for part in parts]
        cells, key, n = _merged_cells(some, [part.buckets for part in parts])
        kept = cells["day"] >= first_day
        if not kept.all():
            some_keys = kept[key >> 16]
            key = (np.cumsum(kept) - 1)[key[some_keys] >> 16] << 16 | key[some_keys] & 0xFFFF
            cells, n = cells[kept], n[some_keys]
        buckets = _placed(cells, key, n)
        cells["first"] += start
        start += len(buckets)
        yield cells, buckets


def _stretches(parts: Sequence[Counts]) -> Iterator[tuple[int, int]]:
    """Ranges of tasks (half open), each with about _PIECE buckets."""
    last = max((int(part.cells["task"][-1]) for part in parts if len(part.cells)), default=-1)
    weight = np.zeros(last + 1)
    for part in parts:
        np.add.at(weight, part.cells["task"], part.cells["buckets"] + 1)
    upto = np.cumsum(weight)
    low = 0
    while low <= last:
        before = upto[low - 1] if low else 0.0
        high = max(int(np.searchsorted(upto, before + _PIECE)), low) + 1
        yield low, min(high, last + 1)
        low = high


def _merged_cells(
    parts: Sequence[Records], buckets: Sequence[Records]
) -> tuple[Records, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Cells of all parts as one, and what `_placed` takes: parts[i] finds its buckets in buckets[i]."""
    rows = np.concatenate(parts)
    order, starts = grouped(rows["task"], rows["day"])
    owner = np.empty(len(rows), dtype=np.int64)
    owner[order] = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, len(order))))
    cells = added([rows], "task", "day")
    keys, amounts, at = [], [], 0
    for part, found in zip(parts, buckets, strict=True):
        if len(part):
            own = found[int(part[0]["first"]) : int(part[-1]["first"]) + int(part[-1]["buckets"])]
            keys.append(np.repeat(owner[at : at + len(part)], part["buckets"]) << 16 | own["bucket"])
            amounts.append(own["n"])
            at += len(part)
    key, n = np.concatenate([np.empty(0, np.int64), *keys]), np.concatenate([np.empty(0, np.int64), *amounts])
    order, starts = grouped(key)
    sums = np.add.reduceat(n[order], starts) if len(starts) else n
    return cells, key[order][starts], sums


def adding(parts: Parts, new: Counts) -> Parts:
    """`parts` with more counts; small ones are merged, as keys are."""
    found = [*parts, new]
    while len(found) > 1 and found[-2].size < 2 * found[-1].size:
        found.append(merged([found.pop(), found.pop()]))
    return tuple(part for part in found if part.size)
