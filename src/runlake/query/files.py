"""The exact Parquet files of some days."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from msgspec import Struct

from runlake import times
from runlake.query.engine import Session
from runlake.query.sql import SQL


class FileRange(Struct, frozen=True):
    """A time that holds runs, and the files to look in."""

    low: int
    high: int
    files: Sequence[str]


def files(session: Session, first: int, last: int) -> dict[int, list[str]]:
    """The files of the days first..last (both included), by day."""
    return by_day(session.rows(SQL["files"], {"first_file": first, "last_file": last}))


def by_day(rows: Sequence[tuple[Any, ...]]) -> dict[int, list[str]]:
    """Rows of a day and a path, by day."""
    found: dict[int, list[str]] = {}
    for day, path in rows:
        found.setdefault(day, []).append(path)
    return found


def every(paths: Mapping[int, Sequence[str]]) -> list[str]:
    """The files of all days."""
    return [path for of_day in paths.values() for path in of_day]


def of_moments(session: Session, moments: Collection[int]) -> list[str]:
    """The files of the days in which these moments (microseconds) lie."""
    days = {at // times.DAY_US for at in moments}
    paths = files(session, min(days), max(days)) if days else {}
    return every({day: paths[day] for day in days & paths.keys()})
