"""Runs over time and by duration."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.lists import Filter
from runlake.model.runs import doc

Width = Literal["1s", "5s", "15s", "30s", "1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "1w", "1month"]
TimeZone = Annotated[str, Meta(max_length=64)]
Start = Annotated[datetime, doc("The beginning of the window.")]
End = Annotated[datetime, doc("The end of the window, which is not part of it.")]
Queued = Annotated[int, doc("Runs that match but have not started: they lie in no window.")]


class HistogramQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/histogram; start_time and end_time are required."""

    buckets: Annotated[int, Meta(ge=1, le=400), doc("At most so many buckets, as narrow as that allows.")] = 120
    width: Annotated[Width | UnsetType, doc("The width itself; at most 400 buckets.", "1h")] = UNSET
    tz: Annotated[TimeZone, doc("The time zone in which days, weeks and months begin (IANA).")] = "UTC"
    by: Annotated[
        Literal["outcome", "task", "owner", "error_group"],
        doc("What the series are of: the outcome, or the ten tasks, owners or groups of errors with the most runs."),
    ] = "outcome"


class Series(Struct, frozen=True):
    """Runs in each bucket, of one outcome, task or owner; of all others where `key` is null."""

    key: Annotated[str | None, doc("An outcome, a task or an owner; null for all others.")]
    runs: Annotated[list[int], doc("Runs in each bucket.")]


class Histogram(Struct, frozen=True):
    """Runs over time. Bucket n begins at `edges[n]` and ends before `edges[n + 1]`; the window cuts the outer ones.

    `timed` are finished runs with a duration, and `seconds` the sums of these; `queued` runs lie in no window.
    """

    start: Start
    end: End
    width: Annotated[Width, doc("The width of a bucket.")]
    tz: Annotated[str, doc("The time zone in which days, weeks and months begin.")]
    edges: Annotated[list[datetime], doc("Where the buckets begin and, at last, where the last one ends.")]
    series: Annotated[list[Series], doc("The runs of each bucket by outcome, task or owner.")]
    timed: Annotated[list[int], doc("For each bucket, the finished runs with a duration.")]
    seconds: Annotated[list[float], doc("For each bucket, the sum of these durations.")]
    total: Annotated[int, doc("All runs of the window that match.")]
    queued: Queued


class DurationsQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/durations; start_time and end_time are required."""

    columns: Annotated[int, Meta(ge=1, le=240), doc("At most so many columns of time.")] = 168
    points: Annotated[int, Meta(ge=0, le=2000), doc("Up to so many runs, they are answered themselves.")] = 2000


class Cells(Struct, frozen=True):
    """Cells of a density that hold runs: column `x`, row `y`, and how many runs."""

    x: Annotated[list[int], doc("Columns.")]
    y: Annotated[list[int], doc("Rows.")]
    n: Annotated[list[int], doc("Runs in the cell.")]


class Points(Struct, frozen=True):
    """Finished runs one by one, the most recent first. Their starts are microseconds since 1970; `task` is the place of
    their task in `tasks`.
    """

    id: Annotated[list[uuid.UUID], doc("Ids of the runs.")]
    started_at: Annotated[list[int], doc("When they started, in microseconds since 1970.")]
    seconds: Annotated[list[float], doc("How long they took.")]
    success: Annotated[list[bool], doc("Their results.")]
    task: Annotated[list[int], doc("The place of their task in `tasks`.")]
    tasks: Annotated[list[uuid.UUID], doc("The tasks of these runs.")]


class Durations(Struct, frozen=True):
    """Runs by time and duration. Column x begins x * column_seconds after the start, cut to a multiple of these (since
    1970); row y holds durations from row_edges_seconds[y] up to row_edges_seconds[y + 1].
    """

    start: Start
    end: End
    column_seconds: Annotated[int, doc("The width of a column.")]
    columns: Annotated[int, doc("How many columns there are.")]
    row_edges_seconds: Annotated[list[float], doc("Where the rows begin and, at last, where the last one ends.")]
    success: Annotated[Cells, doc("Cells of runs that succeeded.")]
    failed: Annotated[Cells, doc("Cells of runs that failed.")]
    p50_seconds: Annotated[list[float | None], doc("For each column, the median of the durations.")]
    p95_seconds: Annotated[list[float | None], doc("For each column, the 95th percentile of the durations.")]
    timed: Annotated[int, doc("Finished runs with a duration.")]
    open: Annotated[int, doc("Open runs of the window.")]
    queued: Queued
    points: Annotated[Points | None, doc("The runs one by one, when they are few; else null.")]
