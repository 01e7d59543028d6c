"""One typed function per question. Each takes a session and one View, and uses nothing else."""

from __future__ import annotations

import uuid
from typing import Any

import numpy as np
from msgspec import UNSET

from runlake import times
from runlake.errors import BadInput, NotFound
from runlake.index import keys
from runlake.index.figures import NONE
from runlake.index.recent import halves_of
from runlake.index.view import View
from runlake.intake.batch import uuid_bytes
from runlake.model import Run, RunPage, RunsQuery
from runlake.query import rows, scan
from runlake.query.engine import Session
from runlake.query.locate import locate
from runlake.query.scan import Found, Wanted
from runlake.query.statistics import summary, task_stats

__all__ = ["detail", "latest", "page", "summary", "task_stats"]


def page(session: Session, view: View, query: RunsQuery) -> RunPage:
    """GET /runs. Raises BadInput when start_time is after end_time."""
    start, end = _or_none(query.start_time), _or_none(query.end_time)
    if start is not None and end is not None and start > end:
        raise BadInput.of("start_time", "is after end_time")
    wanted = Wanted(
        low=0 if start is None else start,
        high=times.MAX_US + 1 if end is None else end,
        task_id=_or_none(query.task_id),
        success=_or_none(query.success),
        started=start is not None or end is not None,
    )
    place = locate(session, view, wanted, query.offset, query.limit)
    if place.wanted is None:
        return RunPage([], place.total, query.limit, query.offset, False)
    skip = query.offset - place.newer
    whole = rows.columns(errors=query.include_errors)
    found = scan.newest(session, view, place.wanted, skip + query.limit, whole)
    chosen = scan.ordered(found, skip, query.limit)
    items = rows.runs(session, view, found, chosen, errors=query.include_errors)
    return RunPage(items, place.total, query.limit, query.offset, query.offset + len(items) < place.total)


def detail(session: Session, view: View, run_id: uuid.UUID) -> Run:
    """GET /runs/{run_id}. Raises NotFound; only ever after an exact answer."""
    halves = np.array([[run_id.int >> 64, run_id.int & (2**64 - 1)]], dtype=np.uint64)
    recent = np.flatnonzero((halves_of(view.recent.runs) == halves).all(axis=1))
    found = [_only(None, recent)] if len(recent) else []
    _, hours = keys.locate(view.keys, halves)
    for hour in [] if found else np.unique(hours).tolist():
        start = hour * times.HOUR_US
        end = times.MAX_US + 1 if hour == times.LAST_HOUR else start + times.HOUR_US
        found += _with_id(session, view, halves, start, end)
    if not found:
        view.need(0)  # or it might be there
        raise NotFound(f"there is no run {run_id}")
    return rows.runs(session, view, found, [(0, 0)])[0]


def _with_id(session: Session, view: View, halves: Any, start: int, end: int) -> list[Found]:
    """The run of an id, if it is in a file and ran in this stretch of time."""
    for file in view.files.between(start // times.DAY_US, (end - 1) // times.DAY_US):
        session.check()
        of = session.reader.groups(file)
        groups = of.within(start, end)
        if len(groups):
            ids = uuid_bytes(session.reader.columns(of, groups.tolist(), ["id"])["id"])
            hit = np.flatnonzero((ids == halves).all(axis=1))
            if len(hit):
                return [_only(of, of.positions(groups.tolist())[hit])]
    return []


def _only(source: Any, positions: Any) -> Found:
    """Runs of which nothing but their place is asked."""
    none = np.empty(0, dtype=np.int64)
    return Found(source, none, none.reshape(0, 2).astype(np.uint64), none.astype(np.int8), positions)


def latest(session: Session, view: View, task_id: uuid.UUID) -> Run | None:
    """GET /task/{task_id}/latest: reads the hour of the task's last run only."""
    number = view.tasks.number(task_id)
    cells = view.cells(number)
    recent = view.recent.runs
    known = [cells["last_good"], cells["last_bad"], recent["ran_at"][recent["task"] == number]]
    moment = max(int(moments.max(initial=NONE)) for moments in known)
    view.need(0 if moment == NONE else moment // times.DAY_US)
    if moment == NONE:
        return None
    wanted = Wanted(low=moment, high=moment + 1, task_id=task_id, cells=cells)
    found = scan.newest(session, view, wanted, whole=rows.columns())
    return rows.runs(session, view, found, scan.ordered(found, count=1))[0]


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
