"""Making the saved index anew from the files of the lake, a few days at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runlake import duck
from runlake.index import counts
from runlake.index import keys as keyring
from runlake.index.memory import SQL, Memory
from runlake.index.saved import Folder, Manifest
from runlake.index.view import Files
from runlake.intake.batch import uuid_bytes
from runlake.lake.catalog import DataFile
from runlake.lake.write import run_hours

PIECE_ROWS = 1_000_000


def rebuild(  # noqa: PLR0913 - each is another part of what a snapshot is
    memory: Memory,
    folder: Folder,
    *,
    files: Files,
    inlined: pa.Table,
    snapshot: int,
    mark: str,
    progress: Callable[[int, int], None] | None = None,
) -> Manifest:
    """Count all files and make the keys of all finished runs, those in the catalog included.

    Memory: the rows of about PIECE_ROWS runs or of one day, whichever is more, and 8 bytes a run.
    """
    folder.prepare(snapshot)
    total = sum(len(files.by_day[day]) for day in files.days)
    keys = np.empty(sum(file.rows for file in files.all()) + inlined.num_rows, dtype=np.uint64)
    end = done = 0
    with memory.cursor() as con:
        con.execute(f"ATTACH {duck.literal(folder.counts(snapshot))} AS building")
        counts.create(con, "building")
        for piece in _pieces(files):
            counts.add(con, "building", [file.path for file in piece])
            ids = con.execute(counts.SQL["ids"]).to_arrow_table()
            end = _fill(keys, end, ids["id"], ids["hour"].to_numpy())
            done += len(piece)
            if progress:
                progress(done, total)
        counts.order(con, "building")
        end = _fill(keys, end, inlined["id"], run_hours(inlined))
        con.register("inlined", inlined)
        con.execute(SQL["make_waiting"])
        con.unregister("inlined")
        con.execute("CHECKPOINT building")
        con.execute("DETACH building")
    keys = keys[:end]
    keys.sort()
    keyring.write(folder.keys(snapshot), (keys,))
    return folder.commit(mark, snapshot, end)


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


def _fill(keys: npt.NDArray[np.uint64], start: int, ids: pa.ChunkedArray, hours: npt.NDArray[np.int64]) -> int:
    """Put the keys of some ids behind those that are there; returns their new end."""
    stop = start + len(ids)
    keys[start:stop] = keyring.make(uuid_bytes(ids), hours)
    return stop
