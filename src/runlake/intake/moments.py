"""Columns of texts become times. Arrow reads the usual forms of `times.parse` alike and refuses all others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from runlake import times

_UTC: Final = pa.timestamp("us", "UTC")
_FEW: Final = 32  # of these, one by one is as quick


def parsed(texts: Sequence[str | None]) -> tuple[list[int | None], dict[int, str]]:
    """Microseconds since the epoch of each text, and why a text (by its place) is no time; None stays None."""
    if len(texts) > _FEW:
        try:
            micros: list[int | None] = pa.array(texts, pa.string()).cast(_UTC).cast(pa.int64()).to_pylist()
        except (pa.ArrowInvalid, UnicodeEncodeError):
            pass
        else:
            if all(time is None or 0 <= time <= times.MAX_US for time in micros):
                return micros, {}
    micros, wrong = [], {}
    for place, text in enumerate(texts):
        try:
            micros.append(None if text is None else times.parse(text))
        except ValueError as exc:
            micros.append(None)
            wrong[place] = str(exc)
    return micros, wrong
