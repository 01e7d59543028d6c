"""GET /stats/owners: lease owners side by side."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from runlake import times
from runlake.model import Filter, OwnerColumns, Owners, OwnersQuery
from runlake.query import filters, spark
from runlake.query.branches import Blocks, branches
from runlake.query.engine import Session, in_time
from runlake.query.filters import RunFilter, union_of
from runlake.query.previous import is_complete

_BLOCKS: Final = Blocks("", "owner_parts", "owner_runs")
_TIME: Final = OwnerColumns.__struct_fields__.index("last_seen")
_PREVIOUS: Final = OwnerColumns.__struct_fields__.index("previous_runs")


def owners(session: Session, query: OwnersQuery) -> Owners:
    """GET /stats/owners. Raises BadInput, LakeDamaged and TooLong."""
    wanted = filters.with_window(Filter(start_time=query.start_time, end_time=query.end_time))
    length = wanted.high - wanted.low
    compared = query.compare == "previous"
    before = replace(wanted, low=max(0, wanted.low - length), high=wanted.low)
    windows = [wanted] if wanted.low < wanted.high else []
    windows += [before] if compared and before.low < before.high else []
    if windows:
        session.require_readable(windows[-1].low // times.DAY_US, (wanted.high - 1) // times.DAY_US)
    parts = spark.parts_of(wanted.low, wanted.high, query.spark)
    with in_time():
        rows = _rows(session, windows, {"now": wanted.low, "moment": wanted.now, **parts.parameters})
    columns = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in range(_PREVIOUS + 5)]
    columns[_TIME] = [times.to_datetime(at) for at in columns[_TIME]]
    if not compared:
        columns[_PREVIOUS : _PREVIOUS + 3] = [[None] * len(rows)] * 3
    total = rows[0][-1] if rows else 0
    return Owners(
        start=times.to_datetime(wanted.low),
        end=times.to_datetime(wanted.high),
        previous_start=times.to_datetime(before.low) if compared else None,
        previous_complete=is_complete(session, wanted.low - length) if compared else None,
        total_owners=total,
        truncated=total > len(rows),
        columns=OwnerColumns(*columns[:-2]),
        spark=parts.spark(columns[-2]),
    )


def _rows(session: Session, windows: list[RunFilter], known: dict[str, Any]) -> list[tuple[Any, ...]]:
    if not windows:
        return []
    finished = replace(windows[0], opened=())
    union = union_of(finished, known)
    for window in windows:
        of_window = replace(finished, low=window.low, high=window.high)
        for block, values in branches(session, of_window, _BLOCKS, times.HOUR_US, days=False):
            union.add(block, **values)
        union.add("owner_open", low=window.low, high=window.high)
    return session.rows(*union.within("owners", by_name=False))
