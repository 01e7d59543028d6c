"""Statistics of a task and of all tasks."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.runs import Instant, TaskId, doc

Days = Annotated[int, Meta(ge=1, le=3650), doc("Days the window reaches back from `until`.")]
Until = Annotated[Instant | UnsetType, doc("End of the window; default now.", "2025-01-11T08:00:00Z")]

TotalRuns = Annotated[int, doc("Runs with a run time in the period, open ones included.")]
SuccessfulRuns = Annotated[int, doc("Finished runs that succeeded.")]
FailedRuns = Annotated[int, doc("Finished runs that failed.")]
OpenRuns = Annotated[int, doc("Runs that have not finished.")]
TaskCount = Annotated[int, doc("Different tasks among the runs.")]
SuccessRate = Annotated[float, doc("Succeeded share of the finished runs, 0 to 1; 0.0 when none finished.")]
FailureRate = Annotated[float, doc("Failed share of the finished runs, 0 to 1; 0.0 when none finished.")]
MeanSeconds = Annotated[float, doc("Mean execution time; 0.0 when no run has one.")]
PeriodDays = Annotated[int, doc("Days of the window.")]
WindowStart = Annotated[datetime, doc("First moment of the window.")]
WindowEnd = Annotated[datetime, doc("Last moment of the window.")]
P50Seconds = Annotated[float | None, doc("Median execution time, within 1 %; null when no run has one.")]
P90Seconds = Annotated[float | None, doc("90th percentile of execution times, within 1 %; null when no run has one.")]
P95Seconds = Annotated[float | None, doc("95th percentile of execution times, within 1 %; null when no run has one.")]
P99Seconds = Annotated[float | None, doc("99th percentile of execution times, within 1 %; null when no run has one.")]


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

    success: Annotated[bool, doc("How they ended.")]
    length: Annotated[int, doc("How many they are.")]


class DailyFigures(Struct, frozen=True):
    """One UTC day of the window; `_7d` covers this entry and up to six before it, weighted by runs."""

    date: Annotated[date, doc("The day, in UTC.")]
    total_runs: TotalRuns
    successful_runs: SuccessfulRuns
    failed_runs: FailedRuns
    open_runs: OpenRuns
    success_rate: SuccessRate
    avg_execution_time_seconds: MeanSeconds
    p95_execution_time_seconds: P95Seconds
    success_rate_7d: Annotated[float, doc("Succeeded share over this entry and up to six before it, by finished runs.")]
    avg_execution_time_seconds_7d: Annotated[float, doc("Mean execution time over the same entries, by runs.")]


Daily = Annotated[list[DailyFigures], doc("One entry for each UTC day the window touches, oldest first.")]


class TaskStats(Struct, frozen=True):
    """Statistics of one task over `until - days <= run time <= until`."""

    task_id: TaskId
    period_days: PeriodDays
    window_start: WindowStart
    window_end: WindowEnd
    total_runs: TotalRuns
    successful_runs: SuccessfulRuns
    failed_runs: FailedRuns
    open_runs: OpenRuns
    retried_runs: Annotated[int, doc("Runs with an `attempt` above 1.")]
    success_rate: SuccessRate
    failure_rate: FailureRate
    avg_execution_time_seconds: MeanSeconds
    min_execution_time_seconds: Annotated[float | None, doc("Shortest execution time; null when no run has one.")]
    p50_execution_time_seconds: P50Seconds
    p90_execution_time_seconds: P90Seconds
    p95_execution_time_seconds: P95Seconds
    p99_execution_time_seconds: P99Seconds
    max_execution_time_seconds: Annotated[float | None, doc("Longest execution time; null when no run has one.")]
    last_run: Annotated[datetime | None, doc("Latest run time in the window; null when there is none.")]
    last_success: Annotated[datetime | None, doc("Latest run time of a run that succeeded.")]
    last_failure: Annotated[datetime | None, doc("Latest run time of a run that failed.")]
    current_streak: Annotated[Streak | None, doc("The newest finished runs that ended alike; null when none finished.")]
    daily: Daily


class PreviousPeriod(Struct, frozen=True):
    """The period of equal length just before the window."""

    total_runs: TotalRuns
    total_tasks_executed: TaskCount
    successful_runs: SuccessfulRuns
    failed_runs: FailedRuns
    open_runs: OpenRuns
    success_rate: SuccessRate
    failure_rate: FailureRate
    avg_execution_time_seconds: MeanSeconds


class TaskFigures(Struct, frozen=True):
    """One task in a ranking of the summary."""

    task_id: TaskId
    total_runs: TotalRuns
    failed_runs: FailedRuns
    success_rate: SuccessRate
    avg_execution_time_seconds: MeanSeconds
    p95_execution_time_seconds: P95Seconds


class Summary(Struct, frozen=True):
    """Statistics of all tasks over `until - days <= run time <= until`."""

    period_days: PeriodDays
    window_start: WindowStart
    window_end: WindowEnd
    total_runs: TotalRuns
    total_tasks_executed: TaskCount
    successful_runs: SuccessfulRuns
    failed_runs: FailedRuns
    open_runs: OpenRuns
    success_rate: SuccessRate
    failure_rate: FailureRate
    avg_execution_time_seconds: MeanSeconds
    p50_execution_time_seconds: P50Seconds
    p90_execution_time_seconds: P90Seconds
    p95_execution_time_seconds: P95Seconds
    p99_execution_time_seconds: P99Seconds
    runs_per_day: Annotated[float, doc("`total_runs` / `period_days`.")]
    daily: Daily
    previous: Annotated[PreviousPeriod, doc("The period of equal length just before the window.")]
    top_failing_tasks: Annotated[list[TaskFigures], doc("Up to ten, by `failed_runs` descending, then `task_id`.")]
    slowest_tasks: Annotated[list[TaskFigures], doc("Up to ten, by mean execution time descending, then `task_id`.")]
