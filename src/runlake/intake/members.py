"""A member that a JSON object has twice: decoders keep the last one and say nothing."""

from __future__ import annotations

import json
from typing import Any, Final

from runlake.columns import NAMES

_QUOTED: Final = tuple(f'"{name}"'.encode() for name in NAMES)
_ESCAPE: Final = b"\\u00"  # with it a name may be spelled in another way


def twice(record: bytes) -> str | None:
    """The first field of a run that a valid record has twice; None is the answer of nearly all, and quick."""
    count = record.count
    if _ESCAPE not in record:
        for name in _QUOTED:
            if count(name) > 1:
                break
        else:
            return None
    pairs: list[tuple[str, Any]] = []

    def keep(members: list[tuple[str, Any]]) -> None:
        pairs[:] = members  # of the outermost object in the end, for it is the last to be complete

    json.loads(record, object_pairs_hook=keep, parse_int=str, parse_float=str)
    names = [name for name, _ in pairs]
    return next((name for name in names if names.count(name) > 1), None)
