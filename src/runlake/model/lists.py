"""The filter grammar, and lists of runs."""

from __future__ import annotations

import uuid
from typing import Annotated, Final, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.runs import EXAMPLE_TASK, MAX_ATTEMPT, MAX_OFFSET, MAX_OWNER, Instant, Run, doc

MAX_PAGE: Final = 200
Status = Literal["queued", "running", "lost", "success", "failed"]
Field = Literal[
    "id", "task_id", "lease_owner", "leased_until", "started_at", "finished_at", "success", "error", "attempt",
    "output", "created_at",
]  # fmt: skip
Seconds = Annotated[float, Meta(ge=0, le=1e12)]
TaskIds = Annotated[list[uuid.UUID], Meta(min_length=1, max_length=50)]
Statuses = Annotated[list[Status], Meta(min_length=1, max_length=5)]
Fields = Annotated[list[Field], Meta(min_length=1, max_length=11)]
AttemptNumber = Annotated[int, Meta(ge=1, le=MAX_ATTEMPT)]
OwnerText = Annotated[str, Meta(max_length=MAX_OWNER)]
ErrorText = Annotated[str, Meta(min_length=3, max_length=200)]
GroupId = Annotated[str, Meta(pattern="^v1:[0-9a-f]{16}$")]
ErrorGroupId = Annotated[GroupId, doc("A group of alike errors.", "v1:0123456789abcdef")]
CursorText = Annotated[str, Meta(max_length=200)]
Form = Literal["parquet", "arrow", "csv", "ndjson"]
MEDIA_TYPES: Final[dict[Form, str]] = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv",
    "ndjson": "application/x-ndjson",
}


_STATUS: Final = (
    "Only runs that are any of these. Open runs are queued while they have not started, lost when their lease is over, "
    "and else running."
)


class Filter(Struct, frozen=True, forbid_unknown_fields=True):
    """The filter parameters, the same in every route that selects runs; a run has to fit all of them."""

    task_id: Annotated[TaskIds | UnsetType, doc("Only runs of these tasks.", [EXAMPLE_TASK])] = UNSET
    success: Annotated[bool | UnsetType, doc("Only finished runs with this result.", False)] = UNSET
    start_time: Annotated[Instant | UnsetType, doc("Only runs started then or later.", "2025-01-11T00:00:00Z")] = UNSET
    end_time: Annotated[Instant | UnsetType, doc("Only runs started before.", "2025-01-12T00:00:00Z")] = UNSET
    status: Annotated[Statuses | UnsetType, doc(_STATUS, ["failed"])] = UNSET
    lease_owner: Annotated[OwnerText | UnsetType, doc("Only runs of this owner.", "worker-xyz")] = UNSET
    attempt_min: Annotated[AttemptNumber | UnsetType, doc("Only runs that are at least this attempt.", 2)] = UNSET
    duration_min: Annotated[Seconds | UnsetType, doc("Only runs that took at least so many seconds.", 60)] = UNSET
    duration_max: Annotated[Seconds | UnsetType, doc("Only runs that took at most so many seconds.", 90)] = UNSET
    error: Annotated[ErrorText | UnsetType, doc("Only runs whose error contains it, in any case.", "time")] = UNSET
    error_group: Annotated[
        GroupId | UnsetType, doc("Only failed runs of this group of errors.", "v1:0123456789abcdef")
    ] = UNSET


class RunsQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /runs."""

    include_errors: Annotated[bool, doc("Whether items carry their error message.")] = False
    limit: Annotated[int, Meta(ge=1, le=MAX_PAGE), doc("Items per page.")] = 50
    offset: Annotated[int, Meta(ge=0, le=MAX_OFFSET), doc("Items to skip.")] = 0
    order: Annotated[
        Literal["started", "duration"],
        doc("The most recent first, or the longest first; runs without a duration are in no list of durations."),
    ] = "started"
    fields: Annotated[Fields | UnsetType, doc("Items have only these fields.", ["id", "success"])] = UNSET
    cursor: Annotated[
        CursorText | UnsetType,
        doc("Where a page begins, as a `Link` of another page has it; instead of `offset`.", "lAGsc3RhcnRlZA"),
    ] = UNSET


class ExportQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /export/runs."""

    format: Annotated[Form, doc("A Parquet file, an Arrow stream, CSV with a header, or a JSON object a line.")] = (
        "parquet"
    )
    fields: Annotated[Fields | UnsetType, doc("Runs have only these fields.", ["id", "success"])] = UNSET


class RunPage(Struct, frozen=True):
    """One page of runs, most recent first; `total` is exact and of the same snapshot."""

    items: Annotated[list[Run], doc("The runs of this page.")]
    total: Annotated[int, doc("All runs that match, exactly.")]
    limit: Annotated[int, doc("Items per page, as asked for.")]
    offset: Annotated[int, doc("Items skipped, as asked for.")]
    has_more: Annotated[bool, doc("Whether runs follow after this page.")]
