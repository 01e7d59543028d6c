"""Statistics of a window: which spans it has, and the statements over them. SQL computes all figures, under the names
that the answers have.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import UNSET, convert

from runlake import times
from runlake.model import Streak, Summary, SummaryQuery, TaskStats, TaskStatsQuery
from runlake.query.engine import Session
from runlake.query.sql import SQL, filled
from runlake.query.windows import Window, cells, source_of

_NO_TASK: Final = -1
_MOMENTS: Final = ("last_run", "last_success", "last_failure")
_PERCENTILE: Final = "p{}_execution_time_seconds"
_P95: Final = _PERCENTILE.format(95)
_PERCENTS: Final = (50, 90, 95, 99)
_OF_DAYS: Final = {"key": "day", "percents": ", ".join(f"({p})" for p in _PERCENTS)}
_OF_TASKS: Final = {"key": "task", "percents": "(95)"}

_Row = dict[str, Any]


def _bounds(query: TaskStatsQuery | SummaryQuery) -> tuple[int, int]:
    """The first and the last microsecond of the window of a question."""
    end = times.now() if query.until is UNSET else int(query.until)
    return end - query.days * times.DAY_US, end


def task_stats(session: Session, task_id: uuid.UUID, query: TaskStatsQuery) -> TaskStats:
    """GET /task/{task_id}/stats. Raises LakeDamaged."""
    start, end = _bounds(query)
    window = Window.of(session, start, end + 1)
    found = session.rows(SQL["task_number"], {"task_id": task_id})
    task = found[0][0] if found else _NO_TASK
    statement = filled(SQL["task_statistics"], cells=cells("_of_task", window), **_OF_DAYS)
    whole, *days = session.records(statement, {"task": task} | window.parameters)
    answer = whole | {
        "task_id": task_id,
        **_period(query, start, end),
        **{name: None if whole[name] is None else times.to_datetime(whole[name]) for name in _MOMENTS},
        "current_streak": _streak(session, (task, task_id), end, whole, days),
        "daily": days,
    }
    return convert(answer, TaskStats)


def _period(query: TaskStatsQuery | SummaryQuery, start: int, end: int) -> _Row:
    return {
        "period_days": query.days,
        "window_start": times.to_datetime(start),
        "window_end": times.to_datetime(end),
    }


def _streak(
    session: Session, task: tuple[int, uuid.UUID], end: int, whole: _Row, days: Sequence[_Row]
) -> Streak | None:
    """The newest finished runs that ended alike: those after the last run that ended otherwise."""
    number, task_id = task
    last_success, last_failure = whole["last_success"], whole["last_failure"]
    if last_success is None or last_failure is None:
        length = whole["successful_runs"] + whole["failed_runs"]
        return Streak(last_success is not None, length) if length else None
    turn = min(last_success, last_failure)
    day = turn // times.DAY_US
    later = sum(row["successful_runs"] + row["failed_runs"] for row in days if row["date"] > times.to_date(day))
    high = min(end + 1, (day + 1) * times.DAY_US)
    source, files = source_of(session, turn, high)
    asked = {"task": number, "turn": turn, "high": high, **files}
    newer, *tied = session.rows(filled(SQL["streak"], runs=source), asked)[0]
    if 0 in tied:
        return Streak(last_success > last_failure, later + newer)
    # Runs of both results began in that microsecond: their ids say which came last.
    paths = [path for (path,) in session.rows(SQL["files_of_day"], {"day": day})]
    statement = filled(SQL["ties"], source=SQL["whole_runs"] if paths else "inlined_run WHERE false")
    asked = {"task_id": task_id, "turn": turn, "files": paths}
    results = [success for (success,) in session.rows(statement, asked)]
    newest = results[0] if not newer and last_success == last_failure else last_success > last_failure
    return Streak(newest, later + newer + results.index(not newest))


def summary(session: Session, query: SummaryQuery) -> Summary:
    """GET /stats/summary. Raises LakeDamaged."""
    start, end = _bounds(query)
    window = Window.of(session, start, end + 1, months=True)
    before = Window.of(session, start - query.days * times.DAY_US, start, months=True)
    statement = filled(SQL["summary_figures"], cells=cells("_cells", before, window))
    kinds: dict[str, list[_Row]] = {name: [] for name in ("daily", "top_failing_tasks", "slowest_tasks")}
    for row in session.records(statement, window.parameters | before.files):
        kinds.setdefault(row["kind"], []).append(row)
    percentiles = _percentiles(session, window)
    for row in kinds["daily"]:
        row[_P95] = percentiles.get(row["date"], {}).get(_P95)
    # Of the listed tasks only: for all of them every histogram of the window would be read.
    rankings = kinds["top_failing_tasks"], kinds["slowest_tasks"]
    p95 = _p95_of_tasks(session, window, {row["task"] for ranking in rankings for row in ranking})
    for ranking in rankings:
        for row in ranking:
            row[_P95] = p95.get(row["task"])
    (now,), (previous,) = kinds["window"], kinds["previous"]
    whole = {_PERCENTILE.format(p): None for p in _PERCENTS} | percentiles.get(None, {})
    runs_per_day = now["total_runs"] / query.days
    answer = kinds | now | whole | _period(query, start, end) | {"previous": previous, "runs_per_day": runs_per_day}
    return convert(answer, Summary)


def _percentiles(session: Session, window: Window) -> dict[Any, _Row]:
    """The percentiles of the whole window (None), and the 95th of its days by their dates."""
    uncounted = [day for (day,) in session.rows(SQL["uncounted_days"])]
    if window.spans.months:  # the percentile of such a day is not in day_figure, and not in its month
        window = window.by_day(session, uncounted)
    statement = filled(SQL["percentiles"], cells=cells("_durations", window), **_OF_DAYS)
    found: dict[Any, _Row] = {}
    for date, p, seconds in session.rows(statement, window.parameters | {"uncounted": uncounted}):
        found.setdefault(date, {})[_PERCENTILE.format(p)] = seconds
    return found


def _p95_of_tasks(session: Session, window: Window, tasks: set[int]) -> Mapping[int, float]:
    """The 95th percentile of some tasks by their numbers, in seconds."""
    if not tasks:
        return {}
    branches = cells("_ranked", window, tasks=", ".join(map(str, sorted(tasks))))
    return dict(session.rows(filled(SQL["ranked_percentile"], cells=branches, **_OF_TASKS), window.files))
