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
from runlake.query.engine import RANKED, Session
from runlake.query.locate import Filters, locate

_NULL: Final = msgspec.Raw(b"null")


def page(session: Session, view: View, query: RunsQuery) -> RunPage:
    """GET /runs. Raises BadInput when start_time is after end_time."""
    start, end = _or_none(query.start_time), _or_none(query.end_time)
    if start is not None and end is not None and start > end:
        raise BadInput.of("start_time", "is after end_time")
    filters = Filters(
        _or_none(query.task_id),
        _or_none(query.success),
        start is not None or end is not None,
        0 if start is None else start,
        times.MAX_US + 1 if end is None else end,
    )
    place = locate(session, view, filters, query.offset, query.limit)
    if not place.units:
        return RunPage([], place.total, query.limit, query.offset, False)
    newest, oldest = place.units[0], place.units[-1]
    bound = {
        **filters.match(),
        "windowed": filters.windowed,
        "files": _paths([file for day in place.days() for file in view.files.between(day, day)]),
        "low": max(oldest * place.unit, filters.low),
        "high": min((newest + 1) * place.unit, filters.high),
        "limit": query.limit,
        "offset": query.offset - place.newer,
        "include_errors": query.include_errors,
    }
    items = _runs(session.run("page", view, bound))
    return RunPage(items, place.total, query.limit, query.offset, query.offset + len(items) < place.total)


def detail(session: Session, view: View, run_id: uuid.UUID) -> Run:
    """GET /runs/{run_id}. Raises NotFound; only ever after an exact answer."""
    halves = np.array([[run_id.int >> 64, run_id.int & (2**64 - 1)]], dtype=np.uint64)
    _, hours = keys.locate(view.keys, halves)
    files: list[DataFile] = []
    low, high = times.MAX_US, 0
    for hour in map(int, hours):
        start, end = hour * times.HOUR_US, times.MAX_US + 1 if hour == times.LAST_HOUR else (hour + 1) * times.HOUR_US
        files += [file for file in _window(view.files, start, end - 1) if file not in files]
        low, high = min(low, start), max(high, end)
    found = _runs(session.run("detail", view, {"files": _paths(files), "id": run_id, "low": low, "high": high}))
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
    first, last = _whole_days(start, end)
    files = [f for day in _edges(start, end + 1) for f in view.files.between(day, day)]
    bound = {"files": _paths(files), "task_id": task_id, "first": first, "last": last, **_days(start, end)}
    row = _one(session.run("task_stats", view, bound))
    streak = _streak(session, view, task_id, row, end)
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


def _streak(session: Session, view: View, task_id: uuid.UUID, row: dict[str, Any], end: int) -> Streak | None:
    """The streak of a window with these figures: it began in the day of the last run that ended otherwise."""
    good, bad = row["last_success"], row["last_failure"]
    if good is None or bad is None:
        length = row["successful_runs"] + row["failed_runs"]
        return Streak(good is not None, length) if length else None
    turn = min(good, bad)
    day = turn // times.DAY_US
    later = [d for d in row["daily"] if d["date"] > times.to_date(day)]
    newer = sum(d["successful_runs"] + d["failed_runs"] for d in later)
    bound = {
        "files": _paths(view.files.between(day, day)),
        "task_id": task_id,
        "low": turn,
        "end": min(end, (day + 1) * times.DAY_US - 1),
        "newer": newer,
        # Runs of one moment follow each other by id; only the query knows which came last.
        "success": None if good == bad else good > bad,
    }
    return Streak(**_one(session.run("streak", view, bound)))


def summary(session: Session, view: View, query: SummaryQuery) -> Summary:
    """GET /stats/summary."""
    start, end = _period(query)
    before = start - query.days * times.DAY_US
    first, last = _whole_days(start, end)
    first_before, last_before = _whole_days(before, start - 1)
    bound = {
        "files": _paths([f for day in _edges(before, start, end + 1) for f in view.files.between(day, day)]),
        "before": before,
        "first": first,
        "last": last,
        "first_before": first_before,
        "last_before": last_before,
        **_days(start, end),
    }
    row = _one(session.run("summary", view, bound))
    files = [f for day in _edges(start, end + 1) for f in view.files.between(day, day)]
    window = {"files": _paths(files), "start": start, "end": end, "first": first, "last": last}
    _rank(session, view, window, [*row["top_failing_tasks"], *row["slowest_tasks"]])
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


def _rank(session: Session, view: View, window: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    """Add the percentile of each task of the rankings: only of these, because it takes their histograms."""
    tasks = sorted({entry["task_id"] for entry in entries})
    if tasks:
        some = {f"task_{i}": uuid.UUID(tasks[min(i, len(tasks) - 1)]) for i in range(RANKED)}
        found = session.run("task_p95", view, {**window, **some})
        p95 = dict(zip(map(str, found["task_id"].to_pylist()), found["p95"].to_pylist(), strict=True))
        for entry in entries:
            entry["p95_execution_time_seconds"] = p95.get(entry["task_id"])


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value


def _period(query: TaskStatsQuery | SummaryQuery) -> tuple[int, int]:
    """First and last microsecond of the window, both inside."""
    end = times.now() if query.until is UNSET else int(query.until)
    return end - query.days * times.DAY_US, end


def _days(start: int, end: int) -> dict[str, int]:
    """A window, and its first and last day; here, because a division of SQL's would round."""
    return {"start": start, "end": end, "first_day": start // times.DAY_US, "last_day": end // times.DAY_US}


def _whole_days(start: int, end: int) -> tuple[int, int]:
    """The days first <= day < last that lie wholly within start..end (microseconds, both inside)."""
    return -(-start // times.DAY_US), (end + 1) // times.DAY_US


def _edges(*bounds: int) -> list[int]:
    """The days that these moments (microseconds) cut in two."""
    return sorted({bound // times.DAY_US for bound in bounds if bound % times.DAY_US})


def _window(files: Files, first: int, last: int) -> list[DataFile]:
    """Files of the days that hold the run times first..last (microseconds)."""
    return files.between(first // times.DAY_US, last // times.DAY_US)


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
