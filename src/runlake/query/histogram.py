"""GET /stats/histogram: runs over time, in buckets of one width or of a calendar."""

from __future__ import annotations

from typing import Any, Final

from msgspec import UNSET, Struct

from runlake import times
from runlake.errors import BadInput, Timeout, TooLong
from runlake.model import Histogram, HistogramQuery, Series, Width
from runlake.query import filters
from runlake.query.branches import Blocks, branches, numbered, queued
from runlake.query.engine import Session
from runlake.query.filters import RunFilter, union_of
from runlake.query.sql import SQL

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND
# From narrow to wide.
_FIXED: Final[dict[Width, int]] = {
    "1s": _SECOND,
    "5s": 5 * _SECOND,
    "15s": 15 * _SECOND,
    "30s": 30 * _SECOND,
    "1m": _MINUTE,
    "5m": 5 * _MINUTE,
    "15m": 15 * _MINUTE,
    "30m": 30 * _MINUTE,
    "1h": times.HOUR_US,
    "3h": 3 * times.HOUR_US,
    "6h": 6 * times.HOUR_US,
    "12h": 12 * times.HOUR_US,
}
# The unit of a calendar, and its months and days.
_CALENDAR: Final[dict[Width, tuple[str, int, int]]] = {
    "1d": ("day", 0, 1),
    "1w": ("week", 0, 7),
    "1month": ("month", 1, 0),
}
_MOST: Final = 400  # buckets
_RESULTS: Final = ("success", "failed")
_OUTCOMES: Final = (*_RESULTS, "open")


class Buckets(Struct, frozen=True):
    """The buckets of a histogram: their edges (microseconds), one more than buckets."""

    width: Width
    edges: list[int]

    @property
    def unit(self) -> int:
        """A time of which all edges are multiples."""
        return next(unit for unit in (times.DAY_US, times.HOUR_US, times.QUARTER_US, 1) if self._are_multiples(unit))

    def _are_multiples(self, unit: int) -> bool:
        return all(edge % unit == 0 for edge in self.edges)

    @property
    def is_even(self) -> bool:
        """Whether they all have one width."""
        return self.width in _FIXED

    @property
    def parameters(self) -> dict[str, Any]:
        """As parameters of statements."""
        return {"origin": self.edges[0], "width": _FIXED.get(self.width, 0), "edges": self.edges}


def is_scan(query: HistogramQuery) -> bool:
    """Whether the answer may need a scan."""
    of_tasks = query.task_id is not UNSET or query.by == "task"
    by_hour = query.tz == "UTC" and query.success is UNSET and query.status is UNSET
    return _needs_bounds(query) or (of_tasks and not by_hour)


def _needs_bounds(query: HistogramQuery) -> bool:
    return filters.scan_of(query) is not None or query.by == "owner"


def histogram(session: Session, query: HistogramQuery) -> Histogram:
    """GET /stats/histogram. Raises BadInput, LakeDamaged and TooLong."""
    wanted = filters.with_window(query)
    low, high = wanted.low, wanted.high
    if _needs_bounds(query):
        filters.require_bounds(wanted, filters.scan_of(query) or "by")
    buckets = _buckets(session, query, low, high)
    session.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
    waiting = queued(session, wanted)
    wanted = numbered(session, wanted)
    try:
        series, timed, seconds = _series(session, wanted, buckets, query.by)
    except Timeout as exc:
        raise TooLong("the window is too long to read within the time limit") from exc
    return Histogram(
        start=times.to_datetime(low),
        end=times.to_datetime(high),
        width=buckets.width,
        tz=query.tz,
        edges=[times.to_datetime(min(edge, times.MAX_US)) for edge in buckets.edges],
        series=series,
        timed=timed,
        seconds=seconds,
        total=sum(sum(one.runs) for one in series),
        queued=waiting,
    )


