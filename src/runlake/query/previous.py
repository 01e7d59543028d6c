"""The window before another one, and whether it has all its runs."""

from __future__ import annotations

from runlake import times
from runlake.model import Compared
from runlake.query.engine import Session
from runlake.query.names import span
from runlake.query.sql import SQL


def compared(session: Session, low: int, high: int, *, wanted: bool) -> Compared:
    """The head of an answer about a window (microseconds), compared with the one before where that is `wanted`."""
    before = 2 * low - high
    return Compared(
        start=times.to_datetime(low),
        end=times.to_datetime(high),
        previous_start=times.to_datetime(max(before, 0)) if wanted else None,
        previous_complete=is_complete(session, before) if wanted else None,
    )


def is_complete(session: Session, start: int) -> bool:
    """Whether neither retention nor the first run of all cuts a window that begins at `start` (microseconds)."""
    if start < max(0, session.state.first_day * times.DAY_US):
        return False
    ((first,),) = session.rows(SQL["first_day"])
    if first is not None and first < start // times.DAY_US:
        return True
    if first is not None and first == start // times.DAY_US:  # the file of that day says which of them was first
        oldest = span(session).oldest
        return oldest is not None and oldest <= times.to_datetime(start)
    ((outside, _),) = session.rows(SQL["span_outside"])
    return outside is not None and int(outside) <= start
