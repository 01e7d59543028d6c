"""Whole lists: page by page, or as a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from msgspec import UNSET, structs

from runlake.errors import BadInput
from runlake.model import MAX_PAGE, ExportQuery, Filter, RunsQuery


def by_cursor(query: RunsQuery) -> RunsQuery:
    """The query of the first page. Raises BadInput for one that begins elsewhere."""
    _check(query)
    return structs.replace(query, limit=MAX_PAGE)


def exported(query: RunsQuery) -> ExportQuery:
    """The export of the same runs, as an Arrow stream. Raises BadInput for runs that no export has."""
    _check(query)
    if query.order != "started":
        raise BadInput.of("order", "an export has no order, and has runs without a duration, too")
    filters = {name: getattr(query, name) for name in Filter.__struct_fields__}
    return ExportQuery(**filters, fields=query.fields, format="arrow")


def _check(query: RunsQuery) -> None:
    if query.offset or query.cursor is not UNSET:
        name = "offset" if query.offset else "cursor"
        raise BadInput.of(name, "all runs are asked for; list_runs has a single page")


@contextmanager
def whole(file: Path) -> Iterator[BinaryIO]:
    """A file beside this one, which takes its name when all is written, and else goes."""
    part = file.with_name(f".{file.name}.part")
    try:
        with part.open("wb") as sink:
            yield sink
        part.replace(file)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def empty(sink: BinaryIO) -> None:
    """Begin a file anew."""
    sink.seek(0)
    sink.truncate()