def _buckets(session: Session, query: HistogramQuery, low: int, high: int) -> Buckets:
    """The narrowest buckets of which there are few enough, or those of the width that was asked for."""
    if query.tz != "UTC" and not session.rows(SQL["time_zone"], {"tz": query.tz}):
        raise BadInput.of("tz", f"is no time zone that is known here: {query.tz}")
    widths = [*_FIXED, *_CALENDAR] if query.width is UNSET else [query.width]
    most = query.buckets if query.width is UNSET else _MOST
    for width in widths:
        found = Buckets(width, _edges(session, width, query.tz, (low, high), most))
        if len(found.edges) - 1 <= most:
            return found
    if query.width is UNSET and len(found.edges) - 1 <= _MOST:  # not even months are wide enough
        return found
    raise BadInput.of("width", f"makes more than {_MOST} buckets of this window")


def _edges(session: Session, width: Width, tz: str, window: tuple[int, int], most: int) -> list[int]:
    """Where buckets begin, and where the last one ends; more than `most` of them are not all made."""
    low, last = window[0], max(window[1], window[0] + 1)
    if width in _FIXED:
        step = _FIXED[width]
        first = low // step
        count = min((last - 1) // step - first + 1, most + 1)
        return [number * step for number in range(first, first + count + 1)]
    unit, months, days = _CALENDAR[width]
    asked = {"unit": unit, "months": months, "days": days, "tz": tz, "low": low, "high": last}
    return [edge for (edge,) in session.rows(SQL["calendar"], asked)]


def _series(
    session: Session, wanted: RunFilter, buckets: Buckets, by: str
) -> tuple[list[Series], list[int], list[float]]:
    """The series, and for each bucket the runs with a duration and the sum of their seconds."""
    size = len(buckets.edges) - 1
    timed, seconds = [0] * size, [0.0] * size
    if wanted.tasks == () or wanted.low >= wanted.high:
        return [Series(key, [0] * size) for key in _OUTCOMES if by == "outcome"], timed, seconds
    parts = {
        "bucket": SQL["of_widths"] if buckets.is_even else SQL["of_edges"],
        "edges": "" if buckets.is_even else SQL["among_edges"],
        "key": "lease_owner" if by == "owner" else "task",
        "shown_key": "top.key" if by == "owner" else "task_id",
        "named": "" if by == "owner" else "LEFT JOIN task ON task.task = top.key",
        "among_tasks": "true" if wanted.tasks is None else SQL["of_task_numbers"],
    }
    union = union_of(wanted, buckets.parameters, **parts)
    part = _part(wanted, buckets, by)
    for block, values in branches(session, wanted, _blocks(wanted, by), part, days=buckets.unit >= times.DAY_US):
        union.add(block, **values)
    outcome = by == "outcome"
    found = session.rows(*union.within("outcomes" if outcome else "keys", by_name=False))
    runs: dict[str | None, list[int]] = {key: [0] * size for key in _OUTCOMES} if outcome else {}
    for bucket, *figures, with_duration, total in found:
        keyed = zip(_OUTCOMES, figures, strict=True) if outcome else [(figures[0], figures[1])]
        for key, count in keyed:
            name = None if key is None else str(key)
            runs.setdefault(name, [0] * size)[bucket] += count
        timed[bucket] += with_duration
        seconds[bucket] += total
    return [Series(key, counts) for key, counts in runs.items()], timed, seconds


def _blocks(wanted: RunFilter, by: str) -> Blocks:
    if by != "outcome":
        return Blocks("day_tasks", "part_tasks", "run_keys")
    if wanted.tasks is not None:
        return Blocks("task_day_outcomes", "task_part_outcomes", "run_outcomes")
    return Blocks("day_outcomes", "part_outcomes", "run_outcomes")


def _part(wanted: RunFilter, buckets: Buckets, by: str) -> int | None:
    """The smallest unit of time of the rollups that can answer; None where only single runs can."""
    of_tasks = wanted.tasks is not None or by == "task"
    # A task's hours do not say which of its durations are of failed runs.
    if wanted.is_scan or by == "owner" or (of_tasks and len(wanted.results) < len(_RESULTS)):
        return None
    part = times.HOUR_US if of_tasks else times.QUARTER_US
    return part if buckets.unit >= part else None
