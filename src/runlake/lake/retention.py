"""Retention: whole days of finished runs go when they are older than so many days.

The horizon is the first day that is kept. It is a fact of the lake: a row of the table `retention`, written in the
transaction that deletes what lies before it, so it goes with every copy and counts whatever the settings are later.
It never goes back. Whole files go by metadata only; rows that wait in the catalog are flushed before, in the same
transaction, or their flush would leave a file of deletions that every reader has to merge.
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
from runlake.lake.sync import NewFiles

# One commit drops at least a day, and no more than this: appends wait meanwhile.
_STEP_DAYS: Final = 32
_STEP_ROWS: Final = 2_000_000


class Gone(Struct):
    """What retention drops: days that had runs, runs, and the files they are in."""

    first: int | None = None
    last: int | None = None
    days: int = 0
    runs: int = 0
    files: int = 0
    bytes: int = 0

    def add(self, other: Gone) -> None:
        """Count another piece."""
        days = [day for day in (self.first, self.last, other.first, other.last) if day is not None]
        self.first, self.last = (min(days), max(days)) if days else (None, None)
        self.days += other.days
        self.runs += other.runs
        self.files += other.files
        self.bytes += other.bytes


def due(days: Iterable[int], today: int, keep: int) -> int | None:
    """The first day to keep, of a lake with finished runs on these days; None when all are kept.

    It is `keep` days before today, or before the newest day with runs if that is earlier: a clock that is ahead, or a
    lake nobody writes to any more, does not lose its last days. Runs dated in the future do not count for that.
    """
    if not keep:
        return None
    days = set(days)
    newest = max((day for day in days if day <= today), default=None)
    horizon = None if newest is None else newest - keep
    return None if horizon is None or min(days) >= horizon else horizon


def today() -> int:
    """The day it is, in UTC."""
    return times.now() // times.DAY_US


def gone(files: Sequence[DataFile], inlined: pa.Table, horizon: int) -> Gone:
    """What of these files and rows in the catalog lies before the horizon."""
    old = [file for file in files if file.day < horizon]
    waiting = run_days(inlined)
    waiting = waiting[waiting < horizon]
    days = {file.day for file in old} | {int(day) for day in np.unique(waiting)}
    return Gone(
        first=min(days, default=None),
        last=max(days, default=None),
        days=len(days),
        runs=sum(file.rows for file in old) + len(waiting),
        files=len(old),
        bytes=sum(file.size for file in old),
    )


def bounded(files: Sequence[DataFile], inlined_days: Iterable[int], horizon: int) -> int:
    """The horizon of one step on the way: it drops a few of the oldest days."""
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
    """Drop every finished run before the horizon and move it there, in one commit."""
    flush = any(day < horizon for day in inlined_days)
    folders = [lake.paths.table("retention"), *(lake.paths.partition(day) for day in inlined_days if flush)]
    new = NewFiles(lake.paths.folder, folders)
    with lake.transaction():
        if flush:
            lake.execute("flush")
        with lake.nothing_inlined():  # or the deletion of few rows would be a list of them
            lake.execute("drop_days", {"before": horizon * times.DAY_US})
        lake.execute("create_retention")
        lake.execute("add_horizon", {"day": horizon})
        new.sync()
    return Commit(snapshot=lake.snapshot(), flushed=flush, files=tuple(lake.files()), horizon=horizon)
