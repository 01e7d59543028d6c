"""GET /runs/{run_id}/context: what stands around one run."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from runlake import times
from runlake.model import Context, ContextQuery, DurationRank, Run, RunRef, RunsQuery
from runlake.query import cursor, pages, scan
from runlake.query.branches import Blocks, branches, numbered
from runlake.query.engine import Session
from runlake.query.filters import RunFilter, union_of
from runlake.query.queries import detail
from runlake.query.sql import SQL, Union

_FAR_US: Final = times.DAY_US  # how far the attempts of one work may lie from one of them
_MANY: Final = 2_000  # moments that a statement names
_BLOCKS: Final = Blocks("", "", "rank_runs")


def context(session: Session, run_id: uuid.UUID, query: ContextQuery) -> Context:
    """GET /runs/{run_id}/context. Raises NotFound, and LakeDamaged when a file is not counted."""
    run = detail(session, run_id)
    at = _micros(run.started_at or run.created_at)
    low = max(0, at - query.days * times.DAY_US)
    session.require_readable((low - _FAR_US) // times.DAY_US, (at + _FAR_US) // times.DAY_US)
    attempts, candidates = _attempts(session, run, at)
    every_run = RunsQuery(task_id=[run.task_id], limit=1)
    successes = replace(every_run, success=True)
    previous, following = (_neighbour(session, every_run, run, at, newer=newer) for newer in (False, True))
    before, after = (_neighbour(session, successes, run, at, newer=newer) for newer in (False, True))
    groups = session.rows(SQL["group_of_run"], {"run_id": run_id, "at": at, "low": low})
    group, same = groups[0] if groups else (None, None)
    return Context(
        attempts=attempts,
        inferred=True,
        candidates=candidates,
        previous=previous.id if previous else None,
        next=following.id if following else None,
        last_success_before=_ref(before) if before else None,
        next_success_after=_ref(after) if after else None,
        duration_rank=_rank(session, run, (low, at + 1), query.days),
        error_group=group,
        same_error_runs=same,
    )


def _micros(moment: datetime) -> int:
    return (moment - times.EPOCH) // times.MICRO


def _ref(run: Run) -> RunRef:
    return RunRef(run.id, run.attempt, run.started_at, run.finished_at, run.success)


def _attempts(session: Session, run: Run, at: int) -> tuple[list[RunRef], int]:
    """The tries of the same work, and among how many the most ambiguous one was chosen."""
    if run.attempt == 1 and run.success is not False:  # nothing went before, and nothing follows
        return [_ref(run)], 1
    low, high = max(0, at - _FAR_US), min(at + _FAR_US, times.MAX_US) + 1
    wanted = numbered(session, RunFilter(low=low, high=high, task_ids=(run.task_id,)))
    union = Union({"task_id": run.task_id, "run_id": run.id, "low": low, "high": high})
    union.add("near_inlined")
    paths = scan.files_of(session, wanted, low // times.DAY_US, (high - 1) // times.DAY_US)
    moments = _near(session, wanted)
    for day, files in paths.items():
        of_day = None if moments is None else [moment for moment in moments if moment // times.DAY_US == day]
        if of_day is None:
            union.add("near_in_files", files=files)
        elif of_day:
            union.add("near_at_moments", files=files, moments=tuple(map(times.to_datetime, of_day)))
    rows = session.rows(*union.within("attempts"))
    refs = [RunRef(i, n, _moment(start), _moment(end), success) for i, n, start, end, success, _ in rows]
    return refs, max(candidates for *_, candidates in rows)


def _near(session: Session, wanted: RunFilter) -> list[int] | None:
    """When runs began that may be tries of one work; None where narrow rows do not reach back, or for many."""
    if wanted.low < session.state.hot_from:
        return None
    known = {"tasks": wanted.tasks, "low": wanted.low, "high": wanted.high, "limit": _MANY + 1}
    found = [moment for (moment,) in session.rows(SQL["near_moments"], known)]
    return found if len(found) <= _MANY else None


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else times.to_datetime(micros)


def _neighbour(session: Session, query: RunsQuery, run: Run, at: int, *, newer: bool) -> Run | None:
    """The run of a list before (newer), or after, the place of a run."""
    found = pages.page(session, replace(query, cursor=cursor.token(query, at, run.id, before=newer)))
    return found.items[0] if found.items else None


def _rank(session: Session, run: Run, window: tuple[int, int], days: int) -> DurationRank | None:
    """Where a duration stands among those of the other runs of the task."""
    if run.started_at is None or run.finished_at is None:
        return None
    took = (run.finished_at - run.started_at) // times.MICRO
    wanted = RunFilter(low=window[0], high=window[1], started=True, opened=(), task_ids=(run.task_id,))
    wanted = numbered(session, wanted)
    known: dict[str, Any] = {"took": took}
    union = union_of(wanted, known)
    for block, values in branches(session, wanted, _BLOCKS, None, days=False):
        union.add(block, **values)
    ((count, faster),) = session.rows(*union.within("rank", by_name=False))
    return DurationRank(faster / (count - 1), count - 1, days) if count > 1 else None
