"""Which files may be merged together. DuckLake takes all of a range of sizes, so a bad file is kept out by its size."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from msgspec import Struct

from runlake.lake.catalog import DataFile

LARGEST: Final = 1 << 29  # DuckLake merges no file of this size
NONE_BAD: Final[frozenset[int]] = frozenset()
Merges = list[tuple["Window", list[DataFile]]]


class Window(Struct, frozen=True):
    """Sizes of files (bytes), from `low` up to but without `high`."""

    low: int
    high: int


def crowded(files: Iterable[DataFile]) -> list[int]:
    """Days of more than one file."""
    return [day for day, count in Counter(f.day for f in files).items() if count > 1]


def windows(files: Sequence[DataFile], bad: Collection[int], high: int = LARGEST) -> list[Window]:
    """The widest windows in which no bad file (by number) has another file of its day: alone, it is not read."""
    days: dict[int, list[DataFile]] = {file.day: [] for file in files if file.number in bad}
    for file in files:
        if file.day in days:
            days[file.day].append(file)
    pairs = {
        (min(one.size, other.size), max(one.size, other.size))
        for day in days.values()
        for one in day
        if one.number in bad
        for other in day
        if other is not one
    }
    # Each pair must stay apart: a window begins above the smaller one, or ends at the larger one.
    lows, end = {}, high
    for small, large in sorted(pairs, reverse=True):
        lows[end] = small + 1
        end = min(end, large)
    lows[end] = 0
    return [Window(low, high) for high, low in lows.items() if low < high]


def mergeable(files: Sequence[DataFile], bad: Collection[int] = NONE_BAD, high: int = LARGEST) -> Merges:
    """What there is to merge: windows, with the files of the days that have more than one in there."""
    found = []
    for window in windows(files, bad, high):
        inside = [file for file in files if window.low <= file.size < window.high]
        days = set(crowded(inside))
        if days:
            found.append((window, [file for file in inside if file.day in days]))
    return found
