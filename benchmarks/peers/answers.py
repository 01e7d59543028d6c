"""The questions of the Runs API put to a peer's session: SQL counts, Python divides.

`current_streak` and `retried_runs` are left out of the statistics of a task, which favours the peers.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any, Final

import msgspec
from benchmarks.peers.protocol import Figures, Row, Session
from msgspec import UNSET

from runlake import times
from runlake.model import Run, RunPage, RunsQuery, SummaryQuery, TaskStatsQuery
from runlake.query import cursor

Json = dict[str, Any]

_NULL: Final = msgspec.Raw(b"null")
_OUTPUT: Final = Run.__struct_fields__.index("output")
_RANKED: Final = 10


def page(session: Session, query: RunsQuery) -> RunPage:
    """GET /runs, by offset or by a cursor to older runs."""
    given = {
        "by_task": ("task_id", query.task_id if query.task_id is UNSET else query.task_id[0]),
        "by_success": ("success", query.success),
        "since": ("since", query.start_time),
        "before": ("before", query.end_time),
        "by_owner": ("lease_owner", query.lease_owner),
        "by_attempt": ("attempt_min", query.attempt_min),
        "by_duration": ("least", UNSET if query.duration_min is UNSET else round(query.duration_min * 1e6)),
        "by_text": ("error", query.error),
    }
    where = [condition for condition, (_, value) in given.items() if value is not UNSET]
    bound = {name: value for name, value in given.values() if value is not UNSET}
    by_duration = query.order == "duration"
    where += ["timed"] if by_duration else []
    total = session.rows("total", where, bound)[0][0]
    offset, skipped = query.offset, query.offset
    if query.cursor is not UNSET:
        at = cursor.read(query, query.cursor)
        where, bound = [*where, "older"], bound | {"at": at.position, "last": at.id}
        offset, skipped = total - session.rows("total", where, bound)[0][0], 0
    shown = {"include_errors": query.include_errors, "limit": query.limit, "offset": skipped}
    items = _runs(session.rows("longest" if by_duration else "page", where, bound | shown))
    return RunPage(items, total, query.limit, offset, offset + len(items) < total)


def detail(session: Session, run_id: uuid.UUID) -> Run | None:
    """GET /runs/{run_id}; None stands for 404."""
    return next(iter(_runs(session.rows("detail", (), {"id": run_id}))), None)


def latest(session: Session, task_id: uuid.UUID) -> Run | None:
    """GET /task/{task_id}/latest."""
    return next(iter(_runs(session.rows("latest", (), {"task_id": task_id}))), None)


def task_stats(session: Session, task_id: uuid.UUID, query: TaskStatsQuery) -> Json:
    """GET /task/{task_id}/stats."""
    start, end = _period(query)
    bound = {"task_id": task_id, "start": start, "end": end}
    found = _figures(session.rows("task_figures", ("by_task", "within"), bound))
    totals = next(f for f in found if f.day is None)
    return {
        "task_id": task_id,
        **_window(query, start, end),
        **_totals(totals),
        **_percentiles(totals),
        "min_execution_time_seconds": _seconds(totals.us_min),
        "max_execution_time_seconds": _seconds(totals.us_max),
        "last_run": _moment(totals.last_run),
        "last_success": _moment(totals.last_good),
        "last_failure": _moment(totals.last_bad),
        "daily": _daily(found, start, end),
    }


def summary(session: Session, query: SummaryQuery) -> Json:
    """GET /stats/summary."""
    start, end = _period(query)
    found = _figures(session.rows("figures", ("within",), {"start": start, "end": end}))
    totals = next(f for f in found if f.day is None and f.task_id is None)
    tasks = [f for f in found if f.task_id is not None]
    earlier = {"start": start - query.days * times.DAY_US, "end": start - 1}
    failing = sorted((f for f in tasks if f.bad), key=lambda f: (-f.bad, f.task_id))
    slowest = sorted((f for f in tasks if f.timed), key=lambda f: (-_average(f), f.task_id))
    return {
        **_window(query, start, end),
        **_totals(totals),
        **_percentiles(totals),
        "total_tasks_executed": session.rows("tasks", ("within",), {"start": start, "end": end})[0][0],
        "runs_per_day": _count(totals) / query.days,
        "daily": _daily(found, start, end),
        "previous": {
            **_totals(_figures(session.rows("totals", ("within",), earlier))[0]),
            "total_tasks_executed": session.rows("tasks", ("within",), earlier)[0][0],
        },
        "top_failing_tasks": [_task(f) for f in islice(failing, _RANKED)],
        "slowest_tasks": [_task(f) for f in islice(slowest, _RANKED)],
    }


def _runs(rows: Iterable[Row]) -> list[Run]:
    """Rows as Runs; `output` stays the JSON text it is."""
    found = []
    for row in rows:
        values = list(row)
        values[_OUTPUT] = _NULL if row[_OUTPUT] is None else msgspec.Raw(row[_OUTPUT].encode())
        found.append(Run(*values))
    return found


def _figures(rows: Iterable[Row]) -> list[Figures]:
    return [Figures(*row) for row in rows]


def _period(query: TaskStatsQuery | SummaryQuery) -> tuple[int, int]:
    end = times.now() if query.until is UNSET else int(query.until)
    return end - query.days * times.DAY_US, end


def _window(query: TaskStatsQuery | SummaryQuery, start: int, end: int) -> Json:
    return {"period_days": query.days, "window_start": times.to_datetime(start), "window_end": times.to_datetime(end)}


def _count(f: Figures) -> int:
    return f.good + f.bad + f.open


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _average(f: Figures) -> float:
    return (f.us or 0) / f.timed / 1e6 if f.timed else 0.0


def _seconds(us: float | None) -> float | None:
    return None if us is None else us / 1e6


def _moment(us: int | None) -> Any:
    return None if us is None else times.to_datetime(us)


def _totals(f: Figures) -> Json:
    return {
        "total_runs": _count(f),
        "successful_runs": f.good,
        "failed_runs": f.bad,
        "open_runs": f.open,
        "success_rate": _rate(f.good, f.good + f.bad),
        "failure_rate": _rate(f.bad, f.good + f.bad),
        "avg_execution_time_seconds": _average(f),
    }


def _percentiles(f: Figures) -> Json:
    found = [us / 1e6 for us in f.percentiles] if f.percentiles else [None] * 4
    return {f"p{p}_execution_time_seconds": us for p, us in zip((50, 90, 95, 99), found, strict=True)}


def _task(f: Figures) -> Json:
    return {
        "task_id": f.task_id,
        "total_runs": _count(f),
        "failed_runs": f.bad,
        "success_rate": _rate(f.good, f.good + f.bad),
        "avg_execution_time_seconds": _average(f),
        "p95_execution_time_seconds": _seconds(f.percentiles[2] if f.percentiles else None),
    }


def _daily(found: Sequence[Figures], start: int, end: int) -> list[Json]:
    """One entry per UTC day; the last seven are added up as the days go by."""
    by_day = {f.day: f for f in found if f.day is not None}
    none = Figures(None, None, 0, 0, 0, 0, 0, None, None, None, None, None, None)
    days = [by_day.get(day, none) for day in range(start // times.DAY_US, end // times.DAY_US + 1)]
    entries = []
    for i, f in enumerate(days):
        week = days[max(0, i - 6) : i + 1]
        timed = sum(d.timed for d in week)
        good = sum(d.good for d in week)
        entries.append(
            {
                "date": times.to_date(start // times.DAY_US + i),
                "total_runs": _count(f),
                "successful_runs": f.good,
                "failed_runs": f.bad,
                "open_runs": f.open,
                "success_rate": _rate(f.good, f.good + f.bad),
                "avg_execution_time_seconds": _average(f),
                "p95_execution_time_seconds": _seconds(f.percentiles[2] if f.percentiles else None),
                "success_rate_7d": _rate(good, good + sum(d.bad for d in week)),
                "avg_execution_time_seconds_7d": sum(d.us or 0 for d in week) / timed / 1e6 if timed else 0.0,
            }
        )
    return entries
