"""The schema, as Structs: runs, records, query parameters and answers. The columns of tables (columns.py), JSON Schema
and OpenAPI are derived from them."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from runlake import times
from runlake.errors import FieldError

MAX_ATTEMPT: Final = 2_147_483_647
MAX_OWNER: Final = 255
MAX_DEPTH: Final = 100
MAX_RECORD_BYTES: Final = 1_048_576
MAX_BATCH: Final = 10_000
MAX_OFFSET: Final = 2**53 - 1
EXAMPLE_RUN: Final = "7f3e4d2c-1a9b-4c8d-9e6f-2b5a8c7d4e9f"
EXAMPLE_TASK: Final = "550e8400-e29b-41d4-a716-446655440000"


def _doc(text: str, *examples: Any) -> Meta:
    return Meta(description=text, examples=list(examples) or None)


def _null() -> msgspec.Raw:
    return msgspec.Raw(b"null")


class Instant(int):
    """A time of a record or a query parameter: microseconds since the epoch, parsed from ISO 8601 text."""


Attempt = Annotated[int, Meta(ge=1, le=MAX_ATTEMPT), _doc("Which try of the same work this is.", 1)]
Owner = Annotated[str, Meta(max_length=MAX_OWNER), _doc("Who holds or held the lease.", "worker-xyz")]
RunId = Annotated[uuid.UUID, _doc("Identity of one execution attempt.", EXAMPLE_RUN)]
TaskId = Annotated[uuid.UUID, _doc("The task that ran.", EXAMPLE_TASK)]
Output = Annotated[msgspec.Raw, _doc("What the run returned: any JSON value.", {"rows": 12})]


class Run(Struct, frozen=True):
    """One run as it is stored and answered."""

    id: RunId
    task_id: TaskId
    lease_owner: Owner | None
    leased_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    success: Annotated[bool | None, _doc("Result; null while the run is open.")]
    error: Annotated[str | None, _doc("Error message; null in lists unless include_errors=true.")]
    attempt: Attempt
    output: Output
    created_at: datetime


class Record(
    Struct, forbid_unknown_fields=True, kw_only=True, gc=False
):  # a record cannot be part of a reference cycle
    """One run as it is sent. Times are ISO 8601; without an offset they are UTC."""

    id: Annotated[uuid.UUID | None, _doc("Identity of this attempt; minted (UUIDv7) when absent.")] = None
    task_id: TaskId
    lease_owner: Owner | None = None
    leased_until: Instant | None = None
    started_at: Instant | None = None
    finished_at: Annotated[Instant | None, _doc("Set exactly when `success` is set.")] = None
    success: bool | None = None
    error: str | None = None
    attempt: Attempt = 1
    output: Output = msgspec.field(default_factory=_null)
    created_at: Annotated[Instant | None, _doc("Default: started_at, else finished_at, else the time of receipt.")] = (
        None
    )


class RunBatch(Struct, forbid_unknown_fields=True):
    """The JSON body of POST /runs."""

    runs: Annotated[list[Record], Meta(min_length=1, max_length=MAX_BATCH)]


class Stored(Struct, frozen=True):
    """The result of a batch: received = stored + duplicates + stale."""

    received: int
    stored: int
    duplicates: int
    stale: int
    ids: Annotated[list[uuid.UUID], _doc("Ids in input order, minted ones included.")]


class RunPage(Struct, frozen=True):
    """One page of runs, most recent first; `total` is exact and of the same snapshot."""

    items: list[Run]
    total: int
    limit: int
    offset: int
    has_more: bool


Status = Literal["queued", "running", "lost", "success", "failed"]
Field = Literal[
    "id", "task_id", "lease_owner", "leased_until", "started_at", "finished_at", "success", "error", "attempt",
    "output", "created_at",
]  # fmt: skip
Seconds = Annotated[float, Meta(ge=0, le=1e12)]
TaskIds = Annotated[list[uuid.UUID], Meta(min_length=1, max_length=50)]
Statuses = Annotated[list[Status], Meta(min_length=1, max_length=5)]
Fields = Annotated[list[Field], Meta(min_length=1, max_length=11)]
OwnerText = Annotated[str, Meta(max_length=MAX_OWNER)]
ErrorText = Annotated[str, Meta(min_length=3, max_length=200)]
CursorText = Annotated[str, Meta(max_length=200)]


_STATUS: Final = (
    "Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, "
    "and else running."
)


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """The filter parameters, the same in every route that selects runs; a run has to fit all of them."""

    task_id: Annotated[TaskIds | UnsetType, _doc("Only runs of these tasks.", [EXAMPLE_TASK])] = UNSET
    success: Annotated[bool | UnsetType, _doc("Only finished runs with this result.", False)] = UNSET
    start_time: Annotated[Instant | UnsetType, _doc("Only runs started then or later.", "2025-01-11T00:00:00Z")] = UNSET
    end_time: Annotated[Instant | UnsetType, _doc("Only runs started before.", "2025-01-12T00:00:00Z")] = UNSET
    status: Annotated[Statuses | UnsetType, _doc(_STATUS, ["failed"])] = UNSET
    lease_owner: Annotated[OwnerText | UnsetType, _doc("Only runs of this owner.", "worker-xyz")] = UNSET
    attempt_min: Annotated[Attempt | UnsetType, _doc("Only runs that are at least this try.", 2)] = UNSET
    duration_min: Annotated[Seconds | UnsetType, _doc("Only runs that took at least so many seconds.", 60)] = UNSET
    duration_max: Annotated[Seconds | UnsetType, _doc("Only runs that took at most so many seconds.", 90)] = UNSET
    error: Annotated[ErrorText | UnsetType, _doc("Only runs whose error contains it, in any case.", "time")] = UNSET


class RunsQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /runs."""

    include_errors: Annotated[bool, _doc("Whether items carry their error message.")] = False
    limit: Annotated[int, Meta(ge=1, le=200), _doc("Items per page.")] = 50
    offset: Annotated[int, Meta(ge=0, le=MAX_OFFSET), _doc("Items to skip.")] = 0
    order: Annotated[
        Literal["started", "duration"],
        _doc("The most recent first, or the longest first; runs without a duration are in no list of durations."),
    ] = "started"
    fields: Annotated[Fields | UnsetType, _doc("Items have only these fields.", ["id", "success"])] = UNSET
    cursor: Annotated[
        CursorText | UnsetType,
        _doc("Where a page begins, as a `Link` of another page has it; instead of `offset`.", "lAGsc3RhcnRlZA"),
    ] = UNSET


