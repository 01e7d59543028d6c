"""Choosing the files that may be merged. DuckLake merges all files within a range of sizes, so ranges are chosen that
keep unreadable files out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from runlake.lake.catalog import DataFile

LARGEST: Final = 1 << 29  # bytes; DuckLake merges no file of this size
NO_FILES: Final[frozenset[int]] = frozenset()
Merges = list[tuple["SizeRange", list[DataFile]]]


class SizeRange(Struct, frozen=True):
    """Sizes of files in bytes: low <= size < high."""

    low: int
    high: int


def days_with_several_files(files: Iterable[DataFile]) -> list[int]:
    """The days (since the epoch) with more than one of these files."""
    return [day for day, count in Counter(f.day for f in files).items() if count > 1]


def size_ranges(files: Sequence[DataFile], unreadable: Collection[int], high: int = LARGEST) -> list[SizeRange]:
    """The widest ranges below `high` in which no unreadable file (by number) is together with a file of its day.

    An unreadable file may lie in a range when it is the only one of its day there: DuckLake does not read it then.
    """
    days: dict[int, list[DataFile]] = {file.day: [] for file in files if file.number in unreadable}
    for file in files:
        if file.day in days:
            days[file.day].append(file)
    pairs = {
        (min(one.size, other.size), max(one.size, other.size))
        for day in days.values()
        for one in day
        if one.number in unreadable
        for other in day
        if other is not one
    }
    # Each pair of sizes has to be separated: a range begins above the smaller one, or ends at the larger one.
    lows, end = {}, high
    for small, large in sorted(pairs, reverse=True):
        lows[end] = small + 1
        end = min(end, large)
    lows[end] = 0
    return [SizeRange(low, high) for high, low in lows.items() if low < high]


def mergeable(files: Sequence[DataFile], unreadable: Collection[int] = NO_FILES, high: int = LARGEST) -> Merges:
    """The merges there are to do: size ranges, each with the files of the days that have several files in it."""
    merges = []
    for sizes in size_ranges(files, unreadable, high):
        inside = [file for file in files if sizes.low <= file.size < sizes.high]
        days = set(days_with_several_files(inside))
        if days:
            merges.append((sizes, [file for file in inside if file.day in days]))
    return merges
