"""GET /stats/histogram: runs over time, in buckets of one width or of a calendar."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Final

from msgspec import UNSET, Struct
from msgspec.structs import replace

from runlake import times
from runlake.errors import BadInput
from runlake.model import Histogram, HistogramQuery, Series, Width
from runlake.query import filters, parts, scan
from runlake.query.branches import Blocks, branches, numbered, queued
from runlake.query.engine import Session, in_time
from runlake.query.files import every
from runlake.query.filters import RunFilter, union_of
from runlake.query.parts import Part
from runlake.query.sql import SQL, Union

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
    of_tasks, of_owners = query.task_id is not UNSET, query.by == "owner"
    by_hour = query.tz == "UTC" and query.success is UNSET and query.status is UNSET
    reads_hours = of_tasks or of_owners or query.by == "task"
    return filters.scan_of(query) is not None or (of_tasks and of_owners) or (reads_hours and not by_hour)


def histogram(session: Session, query: HistogramQuery) -> Histogram:
    """GET /stats/histogram. Raises BadInput, LakeDamaged and TooLong."""
    wanted = filters.with_window(query)
    low, high = wanted.low, wanted.high
    buckets = _buckets(session, query, low, high)
    if filters.scan_of(query) is not None or (query.by == "owner" and _part(wanted, buckets, "owner") is None):
        filters.require_bounds(wanted, filters.scan_of(query) or "by")
    session.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
    waiting = queued(session, wanted)
    wanted = numbered(session, wanted)
    with in_time():
        for part, sums in _sums(session, wanted, buckets, query.by):
            answer = partial(sums.answer, wanted, buckets, tz=query.tz, queued=waiting)
            session.tell(part, answer)
    return answer()


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


class _Sums:
    """What the buckets of a histogram hold: runs by key, runs with a duration, and the sum of these (microseconds)."""

    def __init__(self, buckets: int, keys: Sequence[str]) -> None:
        self._size = buckets
        self.runs: dict[str | None, list[int]] = {}
        self._timed, self._us = [0] * buckets, [0.0] * buckets
        for key in keys:
            self.add_key(key)

    def answer(self, wanted: RunFilter, buckets: Buckets, *, tz: str, queued: int) -> Histogram:
        """The histogram; its series are in the order in which their keys came."""
        return Histogram(
            start=times.to_datetime(wanted.low),
            end=times.to_datetime(wanted.high),
            width=buckets.width,
            tz=tz,
            edges=[times.to_datetime(min(edge, times.MAX_US)) for edge in buckets.edges],
            series=[Series(key, counts) for key, counts in self.runs.items()],
            timed=self._timed,
            seconds=[us / 1e6 for us in self._us],
            total=sum(map(sum, self.runs.values())),
            queued=queued,
        )

    def add_key(self, key: str | None) -> list[int]:
        """The runs of a key, none at first."""
        return self.runs.setdefault(key, [0] * self._size)

    def add(self, rows: Sequence[tuple[Any, ...]], keys: Sequence[str | None] = ()) -> None:
        """Rows of a bucket, either the runs of each of these keys or a key and its runs, and the sums."""
        for bucket, *figures, timed, us in rows:
            found = zip(keys, figures, strict=True) if keys else [figures]
            for key, runs in found:
                self.add_key(None if key is None else str(key))[bucket] += runs
            self._timed[bucket] += timed
            self._us[bucket] += us


def _sums(session: Session, wanted: RunFilter, buckets: Buckets, by: str) -> Iterator[tuple[Part, _Sums]]:
    """The sums of the window; before that, if parts are wanted, those of parts of it."""
    size = len(buckets.edges) - 1
    wanted = replace(wanted, runs_only=_part(wanted, buckets, by) is None)
    in_parts = session.report is not None and wanted.runs_only and not wanted.is_of_group
    if wanted.tasks == () or wanted.low >= wanted.high:
        yield parts.whole(wanted.low), _Sums(size, _OUTCOMES if by == "outcome" else ())
    elif by == "outcome":
        sums = _Sums(size, _OUTCOMES)
        for part, (low, high) in parts.pieces(wanted.low, wanted.high, in_parts=in_parts):
            sums.add(_outcomes(session, replace(wanted, low=low, high=high), buckets), _OUTCOMES)
            yield part, sums
    else:  # which keys have the most runs does not add up
        for part in parts.growing(wanted.low, wanted.high, session.state, in_parts=in_parts):
            yield part, _sums_of_keys(session, replace(wanted, low=part.since), buckets, by)


def _sums_of_keys(session: Session, wanted: RunFilter, buckets: Buckets, by: str) -> _Sums:
    sums = _Sums(len(buckets.edges) - 1, ())
    if by != "error_group":
        sums.add(_keys(session, wanted, buckets, by))
        return sums
    sums.add(_groups(session, wanted, buckets))
    others = replace(wanted, results=tuple(result for result in wanted.results if result))
    if others.results or others.opened:  # they are in no group of errors
        sums.add(_outcomes(session, others, buckets), (None, None, None))
    if None in sums.runs:
        sums.runs[None] = sums.runs.pop(None)  # last
    return sums


def _parts(buckets: Buckets, wanted: RunFilter) -> dict[str, str]:
    return {
        "bucket": SQL["of_widths"] if buckets.is_even else SQL["of_edges"],
        "edges": "" if buckets.is_even else SQL["among_edges"],
        "among_tasks": "true" if wanted.tasks is None else SQL["of_task_numbers"],
    }


def _outcomes(session: Session, wanted: RunFilter, buckets: Buckets) -> list[tuple[Any, ...]]:
    """Rows of a bucket, its successful, failed and open runs, and the sums."""
    union = union_of(wanted, buckets.parameters, **_parts(buckets, wanted))
    _add_branches(union, session, wanted, buckets, "outcome")
    return session.rows(*union.within("outcomes", by_name=False))


def _keys(session: Session, wanted: RunFilter, buckets: Buckets, by: str) -> list[tuple[Any, ...]]:
    """Rows of a bucket, a key, its runs, and the sums."""
    union = union_of(wanted, buckets.parameters, **_parts(buckets, wanted), **_SHOWN[by])
    _add_branches(union, session, wanted, buckets, by)
    return session.rows(*union.within("keys", by_name=False))


def _groups(session: Session, wanted: RunFilter, buckets: Buckets) -> list[tuple[Any, ...]]:
    """The same of failed runs by their group of errors."""
    if False not in wanted.results:
        return []
    failed = replace(wanted, results=(False,), opened=())
    union = union_of(failed, buckets.parameters, **_parts(buckets, wanted), **_SHOWN["error_group"])
    low, high = wanted.low, wanted.high
    if wanted.error is None:
        union.add("failed_groups", low=low, high=high)
    else:
        union.add("inlined_groups", low=low, high=high)
        paths = scan.files_of(session, wanted, low // times.DAY_US, (high - 1) // times.DAY_US)
        if paths:
            union.add("file_groups", low=low, high=high, files=every(paths))
    return session.rows(*union.within("keys", by_name=False))


# How the statement `keys` shows a key.
_SHOWN: Final = {
    "owner": {"key": "lease_owner", "shown_key": "key", "named": ""},
    "task": {"key": "task", "shown_key": "task_id", "named": "JOIN task ON task.task = summed.key"},
    "error_group": {
        "key": "error_group",
        "shown_key": "error_group.id",
        "named": "JOIN error_group ON error_group.error_group = summed.key",
    },
}


def _add_branches(union: Union, session: Session, wanted: RunFilter, buckets: Buckets, by: str) -> None:
    part = _part(wanted, buckets, by)
    blocks = blocks_of(wanted, by).by_day(fits=buckets.unit >= times.DAY_US)
    union.add_all(branches(session, wanted, blocks, part))


def blocks_of(wanted: RunFilter, by: str) -> Blocks:
    """The blocks that count runs, and those with a duration, by outcome or key."""
    if by == "owner":
        return Blocks("day_owners", "part_owners", "run_keys")
    if by != "outcome":
        return Blocks("day_tasks", "part_tasks", "run_keys")
    if wanted.tasks is not None:
        return Blocks("task_day_outcomes", "task_part_outcomes", "run_outcomes")
    return Blocks("day_outcomes", "part_outcomes", "run_outcomes")


def _part(wanted: RunFilter, buckets: Buckets, by: str) -> int | None:
    part = part_of(wanted, by)
    return part if part is not None and buckets.unit >= part else None


def part_of(wanted: RunFilter, by: str) -> int | None:
    """The smallest unit of time of the rollups that can answer; None where only single runs can."""
    of_tasks, of_owners = wanted.task_ids is not None, by == "owner"
    # The hours of a task or an owner do not say which of its durations are of failed runs.
    reads_hours = of_tasks or of_owners or by == "task"
    if wanted.is_scan or (of_tasks and of_owners) or (reads_hours and len(wanted.results) < len(_RESULTS)):
        return None
    return times.HOUR_US if reads_hours else times.QUARTER_US
