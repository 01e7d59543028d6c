"""Answers of the service about itself, and its errors."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from msgspec import UNSET, Struct, UnsetType

from runlake.errors import FieldError
from runlake.model.runs import doc


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """For routes without query parameters."""


class Problem(Struct, frozen=True, omit_defaults=True):
    """An error, as RFC 9457 problem details."""

    type: Annotated[str, doc("What went wrong, for programs: `urn:runlake:` and a stable code, or `about:blank`.")]
    title: Annotated[str, doc("The status in words.")]
    status: Annotated[int, doc("The HTTP status.")]
    detail: Annotated[str, doc("What went wrong in this request, and what to do about it.")]
    instance: Annotated[str, doc("The path of the request.")]
    errors: Annotated[
        list[FieldError] | UnsetType, doc("The fields that are wrong; only for bad input and conflicts.")
    ] = UNSET


class Health(Struct, frozen=True):
    """The process answers."""

    status: Annotated[Literal["ok"], doc("Always this value.")]


class Ready(Struct, frozen=True, omit_defaults=True):
    """The lake is attached and the serving database has caught up with this snapshot. Without a key, where one is
    needed, only `status`.
    """

    status: Annotated[Literal["ready"], doc("Always this value.")]
    snapshot: Annotated[int | UnsetType, doc("The snapshot of the lake that answers are of.")] = UNSET
    runs: Annotated[int | UnsetType, doc("Runs stored, open ones included.")] = UNSET


Scope = Literal["read", "write"]


class Span(Struct, frozen=True):
    """The run times of the oldest and the newest run; null when there is none."""

    oldest: datetime | None
    newest: datetime | None


class Limits(Struct, frozen=True):
    """What requests are bounded by."""

    body_bytes: Annotated[int, doc("Bytes of a body, packed or unpacked.")]
    body_seconds: Annotated[float, doc("Seconds for a body to arrive.")]
    query_seconds: Annotated[float, doc("Seconds of a question.")]
    batch_runs: Annotated[int, doc("Runs of one request.")]
    page_runs: Annotated[int, doc("Runs of a page.")]
    scan_days: Annotated[int, doc("Days of a window that is read run by run.")]
    window_days: Annotated[int, doc("Days of any window.")]
    names: Annotated[int, doc("Names of one request.")]
    views: Annotated[int, doc("Shared views.")]


class About(Struct, frozen=True, omit_defaults=True):
    """The service and its data. To whom sends no key where keys are needed, only `version` and `auth`.

    `scopes` are those of the request; `snapshot`, `runs`, `oldest` and `newest` are null until the service is ready.
    """

    version: Annotated[str, doc("The version of runlake.")]
    auth: Annotated[Literal["none", "key"], doc("Whether requests need a key.")]
    scopes: Annotated[list[Scope] | UnsetType, doc("What this request may do.")] = UNSET
    ready: Annotated[bool | UnsetType, doc("Whether it can answer about the data.")] = UNSET
    snapshot: Annotated[int | UnsetType | None, doc("The newest snapshot.")] = UNSET
    runs: Annotated[int | UnsetType | None, doc("Runs stored, open ones included.")] = UNSET
    oldest: Annotated[datetime | UnsetType | None, doc("The run time of the oldest run.")] = UNSET
    newest: Annotated[datetime | UnsetType | None, doc("The run time of the newest run.")] = UNSET
    limits: Annotated[Limits | UnsetType, doc("What requests are bounded by.")] = UNSET
