"""Small JSON bodies that are one Struct."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from msgspec import Struct

from runlake.errors import BadInput
from runlake.intake.messages import AT, syntax_error

T = TypeVar("T", bound=Struct)


def decoded(body: bytes, kind: type[T], hint: str) -> T:
    """The Struct of a JSON body; raises BadInput with this hint."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = str(exc)
        at = AT.search(message)
        _, reason = syntax_error(body, message[: at.start()] if at else message)
        raise BadInput.of(at[1] if at and at[1] else "body", reason, hint=hint) from None
