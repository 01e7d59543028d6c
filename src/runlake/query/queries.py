"""One typed function per question. Each takes a session, which is one read transaction of the serving database."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET, Raw
from msgspec.structs import replace

from runlake import times
from runlake.columns import COLUMNS, NAMES
from runlake.errors import BadInput, NotFound
from runlake.model import Run, RunPage, RunsQuery
from runlake.query.engine import Session
from runlake.query.locate import Counted, FileRange, PageLocation, RunFilter, Slice, count, files, place
from runlake.query.sql import SQL, Union
from runlake.serving.sql import RECENT

__all__ = ["detail", "latest", "page"]

_NULL: Final = Raw(b"null")
_MOMENTS: Final = [at for at, column in enumerate(COLUMNS) if column.sql == "TIMESTAMPTZ"]
_ID, _OUTPUT, _RUN_AT, _WHOLE = NAMES.index("id"), NAMES.index("output"), len(NAMES), len(NAMES) + 1
_LAST_DAY: Final = times.MAX_US // times.DAY_US

_Row = tuple[Any, ...]


def page(session: Session, query: RunsQuery) -> RunPage:
    """GET /runs. Raises BadInput when start_time is after end_time."""
    wanted = _wanted(query)
    offset, limit = query.offset, query.limit
    if not wanted.everything:
        session.require_readable(wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US)
    if wanted.task_id is not None:
        number = _task(session, wanted.task_id)
        if number is None:
            return RunPage([], 0, limit, offset, False)
        wanted = replace(wanted, task=number)
    slice_ = Slice(offset, limit)
    found = count(session, wanted, slice_)
    items = [_run(row) for row in _rows(session, wanted, slice_, found)]
    return RunPage(items, found.total, limit, offset, offset + len(items) < found.total)


def _rows(session: Session, wanted: RunFilter, slice_: Slice, found: Counted) -> Sequence[_Row]:
    """The rows of a page that was found."""
    if not found.units:
        return []
    session.require_readable(found.units[-1].day, found.units[0].day)
    if wanted.task is not None and slice_.offset < RECENT:
        rows = _recent_page(session, wanted, slice_.offset, min(slice_.limit, found.total - slice_.offset))
        if rows is not None:
            return rows
    return _matching(session, wanted, place(session, wanted, slice_, found.units), slice_.limit)


def detail(session: Session, run_id: uuid.UUID) -> Run:
    """GET /runs/{run_id}. Raises NotFound; only ever after an exact answer."""
    union = Union({"run_id": run_id})
    union.add("id_inlined")
    for quarter in session.quarters(run_id):
        low = quarter * times.QUARTER_US
        high = times.MAX_US + 1 if quarter == times.LAST_QUARTER else low + times.QUARTER_US
        of_days = files(session, low // times.DAY_US, (high - 1) // times.DAY_US)
        if of_days:
            union.add("id_in_files", low=low, high=high, files=[path for paths in of_days.values() for path in paths])
    rows = session.rows(*union.within("with_id"))
    if not rows:
        session.require_readable(0, _LAST_DAY)  # or it might be there
        raise NotFound(f"there is no run {run_id}")
    return _run(rows[0])


def latest(session: Session, task_id: uuid.UUID) -> Run | None:
    """GET /task/{task_id}/latest."""
    number = _task(session, task_id)
    wanted = RunFilter(low=0, high=times.MAX_US + 1, task_id=task_id, task=number)
    rows = [] if number is None else _recent(session, wanted, 0, 1)
    session.require_readable(rows[0][_RUN_AT] // times.DAY_US if rows else 0, _LAST_DAY)
    return _run(_whole(session, wanted, rows)[0]) if rows else None


def _wanted(query: RunsQuery) -> RunFilter:
    start, end = _or_none(query.start_time), _or_none(query.end_time)
    if start is not None and end is not None and start > end:
        raise BadInput.of("start_time", "is after end_time")
    return RunFilter(
        low=0 if start is None else start,
        high=times.MAX_US + 1 if end is None else end,
        task_id=_or_none(query.task_id),
        success=_or_none(query.success),
        started=start is not None or end is not None,
        errors=query.include_errors,
    )


def _task(session: Session, task_id: uuid.UUID) -> int | None:
    """The number of a task, if it has any run."""
    rows = session.rows(SQL["task_number"], {"task_id": task_id})
    return rows[0][0] if rows else None


def _matching(session: Session, wanted: RunFilter, at: PageLocation, limit: int) -> list[_Row]:
    """The newest runs of a place, after those to be skipped."""
    union = Union(wanted.known | {"low": at.low, "high": at.high, "limit": limit, "skip": at.skip})
    union.add("inlined")
    for stretch in at.stretches:
        union.add("in_files", low=stretch.low, high=stretch.high, files=stretch.files)
    return session.rows(*union.within("page"))


def _recent_page(session: Session, wanted: RunFilter, offset: int, few: int) -> Sequence[_Row] | None:
    """So `few` runs of a task after the first `offset`; None if task_recent does not reach that far back.

    It lacks no run that is newer than one that it holds.
    """
    rows = _recent(session, wanted, offset, few)
    if len(rows) < few:
        return None
    if rows[-1][_WHOLE] is None:  # in no file: runs in files may lie between
        ((oldest,),) = session.rows(SQL["oldest_recent"], {"task": wanted.task})
        if oldest is not None and rows[-1][_RUN_AT] <= oldest:
            return None
    return _whole(session, wanted, rows)


def _recent(session: Session, wanted: RunFilter, skip: int, limit: int) -> list[_Row]:
    """Runs of a task from task_recent and from no file, each with its run time and whether it is whole."""
    union = Union(wanted.known | {"skip": skip, "limit": limit})
    union.add("recent")
    union.add("inlined")
    return session.rows(*union.within("recent_page"))


def _whole(session: Session, wanted: RunFilter, rows: Sequence[_Row]) -> Sequence[_Row]:
    """The same runs, with what task_recent leaves out of them read from their files."""
    days: dict[int, list[int]] = {}
    for row in rows:
        if row[_WHOLE] is False:
            days.setdefault(row[_RUN_AT] // times.DAY_US, []).append(row[_RUN_AT])
    if not days:
        return rows
    paths = files(session, min(days), max(days))
    found = [FileRange(min(moments), max(moments) + 1, paths[day]) for day, moments in days.items()]
    nowhere = PageLocation(0, 0, found, 0)  # of those in no file nothing is left out
    read = {row[_ID]: row for row in _matching(session, wanted, nowhere, times.MAX_US)}
    return [read[row[_ID]] if row[_WHOLE] is False else row for row in rows]


def _run(row: _Row) -> Run:
    values = list(row[: len(NAMES)])
    for at in _MOMENTS:
        values[at] = None if values[at] is None else times.to_datetime(values[at])
    values[_OUTPUT] = _NULL if values[_OUTPUT] is None else Raw(values[_OUTPUT].encode())  # the JSON text it is
    return Run(*values)


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
