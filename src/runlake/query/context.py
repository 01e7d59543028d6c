"""GET /runs/{run_id}/context: what stands around one run."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

from runlake import times
from runlake.model import Context, ContextQuery, DurationRank, Run, RunRef
from runlake.query import scan
from runlake.query.branches import Blocks, branches, numbered
from runlake.query.engine import Session
from runlake.query.files import by_day
from runlake.query.filters import RunFilter, union_of
from runlake.query.queries import detail
from runlake.query.spans import within
from runlake.query.sql import SQL, Union, filled

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
    near = _neighbours(session, run, at)
    groups = session.rows(SQL["group_of_run"], {"run_id": run_id, "at": at, "low": low})
    group, same = groups[0] if groups else (None, None)
    return Context(
        attempts=attempts,
        inferred=True,
        candidates=candidates,
        previous=near["previous"].id if "previous" in near else None,
        next=near["next"].id if "next" in near else None,
        last_success_before=near.get("success_before"),
        next_success_after=near.get("success_after"),
        duration_rank=_rank(session, run, (low, at + 1), query.days),
        error_group=group,
        same_error_runs=same,
    )


def _micros(moment: datetime) -> int:
    return (moment - times.EPOCH) // times.MICRO


def _ref(run_id: uuid.UUID, attempt: int, started: int | None, finished: int | None, success: bool | None) -> RunRef:
    """A run in short; its times are microseconds."""
    return RunRef(run_id, attempt, _moment(started), _moment(finished), success)


def _attempts(session: Session, run: Run, at: int) -> tuple[list[RunRef], int]:
    """The tries of the same work, and among how many the most ambiguous one was chosen."""
    if run.attempt == 1 and run.success is not False:  # nothing went before, and nothing follows
        return [RunRef(run.id, run.attempt, run.started_at, run.finished_at, run.success)], 1
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
    return [_ref(*row) for *row, _ in rows], max(candidates for *_, candidates in rows)


def _near(session: Session, wanted: RunFilter) -> list[int] | None:
    """When runs began that may be tries of one work; None where narrow rows do not reach back, or for many."""
    if wanted.low < session.state.hot_from:
        return None
    known = {"tasks": wanted.tasks, "low": wanted.low, "high": wanted.high, "limit": _MANY + 1}
    found = [moment for (moment,) in session.rows(SQL["near_moments"], known)]
    return found if len(found) <= _MANY else None


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else times.to_datetime(micros)


def _neighbours(session: Session, run: Run, at: int) -> dict[str, RunRef]:
    """The runs of the task before and after a run, and the successes, by the kinds of the statement."""
    day = at // times.DAY_US
    known = {"task_id": run.task_id, "run_id": run.id, "at": at, "day": day}
    known["task"] = session.rows(SQL["task_number"], known)[0][0]
    days, found = {day}, _moments(session, known, [day])
    far = [moment is None or moment // times.DAY_US != day for moment in found]
    if any(far) or not _is_hot(session, day):
        nearest = session.rows(SQL["neighbour_days"], known)[0]
        for is_far, other, newer in zip(far, nearest, (False, True, False, True), strict=True):
            if is_far and newer:
                session.require_readable(day, times.MAX_US // times.DAY_US if other is None else other)
            elif is_far:
                session.require_readable(0 if other is None else other, day)
        days |= {other for other in nearest if other is not None}
        found = _moments(session, known, sorted(days))
    moments = sorted({at, *(moment for moment in found if moment is not None)})
    days |= {moment // times.DAY_US for moment in moments}
    union = Union(known)
    union.add("moments_inlined", moments=tuple(map(times.to_datetime, moments)))
    for other, files in by_day(session.rows(SQL["files_in_days"], {"days": tuple(sorted(days))})).items():
        of_day = tuple(times.to_datetime(moment) for moment in moments if moment // times.DAY_US == other)
        if not _is_hot(session, other):
            union.add("near_in_files", files=files, low=other * times.DAY_US, high=(other + 1) * times.DAY_US)
        elif of_day:
            union.add("near_at_moments", files=files, moments=of_day)
    return {kind: _ref(*row) for kind, *row, _ in session.rows(*union.within("neighbours"))}


def _is_hot(session: Session, day: int) -> bool:
    """Whether narrow rows hold all counted runs of a day."""
    return day * times.DAY_US >= session.state.hot_from


def _moments(session: Session, known: dict[str, Any], days: list[int]) -> tuple[int | None, ...]:
    """When the runs before and after began, and the successes, as far as narrow rows of these days know it."""
    hot = [(day * times.DAY_US, (day + 1) * times.DAY_US) for day in days if _is_hot(session, day)]
    of_hot = filled(SQL["neighbours_hot"], within=within("run_at", hot)) if hot else ""
    return session.rows(filled(SQL["neighbour_moments"], hot=of_hot), known)[0]


def _rank(session: Session, run: Run, window: tuple[int, int], days: int) -> DurationRank | None:
    """Where a duration stands among those of the other runs of the task."""
    if run.started_at is None or run.finished_at is None:
        return None
    took = (run.finished_at - run.started_at) // times.MICRO
    wanted = RunFilter(low=window[0], high=window[1], started=True, opened=(), task_ids=(run.task_id,))
    wanted = numbered(session, wanted)
    known: dict[str, Any] = {"took": took}
    union = union_of(wanted, known)
    union.add_all(branches(session, wanted, _BLOCKS, None))
    ((count, faster),) = session.rows(*union.within("rank", by_name=False))
    return DurationRank(faster / (count - 1), count - 1, days) if count > 1 else None
