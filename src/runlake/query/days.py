"""The days that windows cut in two: the columns statistics need of their files, kept in memory while they are in use.

A window ends or begins within a few days, and most windows end now.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct
from msgspec.structs import replace

from runlake import parquet, times
from runlake.index import figures
from runlake.index.figures import NONE
from runlake.index.tasks import Tasks
from runlake.lake.catalog import DataFile
from runlake.query.kept import Kept
from runlake.query.percentiles import WIDTH

_SHIFT: Final = 3
CODES: Final = 1 << _SHIFT
OPEN, BAD, GOOD = 0, 1, 2  # of a run without a duration; one with a duration has TIMED added
TIMED: Final = 4
Positions = npt.NDArray[np.intp]
Numbers = npt.NDArray[np.int64]
_HOURS: Final = 24
_MANY: Final = 65_536  # runs, from which on their durations are counted by hour: it takes 3 bytes a run or less
_RETRIED: Final = 1 << 15  # beside a bucket
_COLUMNS: Final = ("task_id", "started_at", "finished_at", "success", "attempt", "run_at")


class Runs(Struct, frozen=True):
    """Runs of one day, those of an hour and task that ended alike in one group: figures of hours are sums of groups.

    Of each group: `code` is the task's number in steps of CODES, and what became of its runs; `first` is where they
    begin (and, last, how many there are in all); `total`, `least` and `most` are of their durations, 0 where they have
    none. `bounds` says where the groups of each hour of the day begin, and the last one ends. Of each run: `after` is
    the run time since its hour began, `us` the duration, and `shape` the bucket of that, and _RETRIED. All times are
    microseconds.
    """

    start: int  # of the day
    bounds: Positions
    code: npt.NDArray[np.uint32]
    first: Positions
    total: npt.NDArray[np.float64]
    least: Numbers
    most: Numbers
    after: npt.NDArray[np.uint32]
    us: Numbers
    shape: npt.NDArray[np.uint16]
    spread: npt.NDArray[np.uint32] | None = None  # durations by hour and bucket, where they have been counted

    @classmethod
    def of(cls, runs: figures.Records) -> Runs:
        """From RUN records of one day, in any order."""
        start = int(runs["ran_at"][0]) // times.DAY_US * times.DAY_US if len(runs) else 0
        hour, after = np.divmod(runs["ran_at"] - start, times.HOUR_US)
        timed = runs["us"] != NONE
        code = runs["task"].astype(np.int64) * CODES + (runs["success"] - NONE) + timed * TIMED
        order, first = figures.grouped(hour << 32 | code)
        bounds = np.searchsorted(hour[order[first]], np.arange(_HOURS + 1))
        us = np.where(timed, runs["us"], 0)[order]
        shape = figures.bucket_of(us).astype(np.uint16) | (runs["retried"][order] * np.uint16(_RETRIED))
        columns = after[order].astype(np.uint32), us, shape
        return cls(start, bounds, code[order[first]].astype(np.uint32), *_summed(us, first), *columns)

    def between(self, first: int, last: int) -> list[Runs]:
        """Those with run times first..last (microseconds, both inside): of the whole hours, and of those cut in two."""
        low, high = max(first - self.start, 0), min(last + 1 - self.start, times.DAY_US)
        if low >= high:
            return []
        whole = range(-(-low // times.HOUR_US), high // times.HOUR_US)
        parts = [self._hours(whole.start, whole.stop)] if whole else []
        for hour in dict.fromkeys((low // times.HOUR_US, (high - 1) // times.HOUR_US)):
            if hour not in whole:
                part, begin = self._hours(hour, hour + 1), hour * times.HOUR_US
                parts.append(part._chosen((part.after >= low - begin) & (part.after < high - begin)))
        return [part for part in parts if len(part.code)]

    def _hours(self, low: int, high: int) -> Runs:
        """Those of some hours (half open)."""
        begin, end = int(self.bounds[low]), int(self.bounds[high])
        groups, first = slice(begin, end), self.first[begin : end + 1]
        runs = slice(int(first[0]), int(first[-1]))
        return Runs(
            self.start,
            np.clip(self.bounds, begin, end) - begin,
            self.code[groups],
            first - first[0],
            self.total[groups],
            self.least[groups],
            self.most[groups],
            self.after[runs],
            self.us[runs],
            self.shape[runs],
            None if self.spread is None else self.spread[low:high],
        )

    def _chosen(self, mask: npt.NDArray[np.bool_]) -> Runs:
        """Some of the runs."""
        upto = np.concatenate([[0], np.cumsum(mask)])[self.first]
        groups, us = np.flatnonzero(np.diff(upto)), self.us[mask]
        bounds = np.searchsorted(groups, self.bounds)
        columns = self.after[mask], us, self.shape[mask]
        return Runs(self.start, bounds, self.code[groups], *_summed(us, upto[groups]), *columns)

    def of_task(self, number: int) -> Runs:
        """Those of one task."""
        return self.of_groups(np.flatnonzero(self.task == number))

    def of_groups(self, groups: Positions) -> Runs:
        """Those of some groups (ascending)."""
        first, at = self._places(groups)
        bounds = np.searchsorted(groups, self.bounds)
        sums = self.total[groups], self.least[groups], self.most[groups]
        columns = self.after[at], self.us[at], self.shape[at]
        return Runs(self.start, bounds, self.code[groups], first, *sums, *columns)

    def _places(self, groups: Positions) -> tuple[Positions, Positions]:
        """Where the runs of some groups begin among these, and where they all are."""
        runs = self.runs[groups]
        first = np.concatenate([[0], np.cumsum(runs)])
        return first, np.repeat(self.first[groups] - first[:-1], runs) + np.arange(first[-1])

    def durations(self, groups: Positions) -> tuple[Positions, npt.NDArray[np.uint16]]:
        """How many runs some groups have that have durations, and the buckets of these."""
        first, at = self._places(groups)
        return np.diff(first), self.shape[at] & np.uint16(_RETRIED - 1)

    @property
    def runs(self) -> Positions:
        """How many runs each group has."""
        return np.diff(self.first)

    @property
    def task(self) -> npt.NDArray[np.uint32]:
        """The number of the task of each group."""
        return np.right_shift(self.code, _SHIFT)

    @property
    def timed(self) -> npt.NDArray[np.bool_]:
        """Which groups have durations."""
        return (self.code & TIMED).astype(np.bool_)

    @property
    def bucket(self) -> npt.NDArray[np.uint16]:
        """The bucket of the duration of each run, 0 where there is none."""
        return self.shape & np.uint16(_RETRIED - 1)

    @property
    def retried(self) -> int:
        """How many were no first attempts."""
        return int(np.count_nonzero(self.shape & np.uint16(_RETRIED)))

    def last(self, result: int) -> int:
        """The run time of the last with a result (OPEN, BAD or GOOD); NONE when there is none."""
        groups = np.flatnonzero((self.code & (TIMED - 1)) == result)
        if not len(groups):
            return NONE
        hour = int(np.searchsorted(self.bounds, groups[-1], side="right")) - 1
        after = self.of_groups(groups[groups >= self.bounds[hour]]).after
        return self.start + hour * times.HOUR_US + int(after.max())

    def counts(self) -> Numbers:
        """How many became what: CODES numbers."""
        return np.bincount(self.code & (CODES - 1), weights=self.runs, minlength=CODES).astype(np.int64)

    def buckets(self) -> Numbers:
        """How many durations there are in each bucket."""
        if self.spread is not None:
            return np.asarray(self.spread.sum(axis=0, dtype=np.int64))
        found = np.bincount(self.bucket, minlength=1)
        found[0] -= self.runs[~self.timed].sum()
        return found

    def counted(self) -> Runs:
        """The same with their durations counted by hour: what is asked over and over need not be counted each time."""
        hours = (self._hours(hour, hour + 1).buckets() for hour in range(_HOURS))
        spread = np.array([np.pad(found, (0, WIDTH - len(found))) for found in hours], dtype=np.uint32)
        return replace(self, spread=spread)

    @property
    def size(self) -> int:
        """Bytes in memory."""
        groups = (self.bounds, self.code, self.first, self.total, self.least, self.most)
        spread = 0 if self.spread is None else int(self.spread.nbytes)
        return spread + sum(int(values.nbytes) for values in (*groups, self.after, self.us, self.shape))


def _summed(us: Numbers, first: Positions) -> tuple[Positions, npt.NDArray[np.float64], Numbers, Numbers]:
    """Of groups that begin at `first`: that and the end of the last, the sums of durations, the least and the most."""
    ends = np.append(first, len(us))
    return (
        ends,
        np.add.reduceat(us, first, dtype=np.float64),
        np.minimum.reduceat(us, first),
        np.maximum.reduceat(us, first),
    )


class Days:
    """The runs of files, those used last, in as many bytes as there may be; for any number of threads."""

    def __init__(self, most: int) -> None:
        self.kept: Kept[Runs] = Kept(most, lambda runs: runs.size)

    def runs(self, file: DataFile, tasks: Tasks) -> Runs:
        """The runs of a file, whose tasks are all known; raises LakeDamaged."""
        return self.kept.get(file.path, lambda: _read(file, tasks))

    def warm(self, files: Sequence[DataFile], tasks: Tasks, ended: threading.Event) -> None:
        """Read `files`, which begin with the oldest, from the newest on and as far as they fit; at half speed, for
        questions have to be answered meanwhile. Raises LakeDamaged: a file may be merged away before its turn."""
        for file in reversed(files):
            started = time.monotonic()
            if ended.is_set() or not self.kept.fits(file.path, partial(_read, file, tasks)):
                return
            ended.wait(time.monotonic() - started)


def _read(file: DataFile, tasks: Tasks) -> Runs:
    records, _ = figures.runs_of(parquet.read(file.path, _COLUMNS, threads=True), tasks)
    runs = Runs.of(records)
    return runs.counted() if len(runs.us) >= _MANY else runs
