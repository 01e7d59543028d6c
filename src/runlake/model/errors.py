"""Groups of alike errors."""

from __future__ import annotations

import datetime as dt
import uuid
from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from runlake.model.lists import Filter, GroupId
from runlake.model.runs import Run, doc

ErrorSort = Literal["count", "last", "first", "new", "tasks"]
SearchText = Annotated[str, Meta(max_length=200)]


class ErrorsQuery(Filter, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /errors; start_time and end_time are required."""

    sort: Annotated[
        ErrorSort,
        doc(
            "The groups with the most runs, with the latest run, with the latest first run, the new ones, or those of "
            "the most tasks first."
        ),
    ] = "count"
    limit: Annotated[int, Meta(ge=1, le=500), doc("Groups at most.")] = 50
    q: Annotated[
        SearchText | UnsetType, doc("Only groups whose kind, message or frame contains it, in any case.", "time")
    ] = UNSET


class ErrorGroup(Struct, frozen=True):
    """Failed runs whose errors are alike. Numbers and `last_seen` are of the window.

    `kind` and `message` are of the last exception of the text, without what differs from run to run; `frame` is the
    innermost own frame of a Python traceback. `previous_runs` are of the window of equal length before. `first_seen` is
    the run time of the oldest run of the group that is kept; `is_new`: none in the 28 days before the window. `sample`
    is the newest run. `spark` are the runs in 30 equal parts of the window.
    """

    id: Annotated[GroupId, doc("Its id.")]
    kind: Annotated[str | None, doc("The kind of the last exception; null where the text names none.")]
    message: Annotated[str, doc("What the error says, without what differs from run to run.")]
    frame: Annotated[str | None, doc("File and function of the innermost own frame of a Python traceback.")]
    runs: Annotated[int, doc("Failed runs of the window.")]
    previous_runs: Annotated[int, doc("Failed runs of the window of equal length before.")]
    tasks: Annotated[int, doc("Different tasks among the runs.")]
    owners: Annotated[int, doc("Different lease owners among the runs.")]
    first_seen: Annotated[datetime, doc("Run time of the oldest run of the group that is kept.")]
    last_seen: Annotated[datetime | None, doc("Run time of the newest run of the window.")]
    is_new: Annotated[bool, doc("Whether no run of the group is of the 28 days before the window.")]
    sample: Annotated[uuid.UUID | None, doc("The newest run of the window.")]
    spark: Annotated[list[int], doc("Runs in 30 equal parts of the window.")]


class Errors(Struct, frozen=True):
    """Groups of alike errors: all that match (`total_groups`), and some of them. `total_failed` runs of the window
    failed, `without_text` of them with no error to group by.
    """

    total_groups: Annotated[int, doc("Groups that match.")]
    total_failed: Annotated[int, doc("Failed runs of the window that match the filters.")]
    without_text: Annotated[int, doc("Failed runs that have no error to group by.")]
    algorithm: Annotated[Literal["v1"], doc("How errors are grouped.")]
    groups: Annotated[list[ErrorGroup], doc("Groups in the order that was asked for.")]


class TaskRuns(Struct, frozen=True):
    """The runs of one task."""

    task_id: Annotated[uuid.UUID, doc("The task.")]
    name: Annotated[str | None, doc("Its name, if it has one.")]
    runs: Annotated[int, doc("Its runs.")]


class OwnerRuns(Struct, frozen=True):
    """The runs of one lease owner, or of none."""

    owner: Annotated[str | None, doc("The lease owner; null for runs without one.")]
    runs: Annotated[int, doc("Its runs.")]


class DayRuns(Struct, frozen=True):
    """The runs of one UTC day."""

    date: Annotated[dt.date, doc("The UTC day.")]
    runs: Annotated[int, doc("Its runs.")]


class ErrorGroupDetail(ErrorGroup, frozen=True):
    """One group of alike errors. `samples` are whole runs, of different tasks if there are some, the newest first;
    `by_task` and `by_owner` the ten with the most runs; `daily` has every UTC day that the window touches.
    """

    samples: Annotated[list[Run], doc("At most five whole runs, of different tasks if there are some.")]
    by_task: Annotated[list[TaskRuns], doc("The ten tasks with the most runs.")]
    by_owner: Annotated[list[OwnerRuns], doc("The ten lease owners with the most runs.")]
    daily: Annotated[list[DayRuns], doc("Every UTC day that the window touches.")]
