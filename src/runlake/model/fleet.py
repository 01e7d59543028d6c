"""Lease owners side by side; and what is over-represented in a selection of runs."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.lists import Filter
from runlake.model.runs import Instant, doc

Compare = Literal["previous", "none"]
SparkParts = Annotated[int, Meta(ge=0, le=100)]


class ComparedQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """A window that is compared with the one before; start_time and end_time are required."""

    start_time: Annotated[Instant | UnsetType, doc("Only runs started then or later.", "2025-01-11T00:00:00Z")] = UNSET
    end_time: Annotated[Instant | UnsetType, doc("Only runs started before.", "2025-01-12T00:00:00Z")] = UNSET
    compare: Annotated[
        Compare, doc("Whether to compare with the window of equal length before; `none` leaves it out.")
    ] = "previous"
    spark: Annotated[SparkParts, doc("About how many parts a spark line has; 0 leaves it out.")] = 30


class OwnersQuery(ComparedQuery, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/owners."""


class OwnerColumns(Struct, frozen=True):
    """Figures of lease owners, column by column: the n-th entries of all columns belong to one owner.

    `runs` are all runs of the window, `open` the unfinished ones of them, `lost` those of these whose lease is over;
    `last_seen` the latest run time. `failure_z` compares its share of failures with that of all other owners: null
    where either has fewer than 30 finished runs, or where none, or all, failed.
    """

    owner: Annotated[list[str], doc("Lease owners.")]
    runs: Annotated[list[int], doc("Runs of the window, open ones included.")]
    failed: Annotated[list[int], doc("Failed runs.")]
    open: Annotated[list[int], doc("Runs that have not finished.")]
    lost: Annotated[list[int], doc("Open runs whose lease is over.")]
    last_seen: Annotated[list[datetime], doc("The latest run time.")]
    avg_seconds: Annotated[list[float | None], doc("Mean execution time.")]
    failure_z: Annotated[
        list[float | None], doc("How far its share of failures is from all others', in standard errors.")
    ]
    previous_runs: Annotated[list[int | None], doc("Runs of the window before.")]
    previous_failed: Annotated[list[int | None], doc("Failed runs of the window before.")]
    previous_avg_seconds: Annotated[list[float | None], doc("Mean execution time in the window before.")]


class Spark(Struct, frozen=True):
    """Runs, and failed runs, of each row in parts of the window. The parts are whole hours or days of UTC; the first
    begins at `start`, which is not after the start of the window.
    """

    start: Annotated[datetime, doc("Where the first part begins; not after the start of the window.")]
    width_seconds: Annotated[int, doc("The width of a part.")]
    runs: Annotated[list[list[int]], doc("For each row the runs of each part.")]
    failed: Annotated[list[list[int]], doc("For each row the failed runs of each part.")]


class Compared(Struct, frozen=True):
    """The window of an answer and the one before it; both null where nobody asked to compare.

    `previous_complete` is false where retention, or the first run of all, cuts the window before.
    """

    start: Annotated[datetime, doc("The start of the window.")]
    end: Annotated[datetime, doc("The end of the window, which is not part of it.")]
    previous_start: Annotated[datetime | None, doc("The start of the window before.")]
    previous_complete: Annotated[bool | None, doc("Whether that window is cut neither by retention nor the first run.")]


class Owners(Compared, frozen=True):
    """Lease owners with runs in the window, those with the most failed runs first; at most 5,000 (`truncated`)."""

    total_owners: Annotated[int, doc("Lease owners with runs in the window.")]
    truncated: Annotated[bool, doc("Whether there are more than 5,000.")]
    columns: Annotated[OwnerColumns, doc("The figures.")]
    spark: Annotated[Spark | None, doc("Runs over time; null where no parts were asked for.")]


Dimension = Literal["task", "owner", "error_group", "attempt", "hour", "duration"]
Dimensions = Annotated[list[Dimension], Meta(min_length=1, max_length=6)]


class BreakdownQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /stats/breakdown; start_time and end_time are required, at most 31 days apart."""

    by: Annotated[Dimensions | UnsetType, doc("What to look at; all of it by default.", ["owner"])] = UNSET
    against: Annotated[
        str,
        Meta(max_length=100),
        doc(
            "What the selection is compared with: all other runs of the window (`rest`), the same selection in the "
            "window before (`previous`), or in another one (`<start>,<end>`)."
        ),
    ] = "rest"
    top: Annotated[int, Meta(ge=1, le=10), doc("Values of each at most.")] = 10


class Share(Struct, frozen=True):
    """A value, the runs that have it, and their shares. `lift` is the share of the selection by the other one; null
    where no other run has it.
    """

    value: Annotated[str | int | float | None, doc("The value.")]
    selected: Annotated[int, doc("Selected runs that have it.")]
    baseline: Annotated[int, doc("Other runs that have it.")]
    selected_share: Annotated[float, doc("Share of the selected runs.")]
    baseline_share: Annotated[float, doc("Share of the other runs.")]
    lift: Annotated[float | None, doc("The first share by the second; null where that is 0.")]


class Breakdown(Struct, frozen=True):
    """What is over-represented in a selection of runs: the values with the most runs above what their share elsewhere
    would give.
    """

    selected: Annotated[int, doc("Runs that match the filters.")]
    baseline: Annotated[int, doc("Runs that they are compared with.")]
    by: Annotated[dict[Dimension, list[Share]], doc("The values of each kind that was asked for.")]
