"""Whether the window before another one has all its runs."""

from __future__ import annotations

from runlake import times
from runlake.query.engine import Session
from runlake.query.names import span


def is_complete(session: Session, start: int) -> bool:
    """Whether neither retention nor the first run of all cuts a window that begins at `start` (microseconds)."""
    if start < session.state.first_day * times.DAY_US:
        return False
    oldest = span(session).oldest
    return oldest is not None and times.to_datetime(max(start, 0)) >= oldest and start >= 0