Width = Literal["1s", "5s", "15s", "30s", "1m", "5m", "15m", "30m", "1h", "3h", "6h", "12h", "1d", "1w", "1month"]
TimeZone = Annotated[str, Meta(max_length=64)]


class HistogramQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/histogram; start_time and end_time are required."""

    buckets: Annotated[int, Meta(ge=1, le=400), _doc("At most so many buckets, as narrow as that allows.")] = 120
    width: Annotated[Width | UnsetType, _doc("The width itself; at most 400 buckets.", "1h")] = UNSET
    tz: Annotated[TimeZone, _doc("The time zone in which days, weeks and months begin (IANA).")] = "UTC"
    by: Annotated[
        Literal["outcome", "task", "owner"],
        _doc("What the series are of: the outcome of runs, or the ten tasks or owners with the most runs."),
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

    columns: Annotated[int, Meta(ge=1, le=240), _doc("At most so many columns of time.")] = 168
    points: Annotated[int, Meta(ge=0, le=2000), _doc("Up to so many runs, they are answered themselves.")] = 2000


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


Days = Annotated[int, Meta(ge=1, le=3650), _doc("Days the window reaches back from `until`.")]
Until = Annotated[Instant | UnsetType, _doc("End of the window; default now.", "2025-01-11T08:00:00Z")]


class TaskStatsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /task/{task_id}/stats."""

    days: Days = 30
    until: Until = UNSET


class SummaryQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/summary."""

    days: Days = 7
    until: Until = UNSET


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """For routes without query parameters."""


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


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error, as RFC 9457 problem details."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    errors: list[FieldError] | UnsetType = UNSET


class Health(Struct, frozen=True):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Ready(Struct, frozen=True):
    """The lake is attached and the serving database has caught up with this snapshot."""

    snapshot: int
    runs: int
    status: Literal["ready"] = "ready"


def decode_instant(kind: type, value: Any) -> Instant:
    """The Instant of a decoded JSON text: a `dec_hook` for msgspec decoders of these Structs."""
    if kind is not Instant:
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 time as text")
    return Instant(times.parse(value))
