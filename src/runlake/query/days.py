"""The days that windows cut in two: the columns statistics need of their files, kept in memory while they are in use.

A window ends or begins within a few days, and most windows end now.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
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

_SHIFT: Final = 3
CODES: Final = 1 << _SHIFT
OPEN, BAD, GOOD = 0, 1, 2  # of a run without a duration; one with a duration has TIMED added
TIMED: Final = 4
Positions = npt.NDArray[np.intp]
_HOURS: Final = 24
_RUN_BYTES: Final = 14
_RETRIED: Final = 1 << 15  # beside a bucket
_LONG: Final = 1 << 32  # microseconds: few runs take longer than 71 minutes
_COLUMNS: Final = ("task_id", "started_at", "finished_at", "success", "attempt", "run_at")


class Runs(Struct, frozen=True):
    """Runs of one day side by side, earliest first: 14 bytes each.

    `after` is the run time since its hour began, in microseconds; `bounds` says where each hour of the day begins and
    the last one ends. `code` is the task's number in steps of CODES, and what became of the run; `us` is the duration
    in microseconds and `bucket` that of the duration, both 0 where there is none.
    """

    start: int  # of the day, microseconds
    bounds: Positions
    after: npt.NDArray[np.uint32]
    code: npt.NDArray[np.uint32]
    us: npt.NDArray[np.integer]
    shape: npt.NDArray[np.uint16]  # the bucket, and _RETRIED

    @classmethod
    def of(cls, runs: figures.Records) -> list[Runs]:
        """From RUN records of one day in any order: those that are short, and, when there are any, those that are long,
        whose durations take eight bytes."""
        ran_at = runs["ran_at"].copy()
        if not bool((ran_at[1:] >= ran_at[:-1]).all()):
            order = np.argsort(ran_at, kind="stable")
            runs, ran_at = runs[order], ran_at[order]
        start = int(ran_at[0]) // times.DAY_US * times.DAY_US if len(ran_at) else 0
        hours = start + np.arange(_HOURS + 1) * times.HOUR_US
        bounds = np.searchsorted(ran_at, hours)
        us = runs["us"].copy()
        timed = us != NONE
        us[~timed] = 0
        code = runs["task"].astype(np.uint32) * np.uint32(CODES)
        code += (runs["success"] - NONE).astype(np.uint32)
        code += timed * np.uint32(TIMED)
        shape = figures.bucket_of(us).astype(np.uint16) | (runs["retried"] * np.uint16(_RETRIED))
        every = cls(start, bounds, (ran_at - np.repeat(hours[:-1], np.diff(bounds))).astype(np.uint32), code, us, shape)
        long = us >= _LONG
        if not long.any():
            return [replace(every, us=us.astype(np.uint32))]
        short, rest = (every._chosen(np.flatnonzero(mask)) for mask in (~long, long))
        return [replace(short, us=short.us.astype(np.uint32)), rest]

    def between(self, first: int, last: int) -> Runs:
        """Those with run times first..last (microseconds, both inside)."""
        part = slice(self._place(first), self._place(last + 1))
        bounds = np.clip(self.bounds, part.start, max(part.start, part.stop)) - part.start
        return Runs(self.start, bounds, self.after[part], self.code[part], self.us[part], self.shape[part])

    def _place(self, moment: int) -> int:
        """How many ran before a moment."""
        hour, after = divmod(moment - self.start, times.HOUR_US)
        if not 0 <= hour < _HOURS:
            return 0 if hour < 0 else len(self.after)
        low, high = int(self.bounds[hour]), int(self.bounds[hour + 1])
        return low + int(np.searchsorted(self.after[low:high], np.uint32(after)))

    def of_task(self, number: int) -> Runs:
        """Those of one task."""
        return self._chosen(np.flatnonzero(self.task == number))

    def _chosen(self, at: Positions) -> Runs:
        bounds = np.searchsorted(at, self.bounds)
        return Runs(self.start, bounds, self.after[at], self.code[at], self.us[at], self.shape[at])

    @property
    def task(self) -> npt.NDArray[np.uint32]:
        """The number of the task of each."""
        return np.right_shift(self.code, _SHIFT)

    @property
    def timed(self) -> npt.NDArray[np.bool_]:
        """Which have a duration."""
        return (self.code & TIMED).astype(np.bool_)

    @property
    def bucket(self) -> npt.NDArray[np.uint16]:
        """The bucket of each duration."""
        return self.shape & np.uint16(_RETRIED - 1)

    @property
    def retried(self) -> int:
        """How many were no first attempts."""
        return int(np.count_nonzero(self.shape & np.uint16(_RETRIED)))

    def last(self, result: int) -> int:
        """The run time of the last with a result (OPEN, BAD or GOOD); NONE when there is none."""
        at = np.flatnonzero((self.code & (TIMED - 1)) == result)
        if not len(at):
            return NONE
        hour = int(np.searchsorted(self.bounds, at[-1], side="right")) - 1
        return self.start + hour * times.HOUR_US + int(self.after[at[-1]])

    def counts(self, tasks: int = 0) -> npt.NDArray[np.int64]:
        """How many there are of each code: a row for each of so many tasks, or one for all."""
        if tasks:
            return np.bincount(self.code, minlength=CODES * tasks).reshape(tasks, CODES)
        return np.bincount(self.code & (CODES - 1), minlength=CODES).reshape(1, CODES)

    def buckets(self) -> npt.NDArray[np.int64]:
        """How many durations there are in each bucket."""
        found = np.bincount(self.bucket, minlength=1)
        found[0] -= np.count_nonzero(~self.timed)
        return found

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(int(values.nbytes) for values in (self.bounds, self.after, self.code, self.us, self.shape))


class Days:
    """The runs of files, those used last, in as many bytes as there may be; for any number of threads."""

    def __init__(self, most: int) -> None:
        self._most = most
        self.kept: Kept[list[Runs]] = Kept(most, lambda parts: sum(runs.size for runs in parts))

    def runs(self, file: DataFile, tasks: Tasks) -> list[Runs]:
        """The runs of a file, whose tasks are all known; raises LakeDamaged."""

        def read() -> list[Runs]:
            records, _ = figures.runs_of(parquet.read(file.path, _COLUMNS, threads=True), tasks)
            return Runs.of(records)

        return self.kept.get(file.path, read)

    def warm(self, files: Sequence[DataFile], tasks: Tasks, ended: threading.Event) -> None:
        """Read `files`, which begin with the oldest, from the newest on and as far as they fit; at half speed, for
        questions have to be answered meanwhile. Raises LakeDamaged: a file may be merged away before its turn."""
        for file in reversed(files):
            started = time.monotonic()
            if ended.is_set() or self.kept.total + _RUN_BYTES * file.rows > self._most:
                return
            self.runs(file, tasks)
            ended.wait(time.monotonic() - started)
