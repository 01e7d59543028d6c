"""The operations of the API, one for each method and path; `openapi` turns them into the document."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from runlake.access import Scope
from runlake.api import examples, problems
from runlake.api import openapi_text as text
from runlake.api.examples import Example
from runlake.errors import (
    BadInput,
    Busy,
    Clash,
    Conflict,
    DiskFull,
    Forbidden,
    ForeignHost,
    ForeignOrigin,
    NotFound,
    NotReady,
    RunlakeError,
    Timeout,
    TooLarge,
    TooLong,
    TooMany,
    TooSlow,
    Unauthorized,
    Unsupported,
)
from runlake.model import (
    EXAMPLE_RUN,
    Durations,
    DurationsQuery,
    Health,
    Histogram,
    HistogramQuery,
    NoQuery,
    Ready,
    Run,
    RunBatch,
    RunPage,
    RunsQuery,
    Stored,
    Summary,
    SummaryQuery,
    TaskStats,
    TaskStatsQuery,
)


class Operation(Struct, frozen=True, kw_only=True):
    """One method of one path. `response` None stands for any JSON object, or text; `nullable` adds null."""

    method: str = "get"
    path: str
    name: str
    tag: str
    summary: str
    description: str
    query: type[Struct] = NoQuery
    path_params: tuple[str, ...] = ()
    request: type[Struct] | None = None
    response: type[Struct] | None
    nullable: bool = False
    media_type: str = "application/json"
    examples: tuple[Example, ...]
    failures: tuple[RunlakeError, ...]
    scope: Scope | None = "read"

    @property
    def is_about_runs(self) -> bool:
        """Whether it is a question about runs: answered from a snapshot, with a tag."""
        return self.method == "get" and self.tag != "service"

    @property
    def all_failures(self) -> tuple[RunlakeError, ...]:
        """One error of each kind that the operation, or the middleware before it, may raise."""
        if self.scope is None:
            return (*self.failures, *_FOREIGN)
        return (
            *self.failures,
            *_FOREIGN,
            *_NO_KEY,
            Forbidden(f"this key does not have the scope {self.scope}", scope=self.scope),
        )

    @property
    def errors(self) -> tuple[int, ...]:
        """The HTTP statuses of all its errors, with 405 and 500, which every route may answer."""
        return tuple(sorted({problems.status_of(exc).value for exc in self.all_failures} | {405, 500}))


_NO_KEY: Final = (
    Unauthorized("a key is needed", hint="send Authorization: Bearer and the key"),
    Unauthorized("the key is not known here", hint="it may have been revoked", invalid=True),
)
_FOREIGN: Final = (
    ForeignHost(
        "this service does not go by the name runs.example.com",
        hint="ask for localhost or an IP address, or add the name to RUNLAKE_ALLOWED_HOSTS",
    ),
    ForeignOrigin(
        "pages of the origin https://dash.example.com may not use this service",
        hint="add the origin to RUNLAKE_CORS_ORIGINS; if it is a proxy before this service, let the proxy pass on the "
        "Host header as it is",
    ),
)
_READING: Final = (
    Busy("too many queries wait"),
    NotReady("the serving database is being made: 120 of 365 files"),
    Timeout("query page: interrupted at its time limit"),
)
_SCANNING: Final = (
    TooMany("too many scans wait"),
    TooLong("the window is too long to read within the time limit; it was read back to 2025-01-04T00:00:00Z"),
)
_UNKNOWN: Final = BadInput.of("verbose", "unknown parameter; known are none")
_NOT_A_TASK: Final = BadInput.of("task_id", "is not a UUID")
_BAD_DAYS: Final = BadInput.of("days", "Expected `int` <= 3650")

_RUNS: Final = (
    Operation(
        path="/runs",
        name="listRuns",
        tag="runs",
        summary="List runs, most recent first",
        description=text.LIST_RUNS,
        query=RunsQuery,
        response=RunPage,
        examples=(Example("first_page", "The newest two runs of a task, the first one still open", examples.PAGE),),
        failures=(
            BadInput.of("limit", "Expected `int` <= 200"),
            *_READING,
            *_SCANNING,
        ),
    ),
    Operation(
        method="post",
        path="/runs",
        name="appendRuns",
        tag="runs",
        summary="Append runs, or finish open ones",
        description=text.APPEND_RUNS,
        request=RunBatch,
        scope="write",
        response=Stored,
        examples=(
            Example("stored", "Two new runs; the second was sent without an id", examples.STORED),
            Example("repeated", "A finished run sent again", examples.STORED_AGAIN),
        ),
        failures=(
            BadInput.of("runs[17].attempt", "Expected `int` >= 1"),
            Conflict([Clash(0, EXAMPLE_RUN), Clash(5, str(examples.OPEN_ID))]),
            TooSlow("the body did not arrive within 60 seconds"),
            TooLarge("a body is at most 67108864 bytes"),
            Unsupported(
                "Content-Type text/csv is not read here",
                hint="send one of application/json, application/x-ndjson, application/vnd.apache.arrow.stream",
            ),
            Busy("too many runs wait to be written"),
            NotReady("the serving database is being made: 120 of 365 files"),
            DiskFull("commit: the disk is full"),
        ),
    ),
    Operation(
        path="/runs/{run_id}",
        name="getRun",
        tag="runs",
        summary="Read one run in full",
        description=text.GET_RUN,
        path_params=("run_id",),
        response=Run,
        examples=(Example("finished", "A finished run", examples.FINISHED),),
        failures=(
            BadInput.of("run_id", "is not a UUID"),
            NotFound(f"there is no run {EXAMPLE_RUN}"),
            *_READING,
        ),
    ),
    Operation(
        path="/task/{task_id}/latest",
        name="getLatestRun",
        tag="runs",
        summary="Read the latest run of a task",
        description=text.LATEST_RUN,
        path_params=("task_id",),
        response=Run,
        nullable=True,
        examples=(
            Example("open", "The latest run is still open", examples.OPEN),
            Example("never", "The task has never run", None),
        ),
        failures=(_NOT_A_TASK, *_READING),
    ),
)
_STATISTICS: Final = (
    Operation(
        path="/task/{task_id}/stats",
        name="getTaskStats",
        tag="statistics",
        summary="Statistics of one task",
        description=text.TASK_STATS,
        query=TaskStatsQuery,
        path_params=("task_id",),
        response=TaskStats,
        examples=(Example("two_days", "days=2, until=2025-01-11T08:00:00Z", examples.TASK_STATS),),
        failures=(_BAD_DAYS, *_READING),
    ),
    Operation(
        path="/stats/summary",
        name="getSummary",
        tag="statistics",
        summary="Statistics of all tasks",
        description=text.SUMMARY,
        query=SummaryQuery,
        response=Summary,
        examples=(Example("one_day", "days=1, until=2025-01-11T08:00:00Z", examples.SUMMARY),),
        failures=(_BAD_DAYS, *_READING),
    ),
    Operation(
        path="/stats/histogram",
        name="getHistogram",
        tag="statistics",
        summary="Runs over time",
        description=text.HISTOGRAM,
        query=HistogramQuery,
        response=Histogram,
        examples=(Example("by_hour", "width=1h, three hours of one task", examples.HISTOGRAM),),
        failures=(BadInput.of("end_time", "is required here"), *_READING, *_SCANNING),
    ),
    Operation(
        path="/stats/durations",
        name="getDurations",
        tag="statistics",
        summary="Runs by time and duration",
        description=text.DURATIONS,
        query=DurationsQuery,
        response=Durations,
        examples=(Example("by_hour", "points=0, three hours of one task", examples.DURATIONS),),
        failures=(BadInput.of("end_time", "is required here"), *_READING, *_SCANNING),
    ),
)
_NEWER: Final = ("/stats/histogram", "/stats/durations")
_SERVICE: Final = (
    Operation(
        path="/health",
        name="getHealth",
        tag="service",
        summary="Is the process alive?",
        description=text.HEALTH,
        response=Health,
        examples=(Example("alive", "The process answers", examples.HEALTH),),
        failures=(_UNKNOWN,),
        scope=None,
    ),
    Operation(
        path="/ready",
        name="getReady",
        tag="service",
        summary="Can it answer about the data?",
        description=text.READY,
        response=Ready,
        examples=(Example("ready", "Everything is loaded", examples.READY),),
        failures=(_UNKNOWN, NotReady("the serving database is being made: 120 of 365 files")),
    ),
    Operation(
        path="/metrics",
        name="getMetrics",
        tag="service",
        summary="What the service says of itself to Prometheus",
        description=text.METRICS,
        response=None,
        media_type="text/plain",
        examples=(Example("some", "A few of the lines", examples.METRICS),),
        failures=(_UNKNOWN,),
    ),
    Operation(
        path="/schema",
        name="getSchema",
        tag="service",
        summary="This document",
        description=text.SCHEMA,
        response=None,
        examples=(Example("begin", "How it begins", {"openapi": "3.1.0", "info": {"title": "runlake"}}),),
        failures=(),
    ),
)


def _older(operation: Operation) -> Operation:
    """The same operation under /runs, where older clients look."""
    return structs.replace(
        operation,
        path=f"/runs{operation.path}",
        name=f"{operation.name}UnderRuns",
        summary=f"{operation.summary} (older address)",
        description=operation.description.rstrip() + text.OLDER.format(path=operation.path),
    )


OPERATIONS: Final[tuple[Operation, ...]] = (
    *_RUNS,
    *_STATISTICS,
    *(_older(op) for op in (*_RUNS, *_STATISTICS) if not op.path.startswith(("/runs", *_NEWER))),
    *_SERVICE,
)
