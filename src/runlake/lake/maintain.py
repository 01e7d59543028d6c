"""Upkeep: deciding is pure (`plan`), doing is separate (`run`). Every step is one commit of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from runlake import failpoints, times
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.merging import NONE_BAD, Merges, mergeable
from runlake.lake.sync import NewFiles
from runlake.settings import Settings

# What bounds how long one merging step keeps appends waiting: days, and rows of as many days of the largest.
MERGES_A_STEP: Final = 16
ROWS_A_STEP: Final = 500_000
_GROWN: Final = 4  # the newest day is merged again when a quarter of its file has come in beside it
DEAD_OPEN_ROWS: Final = 1000


class Step(Enum):
    """One kind of upkeep."""

    RETAIN = auto()  # days older than the retention go
    FLUSH = auto()  # rows of the catalog become Parquet
    MERGE_SMALL = auto()  # small files of a day become one
    MERGE = auto()  # all files of a day become one
    REWRITE_OPEN = auto()  # open_runs without the replaced versions
    EXPIRE = auto()  # forget old snapshots
    CLEAN = auto()  # delete files nobody names any more


class State(Struct, frozen=True):
    """What the plan looks at: live files, rows in the catalog, open runs, and seconds since the last full tidy;
    `overdue` says whether there are days older than the retention, `bad` numbers the files that cannot be read."""

    files: Sequence[DataFile]
    inlined_rows: int
    open_rows: int
    dead_open_rows: int
    since_tidy: float
    overdue: bool = False
    bad: frozenset[int] = NONE_BAD


def plan(state: State, settings: Settings) -> list[Step]:
    """The steps that are due in the background, in order. No I/O, no clock."""
    steps = []
    if state.overdue and state.since_tidy >= settings.tidy_seconds:
        steps.append(Step.RETAIN)
    if state.inlined_rows >= settings.flush_rows:
        steps.append(Step.FLUSH)
    small = mergeable(state.files, state.bad, settings.small_file_bytes)
    if any(max(Counter(file.day for file in some).values()) >= settings.merge_files for _, some in small):
        steps.append(Step.MERGE_SMALL)
    if state.dead_open_rows > state.open_rows + DEAD_OPEN_ROWS:
        steps.append(Step.REWRITE_OPEN)
    if state.since_tidy >= settings.tidy_seconds:
        steps += [Step.MERGE] if worth_merging(state.files, state.bad) else []
        steps += [Step.EXPIRE, Step.CLEAN]
    return steps


def everything(state: State) -> list[Step]:
    """All steps that have anything to do, for `runlake maintain`."""
    steps = [Step.RETAIN] if state.overdue else []
    steps += [Step.FLUSH] if state.inlined_rows else []
    # A flush may add the second file of a day, so the merge looks again when it runs.
    steps += [Step.MERGE] if state.inlined_rows or mergeable(state.files, state.bad) else []
    steps += [Step.REWRITE_OPEN] if state.dead_open_rows else []
    return [*steps, Step.EXPIRE, Step.CLEAN]


def worth_merging(files: Sequence[DataFile], bad: Collection[int] = NONE_BAD) -> bool:
    """Whether a day that is over has more than one file, or the newest day has grown enough to be written again."""
    newest = max((file.day for file in files), default=0)
    for _, some in mergeable(files, bad):
        last = [file.size for file in some if file.day == newest]
        if len(last) < len(some) or _GROWN * (sum(last) - max(last)) >= max(last):
            return True
    return False


def days_a_step(files: Iterable[DataFile]) -> int:
    """How many days of these files one step may merge."""
    rows: Counter[int] = Counter()
    for file in files:
        rows[file.day] += file.rows
    return max(1, min(MERGES_A_STEP, ROWS_A_STEP // max([1, *rows.values()])))


def run(step: Step, lake: Lake, merges: Merges, inlined_days: Iterable[int], kept: Sequence[int]) -> Commit | None:
    """Do one step and say what it changed; None when nothing a reader sees has changed. `kept` must not expire.

    A merge does a few days of the first of `merges`: call again while there are some.
    """
    match step:
        case Step.FLUSH:
            _synced(lake, "mid-flush", "flush", {}, inlined_days)
            return Commit(snapshot=lake.snapshot(), flushed=True, files=tuple(lake.files()))
        case Step.MERGE_SMALL | Step.MERGE:
            if not merges:
                return None
            window, some = merges[0]
            options = {"low": window.low, "high": window.high, "steps": days_a_step(some)}
            _synced(lake, "mid-merge", "merge", options, {file.day for file in some})
            return Commit(snapshot=lake.snapshot(), files=tuple(lake.files()))
        case Step.REWRITE_OPEN:
            _rewrite_open(lake)
            return Commit(snapshot=lake.snapshot())
        case Step.EXPIRE:
            lake.expire(_grace(lake), kept)
        case Step.CLEAN:
            lake.execute("date_scheduled")
            lake.execute("clean", {"before": _grace(lake)})
            failpoints.reached("mid-clean-up")
            lake.execute("orphans", {"before": _grace(lake)})
            _remove_empty(lake.paths.table("finished_runs"))
    return None


def merges_of(step: Step, files: Sequence[DataFile], bad: Collection[int], settings: Settings) -> Merges:
    """What there is to merge for this step; nothing when it is no merge."""
    if step is Step.MERGE_SMALL:
        return mergeable(files, bad, settings.small_file_bytes)
    return mergeable(files, bad) if step is Step.MERGE else []


def _remove_empty(folder: Path) -> None:
    """Remove the folders of days, months and years that have no file any more."""
    for below in ("*/*/*", "*/*", "*"):
        for path in folder.glob(below):
            with suppress(OSError):  # most are not empty
                path.rmdir()


def _grace(lake: Lake) -> int:
    return times.now() - int(lake.settings.grace_seconds * 1_000_000)


def _synced(lake: Lake, point: str, statement: str, options: dict[str, Any], days: Iterable[int]) -> None:
    folders = [lake.paths.partition(day) for day in days]
    new = NewFiles(lake.paths.folder, folders)
    with lake.transaction():
        lake.execute(statement, options)
        failpoints.reached(point)
        new.sync()


def _rewrite_open(lake: Lake) -> None:
    """A new table with the live rows; the old one and its dead rows go when their snapshots expire."""
    opened = lake.execute("open")
    new = NewFiles(lake.paths.folder, [lake.paths.table("open_runs")])
    with lake.transaction(), lake.given(opened=opened):
        for statement in ("drop_open", "create_open", "add_open"):
            lake.execute(statement)
        new.sync()
