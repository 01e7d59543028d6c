"""Statistics of all tasks over a window, and over the one before it."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from runlake import times
from runlake.index.figures import NONE
from runlake.index.view import View
from runlake.model import PreviousPeriod, Summary, SummaryQuery, TaskFigures
from runlake.query import days
from runlake.query.daily import Daily, by_day, overall, rate, rates
from runlake.query.days import CODES, Runs
from runlake.query.engine import Session
from runlake.query.percentiles import WIDTH, Floats, percentiles
from runlake.query.windows import Window

_PERCENTS: Final = (50, 90, 95, 99)
_RANKED: Final = 10
GOOD, BAD, TIMED, US, OPEN = range(5)


class _Period:
    """Figures of a window by day, and by task: a row for each of GOOD … OPEN, a column for each task."""

    def __init__(self, session: Session, view: View, window: Window) -> None:
        self.window = window
        window.need(view)
        self.daily = Daily(*window.days)
        self.tasks = np.zeros((5, len(view.tasks)))
        first, last = window.whole(view)
        whole = view.days[slice(*np.searchsorted(view.days["unit"], [first, last]))]
        self.daily.add_records(whole["unit"], whole)
        for part in view.counts:
            part.add_tasks(first, last, self.tasks[:OPEN])
        # Of the days that are cut in two, and of those in no file, the runs themselves.
        self.runs = [*window.cut(session, view), *by_day(window.recent(view))]
        for day, runs in self.runs:
            self.daily.add_day(day, runs)
        if self.runs:
            self._add_tasks([runs for _, runs in self.runs])

    def _add_tasks(self, every: list[Runs]) -> None:
        tasks = self.tasks.shape[1]
        code = np.concatenate([runs.code for runs in every])
        us = np.concatenate([runs.total for runs in every])
        number = np.concatenate([runs.runs for runs in every])
        counts = np.bincount(code, weights=number, minlength=CODES * tasks).reshape(tasks, CODES)
        for mine, result in ((OPEN, days.OPEN), (BAD, days.BAD), (GOOD, days.GOOD)):
            self.tasks[mine] += counts[:, result] + counts[:, result + days.TIMED]
        self.tasks[TIMED] += counts[:, days.TIMED :].sum(axis=1)
        self.tasks[US] += np.bincount(code // CODES, weights=us, minlength=tasks)

    @property
    def total(self) -> Floats:
        """All runs of each task."""
        return np.asarray(self.tasks[GOOD] + self.tasks[BAD] + self.tasks[OPEN])

    def figures(self) -> dict[str, Any]:
        """What both periods say."""
        daily = self.daily
        good, bad = int(daily.good.sum()), int(daily.bad.sum())
        return {
            "total_runs": int(daily.total.sum()),
            "total_tasks_executed": int(np.count_nonzero(self.total)),
            "successful_runs": good,
            "failed_runs": bad,
            "open_runs": int(daily.open.sum()),
            "success_rate": rate(good, good + bad),
            "failure_rate": rate(bad, good + bad),
            "avg_execution_time_seconds": rate(float(daily.us.sum()), int(daily.timed.sum())) / 1e6,
        }


def summary(session: Session, view: View, query: SummaryQuery) -> Summary:
    """GET /stats/summary."""
    window = Window.asked(query)
    before = Window(window.start - query.days * times.DAY_US, window.start - 1)
    period, previous = _Period(session, view, window), _Period(session, view, before)
    daily, (first, last) = period.daily, window.whole(view)
    for part in view.counts:
        whole = part.days[slice(*np.searchsorted(part.days["day"], [first, last]))]
        daily.buckets.add(whole["day"].astype(np.int64) - daily.first, whole["bucket"], whole["n"])
    for day, runs in period.runs:
        daily.add_buckets(day, runs)
    figures = period.figures()
    failing, slowest = _rankings(view, period)
    entries = _entries(view, period, sorted({*failing, *slowest}))
    return Summary(
        period_days=query.days,
        window_start=times.to_datetime(window.start),
        window_end=times.to_datetime(window.end),
        **figures,
        **overall(daily, _PERCENTS),
        runs_per_day=figures["total_runs"] / query.days,
        daily=daily.entries(),
        previous=PreviousPeriod(**previous.figures()),
        top_failing_tasks=[entries[number] for number in failing],
        slowest_tasks=[entries[number] for number in slowest],
    )


def _rankings(view: View, period: _Period) -> tuple[list[int], list[int]]:
    """The numbers of the tasks that failed most, and of those that took longest on average."""
    bad, timed = period.tasks[BAD], period.tasks[TIMED]
    return _top(view, bad, bad > 0), _top(view, rates(period.tasks[US], timed) / 1e6, timed > 0)


def _top(view: View, values: Floats, some: npt.NDArray[np.bool_]) -> list[int]:
    """The numbers of the tasks with the highest values, ties by id."""
    numbers = np.flatnonzero(some)
    if len(numbers) > _RANKED:
        least = np.partition(values[numbers], -_RANKED)[-_RANKED]
        numbers = numbers[values[numbers] >= least]
    ids = view.tasks.ids[numbers]
    found = numbers[np.lexsort((np.argsort(np.argsort(ids)), -values[numbers]))]
    return [int(number) for number in found[:_RANKED]]


def _entries(view: View, period: _Period, numbers: list[int]) -> dict[int, TaskFigures]:
    """What a ranking says of each of some tasks."""
    if not numbers:
        return {}
    p95 = _p95(view, period, numbers)
    good, bad, timed, us, opened = period.tasks[:, numbers].tolist()
    return {
        number: TaskFigures(
            task_id=view.tasks.uuid(number),
            total_runs=int(good[i] + bad[i] + opened[i]),
            failed_runs=int(bad[i]),
            success_rate=rate(good[i], good[i] + bad[i]),
            avg_execution_time_seconds=rate(us[i], timed[i]) / 1e6,
            p95_execution_time_seconds=p95[i] if timed[i] else None,
        )
        for i, number in enumerate(numbers)
    }


def _p95(view: View, period: _Period, numbers: list[int]) -> list[float]:
    """The 95th percentile of each of some tasks, in seconds; 0.0 for one without durations."""
    first, last = period.window.whole(view)
    place_of = np.full(len(view.tasks), NONE)
    place_of[numbers] = np.arange(len(numbers))
    counts = np.zeros((len(numbers), WIDTH))
    for _, runs in period.runs:
        places = place_of[runs.task]
        groups = np.flatnonzero((places != NONE) & runs.timed)
        n, buckets = runs.durations(groups)
        keys = np.repeat(places[groups] * WIDTH, n) + buckets
        counts += np.bincount(keys, minlength=counts.size).reshape(counts.shape)
    for place, number in enumerate(numbers):
        for part in view.counts:
            cells = part.of_task(number)
            _, found = part.histogram(cells[slice(*np.searchsorted(cells["day"], [first, last]))])
            if len(found):
                counts[place] += np.bincount(found["bucket"], weights=found["n"], minlength=WIDTH)
    values = percentiles(counts, 0.95) / 1e6
    return [
        value if some else 0.0 for value, some in zip(values.tolist(), (counts.sum(axis=1) > 0).tolist(), strict=True)
    ]
