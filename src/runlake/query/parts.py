"""Answers in parts, while a question is under way: each is the answer to the part of the window that has been read, the
newest days first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from msgspec import Struct

from runlake import times
from runlake.query.spans import Range
from runlake.serving.counting import State

_MOST: Final = 4  # units of a piece, unless the window is so long that it would be cut into more than _PIECES
_PIECES: Final = 32
_GROWTH: Final = 4  # times as long as the one before is a window


class Part(Struct, frozen=True):
    """How far a question came: it has read `done` of `of` days, and all runs from `since` (microseconds) on."""

    done: int
    of: int
    since: int


Report = Callable[[Part, Callable[[], object]], None]  # takes a part, and a function that makes its answer


def whole(low: int) -> Part:
    """The part that is the answer itself."""
    return Part(1, 1, low)


def pieces(low: int, high: int, *, in_parts: bool, unit: int = times.DAY_US) -> Iterator[tuple[Part, Range]]:
    """A window, `in_parts` cut where multiples of a unit (of days) lie: the newest piece first, and small."""
    if not in_parts:
        yield whole(low), (low, high)
        return
    first, last = low // unit, -(-high // unit)
    size, most, end = 1, max(_MOST, (last - first) // _PIECES), high
    until, days = -(-high // times.DAY_US), -(-high // times.DAY_US) - low // times.DAY_US
    while end > low:
        last -= size
        start = max(low, last * unit)
        yield Part(until - start // times.DAY_US, days, start), (start, end)
        end, size = start, min(2 * size, most)


def growing(low: int, high: int, state: State, *, in_parts: bool) -> Iterator[Part]:
    """A window, `in_parts` after shorter ones that end as it does: for questions whose pieces do not add up. Each is at
    least twice as long as the one before.
    """
    if not in_parts:
        yield whole(low)
        return
    first = max(low // times.DAY_US, state.first_day)
    last = min(-(-high // times.DAY_US), max(times.now(), state.newest) // times.DAY_US + 1)
    days = 1
    while 2 * days <= last - first:
        yield Part(days, last - first, (last - days) * times.DAY_US)
        days *= _GROWTH
    yield Part(max(last - first, 1), max(last - first, 1), low)
