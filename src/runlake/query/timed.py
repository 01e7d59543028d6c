"""Single runs with a duration, from what is in no file and from as little of the files as narrow rows allow."""

from __future__ import annotations

from typing import Any, Final

from msgspec.structs import replace

from runlake import times
from runlake.query import histogram, scan
from runlake.query.branches import branches
from runlake.query.engine import Session
from runlake.query.files import FileRange, of_moments
from runlake.query.filters import RunFilter, union_of
from runlake.query.sql import Union

_MANY: Final = 2_001  # moments that a statement names


def union(session: Session, wanted: RunFilter, known: dict[str, Any]) -> Union:
    """The runs with a duration, with id, run time and duration."""
    union = union_of(wanted, known)
    union.add("points_inlined", low=wanted.low, high=wanted.high)
    moments = _moments(session, wanted)
    if moments is None:
        for stretch in _stretches(session, wanted):
            union.add("points_in_files", low=stretch.low, high=stretch.high, files=stretch.files)
    elif paths := of_moments(session, moments):
        union.add("points_at_moments", moments=tuple(map(times.to_datetime, moments)), files=paths)
    return union


def total(session: Session, wanted: RunFilter) -> int:
    """How many runs have a duration. Raises TooLong."""
    plain = replace(wanted, timed=False, started=True, opened=())
    part = histogram.part_of(plain, "outcome")
    if part is None:
        return sum(scan.quarters(session, wanted).values())
    union = union_of(plain, {})
    union.add_all(branches(session, plain, histogram.blocks_of(plain, "outcome"), part))
    if not union.has_branches:  # the window is empty
        return 0
    ((runs,),) = session.rows(*union.within("runs_with_duration", by_name=False))
    return int(runs)


def _moments(session: Session, wanted: RunFilter) -> set[int] | None:
    """When such runs began, of those that may be in files; None where narrow rows do not say it, or for many.

    What is not counted yet may be in a file, too.
    """
    if wanted.low < scan.hot_from(session, wanted):
        return None
    union = union_of(wanted, {"limit": _MANY})
    rows = [at for block in ("moments", "uncounted_moments") for (at,) in session.rows(*union.of(block))]
    return set(rows) if len(rows) < _MANY else None


def _stretches(session: Session, wanted: RunFilter) -> list[FileRange]:
    """The times in which such runs lie, with their files: of each day from its first quarter hour to its last."""
    paths = scan.files_of(session, wanted, wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US)
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
