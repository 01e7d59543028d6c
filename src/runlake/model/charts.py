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


class HistogramQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/histogram; start_time and end_time are required."""

    buckets: Annotated[int, Meta(ge=1, le=400), doc("At most so many buckets, as narrow as that allows.")] = 120
    width: Annotated[Width | UnsetType, doc("The width itself; at most 400 buckets.", "1h")] = UNSET
    tz: Annotated[TimeZone, doc("The time zone in which days, weeks and months begin (IANA).")] = "UTC"
    by: Annotated[
        Literal["outcome", "task", "owner"],
        doc("What the series are of: the outcome of runs, or the ten tasks or owners with the most runs."),
    ] = "outcome"


class Series(Struct, frozen=True):
    """Runs in each bucket, of one outcome, task or owner; of all others where `key` is null."""

    key: str | None
    runs: list[int]


class Histogram(Struct, frozen=True):
    """Runs over time. Bucket n begins at `edges[n]` and ends before `edges[n + 1]`; the window cuts the outer ones.

    `timed` are finished runs with a duration, and `seconds` the sums of these; `queued` runs lie in no window.
    """

    start: datetime
    end: datetime
    width: Width
    tz: str
    edges: list[datetime]
    series: list[Series]
    timed: list[int]
    seconds: list[float]
    total: int
    queued: int


class DurationsQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/durations; start_time and end_time are required."""

    columns: Annotated[int, Meta(ge=1, le=240), doc("At most so many columns of time.")] = 168
    points: Annotated[int, Meta(ge=0, le=2000), doc("Up to so many runs, they are answered themselves.")] = 2000


class Cells(Struct, frozen=True):
    """Cells of a density that hold runs: column `x`, row `y`, and how many runs."""

    x: list[int]
    y: list[int]
    n: list[int]


class Points(Struct, frozen=True):
    """Finished runs one by one, the most recent first. Their starts are microseconds since 1970; `task` is the place of
    their task in `tasks`.
    """

    id: list[uuid.UUID]
    started_at: list[int]
    seconds: list[float]
    success: list[bool]
    task: list[int]
    tasks: list[uuid.UUID]


class Durations(Struct, frozen=True):
    """Runs by time and duration. Column x begins x * column_seconds after the start, cut to a multiple of these (since
    1970); row y holds durations from row_edges_seconds[y] up to row_edges_seconds[y + 1].
    """

    start: datetime
    end: datetime
    column_seconds: int
    columns: int
    row_edges_seconds: list[float]
    success: Cells
    failed: Cells
    p50_seconds: list[float | None]
    p95_seconds: list[float | None]
    timed: int
    open: int
    queued: int
    points: Points | None
