"""GET /stats/owners: lease owners side by side."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import asdict, replace

from runlake import times
from runlake.model import OwnerColumns, Owners, OwnersQuery
from runlake.query import spark
from runlake.query.branches import Blocks, branches
from runlake.query.engine import Session, in_time
from runlake.query.filters import RunFilter, union_of
from runlake.query.previous import Windows
from runlake.query.spark import Parts
from runlake.query.sql import SQL, filled

_FIGURES: Final = Blocks("owner_days", "owner_parts", "owner_runs")
_LINES: Final = Blocks("owner_line_days", "owner_line_parts", "owner_line_runs")
_NAMES: Final = OwnerColumns.__struct_fields__
_OF_BEFORE: Final = tuple(name for name in _NAMES if name.startswith("previous_"))


def owners(session: Session, query: OwnersQuery) -> Owners:
    """GET /stats/owners. Raises BadInput, LakeDamaged and TooLong."""
    windows = Windows.of(query)
    low, high = windows.wanted.low, windows.wanted.high
    session.require_readable(windows.before // times.DAY_US, (high - 1) // times.DAY_US)
    parts = spark.parts_of(low, high, query.spark)
    with in_time():
        rows = _rows(session, replace(windows.wanted, low=windows.before), low, parts) if low < high else []
    found = dict(zip(_NAMES, zip(*rows, strict=True), strict=False)) if rows else dict.fromkeys(_NAMES, ())
    columns = {name: list(column) for name, column in found.items()}
    columns["last_seen"] = [times.to_datetime(at) for at in columns["last_seen"]]
    if not windows.is_compared:
        columns |= {name: [None] * len(rows) for name in _OF_BEFORE}
    total = rows[0][-3] if rows else 0
    return Owners(
        **asdict(windows.head(session)),
        total_owners=total,
        truncated=total > len(rows),
        columns=OwnerColumns(**columns),
        spark=parts.spark([row[-2:] for row in rows]),
    )


def _rows(session: Session, both: RunFilter, now: int, parts: Parts) -> list[tuple[Any, ...]]:
    """The owners of two windows, of which the later one begins at `now`: figures, how many there are, spark lines."""
    finished = replace(both, opened=())
    lines = filled(SQL["spark_lines" if parts.width else "no_spark_lines"], key="owner")
    union = union_of(finished, {"now": now, "moment": both.now, **parts.parameters}, lines=lines)
    borders = [now] if both.low < now else []
    union.add_all(branches(session, finished, _FIGURES, times.HOUR_US, borders))
    union.add("owner_open", low=both.low, high=both.high)
    if parts.width:
        blocks = _LINES.by_day(fits=parts.are_days)
        union.add_all(branches(session, replace(finished, low=now), blocks, times.HOUR_US), into="lines")
        union.add("owner_line_open", into="lines", low=now, high=both.high)
    return session.rows(*union.within("owners", by_name=False))
