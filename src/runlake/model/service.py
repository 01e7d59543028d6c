"""Answers of the service about itself, and its errors."""

from __future__ import annotations

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


class Ready(Struct, frozen=True):
    """The lake is attached and the serving database has caught up with this snapshot."""

    snapshot: Annotated[int, doc("The snapshot of the lake that answers are of.")]
    runs: Annotated[int, doc("Runs stored, open ones included.")]
    status: Annotated[Literal["ready"], doc("Always this value.")]
