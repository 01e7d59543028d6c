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
from runlake.query import scan
from runlake.query.engine import Session
from runlake.query.files import Groups
from runlake.query.scan import Found

_NULL: Final = msgspec.Raw(b"null")


def columns(*, errors: bool = True) -> list[str]:
    """The columns that whole runs are made of; without `errors` their `error` is not asked."""
    return [name for name in NAMES if errors or name != "error"]


def runs(
    session: Session, view: View, found: Sequence[Found], chosen: Sequence[tuple[int, int]], *, errors: bool = True
) -> list[Run]:
    """The whole runs of what was chosen of `found`, in this order; without `errors` their `error` is None."""
    answers: list[Run | None] = [None] * len(chosen)
    in_files: dict[object, tuple[Groups, list[tuple[int, int, int]]]] = {}  # (place, which, inside) by file and piece
    for place, (which, inside) in enumerate(chosen):
        one = found[which]
        if one.source is None:
            answers[place] = _of_row(view.recent.row(int(one.positions[inside])), errors=errors)
        else:
            position = int(one.positions[inside])
            name = (
                which if one.rows is not None else (one.source.file.path, one.source.group_of(position) // scan.PIECE)
            )
            in_files.setdefault(name, (one.source, []))[1].append((place, which, inside))

    def read(part: tuple[Groups, list[tuple[int, int, int]]]) -> list[Run]:
        session.check()
        source, wanted = part
        known = found[wanted[0][1]].rows
        if known is not None:
            rows = known.take(pa.array([inside for *_, inside in wanted]))
        else:
            positions = np.array([found[which].positions[inside] for _, which, inside in wanted])
            rows = session.reader.rows(source, positions, columns(errors=errors))
        return _decoded(source.file.path, rows, errors=errors)

    # Arrow decodes without holding Python up: the rows of many files are read by several threads.
    parts = list(in_files.values())
    for (_, wanted), read_runs in zip(parts, session.reader.each(read, parts), strict=True):
        for (place, *_), run in zip(wanted, read_runs, strict=True):
            answers[place] = run
    return [run for run in answers if run is not None]


def _decoded(path: str, rows: pa.Table, *, errors: bool) -> list[Run]:
    names = columns(errors=errors)
    with parquet.reading(path):
        values = [_values(name, rows) if name in names else [None] * rows.num_rows for name in NAMES]
    return [Run(*row) for row in zip(*values, strict=True)]


def _values(name: str, rows: pa.Table) -> list[Any]:
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
