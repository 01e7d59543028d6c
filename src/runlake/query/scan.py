"""Counting runs that no rollup knows as they are asked for: run by run, from narrow rows where those reach back, else
from the exact files of a window, the newest days first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from runlake import times
from runlake.errors import Timeout, TooLong
from runlake.query.engine import Session
from runlake.query.files import by_day, files
from runlake.query.filters import RunFilter, union_of
from runlake.query.sql import SQL, Union

_HOT_STEP: Final = 7  # days of narrow rows read by one statement
_STEP: Final = 4  # days of files

Step = tuple[int, Union]  # where it begins, and what it counts


def quarters(session: Session, wanted: RunFilter) -> dict[int, int]:
    """How many runs match in each quarter hour, by the microsecond in which it begins.

    Raises TooLong, which says how far it came.
    """
    counts: dict[int, int] = {}
    done = wanted.high
    try:
        for low, union in _steps(session, wanted):
            for quarter, runs in session.rows(*union.within()):
                counts[quarter] = counts.get(quarter, 0) + runs
            done = low
    except Timeout as exc:
        back = "none of it was read" if done == wanted.high else f"it was read back to {times.to_text(done)}"
        raise TooLong(f"the window is too long to read within the time limit; {back}") from exc
    return counts


def _steps(session: Session, wanted: RunFilter) -> Iterator[Step]:
    """The statements of it, the newest times first."""
    if wanted.is_of_group:
        union = union_of(wanted, {})
        union.add("hot_quarters", low=wanted.low, high=wanted.high)
        yield wanted.low, union
        return
    border = hot_from(session, wanted)
    low, last = max(wanted.low, border), (wanted.high - 1) // times.DAY_US
    if low < wanted.high:
        union = union_of(wanted, {"part": times.QUARTER_US})
        union.add("uncounted_parts", low=low, high=wanted.high)
        yield wanted.high, union
    days = [day for (day,) in session.rows(SQL["counted_days"], {"first": low // times.DAY_US, "last": last})]
    for start in range(0, len(days), _HOT_STEP):
        some = days[start : start + _HOT_STEP]
        union = union_of(wanted, {})
        first, end = max(low, some[-1] * times.DAY_US), min(wanted.high, (some[0] + 1) * times.DAY_US)
        union.add("hot_quarters", low=first, high=end)
        yield first, union
    if wanted.low < border:
        yield from _cold_steps(session, wanted, min(border, wanted.high))


def _cold_steps(session: Session, wanted: RunFilter, high: int) -> Iterator[Step]:
    union = union_of(wanted, {})
    union.add("inlined_quarters", low=wanted.low, high=high)
    yield high, union
    paths = files_of(session, wanted, wanted.low // times.DAY_US, (high - 1) // times.DAY_US)
    newest_first = sorted(paths, reverse=True)
    for start in range(0, len(newest_first), _STEP):
        days = newest_first[start : start + _STEP]
        union = union_of(wanted, {"low": wanted.low, "high": high})
        union.add("quarters_in_files", files=[path for day in days for path in paths[day]])
        yield days[-1] * times.DAY_US, union


def hot_from(session: Session, wanted: RunFilter) -> int:
    """From when on narrow rows say which runs match; they hold no text of errors."""
    if wanted.error is not None:
        return times.MAX_US + 1
    return 0 if wanted.is_of_group else session.state.hot_from


def files_of(session: Session, wanted: RunFilter, first: int, last: int) -> dict[int, list[str]]:
    """The files of the days first..last (both included) that may hold such runs, by day."""
    if wanted.tasks is None:
        return files(session, first, last)
    known: dict[str, Any] = {"first_file": first, "last_file": last, "tasks": wanted.tasks}
    return by_day(session.rows(SQL["files_of_tasks"], known))
