"""Retention: drops whole days of finished runs that are older than a number of days.

The horizon is the first day that is kept. It is stored in the lake, as a row of the table `retention`, in the
transaction that deletes the runs before it: so every copy of the lake has it, and it holds whatever the settings are
later. It never moves back. Whole files are dropped in the catalog only. Inlined rows are flushed before, in the same
transaction: otherwise their later flush would write a delete file, which every reader has to apply.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
import pyarrow as pa
from msgspec import Struct

from runlake import times
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.rows import run_days

# Appends wait while days are dropped. One commit drops at least one day, and at most so many days and rows.
_STEP_DAYS: Final = 32
_STEP_ROWS: Final = 2_000_000


class Dropped(Struct):
    """The extent of what retention drops: first and last day, and numbers of days with runs, runs, files and bytes."""

    first: int | None = None
    last: int | None = None
    days: int = 0
    runs: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, other: Dropped) -> None:
        """Add the extent of another commit."""
        days = [day for day in (self.first, self.last, other.first, other.last) if day is not None]
        self.first, self.last = (min(days), max(days)) if days else (None, None)
        self.days += other.days
        self.runs += other.runs
        self.files += other.files
        self.bytes += other.bytes


def due(days: Iterable[int], today: int, keep: int) -> int | None:
    """The first day to keep in a lake with finished runs on `days`; None when all are kept.

    It is `keep` days before today, or before the newest day with runs if that is earlier: so a clock that is ahead, or
    a lake that nobody writes to any more, does not lose its last days. Runs dated in the future do not count as newest.
    """
    if not keep:
        return None
    days = set(days)
    newest = max((day for day in days if day <= today), default=None)
    horizon = None if newest is None else newest - keep
    return None if horizon is None or min(days) >= horizon else horizon


def today() -> int:
    """The current day in UTC, as days since the epoch."""
    return times.now() // times.DAY_US


def to_drop(files: Sequence[DataFile], inlined: pa.Table, horizon: int) -> Dropped:
    """The extent of the files and inlined rows before the horizon."""
    old = [file for file in files if file.day < horizon]
    days_inlined = run_days(inlined)
    days_inlined = days_inlined[days_inlined < horizon]
    days = {file.day for file in old} | {int(day) for day in np.unique(days_inlined)}
    return Dropped(
        first=min(days, default=None),
        last=max(days, default=None),
        days=len(days),
        runs=sum(file.rows for file in old) + len(days_inlined),
        files=len(old),
        bytes=sum(file.size for file in old),
    )


def next_horizon(files: Sequence[DataFile], inlined_days: Iterable[int], horizon: int) -> int:
    """The horizon for one commit on the way to `horizon`, which drops a few of the oldest days."""
    rows: dict[int, int] = dict.fromkeys(inlined_days, 0)
    for file in files:
        rows[file.day] = rows.get(file.day, 0) + file.rows
    total = 0
    for count, day in enumerate(sorted(day for day in rows if day < horizon)):
        total += rows[day]
        if count and (count >= _STEP_DAYS or total > _STEP_ROWS):
            return day
    return horizon


def drop(lake: Lake, inlined_days: Sequence[int], horizon: int) -> Commit:
    """Drop every finished run before the horizon, and store the horizon, in one commit."""
    flush = any(day < horizon for day in inlined_days)
    new = lake.storage.new(days=inlined_days if flush else (), tables=["retention"])
    with lake.transaction():
        if flush:
            lake.execute("flush")
        with lake.inlining(0):  # otherwise DuckLake inlines the deletion of few rows
            lake.execute("drop_days", {"before": horizon * times.DAY_US})
        lake.execute("create_retention")
        lake.execute("add_horizon", {"day": horizon})
        new.sync()
    return Commit(snapshot=lake.snapshot(), flushed=flush, files=tuple(lake.files()), horizon=horizon)
