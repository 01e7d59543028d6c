"""The attempts of one work, among the runs of a task: no record says which these are, so they are guessed."""

from __future__ import annotations

import uuid
from typing import Any, Final

from msgspec import Struct

from runlake import times
from runlake.model import Run
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.files import every
from runlake.query.filters import RunFilter
from runlake.query.sql import SQL, Union

_LATER_US: Final = times.DAY_US  # how long after an attempt ended the next one may begin
_REACH_US: Final = 30 * times.HOUR_US  # how far is looked at first: attempts of hours, and what is a day around them
_FAR_US: Final = 31 * times.DAY_US  # how far from a run its other attempts are looked for
_MOST: Final = 100  # before a run, and after it


class Attempt(Struct, frozen=True):
    """A run that failed, or that was not finished when its lease ended; times are microseconds.

    ended    when it finished, or its lease ended
    next_at  when the next attempt began, if there is one
    rivals   how many attempts may be the one before that run, this one included
    """

    id: uuid.UUID
    attempt: int
    started_at: int | None
    success: bool | None
    run_at: int
    ended: int
    next_at: int | None
    rivals: int


def around(session: Session, run: Run, at: int, tasks: tuple[int, ...]) -> list[Attempt]:
    """The attempts around a run that were followed by another one, and the last one if it might be. The run itself is
    among them if it is one.
    """
    ended = _ended(run)
    if run.attempt == 1 and ended is None:  # nothing went before, and nothing follows
        return []
    ends = at if ended is None else ended
    low, high = min(at, ends) - _REACH_US, max(at, ends) + _REACH_US
    while True:
        low, high = max(low, at - _FAR_US, 0), min(high, at + _FAR_US, times.MAX_US)
        found = _between(session, run, at, tasks, (low, high))
        first = min((min(one.run_at, one.ended) for one in found), default=at) - _LATER_US
        last = max((one.ended for one in found), default=at) + _LATER_US
        is_whole = low <= max(first, at - _FAR_US, 0) and high >= min(last, at + _FAR_US, times.MAX_US)
        if is_whole:
            return found
        low, high = min(first, at - 2 * (at - low)), max(last, at + 2 * (high - at))


def _ended(run: Run) -> int | None:
    """When an attempt ended that may be followed by another one."""
    ended = run.leased_until if run.success is None else None if run.success else run.finished_at
    return None if ended is None else times.of_datetime(ended)


def _between(session: Session, run: Run, at: int, tasks: tuple[int, ...], window: tuple[int, int]) -> list[Attempt]:
    """The attempts around a run, found among those that ended after the start of a window, and the runs that began in
    the window; both ends are included.
    """
    low, high = window
    first, last = max(0, at - _FAR_US), min(at + _FAR_US, times.MAX_US)
    session.require_readable(first // times.DAY_US, high // times.DAY_US)
    known: dict[str, Any] = {"run_id": run.id, "task_id": run.task_id, "task": tasks[0], "at": at}
    known |= {"attempt": run.attempt, "most": _MOST, "soon": _LATER_US}
    known |= {"low": low, "high": high, "first": first, "last": last}
    walks = [name for name, is_one in (("back", run.attempt > 1), ("on", _ended(run) is not None)) if is_one]
    union = Union(
        known,
        walks=", ".join(SQL[f"walk_{name}"] for name in walks),
        walked=" UNION ALL ".join(SQL[f"walked_{name}"] for name in walks),
    )
    union.add("failed_attempts", into="stopped")
    union.add("unfinished_attempts", into="stopped")
    union.add("began_uncounted")
    border = session.state.hot_from
    if high >= border:
        union.add("began_hot", low=max(low, border))
    if low < border:
        union.add("began_inlined")
        wanted = RunFilter(task_ids=(run.task_id,), tasks=tasks)
        paths = scan.files_of(session, wanted, low // times.DAY_US, min(high, border) // times.DAY_US)
        if paths:
            union.add("began_in_files", files=every(paths))
    return [Attempt(*row) for row in session.rows(*union.within("attempts"))]
