"""What stands around one run."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from runlake.model.runs import doc


class ContextQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Query parameters of GET /runs/{run_id}/context."""

    days: Annotated[
        int,
        Meta(ge=1, le=31),
        doc("Days before the run, and up to it, whose runs its duration and its error are compared with."),
    ] = 7


class RunRef(Struct, frozen=True):
    """A run in short."""

    id: Annotated[uuid.UUID, doc("The run.")]
    attempt: Annotated[int, doc("Its attempt.")]
    started_at: Annotated[datetime | None, doc("When it started.")]
    finished_at: Annotated[datetime | None, doc("When it finished.")]
    success: Annotated[bool | None, doc("Its result; null while it is open.")]


class DurationRank(Struct, frozen=True):
    """How the duration of a run compares with `of` other timed runs of its task: `share_faster` were shorter."""

    share_faster: Annotated[float, doc("Share of these runs that were shorter.")]
    of: Annotated[int, doc("Other timed runs of the task.")]
    days: Annotated[int, doc("Days that they are of.")]


class Context(Struct, frozen=True):
    """What stands around one run of a task.

    `attempts` are the tries of the same work, the first one first. No record says which these are, so they are guessed:
    a run that failed, or was lost, is followed by the first run of its task with the next attempt that begins within 24
    hours after it finished, or its lease ended. `candidates` above 1 says that one of them followed so many such runs.
    At most 100 before the run and 100 after it are answered, which began within 31 days of it.

    `previous` and `next` are the runs of the task before and after. `duration_rank` is null for a run without a
    duration, or alone. `same_error_runs` are the runs of its group of errors in the days up to it, this one included.
    """

    attempts: Annotated[list[RunRef], doc("Tries of the same work, the first one first.")]
    inferred: Annotated[bool, doc("Always true: no record says which runs are tries of the same work.")]
    candidates: Annotated[int, doc("Among how many runs an attempt was chosen, at most; 1 when there was no choice.")]
    previous: Annotated[uuid.UUID | None, doc("The run of the task before.")]
    next: Annotated[uuid.UUID | None, doc("The run of the task after.")]
    last_success_before: Annotated[RunRef | None, doc("The last success of the task before.")]
    next_success_after: Annotated[RunRef | None, doc("The next success of the task after.")]
    duration_rank: Annotated[DurationRank | None, doc("How long it took, beside other runs.")]
    error_group: Annotated[str | None, doc("Its group of errors.")]
    same_error_runs: Annotated[int | None, doc("Runs of its group of errors in these days.")]
