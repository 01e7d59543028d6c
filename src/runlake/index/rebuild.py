"""Counting the files of a lake anew, a few days at a time; or only what came since the saved index."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from runlake import parquet, times
from runlake.errors import LakeDamaged
from runlake.index import keys as keyring
from runlake.index.counts import Counts, counted
from runlake.index.figures import runs_of
from runlake.index.grown import Grown
from runlake.index.recent import Recents, among, halves_of
from runlake.index.saved import Derived
from runlake.index.tasks import Tasks
from runlake.index.view import Files
from runlake.intake.batch import uuid_bytes
from runlake.lake.catalog import DataFile
from runlake.lake.write import run_hours
from runlake.log import warn

PIECE_ROWS: Final = 1_000_000
_COLUMNS: Final = ("id", "task_id", "started_at", "finished_at", "success", "attempt", "run_at")


def rebuild(
    files: Files, inlined: pa.Table, tasks: Tasks, progress: Callable[[int, int], None] | None = None
) -> tuple[Derived, list[DataFile]]:
    """Count all files, and make the keys of all finished runs, those in the catalog included; and the files that could
    not be read, whose runs are not among them.

    Memory: the rows of about PIECE_ROWS runs or of one day, whichever is more, the counts, and 8 bytes a run.
    """
    total = sum(len(files.by_day[day]) for day in files.days)
    keys = np.empty(sum(file.rows for file in files.all()) + inlined.num_rows, dtype=np.uint64)
    keys[: inlined.num_rows] = keyring.make(uuid_bytes(inlined["id"]), run_hours(inlined))
    counts: list[Counts] = []
    unread: list[DataFile] = []
    end, done = inlined.num_rows, 0
    for piece in _pieces(files):
        parts = [rows for file in piece if (rows := _known(file, unread)) is not None]
        if parts:
            rows = pa.concat_tables(parts)
            runs, tasks = runs_of(rows, tasks)
            counts.append(counted(runs))
            keys[end : end + len(runs)] = keyring.make(uuid_bytes(rows["id"]), runs["ran_at"] // times.HOUR_US)
            end += len(runs)
        done += len(piece)
        if progress:
            progress(done, total)
    keys = keys[:end]
    keys.sort()
    recents = Recents()
    tasks = recents.add(inlined, tasks)
    return Derived((keys,) if end else (), counts, tasks, recents.waiting), unread


def _known(file: DataFile, unread: list[DataFile]) -> pa.Table | None:
    """The rows of a file; one that cannot be read is told in the log, and added to `unread`."""
    try:
        return _rows(file)
    except LakeDamaged as exc:
        warn("a file cannot be read and is not counted", file=file.path, day=times.to_date(file.day), reason=exc)
        unread.append(file)
        return None


def is_readable(file: DataFile) -> bool:
    """Whether it could be counted now."""
    try:
        _rows(file)
    except LakeDamaged:
        return False
    return True


def _rows(file: DataFile) -> pa.Table:
    """The columns of a file that the index is made of. Raises LakeDamaged for a file that cannot be read."""
    rows = parquet.read(file.path, _COLUMNS, threads=True)
    if rows.num_rows != file.rows:
        raise LakeDamaged(f"{file.path}: has {rows.num_rows} runs, the catalog says {file.rows}")
    return rows


def catch_up(grown: Grown, saved: Derived, rows: Iterable[pa.Table], inlined: pa.Table, tasks: Tasks) -> Tasks:
    """Count the runs that went to Parquet since the saved index, and know the ids of those that came since, `rows`."""
    ids = uuid_bytes(inlined["id"])
    grown.count(saved.waiting[~among(halves_of(saved.waiting), ids)])
    for some in rows:
        halves = uuid_bytes(some["id"])
        grown.remember(halves, run_hours(some))
        runs, tasks = runs_of(some, tasks)
        grown.count(runs[~among(halves, ids)])
    return tasks


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
