"""Statistics of a window: which spans it has, and the statements over them. All that is added up is SQL."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import UNSET, Struct

from runlake import times
from runlake.model import (
    PreviousPeriod,
    Streak,
    Summary,
    SummaryQuery,
    TaskFigures,
    TaskStats,
    TaskStatsQuery,
)
from runlake.query.engine import Session
from runlake.query.figures import NOTHING, PERCENTS, Figures, daily, moment, percentiles, seconds
from runlake.query.sql import SQL, filled
from runlake.query.windows import Edges, Window, cells_of_both, source_of

_NO_TASK: Final = -1


def _bounds(query: TaskStatsQuery | SummaryQuery) -> tuple[int, int]:
    """The window of a question: its first and its last microsecond."""
    end = times.now() if query.until is UNSET else int(query.until)
    return end - query.days * times.DAY_US, end


def task_stats(session: Session, task_id: uuid.UUID, query: TaskStatsQuery) -> TaskStats:
    """GET /task/{task_id}/stats. Raises LakeDamaged."""
    start, end = _bounds(query)
    window = Edges.of(session, start, end + 1)
    found = session.rows(SQL["task_number"], {"task_id": task_id})
    task = found[0][0] if found else _NO_TASK
    cells = window.cells("_of_task") or [filled(SQL["day_of_task"], low=0, high=0)]
    runs = " UNION ALL ".join(window.read(SQL["of_task"]))
    statement = filled(SQL["task_statistics"], cells=" UNION ALL ".join(cells), runs=runs)
    asked = {"task": task, "first_day": start // times.DAY_US, "last_day": end // times.DAY_US}
    overall, *entries = (_TaskRow(*row) for row in session.rows(statement, asked | window.files))
    return TaskStats(
        task_id=task_id,
        period_days=query.days,
        window_start=times.to_datetime(start),
        window_end=times.to_datetime(end),
        **overall.figures.shared,
        failure_rate=overall.figures.failure_rate,
        retried_runs=int(overall.retried or 0),
        min_execution_time_seconds=seconds(overall.shortest),
        max_execution_time_seconds=seconds(overall.longest),
        **percentiles((overall.p50, overall.p90, overall.p95, overall.p99)),
        last_run=moment(overall.last_run),
        last_success=moment(overall.last_success),
        last_failure=moment(overall.last_failure),
        current_streak=_streak(session, (task, task_id), end, overall, entries),
        daily=[daily(entry.day, entry.figures, entry.p95, entry.week) for entry in entries],
    )


class _TaskRow(Struct, frozen=True):
    """A row of the statement task_statistics; `day` is EVERY of the whole window. Sums of nothing are null."""

    day: int
    succeeded: int | None
    failed: int | None
    open: int | None
    retried: int | None
    duration_count: int | None
    duration_us: float | None
    shortest: int | None
    longest: int | None
    last_success: int | None
    last_failure: int | None
    last_open: int | None
    week_succeeded: int | None
    week_finished: int | None
    week_us: float | None
    week_count: int | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None

    @property
    def figures(self) -> Figures:
        """The sums."""
        return Figures(
            int(self.succeeded or 0),
            int(self.failed or 0),
            int(self.open or 0),
            int(self.duration_count or 0),
            self.duration_us or 0.0,
        )

    @property
    def week(self) -> tuple[float, ...]:
        """The sums of up to seven entries."""
        return self.week_succeeded or 0, self.week_finished or 0, self.week_us or 0.0, self.week_count or 0

    @property
    def last_run(self) -> int | None:
        """The newest run time."""
        known = [time for time in (self.last_success, self.last_failure, self.last_open) if time is not None]
        return max(known, default=None)


def _streak(
    session: Session, task: tuple[int, uuid.UUID], end: int, overall: _TaskRow, entries: Sequence[_TaskRow]
) -> Streak | None:
    """The newest finished runs that ended alike: those after the last run that ended otherwise."""
    number, task_id = task
    last_success, last_failure = overall.last_success, overall.last_failure
    if last_success is None or last_failure is None:
        length = overall.figures.finished
        return Streak(last_success is not None, length) if length else None
    turn = min(last_success, last_failure)
    day = turn // times.DAY_US
    later = sum(entry.figures.finished for entry in entries if entry.day > day)
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


class _Row(Struct, frozen=True):
    """A row of the statement figures; its kind says which columns it has."""

    kind: str
    number: int | None  # of a task, or a day
    task_id: uuid.UUID | None
    succeeded: int
    failed: int
    open: int
    duration_count: int
    duration_us: float
    tasks: int | None
    week_succeeded: int | None
    week_finished: int | None
    week_us: float | None
    week_count: int | None

    @property
    def figures(self) -> Figures:
        """The sums."""
        sums = (int(self.succeeded), int(self.failed), int(self.open), int(self.duration_count))
        return Figures(*sums, self.duration_us)


def summary(session: Session, query: SummaryQuery) -> Summary:
    """GET /stats/summary. Raises LakeDamaged."""
    start, end = _bounds(query)
    window = Window.of(session, start, end + 1, months=True)
    before = Window.of(session, start - query.days * times.DAY_US, start, months=True)
    statement = filled(SQL["figures"], cells=cells_of_both(before, window))
    rows: dict[str, list[_Row]] = {}
    for row in session.rows(statement, window.parameters | before.files):
        rows.setdefault(row[0], []).append(_Row(*row))
    quantiles = _quantiles(session, window)
    now, previous = (_total(rows.get(kind, [])) for kind in ("window", "previous"))
    p95 = _p95_of_tasks(session, window, {row.number for kind in ("failing", "slowest") for row in rows.get(kind, [])})
    days = sorted(rows["day"], key=lambda row: row.number or 0)
    return Summary(
        period_days=query.days,
        window_start=times.to_datetime(start),
        window_end=times.to_datetime(end),
        **now.shared,
        total_tasks_executed=_tasks(rows.get("window", [])),
        failure_rate=now.failure_rate,
        **percentiles(quantiles.get(None, (None,) * len(PERCENTS))),
        runs_per_day=now.shared["total_runs"] / query.days,
        daily=[
            daily(
                row.number or 0,
                row.figures,
                quantiles.get(row.number, (None,) * len(PERCENTS))[2],
                (row.week_succeeded or 0, row.week_finished or 0, row.week_us or 0.0, row.week_count or 0),
            )
            for row in days
        ],
        previous=PreviousPeriod(
            **previous.shared,
            total_tasks_executed=_tasks(rows.get("previous", [])),
            failure_rate=previous.failure_rate,
        ),
        top_failing_tasks=[_of_task(row, p95) for row in rows.get("failing", [])],
        slowest_tasks=[_of_task(row, p95) for row in rows.get("slowest", [])],
    )


def _total(rows: Sequence[_Row]) -> Figures:
    return rows[0].figures if rows else NOTHING


def _tasks(rows: Sequence[_Row]) -> int:
    return rows[0].tasks or 0 if rows else 0


def _quantiles(session: Session, window: Window) -> dict[int | None, tuple[float | None, ...]]:
    """The four percentiles of the whole window (None) in microseconds, and the 95th of its days."""
    uncounted = [day for (day,) in session.rows(SQL["uncounted_days"])]
    if window.spans.months:  # the percentile of such a day is not in day_figure, and not in its month
        window = window.by_day(session, uncounted)
    statement = filled(SQL["percentiles"], cells=window.cells("_durations"))
    rows = session.rows(statement, window.parameters | {"uncounted": uncounted})
    return {day: tuple(values) for day, *values in rows}


def _p95_of_tasks(session: Session, window: Window, tasks: set[int | None]) -> dict[int | None, float]:
    """The 95th percentile of some tasks by their numbers, in microseconds."""
    if not tasks:
        return {}
    cells = window.cells("_ranked", tasks=", ".join(map(str, sorted(tasks, key=lambda task: task or 0))))
    return dict(session.rows(filled(SQL["ranked_percentile"], cells=cells), window.files))


def _of_task(row: _Row, p95: Mapping[int | None, float]) -> TaskFigures:
    assert row.task_id is not None  # noqa: S101 - the rankings have it
    figures = row.figures
    return TaskFigures(
        task_id=row.task_id,
        total_runs=figures.shared["total_runs"],
        failed_runs=figures.failed,
        success_rate=figures.shared["success_rate"],
        avg_execution_time_seconds=figures.seconds,
        p95_execution_time_seconds=seconds(p95.get(row.number)),
    )
