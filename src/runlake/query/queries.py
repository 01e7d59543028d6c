"""One typed function per question. Each takes a session and one View, and uses nothing else."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import UNSET

from runlake import times
from runlake.errors import BadInput, NotFound
from runlake.index import keys
from runlake.index.view import Files, View
from runlake.lake.catalog import DataFile
from runlake.model import (
    Run,
    RunPage,
    RunsQuery,
    Streak,
    Summary,
    SummaryQuery,
    TaskStats,
    TaskStatsQuery,
)
from runlake.query.engine import Session

_NULL: Final = msgspec.Raw(b"null")


def page(session: Session, view: View, query: RunsQuery) -> RunPage:
    """GET /runs. Raises BadInput when start_time is after end_time."""
    start, end = _or_none(query.start_time), _or_none(query.end_time)
    if start is not None and end is not None and start > end:
        raise BadInput.of("start_time", "is after end_time")
    filters = {
        "task_id": _or_none(query.task_id),
        "success": _or_none(query.success),
        "windowed": start is not None or end is not None,
        "limit": query.limit,
    }
    # Counts are kept by hour, and by day for each task: they give the total and say where the page lies.
    unit = times.HOUR_US if filters["task_id"] is None else times.DAY_US
    bound = {**filters, **_parts(view.files, start, end, unit), "offset": query.offset}
    place = _one(session.run("locate_hour" if unit == times.HOUR_US else "locate_day", view, bound))
    if not place["units"]:
        return RunPage([], place["total"], query.limit, query.offset, False)
    days = sorted({number * unit // times.DAY_US for number in place["units"]})
    window = {
        "files": _paths([file for day in days for file in view.files.between(day, day)]),
        "low": max(min(place["units"]) * unit, bound["low"]),
        "high": min((max(place["units"]) + 1) * unit, bound["high"]),
        "offset": query.offset - place["newer"],
        "include_errors": query.include_errors,
    }
    items = _runs(session.run("page", view, filters | window))
    return RunPage(items, place["total"], query.limit, query.offset, query.offset + len(items) < place["total"])


def _parts(files: Files, start: int | None, end: int | None, unit: int) -> dict[str, Any]:
    """A window cut into whole units and what is left at its head and tail, with the files to read for those."""
    low = 0 if start is None else start
    high = times.MAX_US + 1 if end is None else end
    first, last = -(-low // unit), high // unit
    head_end, tail_start = first * unit, last * unit
    if first > last:  # the window lies within one unit: all of it is head
        first = last = 0
        head_end = tail_start = high
    return {
        "low": low,
        "high": high,
        "first": first,
        "last": last,
        "head_end": head_end,
        "tail_start": tail_start,
        "head": _paths(_window(files, low, head_end - 1)) if low < head_end else [],
        "tail": _paths(_window(files, tail_start, high - 1)) if tail_start < high else [],
    }


def detail(session: Session, view: View, run_id: uuid.UUID) -> Run:
    """GET /runs/{run_id}. Raises NotFound; only ever after an exact answer."""
    halves = np.array([[run_id.int >> 64, run_id.int & (2**64 - 1)]], dtype=np.uint64)
    _, days = keys.locate(view.keys, halves)
    files = [f for day in {int(d) for d in days} for f in view.files.between(day, _day_end(day))]
    found = _runs(session.run("detail", view, {"files": _paths(files), "id": run_id}))
    if not found:
        raise NotFound(f"there is no run {run_id}")
    return found[0]


def latest(session: Session, view: View, task_id: uuid.UUID) -> Run | None:
    """GET /task/{task_id}/latest: reads the task's last day only."""
    day = session.run("latest_day", view, {"task_id": task_id}).column(0)[0].as_py()
    files = [] if day is None else view.files.between(day, day)
    found = _runs(session.run("latest", view, {"files": _paths(files), "task_id": task_id}))
    return found[0] if found else None


def task_stats(session: Session, view: View, task_id: uuid.UUID, query: TaskStatsQuery) -> TaskStats:
    """GET /task/{task_id}/stats."""
    start, end = _period(query)
    files = _window(view.files, start, end)
    row = _one(session.run("task_stats", view, {"files": _paths(files), "task_id": task_id, **_days(start, end)}))
    streak = Streak(row.pop("streak_success"), row.pop("streak_length")) if row["streak_length"] else None
    if streak is None:
        del row["streak_success"], row["streak_length"]
    return msgspec.convert(
        {
            **row,
            "task_id": task_id,
            "period_days": query.days,
            "window_start": times.to_datetime(start),
            "window_end": times.to_datetime(end),
            "current_streak": streak,
            **{name: _moment(row[name]) for name in ("last_run", "last_success", "last_failure")},
        },
        TaskStats,
        from_attributes=True,
    )


def summary(session: Session, view: View, query: SummaryQuery) -> Summary:
    """GET /stats/summary."""
    start, end = _period(query)
    before = start - query.days * times.DAY_US
    files = _window(view.files, before, end)
    row = _one(session.run("summary", view, {"files": _paths(files), "before": before, **_days(start, end)}))
    return msgspec.convert(
        {
            **row,
            "period_days": query.days,
            "window_start": times.to_datetime(start),
            "window_end": times.to_datetime(end),
            "runs_per_day": row["total_runs"] / query.days,
        },
        Summary,
    )


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value


def _period(query: TaskStatsQuery | SummaryQuery) -> tuple[int, int]:
    """First and last microsecond of the window, both inside."""
    end = times.now() if query.until is UNSET else int(query.until)
    return end - query.days * times.DAY_US, end


def _days(start: int, end: int) -> dict[str, int]:
    """A window, and its first and last day; here, because a division of SQL's would round."""
    return {"start": start, "end": end, "first_day": start // times.DAY_US, "last_day": end // times.DAY_US}


def _window(files: Files, first: int | None, last: int | None) -> list[DataFile]:
    """Files of the days that hold the run times first..last (microseconds, None: open)."""
    low = 0 if first is None else first // times.DAY_US
    high = times.MAX_US // times.DAY_US if last is None else last // times.DAY_US
    return files.between(low, high)


def _day_end(day: int) -> int:
    return times.MAX_US // times.DAY_US if day == times.LAST_DAY else day


def _paths(files: list[DataFile]) -> list[str]:
    return [file.path for file in files]


def _one(table: pa.Table) -> dict[str, Any]:
    row: dict[str, Any] = table.to_pylist()[0]
    return row


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else times.to_datetime(micros)


def _runs(table: pa.Table) -> list[Run]:
    """Rows as Runs; `output` stays the JSON text it is."""
    columns: list[list[Any]] = []
    for name in Run.__struct_fields__:
        column = table[name]
        if pa.types.is_timestamp(column.type):
            columns.append([_moment(micros) for micros in column.cast(pa.int64()).to_pylist()])
        elif name == "output":
            columns.append([_NULL if text is None else msgspec.Raw(text.encode()) for text in column.to_pylist()])
        else:
            columns.append(column.to_pylist())
    return [Run(*row) for row in zip(*columns, strict=True)]
