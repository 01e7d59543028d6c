"""GET /errors and GET /errors/{group}: groups of alike errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import UNSET
from msgspec.structs import replace

from runlake import times
from runlake.errors import NotFound
from runlake.model import (
    DayRuns,
    ErrorGroup,
    ErrorGroupDetail,
    Errors,
    ErrorsQuery,
    Filter,
    OwnerRuns,
    TaskRuns,
)
from runlake.query import filters, scan, spark
from runlake.query.branches import numbered
from runlake.query.engine import Session, in_time
from runlake.query.files import every
from runlake.query.filters import RunFilter, union_of
from runlake.query.rows import Reader, columns, run_of
from runlake.query.sql import SQL, Union

_PARTS: Final = 30  # of a spark line
_NEW_US: Final = 28 * times.DAY_US  # a group without runs for so long before the window is new


def is_scan(query: Filter) -> bool:
    """Whether the answer needs a scan: texts of errors are in files only."""
    return query.error is not UNSET


def check(query: Filter) -> None:
    """Raise BadInput for a window that is too long for a scan."""
    wanted = filters.with_window(query)
    if name := filters.scan_of(query):
        filters.require_bounds(wanted, name)


def errors(session: Session, query: ErrorsQuery) -> Errors:
    """GET /errors. Raises BadInput, LakeDamaged and TooLong."""
    wanted = _wanted(session, query)
    if wanted.tasks == () or wanted.low >= wanted.high:
        return Errors(0, 0, 0, "v1", [])
    known = {"limit": query.limit, "q": query.q}
    matching = SQL["all_groups" if query.q is UNSET else "with_words"]
    rows = _groups(session, wanted, known, order=SQL[f"by_{query.sort}"], matching=matching, with_counted="JOIN")
    (groups, failed, without_text), found = rows[0][:3], [row[3:] for row in rows if row[3] is not None]
    return Errors(groups, failed, without_text, "v1", _of_rows(found))


def error_group(session: Session, group: str, query: Filter) -> ErrorGroupDetail:
    """GET /errors/{group}. Raises NotFound when no run that is kept belongs to it, else what `errors` raises."""
    wanted = _wanted(session, replace(query, error_group=group))
    if wanted.group is None:
        raise NotFound(f"there is no group of errors {group}")
    if query.error_group not in (UNSET, group):
        wanted = replace(wanted, task_ids=(), tasks=())  # no run is of two groups
    order, matching = SQL["by_count"], SQL["all_groups"]
    rows = _groups(session, wanted, {"limit": 1}, order=order, matching=matching, with_counted="LEFT JOIN")
    (found,) = _of_rows([row[3:] for row in rows])
    union = _selected(session, wanted, {})
    reader = Reader(session, wanted, columns())
    samples = reader.with_ids(session.rows(*union.within("group_samples")))
    days = {"first_day": wanted.low // times.DAY_US, "last_day": max(wanted.high - 1, wanted.low) // times.DAY_US}
    return ErrorGroupDetail(
        **{name: getattr(found, name) for name in ErrorGroup.__struct_fields__},
        samples=[run_of(row) for row in samples],
        by_task=[TaskRuns(*row) for row in session.rows(*union.within("group_tasks"))],
        by_owner=[OwnerRuns(*row) for row in session.rows(*union.within("group_owners"))],
        daily=[DayRuns(*row) for row in session.rows(*_selected(session, wanted, days).within("group_days"))],
    )


def _window(wanted: RunFilter) -> dict[str, int]:
    """When the window begins, and from when on a group with runs is not new."""
    return {"now": wanted.low, "new_from": wanted.low - _NEW_US}


def _wanted(session: Session, query: Filter) -> RunFilter:
    """The failed runs of a question."""
    check(query)
    wanted = filters.with_window(query)
    earlier = max(0, min(wanted.previous.low, _window(wanted)["new_from"]))  # counted as previous_runs, or not new
    session.require_readable(earlier // times.DAY_US, (wanted.high - 1) // times.DAY_US)
    failed = tuple(result for result in wanted.results if not result)
    wanted = numbered(session, replace(wanted, results=failed, opened=()))
    return wanted if failed else replace(wanted, tasks=())


def _selected(session: Session, wanted: RunFilter, known: dict[str, Any], **parts: str) -> Union:
    """The failed runs of a window."""
    union = union_of(wanted, known, **parts)
    add_failed(union, session, wanted)
    return union


def add_failed(
    union: Union, session: Session, wanted: RunFilter, *, marked: bool | None = None, into: str = ""
) -> None:
    """Add the failed runs of a filter: time, task, owner, group and id, and the mark if there is one."""
    union.use(marked="" if marked is None else ", $selected")
    values: dict[str, Any] = {"low": wanted.low, "high": wanted.high, "into": into}
    values |= {} if marked is None else {"selected": marked}
    if wanted.error is None:
        union.add("failed_in_window", **values)
        return
    union.add("failed_inlined", **values)
    paths = scan.files_of(session, wanted, wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US)
    if paths:
        union.add("failed_in_files", files=every(paths), **values)


def _groups(session: Session, wanted: RunFilter, known: dict[str, Any], **parts: str) -> list[tuple[Any, ...]]:
    length = wanted.high - wanted.low
    known = {**_window(wanted), "length": max(length, 1), "parts": _PARTS, **known}
    union = _selected(session, wanted, known, of_groups=wanted.failed, **parts)
    add_failed(union, session, wanted.previous, into="before")
    with in_time():
        return session.rows(*union.within("groups"))


def _of_rows(rows: Sequence[tuple[Any, ...]]) -> list[ErrorGroup]:
    """Groups from their rows, of which the spark line is the last column."""
    found = []
    for row, line in zip(rows, spark.lines([row[-1] for row in rows], _PARTS), strict=True):
        values = dict(zip(ErrorGroup.__struct_fields__, (*row[:-1], line), strict=True))
        for name in ("first_seen", "last_seen"):
            values[name] = None if values[name] is None else times.to_datetime(values[name])
        found.append(ErrorGroup(**values))
    return found
