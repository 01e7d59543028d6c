"""GET /runs/{run_id}/context: what stands around one run."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from runlake import times
from runlake.model import Context, ContextQuery, DurationRank, Run, RunRef
from runlake.query import attempts
from runlake.query.attempts import Attempt
from runlake.query.branches import Blocks, branches, numbered
from runlake.query.engine import Session
from runlake.query.files import by_day
from runlake.query.filters import RunFilter, union_of
from runlake.query.queries import detail
from runlake.query.spans import joined, within
from runlake.query.sql import SQL, Union, filled

_BLOCKS: Final = Blocks("", "", "rank_runs")


def context(session: Session, run_id: uuid.UUID, query: ContextQuery) -> Context:
    """GET /runs/{run_id}/context. Raises NotFound, and LakeDamaged when a file is not counted."""
    run = detail(session, run_id)
    at = times.of_datetime(run.started_at or run.created_at)
    low = max(0, at - query.days * times.DAY_US)
    session.require_readable(low // times.DAY_US, at // times.DAY_US)
    of_task = numbered(session, RunFilter(low=low, high=at + 1, started=True, task_ids=(run.task_id,)))
    found = attempts.around(session, run, at, of_task.tasks or ())
    previous, following, success_before, success_after, last = _neighbours(session, run, at, of_task, found)
    group, same = _group(session, run, at, low)
    itself = RunRef(run.id, run.attempt, run.started_at, run.finished_at, run.success)
    others = [_attempt(one) for one in found if one.id != run.id]
    return Context(
        attempts=[
            *(one for one in others if one.attempt < run.attempt),
            itself,
            *(one for one in others if one.attempt > run.attempt),
            *([] if last is None else [last]),
        ],
        inferred=True,
        candidates=max((one.rivals for one in found if one.next_at is not None), default=1),
        previous=None if previous is None else previous.id,
        next=None if following is None else following.id,
        last_success_before=success_before,
        next_success_after=success_after,
        duration_rank=_rank(session, run, of_task, query.days),
        error_group=group,
        same_error_runs=same,
    )


def _attempt(one: Attempt) -> RunRef:
    finished = None if one.success is None else one.ended
    return RunRef(one.id, one.attempt, _moment(one.started_at), _moment(finished), one.success)


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else times.to_datetime(micros)


def _ref(near: dict[str, Any] | None) -> RunRef | None:
    """A run in short; its times are microseconds."""
    if near is None:
        return None
    return RunRef(near["id"], near["attempt"], _moment(near["started"]), _moment(near["finished"]), near["success"])


def _group(session: Session, run: Run, at: int, low: int) -> tuple[str | None, int | None]:
    """The group of errors of a run, and how many of its runs there are."""
    if run.success is not False:
        return None, None
    groups = session.rows(SQL["group_of_run"], {"run_id": run.id, "at": at, "low": low})
    return groups[0] if groups else (None, None)


def _neighbours(
    session: Session, run: Run, at: int, of_task: RunFilter, found: Sequence[Attempt]
) -> list[RunRef | None]:
    """The runs of the task before and after a run, the successes, and the run that follows the last of its attempts."""
    day = at // times.DAY_US
    last = found[-1] if found and found[-1].attempt >= run.attempt else None
    next_at, next_attempt = (None, None) if last is None or last.next_at is None else (last.next_at, last.attempt + 1)
    known: dict[str, Any] = {"task_id": run.task_id, "task": of_task.task, "run_id": run.id, "at": at, "day": day}
    known |= {"next_at": next_at, "next_attempt": next_attempt}
    days, moments = {day}, _moments(session, known, [day])
    far = [moment is None or moment // times.DAY_US != day for moment in moments]
    if any(far) or not _is_hot(session, day):
        nearest = session.rows(SQL["neighbour_days"], known)[0]
        for is_far, other, newer in zip(far, nearest, (False, True, False, True), strict=True):
            if is_far and newer:
                session.require_readable(day, times.MAX_US // times.DAY_US if other is None else other)
            elif is_far:
                session.require_readable(0 if other is None else other, day)
        days |= {other for other in nearest if other is not None}
        moments = _moments(session, known, sorted(days))
    hours = _cold_hours(session, known, at, days)
    return _read(session, known, hours, sorted({at, *(moment for moment in (next_at, *moments) if moment is not None)}))


def _cold_hours(session: Session, known: dict[str, Any], at: int, days: set[int]) -> list[int]:
    """The hours in which the runs lie that are looked for, as far as narrow rows of these days are gone."""
    hour, of_day = at // times.HOUR_US, times.DAY_US // times.HOUR_US
    cold = [day for day in sorted(days) if not _is_hot(session, day)]
    if not cold:
        return []
    place = within("hour", [(day * of_day, (day + 1) * of_day) for day in cold])
    (found,) = session.rows(filled(SQL["neighbour_hours"], within=place), {**known, "hour": hour})
    return sorted({hour for hour in (hour, *found) if hour is not None and hour // of_day in cold})


def _read(session: Session, known: dict[str, Any], hours: Sequence[int], moments: Sequence[int]) -> list[RunRef | None]:
    """The answer of `neighbours`, from the runs of these hours and moments."""
    union = Union(known)
    union.add("moments_inlined", moments=tuple(map(times.to_datetime, moments)))
    ranges = [(hour * times.HOUR_US, (hour + 1) * times.HOUR_US) for hour in hours]
    days = {at // times.DAY_US for at in (*moments, *(low for low, _ in ranges))}
    for day, files in by_day(session.rows(SQL["files_in_days"], {"days": tuple(sorted(days))})).items():
        for low, high in joined(span for span in ranges if span[0] // times.DAY_US == day):
            union.add("near_in_files", files=files, low=low, high=high)
        apart = [at for at in moments if at // times.DAY_US == day and at // times.HOUR_US not in hours]
        if apart:
            union.add("near_at_moments", files=files, moments=tuple(map(times.to_datetime, apart)))
    (found,) = session.rows(*union.within("neighbours"))
    return [_ref(near) for near in found]


def _is_hot(session: Session, day: int) -> bool:
    """Whether narrow rows hold all counted runs of a day."""
    return day * times.DAY_US >= session.state.hot_from


def _moments(session: Session, known: dict[str, Any], days: list[int]) -> tuple[int | None, ...]:
    """When the runs before and after began, and the successes, as far as narrow rows of these days know it."""
    hot = [(day * times.DAY_US, (day + 1) * times.DAY_US) for day in days if _is_hot(session, day)]
    of_hot = filled(SQL["neighbours_hot"], within=within("run_at", hot)) if hot else ""
    return session.rows(filled(SQL["neighbour_moments"], hot=of_hot), known)[0]


def _rank(session: Session, run: Run, wanted: RunFilter, days: int) -> DurationRank | None:
    """Where a duration stands among those of the other runs of the task. (Open runs have none.)"""
    if run.started_at is None or run.finished_at is None:
        return None
    took = (run.finished_at - run.started_at) // times.MICRO
    union = union_of(wanted, {"took": took})
    union.add_all(branches(session, wanted, _BLOCKS, None))
    ((count, faster),) = session.rows(*union.within("rank", by_name=False))
    return DurationRank(faster / (count - 1), count - 1, days) if count > 1 else None
