"""GET /stats/tasks: all tasks side by side."""

from __future__ import annotations

from typing import Any, Final, get_args

from msgspec import UNSET
from msgspec.structs import asdict, replace

from runlake import times
from runlake.model import Measure, TaskColumns, Tasks, TasksQuery
from runlake.query import spark
from runlake.query.branches import Blocks, branches
from runlake.query.engine import Session, in_time
from runlake.query.filters import RunFilter, union_of
from runlake.query.previous import Windows
from runlake.query.spans import joined
from runlake.query.spark import Parts
from runlake.query.sql import SQL, Union, filled

_MEASURES: Final[tuple[Measure, ...]] = get_args(Measure)
_TIMED: Final = frozenset({"p50_seconds", "p95_seconds", "previous_p95_seconds", "slower", "attention"})
_SEQUENCED: Final = frozenset({"streak", "flips", "longest_gap_seconds", "attention"})
_COUNTS: Final = Blocks("task_days", "task_parts", "task_runs")
_DURATIONS: Final = Blocks("timed_days", "timed_parts", "timed_runs")
_LINES: Final = Blocks("line_days", "line_parts", "line_runs")
_PIECES: Final = Blocks("", "", "piece_runs")
_GAP_US: Final = 28 * times.DAY_US  # how far back the longest gap is looked for


class _Window(Windows, frozen=True):
    """The windows of the fleet, and from when on gaps between runs count (microseconds)."""

    gap_from: int

    @property
    def whole(self) -> RunFilter:
        """All that is read."""
        return replace(self.wanted, low=min(self.gap_from, self.before))


def tasks(session: Session, query: TasksQuery) -> Tasks:
    """GET /stats/tasks. Raises BadInput, LakeDamaged and TooLong."""
    both = Windows.of(query)
    low, high = both.wanted.low, both.wanted.high
    window = _Window(**asdict(both), gap_from=max(0, (high - _GAP_US) // times.DAY_US * times.DAY_US))
    session.require_readable(window.whole.low // times.DAY_US, (high - 1) // times.DAY_US)
    parts = spark.parts_of(low, high, query.spark)
    with in_time():
        rows = _rows(session, window, query, parts)
        counted = rows
        if not rows and query.offset:  # past the end
            counted = _rows(session, window, replace(query, offset=0, limit=1), parts)
    names = ("task_id", "name", *_MEASURES)
    found = dict(zip(names, zip(*rows, strict=True), strict=False)) if rows else dict.fromkeys(names, ())
    measures = set(_MEASURES if query.measures is UNSET else query.measures)
    columns = {name: list(found[name]) for name in names if name in measures or name in names[:2]}
    if "last_run" in columns:
        columns["last_run"] = [None if at is None else times.to_datetime(at) for at in columns["last_run"]]
    total = counted[0][-3] if counted else 0
    return Tasks(
        **asdict(window.head(session)),
        total_tasks=total,
        truncated=query.offset + len(rows) < total,
        columns=TaskColumns(**columns),
        spark=parts.spark([row[-2:] for row in rows]),
    )


def _rows(session: Session, window: _Window, query: TasksQuery, parts: Parts) -> list[tuple[Any, ...]]:
    """The page of tasks: ids, names, all measures, how many tasks there are, and the two spark lines."""
    wanted, whole = window.wanted, window.whole
    if whole.low >= whole.high:
        return []
    asked = {query.sort, *(_MEASURES if query.measures is UNSET else query.measures)}
    known = {
        "now": wanted.low,
        "before": window.before,
        "gap_from": window.gap_from,
        "moment": min(wanted.high, wanted.now),
        "compared": window.is_compared,
        "limit": query.limit,
        "offset": query.offset,
        "q": None if query.q is UNSET else query.q,
    }
    both = replace(wanted, low=window.before)
    timed = bool(asked & _TIMED) and both.low < both.high
    days, of_rows = _row_days(session, window) if asked & _SEQUENCED else ({}, [])
    filling = _parts(query, asked, timed=timed, lined=parts.width > 0)
    union = union_of(wanted, {**known, **parts.parameters, **days}, **filling)
    borders = [at for at in (window.before, wanted.low) if whole.low < at < whole.high]
    union.add_all(branches(session, whole, _COUNTS, times.HOUR_US, borders))
    if timed:
        borders = [at for at in borders if at > both.low]
        union.add_all(branches(session, both, _DURATIONS, times.HOUR_US, borders), into="timed")
    if parts.width:
        union.add_all(branches(session, wanted, _LINES.by_day(fits=parts.are_days), times.HOUR_US), into="lines")
    if asked & _SEQUENCED:
        _add_pieces(union, session, window, of_rows)
    return session.rows(*union.within("fleet", by_name=False))


def _parts(query: TasksQuery, asked: set[str], *, timed: bool, lined: bool) -> dict[str, str]:
    """What stands in the braces of the statement."""
    sequenced = filled(SQL["sequenced_tasks"], rows="run_of_piece")
    order = f"{query.sort} {query.order.upper()} NULLS LAST"
    if query.sort == "attention":
        order = f"{filled(SQL['by_attention'], direction=query.order.upper())} {query.order.upper()}"
    return {
        "timed": SQL["timed_tasks" if timed else "no_timed_tasks"],
        "lines": filled(SQL["spark_lines" if lined else "no_spark_lines"], key="task"),
        "sequenced": sequenced if asked & _SEQUENCED else SQL["no_sequenced_tasks"],
        "matching": SQL["all_tasks" if query.q is UNSET else "tasks_with_words"],
        "order": order,
    }


def _add_pieces(union: Union, session: Session, window: _Window, of_rows: list[int]) -> None:
    """The runs of the days whose sequences are made from them."""
    low, high = min(window.gap_from, window.wanted.low), window.wanted.high
    union.add("no_piece_runs", into="pieces")
    for first, end in joined((day, day + 1) for day in of_rows):
        of_days = replace(window.wanted, low=max(low, first * times.DAY_US), high=min(high, end * times.DAY_US))
        if of_days.low < of_days.high:
            union.add_all(branches(session, of_days, _PIECES, None), into="pieces")


def _row_days(session: Session, window: _Window) -> tuple[dict[str, Any], list[int]]:
    """The days for which it counts how runs followed each other, and those of them whose runs have to be read."""
    low, high = min(window.gap_from, window.wanted.low), window.wanted.high
    days: dict[str, Any] = {"first_day": low // times.DAY_US, "last_day": (high - 1) // times.DAY_US}
    cut = {at // times.DAY_US for at in (low, window.wanted.low, high) if at % times.DAY_US}
    of_rows = sorted(cut | {day for (day,) in session.rows(SQL["row_days"], days)})
    return days | {"row_days": (*of_rows, -1)}, of_rows
