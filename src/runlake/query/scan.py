"""Counting runs that no rollup knows as they are asked for: run by run, from narrow rows where those reach back, else
from the exact files of a window, the newest days first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from runlake import times
from runlake.errors import Timeout, TooLong
from runlake.query.engine import Session
from runlake.query.files import by_day, files
from runlake.query.filters import RunFilter, union_of
from runlake.query.parts import Part
from runlake.query.sql import SQL, Union

_STEP: Final = 4  # days of files read by one statement
_HOT_STEP: Final = 7  # days of narrow rows

Step = tuple[Part, Union]  # how far it comes, and what it counts


def quarters(session: Session, wanted: RunFilter) -> dict[int, int]:
    """How many runs match in each quarter hour, by the microsecond in which it begins.

    Raises TooLong, which says how far it came.
    """
    counts: dict[int, int] = {}
    for _, found in stretches(session, wanted, in_parts=False):
        counts |= found
    return counts


def stretches(session: Session, wanted: RunFilter, *, in_parts: bool) -> Iterator[tuple[Part, dict[int, int]]]:
    """The same bit by bit, the newest quarters first, and how far each bit comes; `in_parts`: the first ones soon.

    Raises TooLong, which says how far it came.
    """
    part = Part(0, 0, wanted.high)
    counts: dict[int, int] = {}
    try:
        for step, union in _steps(session, wanted, in_parts=in_parts):
            for quarter, runs in session.rows(*union.within()):
                counts[quarter] = counts.get(quarter, 0) + runs
            part = step
            # What is in no file, or not counted yet, is read of many days at once.
            yield part, {low: counts.pop(low) for low in [low for low in counts if low >= part.since]}
    except Timeout as exc:
        back = (
            "none of it was read" if part.since == wanted.high else f"it was read back to {times.to_text(part.since)}"
        )
        raise TooLong(f"the window is too long to read within the time limit; {back}") from exc
    yield Part(part.of, part.of, wanted.low), counts


def _steps(session: Session, wanted: RunFilter, *, in_parts: bool) -> Iterator[Step]:
    """The statements of it, the newest times first."""
    if wanted.is_failed:
        union = union_of(wanted, {})
        union.add("hot_quarters", low=wanted.low, high=wanted.high)
        yield Part(1, 1, wanted.low), union
        return
    border = hot_from(session, wanted)
    low, last = max(wanted.low, border), (wanted.high - 1) // times.DAY_US
    days = [day for (day,) in session.rows(SQL["counted_days"], {"first": low // times.DAY_US, "last": last})]
    cold, high = wanted.low < border, min(border, wanted.high)
    paths = files_of(session, wanted, wanted.low // times.DAY_US, (high - 1) // times.DAY_US) if cold else {}
    of = len(days) + len(paths)
    if low < wanted.high:
        union = union_of(wanted, {"part": times.QUARTER_US})
        union.add("uncounted_parts", low=low, high=wanted.high)
        yield Part(0, of, wanted.high), union
    done = 0
    for some in _batches(days, _HOT_STEP, in_parts=in_parts):
        union = union_of(wanted, {})
        first, end = max(low, some[-1] * times.DAY_US), min(wanted.high, (some[0] + 1) * times.DAY_US)
        union.add("hot_quarters", low=first, high=end)
        done += len(some)
        yield Part(done, of, first), union
    if cold:
        union = union_of(wanted, {})
        union.add("inlined_quarters", low=wanted.low, high=high)
        yield Part(done, of, high), union
    for some in _batches(sorted(paths, reverse=True), _STEP, in_parts=in_parts):
        union = union_of(wanted, {"low": wanted.low, "high": high})
        union.add("quarters_in_files", files=[path for day in some for path in paths[day]])
        done += len(some)
        yield Part(done, of, max(wanted.low, some[-1] * times.DAY_US)), union


def _batches(days: Sequence[int], most: int, *, in_parts: bool) -> Iterator[Sequence[int]]:
    """So many days at once; when parts are wanted, at first fewer, so that there is one soon."""
    at, size = 0, 1 if in_parts else most
    while at < len(days):
        yield days[at : at + size]
        at, size = at + size, min(2 * size, most)


def hot_from(session: Session, wanted: RunFilter) -> int:
    """From when on narrow rows say which runs match; they hold no text of errors."""
    if wanted.error is not None:
        return times.MAX_US + 1
    return 0 if wanted.is_failed else session.state.hot_from


def files_of(session: Session, wanted: RunFilter, first: int, last: int) -> dict[int, list[str]]:
    """The files of the days first..last (both included) that may hold such runs, by day."""
    if wanted.tasks is None:
        return files(session, first, last)
    known: dict[str, Any] = {"first_file": first, "last_file": last, "tasks": wanted.tasks}
    return by_day(session.rows(SQL["files_of_tasks"], known))
