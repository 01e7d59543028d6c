"""GET /export/runs: what is exported, as a statement over exact files and the runs that are in none of them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

import pyarrow as pa
from msgspec import UNSET, Struct

from runlake import times
from runlake.columns import ARROW, COLUMNS, NAMES
from runlake.model import ExportQuery, Form
from runlake.query import filters, scan
from runlake.query.branches import numbered
from runlake.query.engine import Session, written
from runlake.query.files import every
from runlake.query.filters import union_of
from runlake.query.locate import Slice, count
from runlake.query.sql import SQL, filled
from runlake.serving.database import incoming

_ALL: Final = Slice(0, 0)
_TEXTS: Final = ("csv", "ndjson")


class Export(Struct, frozen=True):
    """All runs that match, of one snapshot.

    form        the format
    total       how many they are
    statement   yields them: those outside files first, then the newest days; it needs nothing but files, and `outside`
    outside     runs that are in no file, with the schema columns.ARROW
    reading     inside it the files can be read
    """

    form: Form
    total: int
    statement: str
    outside: pa.Table
    reading: Callable[[], AbstractContextManager[None]]


def export(session: Session, query: ExportQuery) -> Export:
    """What GET /export/runs has to write. Raises BadInput, LakeDamaged and TooLong."""
    wanted = filters.of(query)
    if name := filters.scan_of(query):
        filters.require_bounds(wanted, name)
    first, last = wanted.low // times.DAY_US, (wanted.high - 1) // times.DAY_US
    session.require_readable(first, last)
    wanted = numbered(session, wanted)
    none = wanted.tasks == () or wanted.low >= wanted.high
    total = 0 if none else count(session, wanted, _ALL).total
    paths = scan.files_of(session, wanted, first, last) if total and wanted.results else {}
    union = union_of(wanted, {}, listed=_listed(query))
    outside = ARROW.empty_table() if none else incoming(session.table(*union.of("runs_outside")))
    union.add("exported_outside")
    files = every({day: paths[day] for day in sorted(paths, reverse=True)})
    if files:
        union.add("exported_files", files=files)
    return Export(query.format, total, written(*union.within()), outside, partial(session.storage.reading, files))


def is_scan(query: ExportQuery) -> bool:
    """Whether it takes a scan to count the runs."""
    return filters.scan_of(query) is not None


def _listed(query: ExportQuery) -> str:
    """The columns that were asked for, in the order of the record; texts have times and JSON as the API does."""
    wanted = NAMES if query.fields is UNSET else query.fields
    return ", ".join(_shown(column.name, column.sql, query.format) for column in COLUMNS if column.name in wanted)


def _shown(name: str, kind: str, form: str) -> str:
    if form in _TEXTS and kind == "TIMESTAMPTZ":
        return filled(SQL["exported_time"], column=name)
    if form == "ndjson" and name == "output":
        return filled(SQL["exported_json"], column=name)
    return f'"{name}"'
