"""Runs and records: the schema of all tables, and what POST /runs takes and answers."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from runlake import times

MAX_ATTEMPT: Final = 2_147_483_647
MAX_OWNER: Final = 255
MAX_DEPTH: Final = 100
MAX_RECORD_BYTES: Final = 1_048_576
MAX_BATCH: Final = 10_000
MAX_OFFSET: Final = 2**53 - 1
EXAMPLE_RUN: Final = "7f3e4d2c-1a9b-4c8d-9e6f-2b5a8c7d4e9f"
EXAMPLE_TASK: Final = "550e8400-e29b-41d4-a716-446655440000"


def doc(text: str, *examples: Any) -> Meta:
    """The description of a field or parameter, and examples of it, for the OpenAPI document."""
    return Meta(description=text, examples=list(examples) or None)


def _null() -> msgspec.Raw:
    return msgspec.Raw(b"null")


class Instant(int):
    """A time of a record or a query parameter: microseconds since the epoch, parsed from ISO 8601 text."""

    @classmethod
    def of(cls, moment: str | datetime) -> Instant:
        """The Instant of an ISO 8601 text or a datetime; without an offset they are UTC. Raises ValueError."""
        return cls(times.parse(moment if isinstance(moment, str) else moment.isoformat()))


Attempt = Annotated[int, Meta(ge=1, le=MAX_ATTEMPT), doc("Which try of the same work this is.", 1)]
Owner = Annotated[str, Meta(max_length=MAX_OWNER), doc("Who holds or held the lease.", "worker-xyz")]
RunId = Annotated[uuid.UUID, doc("Identity of one execution attempt.", EXAMPLE_RUN)]
TaskId = Annotated[uuid.UUID, doc("The task that ran.", EXAMPLE_TASK)]
Output = Annotated[msgspec.Raw, doc("What the run returned: any JSON value.", {"rows": 12})]


class Run(Struct, frozen=True):
    """One run as it is stored and answered."""

    id: RunId
    task_id: TaskId
    lease_owner: Owner | None
    leased_until: Annotated[datetime | None, doc("When the lease ends: an open run past it is lost.")]
    started_at: Annotated[datetime | None, doc("When the run started; null while it is queued.")]
    finished_at: Annotated[datetime | None, doc("When the run finished; null while it is open.")]
    success: Annotated[bool | None, doc("Result; null while the run is open.")]
    error: Annotated[str | None, doc("Error message; null in lists unless include_errors=true.")]
    attempt: Attempt
    output: Output
    created_at: Annotated[datetime, doc("When the run was created.")]


class RunRecord(Struct, forbid_unknown_fields=True, kw_only=True, gc=False):  # it cannot be part of a reference cycle
    """One run as it is sent. Times are ISO 8601; without an offset they are UTC."""

    id: Annotated[uuid.UUID | None, doc("Identity of this attempt; minted (UUIDv7) when absent.")] = None
    task_id: TaskId
    lease_owner: Owner | None = None
    leased_until: Annotated[Instant | None, doc("When the lease ends: an open run past it is lost.")] = None
    started_at: Annotated[Instant | None, doc("When the run started; null while it is queued.")] = None
    finished_at: Annotated[Instant | None, doc("Set exactly when `success` is set.")] = None
    success: Annotated[bool | None, doc("Result; set exactly when `finished_at` is set.")] = None
    error: Annotated[str | None, doc("Error message.")] = None
    attempt: Attempt = 1
    output: Output = msgspec.field(default_factory=_null)
    created_at: Annotated[Instant | None, doc("Default: started_at, else finished_at, else the time of receipt.")] = (
        None
    )


class RunBatch(Struct, forbid_unknown_fields=True):
    """The JSON body of POST /runs."""

    runs: Annotated[list[RunRecord], Meta(min_length=1, max_length=MAX_BATCH), doc("Applied in this order.")]


class Stored(Struct, frozen=True):
    """The result of a batch: received = stored + duplicates + stale."""

    received: Annotated[int, doc("Records in the request.")]
    stored: Annotated[int, doc("Records that were new or changed an open run.")]
    duplicates: Annotated[int, doc("Records equal to what was stored already.")]
    stale: Annotated[int, doc("Open records for runs that had finished already.")]
    ids: Annotated[list[uuid.UUID], doc("Ids in input order, minted ones included.")]


def decode_instant(kind: type, value: Any) -> Instant:
    """The Instant of a decoded JSON text: a `dec_hook` for msgspec decoders of these Structs."""
    if kind is not Instant:
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 time as text")
    return Instant(times.parse(value))


def encode_instant(value: object) -> str:
    """The text of an Instant: an `enc_hook` for msgspec encoders of these Structs."""
    if not isinstance(value, Instant):
        raise NotImplementedError(type(value))
    return times.to_text(value)
