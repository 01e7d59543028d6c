"""Making the serving database anew from the files of a lake, some days at a time, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

import duckdb
import numpy as np
from msgspec.structs import replace

from runlake import duck, times
from runlake.errors import LakeDamaged
from runlake.intake.batch import id_words
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.files import Files, scan
from runlake.log import warn
from runlake.serving import counting, failures, id_index
from runlake.serving.database import Database, file_rows
from runlake.serving.id_index import IdIndex, Keys
from runlake.serving.sql import APPLY, COUNT, DAY_FIGURES, HOT_RUN, REBUILD, ROLLUPS, SETTLE_SEQUENCES, TABLES

PIECE_ROWS: Final = 1_000_000
_CHECKPOINT_ROWS: Final = 10_000_000  # in between memory holds what is new


def rebuild(
    file: Path,
    lake: Lake,
    files: Sequence[DataFile],
    ids: IdIndex,
    progress: Callable[[int, int], None] | None = None,
) -> set[int]:
    """Write a serving database of these files; returns the numbers of those that cannot be read, and are left out.

    The keys of all ids go into `ids`. Memory: DuckDB's limit, a million rows of ids, and 8 bytes a run.
    """
    settings, temp = lake.settings, lake.paths.spill
    database = Database(file, lake.storage, threads=settings.threads, memory_limit=settings.memory_limit, temp=temp)
    try:
        with duck.translated(f"making {file}", disk=file.parent):
            database.execute("SET preserve_insertion_order = false")
            database.execute(TABLES)
            newest = max((f.day for f in files if f.day <= times.now() // times.DAY_US), default=0)
            hot_from = max(0, newest - settings.hot_days) * times.DAY_US
            counting.set_state(database, counting.State(-1, 0, hot_from, []))
            return _Rebuild(database, lake.storage, ids).run(files, progress)
    finally:
        database.close()


class _Rebuild:
    """The state of it: the keys of some pieces, and the files that cannot be read, by number."""

    def __init__(self, database: Database, storage: Files, ids: IdIndex) -> None:
        self._database, self._storage, self._ids = database, storage, ids
        self._keys: list[Keys] = []
        self._unreadable: set[int] = set()

    def run(self, files: Sequence[DataFile], progress: Callable[[int, int], None] | None) -> set[int]:
        """All of it; returns the numbers of the files that cannot be read."""
        database, done, since = self._database, 0, 0
        for piece in _pieces(files):
            self._add(piece)
            done += len(piece)
            since += sum(file.rows for file in piece)
            if progress:
                progress(done, len(files))
            if since >= _CHECKPOINT_ROWS:
                database.execute("CHECKPOINT serving")
                since = 0
        self._gather(0)
        with database.transaction():
            database.execute(REBUILD["order_days"])
            database.execute(COUNT["all_floors"])
            database.execute(DAY_FIGURES)
            ((newest,),) = database.execute(COUNT["newest_run"])
            counting.set_state(database, replace(counting.state(database), newest=newest))
            while counting.settle(database, ()):
                pass
            rows = file_dicts(files, self._unreadable)
            with database.given(file=file_rows(rows)):
                database.execute(APPLY["add_files"])
        database.execute("CHECKPOINT serving")
        return self._unreadable

    def _add(self, piece: list[DataFile]) -> None:
        """Count files of whole days; those that cannot be read are left out."""
        wanted = list(piece)
        while wanted:
            try:
                with self._database.transaction():
                    self._count(wanted)
                return
            except (duckdb.Error, LakeDamaged):
                bad = [file for file in wanted if not is_readable(self._storage, file)]
                bad = bad or [file for file in wanted if not self._is_countable(file)]
                if not bad:
                    raise
                self._unreadable.update(file.number for file in bad)
                wanted = [file for file in wanted if file not in bad]

    def _is_countable(self, file: DataFile) -> bool:
        """Whether DuckDB, too, can read a file."""
        try:
            with self._database.transaction():
                self._database.execute(REBUILD["whole"], {"files": [file.path]})
        except duckdb.Error as exc:
            log_unreadable(file, exc)
            return False
        return True

    def _count(self, files: list[DataFile]) -> None:
        database, paths = self._database, {"files": [file.path for file in files]}
        database.execute(REBUILD["add_tasks"], paths)
        database.execute(REBUILD["counting"], paths)
        ids = database.arrow(REBUILD["ids"])
        if ids.num_rows != sum(file.rows for file in files):
            raise LakeDamaged("a file does not have the rows that the catalog says")
        for rollup in ROLLUPS:
            database.execute(f"INSERT INTO {rollup.table} {rollup.grouped}")
        database.execute(f"INSERT INTO hot_run {HOT_RUN}")
        database.execute(SETTLE_SEQUENCES["counting"])
        failures.add_grouped(database, database.arrow(REBUILD["failed"], paths))
        database.execute(REBUILD["add_recent"], paths)
        quarters = ids["quarter"].to_numpy().astype(np.int64)
        self._keys.append(id_index.make(id_words(ids["id"]), quarters))
        self._gather(id_index.LARGEST // 2)

    def _gather(self, enough: int) -> None:
        """Add the keys of some pieces to the index as one array."""
        if self._keys and sum(map(len, self._keys)) >= enough:
            keys = np.concatenate(self._keys)
            keys.sort()
            self._ids.add(keys)
            self._keys = []


def file_dicts(files: Sequence[DataFile], unreadable: set[int] | frozenset[int]) -> list[dict[str, object]]:
    """Rows for the table live_file."""
    return [
        {
            "day": file.day,
            "number": file.number,
            "path": file.path,
            "rows": file.rows,
            "size": file.size,
            "readable": file.number not in unreadable,
        }
        for file in files
    ]


def is_readable(storage: Files, file: DataFile, *, quiet: bool = False) -> bool:
    """Whether all its values can be read, and it has its rows; the log says why not, unless `quiet`."""
    try:
        rows = scan(storage, file.path)
        if rows != file.rows:
            raise LakeDamaged(f"has {rows} runs, the catalog says {file.rows}")
    except LakeDamaged as exc:
        if not quiet:
            log_unreadable(file, exc)
        return False
    return True


def log_unreadable(file: DataFile, exc: Exception) -> None:
    """Say in the log that a file cannot be read."""
    warn("a file cannot be read and is not counted", file=file.path, day=times.to_date(file.day), reason=exc)


def _pieces(files: Sequence[DataFile]) -> Iterator[list[DataFile]]:
    """The files of whole days, the newest first, of about PIECE_ROWS rows."""
    piece: list[DataFile] = []
    for _, of_day in groupby(sorted(files, key=lambda file: -file.day), key=lambda file: file.day):
        piece += of_day
        if sum(file.rows for file in piece) >= PIECE_ROWS:
            yield piece
            piece = []
    if piece:
        yield piece
