"""A window as spans of what is counted: whole months, days and parts of a day, and the parts it cuts in two."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from itertools import pairwise

from msgspec import Struct

from runlake import times
from runlake.serving.counting import first_day

Range = tuple[int, int]  # from the first up to, but without, the second


class Spans(Struct, frozen=True):
    """Ranges that do not overlap and together are a window: of months, days and parts (an hour or a quarter hour) since
    the epoch, and of microseconds.
    """

    months: list[Range]
    days: list[Range]
    parts: list[Range]
    cuts: list[Range]


def spans(low: int, high: int, months: Collection[int] = (), *, part: int = times.HOUR_US) -> Spans:
    """The window of the microseconds low <= t < high; `months` are those that are counted as a whole."""
    parts = -(-low // part), high // part
    if parts[0] > parts[1]:  # inside a part
        return Spans([], [], [], _some([(low, high)]))
    cuts = [(low, parts[0] * part), (parts[1] * part, high)]
    of_day = times.DAY_US // part
    days = -(-parts[0] // of_day), parts[1] // of_day
    if days[0] >= days[1]:
        return Spans([], [], _some([parts]), _some(cuts))
    ends = [(parts[0], days[0] * of_day), (days[1] * of_day, parts[1])]
    whole = [(month, first_day(month), first_day(month + 1)) for month in sorted(months)]
    whole = [found for found in whole if days[0] <= found[1] and found[2] <= days[1]]
    return Spans(
        [(month, month + 1) for month, *_ in whole],
        list(between(days, [(first, last) for _, first, last in whole])),
        _some(ends),
        _some(cuts),
    )


def without_ends(window: Range, ends: Collection[Range]) -> Range:
    """What is left of a window without one piece or two at its ends."""
    low, high = window
    return (
        max((end for start, end in ends if start == low), default=low),
        min((start for start, _ in ends if start != low), default=high),
    )


def _some(ranges: list[Range]) -> list[Range]:
    return [(low, high) for low, high in ranges if low < high]


def between(whole: Range, taken: list[Range]) -> Iterator[Range]:
    """The parts of a range that lie between others, which are in order."""
    low = whole[0]
    for first, last in taken:
        if low < first:
            yield low, first
        low = last
    if low < whole[1]:
        yield low, whole[1]


def joined(ranges: Iterable[Range]) -> list[Range]:
    """Ranges in their order, those that touch as one."""
    found: list[Range] = []
    for low, high in sorted(ranges):
        if found and found[-1][1] == low:
            found[-1] = found[-1][0], high
        else:
            found.append((low, high))
    return found


def within(column: str, ranges: Iterable[Range]) -> str:
    """Whether a value lies in one of these ranges, in the form of which DuckDB skips row groups."""
    apart = joined(ranges)
    gaps = [(end, low) for (_, end), (low, _) in pairwise(apart)]
    bounds = [f"{column} >= {apart[0][0]} AND {column} < {apart[-1][1]}"]
    return " AND ".join(bounds + [f"({column} < {end} OR {column} >= {low})" for end, low in gaps])
