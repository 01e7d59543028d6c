"""What a question over a window reads: rollups for the days and the parts of days inside, single runs for the rest."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from runlake import times
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.files import every
from runlake.query.filters import RunFilter, union_of
from runlake.query.spans import Range, Spans, between, joined, spans, within
from runlake.query.sql import SQL

_PARTS: Final = {times.HOUR_US: "hour", times.QUARTER_US: "quarter"}  # the columns that rollups of parts have

Branch = tuple[str, dict[str, Any]]  # a block, and the values of its parameters


class Blocks(Struct, frozen=True):
    """The blocks of a question: over whole days, over parts of days (both `{within}` some), and over single runs
    (`{rows}`). What has no name is left out.
    """

    days: str
    parts: str
    runs: str

    def by_day(self, *, fits: bool) -> Blocks:
        """The same, without whole days where these do not fit."""
        return self if fits else replace(self, days="")


def branches(
    session: Session, wanted: RunFilter, blocks: Blocks, part: int | None, borders: Sequence[int] = ()
) -> Iterator[Branch]:
    """The branches of a statement over the window of a filter.

    part     the time that the rollup of parts is of (microseconds); None where only single runs will do
    borders  times in the window, in their order, that no day and no part that is read has on both sides
    """
    found = [
        _spans(session, low, high, part, days=bool(blocks.days))
        for low, high in pairwise((wanted.low, *borders, wanted.high))
    ]
    if ranges := [span for piece in found for span in piece.days]:
        yield blocks.days, {"within": within("day", ranges)}
    if part is not None and blocks.parts and (ranges := [span for piece in found for span in piece.parts]):
        yield blocks.parts, {"within": within(_PARTS[part], ranges)}
    if blocks.runs:
        yield from _runs(session, wanted, blocks.runs, joined(cut for piece in found for cut in piece.cuts))


def _spans(session: Session, low: int, high: int, part: int | None, *, days: bool) -> Spans:
    """What of a window is read in which way."""
    if part is None or low >= high:
        return Spans([], [], [], [(low, high)] if low < high else [])
    found = spans(low, max(low, session.state.counted_until(high)), part=part)
    if days:
        return found
    of_day = times.DAY_US // part
    return replace(found, days=[], parts=joined([*found.parts, *((a * of_day, b * of_day) for a, b in found.days)]))


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
    for low, high in between((wanted.low, wanted.high), cold):
        yield block, {"rows": "uncounted_rows", "low": low, "high": high}


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
