"""GET /stats/breakdown: what is over-represented in a selection of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, get_args

from msgspec import UNSET
from msgspec.structs import replace

from runlake import times
from runlake.errors import BadInput
from runlake.model import Breakdown, BreakdownQuery, Dimension, Share
from runlake.query import filters
from runlake.query.branches import Blocks, branches, numbered
from runlake.query.engine import Session, in_time
from runlake.query.errors import add_failed
from runlake.query.filters import RunFilter, predicates, union_of
from runlake.query.sql import SQL, Union

_RUNS: Final = Blocks("", "", "breakdown_runs")
_ROLLUPS: Final = {
    "tasks": Blocks("all_task_days", "all_task_parts", ""),
    "owners": Blocks("all_owner_days", "all_owner_parts", ""),
    "attempts": Blocks("", "all_attempt_parts", ""),
}
_ALL: Final[tuple[Dimension, ...]] = get_args(Dimension)
_FAILED: Final = (False,)
_GROUPS: Final = "error_group"
# The columns of the statement; groups of errors have one of their own.
_COLUMNS: Final[dict[Dimension, str]] = {
    "task": "task",
    "owner": "owner",
    "attempt": "attempt",
    "hour": "hour",
    "duration": "seconds",
}
_NUMBERS: Final[dict[str, type[int] | type[float]]] = {"attempt": int, "hour": int, "duration": float}


def check(query: BreakdownQuery) -> None:
    """Raise BadInput for a window that is too long."""
    wanted = filters.with_window(query)
    if wanted.high - wanted.low > filters.LONGEST_SCAN_US:
        raise BadInput.of("start_time", "lies more than 31 days before end_time")


def breakdown(session: Session, query: BreakdownQuery) -> Breakdown:
    """GET /stats/breakdown. Raises BadInput, LakeDamaged and TooLong."""
    check(query)
    wanted = filters.with_window(query)
    rest = query.against == "rest"
    other = _everything(wanted) if rest else replace(wanted, **_window(query.against, wanted))
    by = _ALL if query.by is UNSET else query.by
    for window in (wanted, other):
        session.require_readable(window.low // times.DAY_US, (window.high - 1) // times.DAY_US)
    sides = tuple(
        (numbered(session, replace(side, runs_only=True)), selected)
        for side, selected in ((wanted, True), (other, False))
    )
    known = {"top": query.top, "rest": rest}
    with in_time():
        rows = _rows(session, sides, known, by)
        _, _, chosen, others, *_ = rows[0]
        if _GROUPS in by:
            rows += _group_rows(session, sides, {**known, "chosen": chosen, "others": others})
    shares: dict[Dimension, list[Share]] = {name: [] for name in by}
    for kind, value, *figures, _ in rows:
        if kind in shares:
            shares[kind].append(_share(kind, value, *figures))
    return Breakdown(chosen, others, shares)


def _everything(wanted: RunFilter) -> RunFilter:
    return RunFilter(low=wanted.low, high=wanted.high, started=True, now=wanted.now)


def _window(against: str, wanted: RunFilter) -> dict[str, int]:
    """The other window; raises BadInput."""
    if against == "previous":
        return {"low": wanted.previous.low, "high": wanted.low}
    start, comma, end = against.partition(",")
    try:
        low, high = times.parse_query(start), times.parse_query(end)
    except ValueError as exc:
        why = f": {exc}" if comma else ""
        raise BadInput.of("against", f"expected rest, previous or <start>,<end>{why}") from None
    if low > high or high - low > filters.LONGEST_SCAN_US:
        raise BadInput.of("against", "expected a start before its end, at most 31 days apart")
    return {"low": low, "high": high}


_Sides = tuple[tuple[RunFilter, bool], ...]  # the runs of each side, and whether they are the selected ones


def _rows(session: Session, sides: _Sides, known: dict[str, Any], by: Sequence[Dimension]) -> list[tuple[Any, ...]]:
    values = {column: SQL[f"value_of_{column}"] if kind in by else "NULL" for kind, column in _COLUMNS.items()}
    columns = ", ".join(f"{value} AS {column}" for column, value in values.items())
    union = union_of(sides[0][0], known, columns=columns)
    union.use(rolled="")
    for wanted, selected in sides:
        union.use(**predicates(wanted))
        if wanted.tasks == () or wanted.low >= wanted.high:
            union.add("breakdown_runs", "no_rows", selected=selected)
            continue
        of_all = known["rest"] and not selected
        part = times.HOUR_US if of_all else None
        union.add_all(branches(session, wanted, _RUNS, part), selected=selected)
        if of_all:
            _add_rollups(union, session, wanted)
    return session.rows(*union.within("breakdown", by_name=False))


def _add_rollups(union: Union, session: Session, wanted: RunFilter) -> None:
    """Add what rollups count of all runs of a window: nothing where it holds no whole hour."""
    found = {into: list(branches(session, wanted, blocks, times.HOUR_US)) for into, blocks in _ROLLUPS.items()}
    if not all(found.values()):
        return
    union.use(rolled=SQL["counted_by_rollups"])
    for into, some in found.items():
        union.add_all(some, into=into)


def _group_rows(session: Session, sides: _Sides, known: dict[str, Any]) -> list[tuple[Any, ...]]:
    union = union_of(sides[0][0], {**known, "results": _FAILED})
    for wanted, selected in sides:
        failed = replace(wanted, results=_FAILED, opened=())
        union.use(**predicates(failed))
        if False in wanted.results and failed.tasks != () and wanted.low < wanted.high:
            add_failed(union, session, failed, marked=selected)
    return session.rows(*union.within("breakdown_groups", by_name=False))[1:] if union.has_branches else []


def _share(kind: str, value: str | None, *figures: Any) -> Share:
    return Share(value if value is None or kind not in _NUMBERS else _NUMBERS[kind](value), *figures)
