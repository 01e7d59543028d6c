"""Figures by day that add up, and what is made of them: rates, averages, percentiles.

Arrays have an entry for each day of a window; durations are in microseconds until they are answered.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from runlake import times
from runlake.index.figures import NONE, NONE_MIN, Records
from runlake.model import DailyFigures
from runlake.query.days import BAD, GOOD, OPEN, TIMED, Runs
from runlake.query.percentiles import Buckets, percentile

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
_EPOCH: Final = date(1970, 1, 1).toordinal()
_WEEK: Final = 7


class Daily:
    """Figures of the days first..last (both included, since the epoch), to which runs are added."""

    def __init__(self, first: int, last: int) -> None:
        self.first, self.days = first, last - first + 1
        self.good, self.bad, self.open, self.timed = (np.zeros(self.days, dtype=np.int64) for _ in range(4))
        self.us = np.zeros(self.days)
        self.us_min = np.full(self.days, NONE_MIN)
        self.us_max = np.full(self.days, NONE)
        self.buckets = Buckets(self.days)

    def add_records(self, day: Numbers, records: Records) -> None:
        """Add records of whole days, one a day at the most; `day` is that of each."""
        at = day - self.first
        self.good[at] += records["good"] + records["good_unstarted"]
        self.bad[at] += records["bad"] + records["bad_unstarted"]
        self.timed[at] += records["timed"]
        self.us[at] += records["us"]
        self.us_min[at] = np.minimum(self.us_min[at], records["us_min"])
        self.us_max[at] = np.maximum(self.us_max[at], records["us_max"])

    def add_day(self, day: int, runs: Runs) -> None:
        """Add runs of one day."""
        if not len(runs.code):
            return
        at, of = day - self.first, runs.counts()
        for mine, result in ((self.open, OPEN), (self.bad, BAD), (self.good, GOOD)):
            mine[at] += of[result] + of[result + TIMED]
        timed = int(of[TIMED:].sum())
        if timed:
            self.timed[at] += timed
            self.us[at] += runs.total.sum()
            self.us_min[at] = min(self.us_min[at], int(runs.least[runs.timed].min()))
            self.us_max[at] = max(self.us_max[at], int(runs.most.max()))

    def add_buckets(self, day: int, runs: Runs) -> None:
        """Add the durations of runs of one day by bucket."""
        n = runs.buckets()
        bucket = np.flatnonzero(n)
        self.buckets.add(np.full(len(bucket), day - self.first), bucket, n[bucket])

    @property
    def total(self) -> Numbers:
        """All runs of each day."""
        return np.asarray(self.good + self.bad + self.open)

    @property
    def shortest(self) -> int | None:
        """The shortest duration of all days."""
        return int(self.us_min.min()) if self.timed.any() else None

    @property
    def longest(self) -> int | None:
        """The longest duration of all days."""
        return int(self.us_max.max()) if self.timed.any() else None

    def entries(self) -> list[DailyFigures]:
        """An entry for each day, the oldest first."""
        p95 = np.minimum(np.maximum(self.buckets.by_day(0.95), self.us_min), self.us_max) / 1e6
        done = self.good + self.bad
        week_good, week_done, week_us, week_timed = (_weekly(x) for x in (self.good, done, self.us, self.timed))
        columns = (
            [date.fromordinal(_EPOCH + self.first + i) for i in range(self.days)],
            self.total.tolist(),
            self.good.tolist(),
            self.bad.tolist(),
            self.open.tolist(),
            rates(self.good, done).tolist(),
            (rates(self.us, self.timed) / 1e6).tolist(),
            [value if n else None for value, n in zip(p95.tolist(), self.timed.tolist(), strict=True)],
            rates(week_good, week_done).tolist(),
            (rates(week_us, week_timed) / 1e6).tolist(),
        )
        return [DailyFigures(*row) for row in zip(*columns, strict=True)]


def rates(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> Floats:
    """part / whole, 0.0 where the whole is nothing."""
    return np.asarray(np.divide(part, whole, out=np.zeros(len(whole)), where=whole != 0))


def rate(part: float, whole: float) -> float:
    """The same for two numbers."""
    return float(part / whole) if whole else 0.0


def _weekly(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """The sum of each entry and up to six before it."""
    out = values.copy()
    for back in range(1, min(_WEEK, len(values))):
        out[back:] += values[:-back]
    return out


def overall(daily: Daily, ps: Sequence[int]) -> dict[str, Any]:
    """Percentiles of all days together, in seconds, by the names of their fields."""
    names = {p: f"p{p}_execution_time_seconds" for p in ps}
    shortest, longest = daily.shortest, daily.longest
    if shortest is None or longest is None:
        return dict.fromkeys(names.values())
    counts = daily.buckets.together()
    return {names[p]: min(max(percentile(counts, p / 100), shortest), longest) / 1e6 for p in ps}


def by_day(runs: Records) -> Iterator[tuple[int, Runs]]:
    """RUN records of any days, day by day."""
    days = runs["ran_at"] // times.DAY_US
    for day in np.unique(days).tolist():
        yield day, Runs.of(runs[days == day])
