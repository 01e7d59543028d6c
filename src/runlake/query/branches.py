"""What a question over a window reads: rollups for the days and the parts of days inside, single runs for the rest."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from runlake import times
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.files import every
from runlake.query.filters import RunFilter, union_of
from runlake.query.spans import Range, spans, without_ends
from runlake.query.sql import SQL

Branch = tuple[str, dict[str, Any]]  # a block, and the values of its parameters


class Blocks(Struct, frozen=True):
    """The blocks of a question: over whole days, over parts of days, and over single runs (`{rows}`)."""

    days: str
    parts: str
    runs: str


def branches(session: Session, wanted: RunFilter, blocks: Blocks, part: int | None, *, days: bool) -> Iterator[Branch]:
    """The branches of a statement over the window of a filter.

    part    the time that the rollup of parts is of (microseconds); None where only single runs will do
    days    whether whole days will do, too
    """
    low, high = wanted.low, wanted.high
    cuts = [(low, high)]
    if part is not None:
        window = spans(low, max(low, session.state.counted_until(high)), part=part)
        parts, cuts = window.parts, window.cuts
        for first, last in window.days:
            if days:
                yield blocks.days, {"first": first, "last": last}
            else:
                parts = [*parts, (first * times.DAY_US // part, last * times.DAY_US // part)]
        for first, last in parts:
            yield blocks.parts, {"first_part": first, "last_part": last}
    yield from _runs(session, wanted, blocks.runs, cuts)


def _runs(session: Session, wanted: RunFilter, block: str, cuts: list[Range]) -> Iterator[Branch]:
    """Single runs of these times that are counted, and of the whole window that are not."""
    border = scan.hot_from(session, wanted)
    for start, end in cuts:
        if max(start, border) < end:
            yield block, {"rows": "hot_rows", "low": max(start, border), "high": end}
    cold = [(start, min(end, border)) for start, end in cuts if start < border]
    for start, end in cold:
        yield block, {"rows": "inlined_rows", "low": start, "high": end}
        paths = scan.files_of(session, wanted, start // times.DAY_US, (end - 1) // times.DAY_US)
        if paths:
            yield block, {"rows": "file_rows", "low": start, "high": end, "files": every(paths)}
    # Cold pieces are read from whole runs, those that are not counted included.
    first, last = without_ends((wanted.low, wanted.high), cold)
    if first < last:
        yield block, {"rows": "uncounted_rows", "low": first, "high": last}


def numbered(session: Session, wanted: RunFilter) -> RunFilter:
    """The same filter with the numbers of its tasks, and of its group of errors; no tasks when that has no run."""
    if wanted.error_group is not None:
        groups = session.rows(SQL["group_number"], {"error_group": wanted.error_group})
        if not groups:
            return replace(wanted, task_ids=(), tasks=())
        wanted = replace(wanted, group=groups[0][0])
    if wanted.task_ids is None:
        return wanted
    found = session.rows(SQL["task_numbers"], {"task_ids": wanted.task_ids})
    return replace(wanted, tasks=tuple(number for (number,) in found))


def queued(session: Session, wanted: RunFilter) -> int:
    """How many runs match but have not started, and so lie in no window."""
    waiting = replace(wanted, low=0, high=times.MAX_US + 1, started=False)
    ((count,),) = session.rows(*union_of(waiting, {}).of("queued_runs"))
    return int(count)
