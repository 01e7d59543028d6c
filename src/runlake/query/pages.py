"""GET /runs: which runs a page has, by offset or cursor, in the order of their run times or of their durations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final, cast

from msgspec import UNSET, Struct
from msgspec.structs import replace

from runlake import times
from runlake.columns import NAMES
from runlake.model import Run, RunPage, RunsQuery
from runlake.query import cursor, filters, parts, scan, timed
from runlake.query.branches import numbered
from runlake.query.cursor import Cursor
from runlake.query.engine import Session
from runlake.query.files import files
from runlake.query.filters import RunFilter, union_of
from runlake.query.locate import Slice, count, counted, place
from runlake.query.parts import Part
from runlake.query.rows import Reader, Row, columns, run_of
from runlake.serving.sql import RECENT

_WHOLE_LIST: Final = Slice(0, 0)
_RUN_AT: Final = len(NAMES)


class Found(Struct, frozen=True):
    """A page, and the cursors of the pages after and before it."""

    page: RunPage
    next: str | None = None
    previous: str | None = None


class _Located(Struct, frozen=True):
    """Rows of a page, the position of each in the order of the list, and how many runs the list has."""

    rows: Sequence[Row]
    positions: Sequence[int]
    total: int


def is_scan(query: RunsQuery) -> bool:
    """Whether the answer needs a scan."""
    return query.order == "duration" or filters.scan_of(query) is not None


def page(session: Session, query: RunsQuery) -> RunPage:
    """GET /runs without cursors."""
    return find(session, query).page


def find(session: Session, query: RunsQuery) -> Found:
    """GET /runs, by `cursor` if there is one. Raises BadInput for parameters that do not fit together, and TooLong."""
    wanted = filters.of(query)
    if name := filters.scan_of(query) or ("order" if query.order == "duration" else None):
        filters.require_bounds(wanted, name)
    at = None if query.cursor is UNSET else cursor.read(query, query.cursor)
    offset, limit = query.offset, query.limit
    if not wanted.everything:
        session.require_readable(wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US)
    wanted = numbered(session, wanted)
    if wanted.tasks == ():
        return Found(RunPage([], 0, limit, offset, False))
    by_duration = query.order == "duration"
    wanted = replace(wanted, timed=by_duration)
    few = limit
    if at is not None:
        newer, upto = (_longer if by_duration else _newer)(session, wanted, at)
        offset, few = (max(0, newer - limit), min(limit, newer)) if at.before else (upto, limit)
    reader, slice_ = Reader(session, wanted, columns(_names(query))), Slice(offset, few)
    for part, located in _located(reader, slice_, by_duration=by_duration, by_cursor=at is not None):
        session.tell(part, partial(_found, query, offset, located))
    return _found(query, offset, located)


def _found(query: RunsQuery, offset: int, found: _Located) -> Found:
    items = [_item(row, query) for row in found.rows]
    has_more = offset + len(items) < found.total
    page = RunPage(items, found.total, query.limit, offset, has_more)
    if not items:
        return Found(page)
    first, last = ((found.positions[n], found.rows[n][0]) for n in (0, -1))
    return Found(
        page,
        cursor.token(query, *last, before=False) if has_more else None,
        cursor.token(query, *first, before=True) if offset else None,
    )


def _names(query: RunsQuery) -> set[str]:
    asked: set[str] = set(NAMES) if query.fields is UNSET else {*query.fields}
    return asked if query.include_errors else asked - {"error"}


def _item(row: Row, query: RunsQuery) -> Run:
    run = run_of(row)
    if query.fields is UNSET:
        return run
    return cast("Run", {name: getattr(run, name) for name in NAMES if name in query.fields})


def _located(reader: Reader, slice_: Slice, *, by_duration: bool, by_cursor: bool) -> Iterator[tuple[Part, _Located]]:
    """Where the page lies; before that, if parts are wanted, where the pages of parts of the window do."""
    session, wanted = reader.session, reader.wanted
    in_parts = session.report is not None and wanted.is_scan and not wanted.is_of_group
    if in_parts and not by_duration:
        yield from _by_time_in_parts(reader, slice_)
    elif in_parts and not by_cursor:  # which stands for a number of runs of the whole window
        for part in parts.growing(wanted.low, wanted.high, session.state, in_parts=True):
            yield part, _by_duration(replace(reader, wanted=replace(wanted, low=part.since)), slice_)
    else:
        yield parts.whole(wanted.low), (_by_duration if by_duration else _by_time)(reader, slice_)


def _by_time_in_parts(reader: Reader, slice_: Slice) -> Iterator[tuple[Part, _Located]]:
    session, wanted = reader.session, reader.wanted
    total = 0
    rows: list[Row] = []
    for part, counts in scan.stretches(session, wanted, in_parts=True):
        rest = Slice(slice_.offset + len(rows), slice_.limit - len(rows))
        found = counted(wanted, counts, rest, total)
        if found.units:
            rows += reader.matching(place(session, wanted, rest, found.units), rest.limit)
        total = found.total
        yield part, _Located(rows, [row[_RUN_AT] for row in rows], total)


def _by_time(reader: Reader, slice_: Slice) -> _Located:
    session, wanted = reader.session, reader.wanted
    if wanted.is_of_group:
        return _of_group(reader, slice_)
    found = count(session, wanted, slice_)
    rows: Sequence[Row] = []
    if found.units:
        session.require_readable(found.units[-1].day, found.units[0].day)
        read = None
        if wanted.task is not None and slice_.offset < RECENT and wanted.error is None:
            read = reader.recent_page(slice_.offset, min(slice_.limit, found.total - slice_.offset))
        rows = reader.matching(place(session, wanted, slice_, found.units), slice_.limit) if read is None else read
    return _Located(rows, [row[_RUN_AT] for row in rows], found.total)


def _of_group(reader: Reader, slice_: Slice) -> _Located:
    session, wanted = reader.session, reader.wanted
    total = sum(scan.quarters(session, wanted).values())
    union = union_of(wanted, {"limit": slice_.limit, "skip": slice_.offset})
    found = session.rows(*union.of("group_page")) if slice_.offset < total else []
    return _Located(reader.with_ids(found), [at for _, at in found], total)


def _newer(session: Session, wanted: RunFilter, at: Cursor) -> tuple[int, int]:
    """How many runs of a list are before the run of a cursor, and how many are not after it."""
    later = replace(wanted, low=max(wanted.low, at.position + 1))
    newer = count(session, later, _WHOLE_LIST).total if later.low < later.high else 0
    day = at.position // times.DAY_US
    union = union_of(wanted, {"moment": at.position, "run_id": at.id})
    union.add("inlined_at_moment")
    for paths in files(session, day, day).values():
        union.add("in_files_at_moment", files=paths)
    ids = [run_id for (run_id,) in session.rows(*union.within("at_moment"))]
    return newer + sum(run_id != at.id for run_id in ids), newer + len(ids)


def _by_duration(reader: Reader, slice_: Slice) -> _Located:
    session, wanted = reader.session, reader.wanted
    total = timed.total(session, wanted)
    if slice_.offset >= total:
        return _Located([], [], total)
    union = timed.union(session, _longest(session, wanted, slice_), {"limit": slice_.limit, "skip": slice_.offset})
    found = session.rows(*union.within("longest"))
    rows = reader.with_ids([(run_id, moment) for run_id, moment, _ in found])
    return _Located(rows, [duration for *_, duration in found], total)


def _longest(session: Session, wanted: RunFilter, slice_: Slice) -> RunFilter:
    """Those of the runs among which the page is, as far as narrow rows say it."""
    if wanted.low < scan.hot_from(session, wanted):
        return wanted
    # The page ends with a run of at least this duration, unless the list ends before.
    skip = slice_.offset + slice_.limit - 1
    least = session.rows(*union_of(wanted, {"skip": skip}).of("nth_longest"))
    return replace(wanted, duration_min=max(wanted.duration_min or 0, least[0][0])) if least else wanted


def _longer(session: Session, wanted: RunFilter, at: Cursor) -> tuple[int, int]:
    """How many runs of a list of durations are before the run of a cursor, and how many are not after it."""
    longer = replace(wanted, duration_min=max(wanted.duration_min or 0, at.position))
    union = timed.union(session, longer, {"position": at.position, "run_id": at.id})
    ((before, upto),) = session.rows(*union.within("longer"))
    return before, upto
