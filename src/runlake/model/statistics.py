"""Statistics of a task and of all tasks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.runs import Instant, TaskId, doc

Days = Annotated[int, Meta(ge=1, le=3650), doc("Days the window reaches back from `until`.")]
Until = Annotated[Instant | UnsetType, doc("End of the window; default now.", "2025-01-11T08:00:00Z")]


class TaskStatsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /task/{task_id}/stats."""

    days: Days = 30
    until: Until = UNSET


class SummaryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/summary."""

    days: Days = 7
    until: Until = UNSET


class Streak(Struct, frozen=True):
    """The newest finished runs of the window that ended alike."""

    success: bool
    length: int


class DailyFigures(Struct, frozen=True):
    """One UTC day of the window; `_7d` covers this entry and up to six before it, weighted by runs."""

    date: date
    total_runs: int
    successful_runs: int
    failed_runs: int
    open_runs: int
    success_rate: float
    avg_execution_time_seconds: float
    p95_execution_time_seconds: float | None
    success_rate_7d: float
    avg_execution_time_seconds_7d: float


class TaskStats(Struct, frozen=True):
    """Statistics of one task over `until - days <= run time <= until`."""

    task_id: TaskId
    period_days: int
    window_start: datetime
    window_end: datetime
    total_runs: int
    successful_runs: int
    failed_runs: int
    open_runs: int
    retried_runs: int
    success_rate: float
    failure_rate: float
    avg_execution_time_seconds: float
    min_execution_time_seconds: float | None
    p50_execution_time_seconds: float | None
    p90_execution_time_seconds: float | None
    p95_execution_time_seconds: float | None
    p99_execution_time_seconds: float | None
    max_execution_time_seconds: float | None
    last_run: datetime | None
    last_success: datetime | None
    last_failure: datetime | None
    current_streak: Streak | None
    daily: list[DailyFigures]


class PreviousPeriod(Struct, frozen=True):
    """The period of equal length just before the window."""

    total_runs: int
    total_tasks_executed: int
    successful_runs: int
    failed_runs: int
    open_runs: int
    success_rate: float
    failure_rate: float
    avg_execution_time_seconds: float


class TaskFigures(Struct, frozen=True):
    """One task in a ranking of the summary."""

    task_id: TaskId
    total_runs: int
    failed_runs: int
    success_rate: float
    avg_execution_time_seconds: float
    p95_execution_time_seconds: float | None


class Summary(Struct, frozen=True):
    """Statistics of all tasks over `until - days <= run time <= until`."""

    period_days: int
    window_start: datetime
    window_end: datetime
    total_runs: int
    total_tasks_executed: int
    successful_runs: int
    failed_runs: int
    open_runs: int
    success_rate: float
    failure_rate: float
    avg_execution_time_seconds: float
    p50_execution_time_seconds: float | None
    p90_execution_time_seconds: float | None
    p95_execution_time_seconds: float | None
    p99_execution_time_seconds: float | None
    runs_per_day: float
    daily: list[DailyFigures]
    previous: PreviousPeriod
    top_failing_tasks: list[TaskFigures]
    slowest_tasks: list[TaskFigures]
