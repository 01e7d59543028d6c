"""Small JSON bodies that are one Struct."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from runlake.errors import BadInput
from runlake.intake.messages import syntax_error

T = TypeVar("T", bound=Struct)
_AT: Final = re.compile(r" - at `\$\.?(.*)`$")


def decoded(body: bytes, kind: type[T], hint: str) -> T:
    """The Struct of a JSON body; raises BadInput with this hint."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        message = str(exc)
        at = _AT.search(message)
        _, reason = syntax_error(body, message[: at.start()] if at else message)
        raise BadInput.of(at[1] if at and at[1] else "body", reason, hint=hint) from None
