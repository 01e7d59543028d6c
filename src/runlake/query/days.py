"""The days that windows cut in two: the columns statistics need of their files, kept in memory while they are in use.

A window ends or begins within a few days, and most windows end now. A kept row takes about 20 bytes.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake import parquet
from runlake.index import figures
from runlake.index.figures import NONE
from runlake.index.tasks import Tasks
from runlake.lake.catalog import DataFile
from runlake.query.kept import Kept

CODES: Final = 8
OPEN, BAD, GOOD = 0, 1, 2  # of a run without a duration; one with a duration has TIMED added
TIMED: Final = 4
_COLUMNS: Final = ("task_id", "started_at", "finished_at", "success", "attempt", "run_at")


class Runs(Struct, frozen=True):
    """Runs side by side, earliest first. `us` is the duration in microseconds, NONE where there is none, and `bucket`
    that of the duration, or 0. `code` is the task's number in steps of CODES, and what became of the run."""

    ran_at: npt.NDArray[np.int64]
    code: npt.NDArray[np.signedinteger]
    retried: npt.NDArray[np.bool_]
    us: npt.NDArray[np.signedinteger]
    bucket: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, runs: figures.Records) -> Runs:
        """From RUN records in any order."""
        runs = runs[np.argsort(runs["ran_at"], kind="stable")]
        us = runs["us"]
        code = runs["task"] * np.int64(CODES) + runs["success"] - NONE + TIMED * (us != NONE)
        return cls(
            runs["ran_at"].copy(),  # or it would be a view that keeps the whole records
            _narrow(code),
            runs["retried"].copy(),
            _narrow(us),
            figures.bucket_of(np.maximum(us, 0)).astype(np.uint16),
        )

    def between(self, first: int, last: int) -> Runs:
        """Those with run times first..last (microseconds, both inside)."""
        part = slice(np.searchsorted(self.ran_at, first), np.searchsorted(self.ran_at, last, side="right"))
        return Runs(*(getattr(self, name)[part] for name in self.__struct_fields__))

    def of_task(self, number: int) -> Runs:
        """Those of one task."""
        at = np.flatnonzero(self.task == number)
        return Runs(*(getattr(self, name)[at] for name in self.__struct_fields__))

    @property
    def task(self) -> npt.NDArray[np.signedinteger]:
        """The number of the task of each."""
        return self.code // CODES

    def counts(self, tasks: int = 0) -> npt.NDArray[np.int64]:
        """How many there are of each code: a row for each of so many tasks, or one for all."""
        if tasks:
            return np.bincount(self.code, minlength=CODES * tasks).reshape(tasks, CODES)
        return np.bincount(self.code % CODES, minlength=CODES).reshape(1, CODES)

    def buckets(self) -> npt.NDArray[np.int64]:
        """How many durations there are in each bucket."""
        found = np.bincount(self.bucket, minlength=1)
        found[0] -= np.count_nonzero(self.us == NONE)
        return found

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return sum(int(getattr(self, name).nbytes) for name in self.__struct_fields__)


def _narrow(values: npt.NDArray[np.int64]) -> npt.NDArray[np.signedinteger]:
    """The same numbers in four bytes each, where they fit."""
    return values.astype(np.int32) if len(values) and values.max() < 2**31 else values.copy()


class Days:
    """The runs of files, those used last, in as many bytes as there may be; for any number of threads."""

    def __init__(self, most: int) -> None:
        self.kept: Kept[Runs] = Kept(most, lambda runs: runs.size)

    def runs(self, file: DataFile, tasks: Tasks) -> Runs:
        """The runs of a file, whose tasks are all known; raises LakeDamaged."""

        def read() -> Runs:
            records, _ = figures.runs_of(parquet.read(file.path, _COLUMNS, threads=True), tasks)
            return Runs.of(records)

        return self.kept.get(file.path, read)
