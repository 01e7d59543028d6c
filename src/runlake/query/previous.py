"""The window before another one, and whether it has all its runs."""

from __future__ import annotations

from msgspec import Struct

from runlake import times
from runlake.model import Compared, ComparedQuery, Filter
from runlake.query import filters
from runlake.query.engine import Session
from runlake.query.filters import RunFilter
from runlake.query.names import span
from runlake.query.sql import SQL


class Windows(Struct, frozen=True):
    """The runs of a window, and when the window before it begins; where nobody asked to compare, that is where the
    window itself does.
    """

    wanted: RunFilter
    before: int
    is_compared: bool

    @classmethod
    def of(cls, query: ComparedQuery) -> Windows:
        """Those of a question. Raises BadInput."""
        wanted = filters.with_window(Filter(start_time=query.start_time, end_time=query.end_time))
        is_compared = query.compare == "previous"
        return cls(wanted, wanted.previous.low if is_compared else wanted.low, is_compared)

    def head(self, session: Session) -> Compared:
        """The head of an answer about them."""
        low, high = self.wanted.low, self.wanted.high
        before = 2 * low - high
        return Compared(
            start=times.to_datetime(low),
            end=times.to_datetime(high),
            previous_start=times.to_datetime(max(before, 0)) if self.is_compared else None,
            previous_complete=is_complete(session, before) if self.is_compared else None,
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
