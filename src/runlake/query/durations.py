"""GET /stats/durations: how many runs began when and took how long, or, of few runs, each of them."""

from __future__ import annotations

import uuid
from functools import partial
from typing import Any, Final

from msgspec.structs import replace

from runlake import times
from runlake.model import Cells, Durations, DurationsQuery, Points
from runlake.query import filters, parts, timed
from runlake.query.branches import Blocks, branches, numbered, queued
from runlake.query.engine import Session, in_time
from runlake.query.filters import RunFilter, union_of
from runlake.query.sql import SQL

_SECONDS: Final = (1, 5, 15, 30, 60, 300, 900, 1_800, 3_600, 10_800, 21_600, 43_200)
_DAYS: Final = (1, 2, 7, 14, 28)
_WIDTHS: Final = (*(seconds * 1_000_000 for seconds in _SECONDS), *(days * times.DAY_US for days in _DAYS))
_PERCENTS: Final = (50, 95)
_OF_ALL: Final = Blocks("density_days", "density_hours", "density_runs")
_OF_TASKS: Final = Blocks("density_task_days", "density_task_hours", "density_runs")


def is_scan(query: DurationsQuery) -> bool:
    """Whether the answer needs a scan."""
    return filters.scan_of(query) is not None


def durations(session: Session, query: DurationsQuery) -> Durations:
    """GET /stats/durations. Raises BadInput, LakeDamaged and TooLong."""
    wanted = filters.with_window(query)
    if name := filters.scan_of(query):
        filters.require_bounds(wanted, name)
    low, high = wanted.low, wanted.high
    session.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
    waiting = queued(session, wanted)
    wanted = numbered(session, wanted)
    last = max(high - 1, low)
    width = next((width for width in _WIDTHS if last // width - low // width < query.columns), _WIDTHS[-1])
    picture = _Picture(low // width * width, width, last // width - low // width + 1, query.points)
    in_parts = session.report is not None and is_scan(query) and not wanted.is_of_group
    with in_time():
        for part, (start, end) in parts.pieces(low, high, in_parts=in_parts, unit=max(width, times.DAY_US)):
            if wanted.tasks != ():
                picture.read(session, replace(wanted, low=start, high=end))
            session.tell(part, partial(_answer, session, wanted, picture, since=start, queued=waiting))
        return _answer(session, wanted, picture, since=low, queued=waiting)


def _answer(session: Session, wanted: RunFilter, picture: _Picture, *, since: int, queued: int) -> Durations:
    ((opened,),) = session.rows(*union_of(replace(wanted, low=since), {}).of("open_runs"))
    points = picture.points
    few = points is not None
    return Durations(
        start=times.to_datetime(wanted.low),
        end=times.to_datetime(wanted.high),
        column_seconds=picture.width // 1_000_000,
        columns=picture.columns,
        row_edges_seconds=[] if few else picture.row_edges(session),
        success=_EMPTY if few else picture.cells(0),
        failed=_EMPTY if few else picture.cells(1),
        p50_seconds=picture.percentiles[50],
        p95_seconds=picture.percentiles[95],
        timed=picture.timed,
        open=opened,
        queued=queued,
        points=points,
    )


_EMPTY: Final = Cells([], [], [])


class _Picture:
    """The cells and percentiles of the columns, and at most `few` single runs. The pieces of a window come the newest
    first, and share no column. `found` are (column, row, succeeded, failed).
    """

    def __init__(self, origin: int, width: int, columns: int, few: int) -> None:
        self._origin, self.width, self.columns, self._few = origin, width, columns, few
        self._found: list[tuple[int, int, int, int]] = []
        self._runs: list[tuple[Any, ...]] = []
        self.percentiles: dict[int, list[float | None]] = {p: [None] * columns for p in _PERCENTS}
        self.timed = 0

    def read(self, session: Session, wanted: RunFilter) -> None:
        """Read a piece of the window."""
        if wanted.low >= wanted.high:
            return
        before = self.timed
        self._read_cells(session, wanted)
        if before < self.timed <= self._few:
            union = timed.union(session, replace(wanted, timed=True, opened=()), {})
            self._runs += session.rows(*union.within("points"))

    def _read_cells(self, session: Session, wanted: RunFilter) -> None:
        """Read them from the rollups and the single runs of a window."""
        # All that has a duration has started; the histograms do not say it.
        timed_only = replace(wanted, started=False)
        known = {"origin": self._origin, "width": self.width}
        parts = {
            "of_success": "timed.succeeded::BIGINT" if True in wanted.results else "0",
            "of_failure": "timed.failed::BIGINT" if False in wanted.results else "0",
            "key": "x",
            "percents": ", ".join(f"({p})" for p in _PERCENTS),
        }
        union = union_of(timed_only, known, **parts)
        blocks = _OF_ALL if wanted.tasks is None else _OF_TASKS
        hourly = self.width % times.HOUR_US == 0 and not wanted.is_scan
        part = times.HOUR_US if hourly else None
        blocks = blocks.by_day(fits=self.width % times.DAY_US == 0)
        union.add_all(branches(session, timed_only, blocks, part))
        for x, y, succeeded, failed, p, seconds in session.rows(*union.within("density", by_name=False)):
            if p is not None:
                self.percentiles[p][x] = seconds
            elif succeeded or failed:
                self._found.append((x, y, succeeded, failed))
                self.timed += succeeded + failed

    def cells(self, result: int) -> Cells:
        """Those of successes (0) or failures (1)."""
        least = min(y for _, y, *_ in self._found)
        held = [(x, y - least, counts[result]) for x, y, *counts in sorted(self._found) if counts[result]]
        return Cells([x for x, _, _ in held], [y for _, y, _ in held], [n for _, _, n in held])

    def row_edges(self, session: Session) -> list[float]:
        """Where the rows begin, and where the last one ends."""
        rows = [y for _, y, *_ in self._found]
        return [edge for (edge,) in session.rows(SQL["row_edges"], {"first": min(rows), "last": max(rows)})]

    @property
    def points(self) -> Points | None:
        """Each run with a duration, if they are few."""
        if self.timed > self._few:
            return None
        tasks: dict[uuid.UUID, int] = {}
        places = [tasks.setdefault(task, len(tasks)) for *_, task in self._runs]
        ids, started, seconds, success = ([run[at] for run in self._runs] for at in range(4))
        return Points(ids, started, seconds, success, places, list(tasks))
