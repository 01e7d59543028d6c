"""A member that a JSON object has twice: decoders keep the last one and say nothing."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

_DECODER: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()


def twice(record: bytes) -> str | None:
    """The first name that a valid JSON object has twice, or None."""
    # An object whose names differ is the same when it is read and written again. This is the quickest way to know.
    again = _ENCODER.encode(_DECODER.decode(record))
    if again == record.strip() or _compact(again) == _compact(record):
        return None
    pairs: list[tuple[str, Any]] = []

    def keep(members: list[tuple[str, Any]]) -> None:
        pairs[:] = members  # of the outermost object in the end, for it is the last to be complete

    json.loads(record, object_pairs_hook=keep, parse_int=str, parse_float=str)
    names = [name for name, _ in pairs]
    return next((name for name in names if names.count(name) > 1), None)


def _compact(text: bytes) -> bytes:
    return msgspec.json.format(text, indent=-1)
