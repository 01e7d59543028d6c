"""Where a page lies: how many runs match in all, and the times and the files that hold those of the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from runlake import times
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.files import FileRange, by_day, every, files
from runlake.query.filters import RunFilter, union_of
from runlake.query.rows import Place
from runlake.query.spans import spans, without_ends

_FEW: Final = 2  # days of one task whose hours are worth a look
_MANY: Final = 64  # times as many runs of a day as are read of it
_OF_ALL: Final = ("days", "parts", "uncounted")
_OF_TASK: Final = ("days_of_task", "parts_of_task", "uncounted_of_task")
_OF_TASKS: Final = ("days_of_tasks", "parts_of_task", "uncounted_of_task")


class TimeUnit(Struct, frozen=True):
    """A time with runs that match: how many, how many after it, and its quarters of the day with runs, if known."""

    low: int
    high: int
    runs: int
    newer: int
    quarters: int | None = None

    @property
    def day(self) -> int:
        """Its day."""
        return self.low // times.DAY_US

    @property
    def hull(self) -> tuple[int, int]:
        """From the first to the last of its quarters with runs."""
        if self.quarters is None:
            return self.low, self.high
        first = (self.quarters & -self.quarters).bit_length() - 1
        return self.low + first * times.QUARTER_US, self.low + self.quarters.bit_length() * times.QUARTER_US


class Counted(Struct, frozen=True):
    """How many runs match in all; the units of time that hold the page, the newest first, if anything does."""

    total: int
    units: Sequence[TimeUnit]


class Slice(Struct, frozen=True):
    """A page: so many runs after the first `offset`."""

    offset: int
    limit: int

    def held(self, counts: Mapping[int, int], newer: int = 0) -> tuple[int, list[tuple[int, int]]]:
        """Where the running total of counts by unit ends; the units that hold the page, the newest first, each with how
        many runs match after it.

        The statements do not do this themselves: with windows and sorting they would take more than twice as long.
        """
        found = []
        for low in sorted(counts, reverse=True):
            if counts[low] and newer + counts[low] > self.offset and newer < self.offset + self.limit:
                found.append((low, newer))
            newer += counts[low]
        return newer, found


def _blocks(wanted: RunFilter) -> tuple[str, str, str]:
    if wanted.tasks is None:
        return _OF_ALL
    return _OF_TASKS if wanted.task is None else _OF_TASK


def count(session: Session, wanted: RunFilter, slice_: Slice) -> Counted:
    """How many runs match, and in which days, parts and ends of the window the page lies."""
    if wanted.is_scan:
        return counted(wanted, scan.quarters(session, wanted), slice_)
    low, high = wanted.low, wanted.high
    window = spans(low, max(low, session.state.counted_until(high)), part=wanted.part)
    (first, last) = window.days[0] if window.days else (0, 0)
    cold = [cut for cut in window.cuts if cut[0] < session.state.hot_from]
    uncounted_low, uncounted_high = without_ends((low, high), cold)
    union = union_of(
        wanted,
        {"first": first, "last": last, "whole_low": first * times.DAY_US, "whole_high": last * times.DAY_US}
        | {"part": wanted.part, "uncounted_low": uncounted_low, "uncounted_high": uncounted_high},
    )
    days, parts, uncounted = _blocks(wanted)
    union.add(uncounted)
    if window.days:
        union.add(days)
    for start, end in window.parts:
        union.add(parts, first_part=start, last_part=end)
    for start, end in window.cuts:
        if (start, end) not in cold:
            union.add("end_hot", end_low=start, end_high=end)
            continue
        union.add("end_inlined", end_low=start, end_high=end)
        for paths in files(session, start // times.DAY_US, start // times.DAY_US).values():
            union.add("end_in_files", end_low=start, end_high=end, files=paths)
    if wanted.everything and session.unreadable:
        union.add("unreadable")
    counts: dict[int, int] = {}
    quarters: dict[int, int] = {}
    for start, runs, *known in session.rows(*union.within()):
        counts[start] = counts.get(start, 0) + runs
        quarters[start] = quarters.get(start, 0) | (known[0] or 0 if known else 0)
    total, held = slice_.held(counts)
    units = []
    for start, newer in held:
        day = first * times.DAY_US <= start < last * times.DAY_US
        unit = times.DAY_US if day else wanted.part
        end = min(high, (start // unit + 1) * unit)
        units.append(TimeUnit(start, end, counts[start], newer, quarters[start] or None if day else None))
    return Counted(total, units)


def counted(wanted: RunFilter, counts: Mapping[int, int], slice_: Slice, newer: int = 0) -> Counted:
    """The same from how many runs match in each quarter hour; `newer` runs are after all of these."""
    total, held = slice_.held(counts, newer)
    units = [
        TimeUnit(max(low, wanted.low), min(low + times.QUARTER_US, wanted.high), counts[low], newer)
        for low, newer in held
    ]
    return Counted(total, units)


def place(session: Session, wanted: RunFilter, slice_: Slice, units: Sequence[TimeUnit]) -> Place:
    """The stretches of time, with their files, that hold the page whose units these are."""
    newest, oldest = units[0], units[-1]
    low, high, newer = oldest.low, newest.high, newest.newer
    days = [unit for unit in (newest, oldest) if unit.high - unit.low == times.DAY_US]
    # The newest of many runs are found by reading on until there are enough: DuckDB skips the row groups after them.
    beginning = newest is oldest and _MANY * (slice_.offset - newer + slice_.limit) <= newest.runs
    if days and not beginning and (wanted.tasks is None or newest.day - oldest.day < _FEW):
        counts, paths = _refined(session, wanted, days, (oldest.day, newest.day))
        _, parts = slice_.held(counts, days[0].newer)
        if newest in days:
            high, newer = parts[0][0] + wanted.part, parts[0][1]
        if oldest in days:
            low = parts[-1][0]
    else:
        paths = files(session, oldest.day, newest.day)
    if wanted.tasks is None and not wanted.is_scan:
        stretches = [FileRange(low, high, every(paths))] if paths else []
        return Place(low, high, stretches, slice_.offset - newer)
    hulls: dict[int, tuple[int, int]] = {}  # by day: a file is read once
    for unit in units:
        start, end = hulls.get(unit.day, unit.hull)
        hulls[unit.day] = max(low, min(start, unit.hull[0])), min(high, max(end, unit.hull[1]))
    found = [FileRange(*hull, paths[day]) for day, hull in hulls.items() if day in paths]
    return Place(low, high, found, slice_.offset - newer)


def _refined(
    session: Session, wanted: RunFilter, days: Sequence[TimeUnit], among: tuple[int, int]
) -> tuple[dict[int, int], dict[int, list[str]]]:
    """How many runs match in each part of these days; and the files from day to day."""
    low, high = days[-1].low, days[0].high
    known = {"low": low, "high": high, "part": wanted.part, "first_file": among[0], "last_file": among[1]}
    union = union_of(wanted, known)
    union.add("uncounted_parts")
    union.add(_blocks(wanted)[1], first_part=low // wanted.part, last_part=high // wanted.part)
    union.add("files")
    counts: dict[int, int] = {}
    paths = []
    for start, runs, day, path in session.rows(*union.within()):
        if path is None:
            counts[start] = counts.get(start, 0) + runs
        else:
            paths.append((day, path))
    return counts, by_day(paths)
