"""Whole runs of a list: from files, from what is in no file, and from task_recent."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Sequence
from typing import Any, Final

from msgspec import Raw, Struct

from runlake import times
from runlake.columns import COLUMNS, NAMES
from runlake.model import Run
from runlake.query.engine import Session
from runlake.query.files import FileRange, of_moments
from runlake.query.filters import RunFilter, union_of
from runlake.query.sql import SQL

_NULL: Final = Raw(b"null")
_MOMENTS: Final = [at for at, column in enumerate(COLUMNS) if column.sql == "TIMESTAMPTZ"]
_ID, _OUTPUT, _RUN_AT, _WHOLE = NAMES.index("id"), NAMES.index("output"), len(NAMES), len(NAMES) + 1

Row = tuple[Any, ...]


class Place(Struct, frozen=True):
    """The time of a page (microseconds, half open); the stretches of it in files; how many runs in there that match
    are before the page.
    """

    low: int
    high: int
    stretches: Sequence[FileRange]
    skip: int


def columns(names: Collection[str] = NAMES) -> str:
    """The column list of a run in which only these are read, and its id; the others are null."""
    return ", ".join(
        f'"{column.name}"' if column.name in names or column.name == "id" else f'NULL::{column.sql} AS "{column.name}"'
        for column in COLUMNS
    )


class Reader(Struct, frozen=True):
    """Reads the whole rows of the runs of a filter; `listed` is their column list."""

    session: Session
    wanted: RunFilter
    listed: str

    def matching(self, at: Place, limit: int) -> list[Row]:
        """The newest runs of a place, after those to be skipped."""
        known = {"low": at.low, "high": at.high, "limit": limit, "skip": at.skip}
        union = union_of(self.wanted, known, listed=self.listed)
        union.add("inlined")
        for stretch in at.stretches:
            union.add("in_files", low=stretch.low, high=stretch.high, files=stretch.files)
        return self.session.rows(*union.within("page"))

    def with_ids(self, found: Sequence[tuple[uuid.UUID, int]]) -> list[Row]:
        """The runs of these ids and run times, in this order."""
        if not found:
            return []
        ids, moments = tuple(run_id for run_id, _ in found), {at for _, at in found}
        union = union_of(self.wanted, {"run_ids": ids}, listed=self.listed)
        union.add("ids_inlined")
        if paths := of_moments(self.session, moments):
            union.add("ids_in_files", moments=tuple(map(times.to_datetime, moments)), files=paths)
        read = {row[_ID]: row for row in self.session.rows(*union.within("with_id"))}
        return [read[run_id] for run_id, _ in found]

    def recent_page(self, offset: int, few: int) -> Sequence[Row] | None:
        """So `few` runs of a task after the first `offset`; None if task_recent does not reach that far back.

        It lacks no run that is newer than one that it holds.
        """
        rows = self.recent(offset, few)
        if len(rows) < few:
            return None
        if rows[-1][_WHOLE] is None:  # in no file: runs in files may lie between
            ((oldest,),) = self.session.rows(SQL["oldest_recent"], {"task": self.wanted.task})
            if oldest is not None and rows[-1][_RUN_AT] <= oldest:
                return None
        return self.whole(rows)

    def recent(self, skip: int, limit: int) -> list[Row]:
        """Runs of a task from task_recent and from no file, each with its run time and whether it is whole."""
        union = union_of(self.wanted, {"skip": skip, "limit": limit}, listed=self.listed)
        union.add("recent")
        union.add("inlined")
        return self.session.rows(*union.within("recent_page"))

    def whole(self, rows: Sequence[Row]) -> Sequence[Row]:
        """The same runs, with what task_recent leaves out of them read from their files."""
        left = [(row[_ID], row[_RUN_AT]) for row in rows if row[_WHOLE] is False]
        read = {row[_ID]: row for row in self.with_ids(left)}
        return [read.get(row[_ID], row) for row in rows]


def run_time(row: Row) -> int:
    """The run time of a row of `recent`, in microseconds."""
    at: int = row[_RUN_AT]
    return at


def run_of(row: Row) -> Run:
    """The run of a row."""
    values = list(row[: len(NAMES)])
    for at in _MOMENTS:
        values[at] = None if values[at] is None else times.to_datetime(values[at])
    values[_OUTPUT] = _NULL if values[_OUTPUT] is None else Raw(values[_OUTPUT].encode())  # the JSON text it is
    return Run(*values)
