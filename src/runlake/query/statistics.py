"""Statistics over a window: counts of whole days, and the runs of the days that it cuts in two."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Final

import numpy as np

from runlake import times
from runlake.index.figures import NONE, Records
from runlake.index.view import View
from runlake.model import Streak, TaskStats, TaskStatsQuery
from runlake.query import scan
from runlake.query.daily import Daily, by_day, overall, rate
from runlake.query.days import Runs
from runlake.query.engine import Session
from runlake.query.scan import Wanted
from runlake.query.summary import summary
from runlake.query.windows import Window

__all__ = ["summary", "task_stats"]

_PERCENTS: Final = (50, 90, 95, 99)


class _Task:
    """What is added up for one task; times of last runs are NONE where there is none."""

    def __init__(self, session: Session, view: View, number: int, window: Window) -> None:
        window.need(view)
        self.daily = Daily(*window.days)
        self.retried = 0
        self.last = {1: NONE, 0: NONE, NONE: NONE}  # by result
        first, last = window.whole(view)
        for part in view.counts:
            cells = part.of_task(number)
            cells = cells[slice(*np.searchsorted(cells["day"], [first, last]))]
            self._add_cells(cells)
            days, buckets = part.histogram(cells)
            self.daily.buckets.add(days - self.daily.first, buckets["bucket"], buckets["n"])
        for day, every in window.cut(session, view):
            self._add_runs(day, every.of_task(number))
        recent = window.recent(view)
        for day, runs in by_day(recent[recent["task"] == number]):
            self._add_runs(day, runs)

    def _add_cells(self, cells: Records) -> None:
        self.daily.add_records(cells["day"], cells)
        self.retried += int(cells["retried"].sum())
        for value, name in ((1, "last_good"), (0, "last_bad")):
            self.last[value] = max(self.last[value], int(cells[name].max(initial=NONE)))

    def _add_runs(self, day: int, runs: Runs) -> None:
        self.daily.add_day(day, runs)
        self.daily.add_buckets(day, runs)
        self.retried += runs.retried
        for value, known in self.last.items():
            self.last[value] = max(known, runs.last(value - NONE))


def task_stats(session: Session, view: View, task_id: uuid.UUID, query: TaskStatsQuery) -> TaskStats:
    """GET /task/{task_id}/stats."""
    window = Window.asked(query)
    found = _Task(session, view, view.tasks.number(task_id), window)
    daily = found.daily
    good, bad, timed = int(daily.good.sum()), int(daily.bad.sum()), int(daily.timed.sum())
    return TaskStats(
        task_id=task_id,
        period_days=query.days,
        window_start=times.to_datetime(window.start),
        window_end=times.to_datetime(window.end),
        total_runs=int(daily.total.sum()),
        successful_runs=good,
        failed_runs=bad,
        open_runs=int(daily.open.sum()),
        retried_runs=found.retried,
        success_rate=rate(good, good + bad),
        failure_rate=rate(bad, good + bad),
        avg_execution_time_seconds=rate(float(daily.us.sum()), timed) / 1e6,
        min_execution_time_seconds=None if daily.shortest is None else daily.shortest / 1e6,
        max_execution_time_seconds=None if daily.longest is None else daily.longest / 1e6,
        **overall(daily, _PERCENTS),
        last_run=_moment(max(found.last.values())),
        last_success=_moment(found.last[1]),
        last_failure=_moment(found.last[0]),
        current_streak=_streak(session, view, task_id, found, window),
        daily=daily.entries(),
    )


def _streak(session: Session, view: View, task_id: uuid.UUID, found: _Task, window: Window) -> Streak | None:
    """The newest finished runs that ended alike: they began after the last run that ended otherwise."""
    done = found.daily.good + found.daily.bad
    good, bad = found.last[1], found.last[0]
    if NONE in (good, bad):
        length = int(done.sum())
        return Streak(good != NONE, length) if length else None
    turn = min(good, bad)
    day = turn // times.DAY_US
    newer = int(done[day + 1 - found.daily.first :].sum())
    end = min(window.end + 1, (day + 1) * times.DAY_US)
    cells = view.cells(view.tasks.number(task_id))
    parts = scan.newest(session, view, Wanted(low=turn, high=end, task_id=task_id, cells=cells))
    results = [parts[which].success[inside] for which, inside in scan.ordered(parts)]
    results = [int(result) for result in results if result != NONE]
    # Runs of one moment follow each other by id; only these say which came last.
    newest = results[0] if good == bad else int(good > bad)
    return Streak(newest == 1, newer + results.index(1 - newest))


def _moment(micros: int) -> datetime | None:
    return None if micros == NONE else times.to_datetime(micros)
