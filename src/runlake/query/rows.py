"""Whole runs: from row groups, and from the rows that are in no file."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa

from runlake import parquet, times
from runlake.columns import NAMES
from runlake.index.view import View
from runlake.model import Run
from runlake.query.engine import Session
from runlake.query.files import Groups
from runlake.query.scan import Found

_NULL: Final = msgspec.Raw(b"null")


def runs(
    session: Session, view: View, found: Sequence[Found], chosen: Sequence[tuple[int, int]], *, errors: bool = True
) -> list[Run]:
    """The whole runs of what was chosen of `found`, in this order; without `errors` their `error` is None."""
    answers: list[Run | None] = [None] * len(chosen)
    in_files: dict[str, tuple[Groups, list[tuple[int, int]]]] = {}
    for place, (which, inside) in enumerate(chosen):
        source, position = found[which].source, int(found[which].positions[inside])
        if source is None:
            answers[place] = _of_row(view.recent.row(position), errors=errors)
        else:
            in_files.setdefault(source.file.path, (source, []))[1].append((place, position))

    def read(part: tuple[Groups, list[tuple[int, int]]]) -> list[Run]:
        session.check()
        return _of_file(session, part[0], [position for _, position in part[1]], errors=errors)

    parts = list(in_files.values())
    # Arrow decodes without holding Python up: the rows of many files are read by several threads.
    for (_, wanted), read_runs in zip(parts, session.reader.each(read, parts), strict=True):
        for (place, _), run in zip(wanted, read_runs, strict=True):
            answers[place] = run
    return [run for run in answers if run is not None]


def _of_file(session: Session, of: Groups, positions: Sequence[int], *, errors: bool) -> list[Run]:
    """The rows at some positions of a file."""
    names = [name for name in NAMES if errors or name != "error"]
    rows = session.reader.rows(of, np.array(positions), names)
    with parquet.reading(of.file.path):
        columns = [_values(name, rows) for name in NAMES]
    return [Run(*row) for row in zip(*columns, strict=True)]


def _values(name: str, rows: pa.Table) -> list[Any]:
    if name not in rows.column_names:
        return [None] * rows.num_rows
    column = rows[name]
    if pa.types.is_timestamp(column.type):
        return [_moment(micros) for micros in column.cast(pa.int64()).to_pylist()]
    values: list[Any] = column.to_pylist()
    return [_raw(text) for text in values] if name == "output" else values


def _of_row(row: Sequence[object], *, errors: bool) -> Run:
    """A run of a row as admit.row_tuples makes them."""
    fields: dict[str, Any] = dict(zip(NAMES, row, strict=True))
    for name in ("id", "task_id"):
        fields[name] = uuid.UUID(bytes=fields[name])
    for name in ("leased_until", "started_at", "finished_at", "created_at"):
        fields[name] = _moment(fields[name])
    fields["output"] = _raw(fields["output"])
    fields["error"] = fields["error"] if errors else None
    return Run(**fields)


def _raw(text: str | None) -> msgspec.Raw:
    """`output` stays the JSON text it is."""
    return _NULL if text is None else msgspec.Raw(text.encode())


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else times.to_datetime(micros)
