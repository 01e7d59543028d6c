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
    leased_until: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    success: Annotated[bool | None, doc("Result; null while the run is open.")]
    error: Annotated[str | None, doc("Error message; null in lists unless include_errors=true.")]
    attempt: Attempt
    output: Output
    created_at: datetime


class Record(
    Struct, forbid_unknown_fields=True, kw_only=True, gc=False
):  # a record cannot be part of a reference cycle
    """One run as it is sent. Times are ISO 8601; without an offset they are UTC."""

    id: Annotated[uuid.UUID | None, doc("Identity of this attempt; minted (UUIDv7) when absent.")] = None
    task_id: TaskId
    lease_owner: Owner | None = None
    leased_until: Instant | None = None
    started_at: Instant | None = None
    finished_at: Annotated[Instant | None, doc("Set exactly when `success` is set.")] = None
    success: bool | None = None
    error: str | None = None
    attempt: Attempt = 1
    output: Output = msgspec.field(default_factory=_null)
    created_at: Annotated[Instant | None, doc("Default: started_at, else finished_at, else the time of receipt.")] = (
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
    ids: Annotated[list[uuid.UUID], doc("Ids in input order, minted ones included.")]


def decode_instant(kind: type, value: Any) -> Instant:
    """The Instant of a decoded JSON text: a `dec_hook` for msgspec decoders of these Structs."""
    if kind is not Instant:
        raise NotImplementedError(kind)
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 time as text")
    return Instant(times.parse(value))
