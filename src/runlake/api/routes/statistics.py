"""Statistics of one task and of all, and charts."""

from __future__ import annotations

from functools import partial
from typing import Final

from msgspec import UNSET

from runlake.api.answers import Answer, Req, answer
from runlake.api.routing import TOO_LONG, question
from runlake.model import (
    Breakdown,
    BreakdownQuery,
    Durations,
    DurationsQuery,
    Histogram,
    HistogramQuery,
    Owners,
    OwnersQuery,
    Summary,
    SummaryQuery,
    TaskId,
    Tasks,
    TasksQuery,
    TaskStats,
    TaskStatsQuery,
)
from runlake.query import breakdown, durations, filters, growing, histogram, owners, statistics, tasks

_WINDOW: Final = """

The window is rolling, to the microsecond: `until - days` <= run time <= `until`, both ends included. `until` is now
unless given; give it for figures that can be repeated. Runs dated after `until` do not count.

- Rates are over finished runs, 0.0 when there are none.
- Execution time is `finished_at - started_at` of finished runs that have both. Averages are 0.0 and percentiles null
  when there are none. Percentiles are within 1 %; everything else is exact.
- `daily` has one entry for each UTC day the window touches, oldest first, days without runs included: n days touch
  n + 1. The `_7d` figures cover the entry and up to six before it in the same answer, weighted by runs.
"""


@question("/task/{task_id:str}/stats", "/runs/task/{task_id:str}/stats", description=_WINDOW)
async def get_task_stats(request: Req, task_id: TaskId, query: TaskStatsQuery) -> Answer[TaskStats]:
    """Statistics of one task.

    Figures of one task over the last `days` days. An unknown task gives zeros, not a 404.

    - `current_streak` is how many of the newest finished runs of the window ended alike.
    """
    asked = partial(statistics.task_stats, task_id=task_id, query=query)
    return await answer(request, asked, ages=None if query.until is UNSET else False)


@question("/stats/summary", "/runs/stats/summary", description=_WINDOW)
async def get_summary(request: Req, query: SummaryQuery) -> Answer[Summary]:
    """Statistics of all tasks.

    Figures of all tasks over the last `days` days, beside those of the period of equal length before.

    - `previous` covers `window_start - days` <= run time < `window_start`.
    - `top_failing_tasks` (by `failed_runs`) and `slowest_tasks` (by average execution time) hold up to ten tasks each,
      highest first, equal ones by `task_id`. A task without failures, or without durations, is left out.
    """
    asked = partial(statistics.summary, query=query)
    return await answer(request, asked, ages=None if query.until is UNSET else False)


@question("/stats/histogram", scans=True, parts=True)
async def get_histogram(request: Req, query: HistogramQuery) -> Answer[Histogram]:
    """Runs over time.

    Runs over time, under the same filters as `GET /runs`: the sum of all series is the `total` of that list.
    `start_time` and `end_time` are required, at most 3,650 days apart.

    - Without `width` the buckets are the narrowest of these that make at most `buckets`: 1s, 5s, 15s, 30s, 1m, 5m, 15m,
      30m, 1h, 3h, 6h, 12h, 1d, 1w, 1month; months when nothing is wide enough. Those below a day are aligned in UTC.
      Days, weeks (from Monday) and months begin as they do in `tz`: a day may have 23 or 25 hours.
    - Bucket n holds the runs that started at or after `edges[n]` and before `edges[n + 1]`, as far as the window goes.
    - `by=outcome` gives the series `success`, `failed` and `open`. `by=task`, `by=owner` and `by=error_group` give
      the ten with the most runs, the largest first, and all other runs, those without one among them, in a series whose
      `key` is null.
    - `timed` counts the runs with a duration, and `seconds` adds these up. `queued` runs have not started: they lie in
      no window, and are those that match all other filters.
    - `by=owner` needs what the filters that are read run by run need: a window of at most 31 days, or one task.
    """
    asked = partial(histogram.histogram, query=query)
    return await answer(request, asked, scan=histogram.is_scan(query), ages=filters.ages(query))


@question("/stats/durations", scans=True, parts=True)
async def get_durations(request: Req, query: DurationsQuery) -> Answer[Durations]:
    """Runs by time and duration.

    When runs began and how long they took, under the same filters as `GET /runs`: `timed` and `open` add up to the
    `total` of that list. `start_time` and `end_time` are required, at most 3,650 days apart.

    - Columns are of the narrowest width that makes at most `columns`: from 1 second to 28 days. They are aligned to
      1970: the first one begins at the start, cut down to a multiple of `column_seconds`.
    - Rows are 17 % high: eight neighbouring buckets of the histograms. Below 50 microseconds a row is 8 microseconds
      high.
    - `success` and `failed` list the cells that hold runs, each by its column `x`, its row `y` and its number of runs
      `n`.
    - `p50_seconds` and `p95_seconds` are those of a column, within 1 %; null where no run of it has a duration.
    - Up to `points` runs with a duration are answered one by one, in `points`, and then there are no cells.
    """
    asked = partial(durations.durations, query=query)
    return await answer(request, asked, scan=durations.is_scan(query), ages=filters.ages(query))


@question("/stats/tasks", failures=(TOO_LONG,))
async def get_tasks(request: Req, query: TasksQuery) -> Answer[Tasks]:
    """All tasks side by side.

    The fleet, column by column, beside the window before: who needs attention? `start_time` and `end_time` are
    required, at most 3,650 days apart.

    - `sort=attention` puts tasks first whose last finished run failed; then those that have become slower (`slower` at
      least 0.65, the 95th percentile at least 1.25 times as long, 30 timed runs on both sides); then those that are
      silent for more than twice their longest gap; then by failed runs. Equal ones come by `task_id`, nulls last.
    - `measures` chooses columns. Percentiles and `slower` cost more than counts, and `streak`, `flips` and
      `longest_gap_seconds` read the runs of days that are not over.
    - `slower` is the probability that a run of the window takes longer than one of the window before, equal ones by
      half, from histograms (1 %). `failure_z` compares both windows as `GET /stats/owners` compares owners.
    - Runs that are tried again are finished runs with an attempt above 1.
    """
    return await answer(request, partial(tasks.tasks, query=query), ages=True)


@question("/stats/owners", failures=(TOO_LONG,))
async def get_owners(request: Req, query: OwnersQuery) -> Answer[Owners]:
    """Lease owners side by side.

    Figures of every lease owner with runs in the window, column by column, beside those of the window before it: is it
    one machine? `start_time` and `end_time` are required, at most 3,650 days apart. Runs without an owner are left out.
    """
    return await answer(request, partial(owners.owners, query=query), ages=True)


@question("/stats/breakdown", scans=True, parts=True)
async def get_breakdown(request: Req, query: BreakdownQuery) -> Answer[Breakdown]:
    """What is different here.

    Compares the runs that match the filters with other runs, by task, lease owner, group of errors, attempt, hour of
    the day (UTC) and duration (in powers of two of seconds: 4 holds 4 to 8 seconds). `start_time` and `end_time` are
    required, at most 31 days apart.

    - Values come by how many runs they have above what their share of the other runs would give.
    - A value of `owner` is null for runs without one. Runs without a duration, or without a group of errors, are in no
      value of these.
    """
    asked = partial(growing.asked, question=breakdown.breakdown, query=query, check=breakdown.check)
    return await answer(request, asked, scan=True, ages=filters.ages(query))


HANDLERS: Final = [get_task_stats, get_summary, get_histogram, get_durations, get_tasks, get_owners, get_breakdown]
