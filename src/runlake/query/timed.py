"""Single runs with a duration, from what is in no file and from as little of the files as narrow rows allow."""

from __future__ import annotations

from typing import Any, Final

from runlake import times
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.files import FileRange
from runlake.query.filters import RunFilter, union_of
from runlake.query.sql import Union

_MANY: Final = 2_001  # moments that a statement names


def union(session: Session, wanted: RunFilter, known: dict[str, Any]) -> Union:
    """The runs with a duration, with id, run time and duration."""
    union = union_of(wanted, known)
    union.add("points_inlined", low=wanted.low, high=wanted.high)
    paths = scan.files_of(session, wanted, wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US)
    moments = _moments(session, wanted)
    if moments is None:
        for stretch in _stretches(session, wanted, paths):
            union.add("points_in_files", low=stretch.low, high=stretch.high, files=stretch.files)
    else:
        for day, of_day in moments.items():
            if day in paths:
                union.add("points_at_moments", moments=tuple(map(times.to_datetime, of_day)), files=paths[day])
    return union


def _moments(session: Session, wanted: RunFilter) -> dict[int, list[int]] | None:
    """When such runs began, by day, of those that may be in files; None where narrow rows do not say it, or for many.

    What is not counted yet may be in a file, too.
    """
    if wanted.low < scan.hot_from(session, wanted):
        return None
    found: dict[int, list[int]] = {}
    union = union_of(wanted, {"limit": _MANY})
    rows = [row for block in ("moments", "uncounted_moments") for row in session.rows(*union.of(block))]
    for (at,) in rows:
        found.setdefault(at // times.DAY_US, []).append(at)
    return found if len(rows) < _MANY else None


def _stretches(session: Session, wanted: RunFilter, paths: dict[int, list[str]]) -> list[FileRange]:
    """The times in which such runs lie, with their files: of each day from its first quarter hour to its last."""
    hulls: dict[int, tuple[int, int]] = {}
    for low, runs in scan.quarters(session, wanted).items():
        if runs:
            first, last = hulls.get(low // times.DAY_US, (low, low))
            hulls[low // times.DAY_US] = min(first, low), max(last, low)
    return [
        FileRange(max(first, wanted.low), min(last + times.QUARTER_US, wanted.high), paths[day])
        for day, (first, last) in hulls.items()
        if day in paths
    ]
