"""A View: everything one request needs of one snapshot, immutable and taken by one reference."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

import msgspec
import numpy as np

from runlake import times
from runlake.errors import LakeDamaged
from runlake.index.counts import EMPTY, Parts
from runlake.index.figures import Records, added
from runlake.index.keys import Keys
from runlake.index.recent import Recent
from runlake.index.tasks import Tasks
from runlake.lake.catalog import DataFile

LAST_DAY: Final = times.MAX_US // times.DAY_US


class Files(msgspec.Struct, frozen=True):
    """The exact live Parquet files of a snapshot, by UTC day (days since the epoch)."""

    by_day: Mapping[int, tuple[DataFile, ...]]
    days: Sequence[int]  # ascending
    last: int  # the highest catalog number

    @classmethod
    def of(cls, files: Iterable[DataFile]) -> Files:
        """From any list of files."""
        return cls({}, (), -1).adding(files)

    def adding(self, files: Iterable[DataFile]) -> Files:
        """These files and some more."""
        by_day, last = dict(self.by_day), self.last
        for file in files:
            by_day[file.day] = (*by_day.get(file.day, ()), file)
            last = max(last, file.number)
        return Files(by_day, self.days if len(by_day) == len(self.days) else sorted(by_day), last)

    def all(self) -> list[DataFile]:
        """All files, oldest day first."""
        return [file for day in self.days for file in self.by_day[day]]

    def of_day(self, day: int) -> tuple[DataFile, ...]:
        """The files of one day."""
        return self.by_day.get(day, ())

    def between(self, first: int, last: int) -> list[DataFile]:
        """Files of the days first..last, both included."""
        days = self.days[bisect_left(self.days, first) : bisect_right(self.days, last)]
        return [file for day in days for file in self.by_day[day]]


class View(msgspec.Struct, frozen=True, eq=False, weakref=True, dict=True, kw_only=True):
    """One snapshot: its files, their keys and counts, and the rows that are in no file.

    Keys and counts may still know runs of days before `first_day`, which are gone; nobody is told of them. They know
    none of the runs of `unread` files.
    """

    snapshot: int
    files: Files
    keys: Keys
    tasks: Tasks
    counts: Parts
    recent: Recent
    finished: int
    inlined: int
    open: int
    first_day: int = 0
    unread: tuple[DataFile, ...] = ()

    def need(self, first: int, last: int = LAST_DAY) -> None:
        """Raise LakeDamaged unless all runs of the days first..last (both included) are known."""
        for file in self.unread:
            if first <= file.day <= last:
                raise LakeDamaged(f"cannot read {file.path}, which this answer may need")

    @property
    def total(self) -> int:
        """All runs, open ones included."""
        return self.finished + self.open

    @cached_property
    def hours(self) -> Records:
        """HOUR records of the runs in files."""
        hours = added([EMPTY.hours, *(part.hours for part in self.counts)], "unit")
        return hours[np.searchsorted(hours["unit"], 24 * self.first_day) :]

    def cells(self, task: int) -> Records:
        """CELL records of one task, by its number, in the order of its days; a day may come more than once."""
        cells = np.concatenate([EMPTY.cells, *(part.of_task(task) for part in self.counts)])
        if len(self.counts) > 1:
            cells = cells[np.argsort(cells["day"], kind="stable")]
        return cells[np.searchsorted(cells["day"], self.first_day) :]

    @cached_property
    def days(self) -> Records:
        """The same by day; `unit` is the day."""
        days = self.hours.copy()
        days["unit"] //= 24
        return added([days], "unit")
