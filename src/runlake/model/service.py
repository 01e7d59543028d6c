"""Answers of the service about itself, and its errors."""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from runlake.errors import FieldError


class NoQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """For routes without query parameters."""


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
