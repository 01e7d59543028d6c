"""A View: everything one request needs of one snapshot, immutable and taken by one reference."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from runlake.index.keys import Keys
from runlake.lake.catalog import DataFile


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

    def between(self, first: int, last: int) -> list[DataFile]:
        """Files of the days first..last, both included."""
        days = self.days[bisect_left(self.days, first) : bisect_right(self.days, last)]
        return [file for day in days for file in self.by_day[day]]


class View(msgspec.Struct, frozen=True, eq=False, weakref=True):
    """One snapshot: its files, its rows in memory (by number), its keys and its counts."""

    snapshot: int
    files: Files
    keys: Keys
    finished: int
    inlined: int
    open: int

    @property
    def total(self) -> int:
        """All runs, open ones included."""
        return self.finished + self.open
