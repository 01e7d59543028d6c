"""The steps of maintenance: `plan` says which are due, without I/O, and `run` does one, as a commit of its own."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from enum import Enum, auto
from typing import Any, Final

from msgspec import Struct

from runlake import failpoints, times
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.merging import NO_FILES, Merges, mergeable
from runlake.settings import Settings

# Appends wait while a step merges. It merges so many days at most, and fewer when the largest day has many rows.
MERGES_PER_STEP: Final = 16
ROWS_PER_STEP: Final = 500_000
_GROWN: Final = 4  # the newest day is merged again once its small files have a quarter of the bytes of its largest
DEAD_OPEN_ROWS: Final = 1000  # replaced versions of open runs that may stay, besides as many as there are open runs


class Step(Enum):
    """A kind of step, in the order in which they are done."""

    RETAIN = auto()  # drop days older than the retention
    FLUSH = auto()  # write inlined rows to Parquet
    MERGE_SMALL = auto()  # merge the small files of a day
    MERGE = auto()  # merge all files of a day
    REWRITE_OPEN = auto()  # write open_runs anew, without replaced versions
    EXPIRE = auto()  # forget old snapshots
    CLEAN = auto()  # delete files that no snapshot names


class State(Struct, frozen=True):
    """The facts that a plan depends on.

    files           live files of finished runs
    inlined_rows    finished runs that are in no file
    open_rows       open runs
    dead_open_rows  replaced versions of open runs that the catalog still keeps
    since_tidy      seconds since the last full tidy: MERGE, EXPIRE and CLEAN
    overdue         whether there are days older than the retention
    unreadable      numbers of the files that cannot be read
    """

    files: Sequence[DataFile]
    inlined_rows: int
    open_rows: int
    dead_open_rows: int
    since_tidy: float
    overdue: bool = False
    unreadable: frozenset[int] = NO_FILES


def plan(state: State, settings: Settings) -> list[Step]:
    """The steps that are due in the background, in their order."""
    steps = []
    if state.overdue and state.since_tidy >= settings.tidy_seconds:
        steps.append(Step.RETAIN)
    if state.inlined_rows >= settings.flush_rows:
        steps.append(Step.FLUSH)
    small = mergeable(state.files, state.unreadable, settings.small_file_bytes)
    if any(max(Counter(file.day for file in some).values()) >= settings.merge_files for _, some in small):
        steps.append(Step.MERGE_SMALL)
    if state.dead_open_rows > state.open_rows + DEAD_OPEN_ROWS:
        steps.append(Step.REWRITE_OPEN)
    if state.since_tidy >= settings.tidy_seconds:
        steps += [Step.MERGE] if worth_merging(state.files, state.unreadable) else []
        steps += [Step.EXPIRE, Step.CLEAN]
    return steps


def plan_all(state: State) -> list[Step]:
    """All steps that have anything to do, due or not; `runlake maintain` does them."""
    steps = [Step.RETAIN] if state.overdue else []
    steps += [Step.FLUSH] if state.inlined_rows else []
    # A flush may add the second file of a day, so the merge looks again when it runs.
    steps += [Step.MERGE] if state.inlined_rows or mergeable(state.files, state.unreadable) else []
    steps += [Step.REWRITE_OPEN] if state.dead_open_rows else []
    return [*steps, Step.EXPIRE, Step.CLEAN]


def worth_merging(files: Sequence[DataFile], unreadable: Collection[int] = NO_FILES) -> bool:
    """Whether a past day has several files, or the newest day has grown enough to be written again."""
    newest = max((file.day for file in files), default=0)
    for _, some in mergeable(files, unreadable):
        last = [file.size for file in some if file.day == newest]
        if len(last) < len(some) or _GROWN * (sum(last) - max(last)) >= max(last):
            return True
    return False


def days_per_step(files: Iterable[DataFile]) -> int:
    """How many days of these files one step may merge."""
    rows: Counter[int] = Counter()
    for file in files:
        rows[file.day] += file.rows
    return max(1, min(MERGES_PER_STEP, ROWS_PER_STEP // max([1, *rows.values()])))


def run(step: Step, lake: Lake, merges: Merges, inlined_days: Iterable[int], pinned: Sequence[int]) -> Commit | None:
    """Do one step; returns its changes, or None when readers see none. The snapshots `pinned` do not expire.

    A merge step merges a few days of the first of `merges`: plan the merges again, and call again, until none is left.
    """
    match step:
        case Step.FLUSH:
            _synced(lake, "mid-flush", "flush", {}, inlined_days)
            return Commit(snapshot=lake.snapshot(), flushed=True, files=tuple(lake.files()))
        case Step.MERGE_SMALL | Step.MERGE:
            if not merges:
                return None
            sizes, some = merges[0]
            options = {"low": sizes.low, "high": sizes.high, "steps": days_per_step(some)}
            _synced(lake, "mid-merge", "merge", options, {file.day for file in some})
            return Commit(snapshot=lake.snapshot(), files=tuple(lake.files()))
        case Step.REWRITE_OPEN:
            _rewrite_open(lake)
            return Commit(snapshot=lake.snapshot())
        case Step.EXPIRE:
            lake.expire(_grace_start(lake), pinned)
        case Step.CLEAN:
            lake.clean(_grace_start(lake))
            failpoints.reached("mid-clean-up")
            lake.execute("orphans", {"before": _grace_start(lake)})
    return None


def merges_of(step: Step, files: Sequence[DataFile], unreadable: Collection[int], settings: Settings) -> Merges:
    """The merges that this step has to do; none when it is no merge step."""
    if step is Step.MERGE_SMALL:
        return mergeable(files, unreadable, settings.small_file_bytes)
    return mergeable(files, unreadable) if step is Step.MERGE else []


def _grace_start(lake: Lake) -> int:
    """The time (microseconds) before which replaced files and old snapshots may go."""
    return times.now() - int(lake.settings.grace_seconds * 1_000_000)


def _synced(lake: Lake, point: str, statement: str, options: dict[str, Any], days: Iterable[int]) -> None:
    """Run a statement that writes files of these days, in a transaction that syncs them."""
    new = lake.storage.new(days=days)
    with lake.transaction():
        lake.execute(statement, options)
        failpoints.reached(point)
        new.sync()


def _rewrite_open(lake: Lake) -> None:
    """Replace open_runs by a table of its live rows; the old table goes when its snapshots expire."""
    opened = lake.execute("open")
    new = lake.storage.new(tables=["open_runs"])
    with lake.transaction(), lake.given(opened=opened):
        for statement in ("drop_open", "create_open", "add_open"):
            lake.execute(statement)
        new.sync()
