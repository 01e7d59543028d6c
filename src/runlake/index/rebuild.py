"""Counting the files of a lake anew, a few days at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from runlake import parquet, times
from runlake.errors import LakeDamaged
from runlake.index import keys as keyring
from runlake.index.counts import Counts, counted
from runlake.index.figures import runs_of
from runlake.index.recent import Recents
from runlake.index.saved import Derived
from runlake.index.tasks import Tasks
from runlake.index.view import Files
from runlake.intake.batch import uuid_bytes
from runlake.lake.catalog import DataFile
from runlake.lake.write import run_hours

PIECE_ROWS: Final = 1_000_000
_COLUMNS: Final = ("id", "task_id", "started_at", "finished_at", "success", "attempt", "run_at")


def rebuild(
    files: Files, inlined: pa.Table, tasks: Tasks, progress: Callable[[int, int], None] | None = None
) -> Derived:
    """Count all files, and make the keys of all finished runs, those in the catalog included.

    Memory: the rows of about PIECE_ROWS runs or of one day, whichever is more, the counts, and 8 bytes a run.
    Raises LakeDamaged for a file that cannot be read.
    """
    total = sum(len(files.by_day[day]) for day in files.days)
    keys = np.empty(sum(file.rows for file in files.all()) + inlined.num_rows, dtype=np.uint64)
    keys[: inlined.num_rows] = keyring.make(uuid_bytes(inlined["id"]), run_hours(inlined))
    counts: list[Counts] = []
    end, done = inlined.num_rows, 0
    for piece in _pieces(files):
        rows = pa.concat_tables([_rows(file) for file in piece])
        runs, tasks = runs_of(rows, tasks)
        counts.append(counted(runs))
        keys[end : end + len(runs)] = keyring.make(uuid_bytes(rows["id"]), runs["ran_at"] // times.HOUR_US)
        end, done = end + len(runs), done + len(piece)
        if progress:
            progress(done, total)
    keys = keys[:end]
    keys.sort()
    recents = Recents()
    tasks = recents.add(inlined, tasks)
    return Derived((keys,) if end else (), counts, tasks, recents.waiting)


def _rows(file: DataFile) -> pa.Table:
    rows = parquet.read(file.path, _COLUMNS, threads=True)
    if rows.num_rows != file.rows:
        raise LakeDamaged(f"{file.path}: has {rows.num_rows} runs, the catalog says {file.rows}")
    return rows


def _pieces(files: Files) -> Iterator[Sequence[DataFile]]:
    """The files of whole days, of about PIECE_ROWS rows."""
    piece: list[DataFile] = []
    for day in files.days:
        piece += files.by_day[day]
        if sum(file.rows for file in piece) >= PIECE_ROWS:
            yield piece
            piece = []
    if piece:
        yield piece
