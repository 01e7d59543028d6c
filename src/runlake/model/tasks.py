"""The fleet: all tasks side by side."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.fleet import Compared, ComparedQuery, Spark
from runlake.model.runs import doc

Measure = Literal[
    "runs", "failed", "open", "queued", "retried", "success_rate", "avg_seconds", "p50_seconds", "p95_seconds",
    "max_seconds", "last_run", "last_outcome", "streak", "flips", "silent_seconds", "longest_gap_seconds",
    "previous_runs", "previous_failed", "previous_p95_seconds", "slower", "failure_z",
]  # fmt: skip
TaskSort = Literal[
    "attention", "task_id", "name", "runs", "failed", "open", "queued", "retried", "success_rate", "avg_seconds",
    "p50_seconds", "p95_seconds", "max_seconds", "last_run", "last_outcome", "streak", "flips", "silent_seconds",
    "longest_gap_seconds", "previous_runs", "previous_failed", "previous_p95_seconds", "slower", "failure_z",
]  # fmt: skip
Measures = Annotated[list[Measure], Meta(min_length=1, max_length=21)]
Words = Annotated[str, Meta(max_length=200)]


class TasksQuery(ComparedQuery, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/tasks."""

    measures: Annotated[Measures | UnsetType, doc("Columns to answer; all by default.", ["runs", "failed"])] = UNSET
    limit: Annotated[int, Meta(ge=1, le=5000), doc("Tasks at most.")] = 5000
    offset: Annotated[int, Meta(ge=0, le=1_000_000_000), doc("Tasks to skip.")] = 0
    sort: Annotated[TaskSort, doc("A column, or `attention`: who needs it first.")] = "attention"
    order: Annotated[Literal["desc", "asc"], doc("Highest first, or lowest.")] = "desc"
    q: Annotated[Words | UnsetType, doc("Only tasks whose name, tag or id contains it, in any case.", "orders")] = UNSET


class TaskColumns(Struct, frozen=True, omit_defaults=True):
    """Figures of tasks, column by column: the n-th entries of all columns belong to one task. Columns that were not
    asked for are left out.
    """

    task_id: Annotated[list[uuid.UUID], doc("Tasks.")]
    name: Annotated[list[str | None], doc("Their names, if they have some.")]
    runs: Annotated[list[int] | UnsetType, doc("Runs of the window, open ones included.")] = UNSET
    failed: Annotated[list[int] | UnsetType, doc("Failed runs.")] = UNSET
    open: Annotated[list[int] | UnsetType, doc("Runs that have not finished.")] = UNSET
    queued: Annotated[list[int] | UnsetType, doc("Runs that have not started: they lie in no window.")] = UNSET
    retried: Annotated[list[int] | UnsetType, doc("Finished runs that were not the first attempt.")] = UNSET
    success_rate: Annotated[list[float | None] | UnsetType, doc("Succeeded share of the finished runs.")] = UNSET
    avg_seconds: Annotated[list[float | None] | UnsetType, doc("Mean execution time.")] = UNSET
    p50_seconds: Annotated[list[float | None] | UnsetType, doc("Median of execution times, within 1 %.")] = UNSET
    p95_seconds: Annotated[list[float | None] | UnsetType, doc("95th percentile, within 1 %.")] = UNSET
    max_seconds: Annotated[list[float | None] | UnsetType, doc("Longest execution time.")] = UNSET
    last_run: Annotated[list[datetime | None] | UnsetType, doc("Run time of the latest run of the window.")] = UNSET
    last_outcome: Annotated[
        list[Literal["success", "failed", "open"] | None] | UnsetType, doc("What became of that run.")
    ] = UNSET
    streak: Annotated[
        list[int] | UnsetType, doc("Newest finished runs of the window that ended alike; negative for failures.")
    ] = UNSET
    flips: Annotated[list[int] | UnsetType, doc("How often the result changed from one run to the next.")] = UNSET
    silent_seconds: Annotated[
        list[float | None] | UnsetType, doc("Time since the latest run, until the end of the window or now.")
    ] = UNSET
    longest_gap_seconds: Annotated[
        list[float | None] | UnsetType, doc("Longest time between finished runs of the 28 days before the end.")
    ] = UNSET
    previous_runs: Annotated[list[int | None] | UnsetType, doc("Runs of the window before.")] = UNSET
    previous_failed: Annotated[list[int | None] | UnsetType, doc("Failed runs of the window before.")] = UNSET
    previous_p95_seconds: Annotated[
        list[float | None] | UnsetType, doc("95th percentile of the window before, within 1 %.")
    ] = UNSET
    slower: Annotated[
        list[float | None] | UnsetType, doc("Probability that a run now takes longer than one before.")
    ] = UNSET
    failure_z: Annotated[
        list[float | None] | UnsetType, doc("How far the share of failures is from that before, in standard errors.")
    ] = UNSET


class Tasks(Compared, frozen=True):
    """Tasks with runs in the window, or finished ones in the 28 days before its end, or queued ones."""

    total_tasks: Annotated[int, doc("All tasks that match.")]
    truncated: Annotated[bool, doc("Whether there are more than these.")]
    columns: Annotated[TaskColumns, doc("The figures.")]
    spark: Annotated[Spark | None, doc("Runs over time; null where no parts were asked for.")]
