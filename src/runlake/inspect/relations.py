"""The relations an analyst sees, from a read-only look at a lake: `runs`, `finished_runs`, `open_runs`, `task_names`;
and the macros of the lake.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

import pyarrow as pa
from msgspec import Struct

from runlake import duck
from runlake.columns import ARROW, NAMED, STORED, select_list
from runlake.errors import Busy, LakeDamaged, SqlError
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.files import Files
from runlake.sandbox.sandbox import Sandbox
from runlake.settings import Settings

_TRIES: Final = 200


class Content(Struct, frozen=True):
    """All that one snapshot names: files, finished rows not in Parquet, open rows, names of tasks."""

    snapshot: int
    files: list[DataFile]
    inlined: pa.Table
    opened: pa.Table
    names: pa.Table

    @property
    def finished(self) -> int:
        """Finished runs."""
        return sum(file.rows for file in self.files) + int(self.inlined.num_rows)


def content(lake: Lake) -> Content:
    """The files and rows of the newest snapshot.

    Every statement reads the catalog through connections of its own, so a commit of the service in between would
    mix two snapshots: read again until the snapshot is the same before and after. Raises Busy when it never is.
    """
    for _ in range(_TRIES):
        before = lake.snapshot()
        found = Content(before, lake.files(), lake.inlined(), lake.execute("open"), lake.names())
        if lake.snapshot() == before:
            return found
    raise Busy("the service commits faster than its catalog can be read", hint="try again")


@contextmanager
def noticing(what: Content, storage: Files) -> Iterator[None]:
    """Raise LakeDamaged in place of the SqlError of a query whose files are gone.

    DuckDB takes a file that is not there for a pattern, and says that it may not look for it.
    """
    try:
        yield
    except SqlError as exc:
        if gone := storage.gone(file.path for file in what.files):
            raise LakeDamaged(f"a file of the lake is gone: {gone[0]}", hint="`runlake check` lists all") from exc
        raise


NOTHING: Final = Content(0, [], STORED.empty_table(), ARROW.empty_table(), NAMED.empty_table())


def sandbox(
    what: Content, settings: Settings, temp: str, *, storage: Files | None = None, most_spilled: str | None = None
) -> Sandbox:
    """A locked Sandbox with the relations over this content, and with the macros, also as those of a schema `lake`.

    Its files are in `storage`. Its spill files go to `temp`, and take at most `most_spilled`, where that is given.
    """
    box = Sandbox(
        [file.path for file in what.files],
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        temp_directory=temp,
    )
    if storage is not None:
        box.prepare(partial(storage.prepare, write=False))
    if most_spilled:
        box.spill_at_most(most_spilled)
    columns = f"{select_list()}, run_at"
    box.table("recent_finished_runs", what.inlined)
    box.table("open_runs", what.opened)
    box.table("task_names", what.names)
    box.macros("lake")
    parts = [f"SELECT {columns} FROM recent_finished_runs"]  # noqa: S608 - our own column list
    if what.files:
        listed = ", ".join(duck.literal(file.path) for file in what.files)
        parts.append(f"SELECT {columns} FROM read_parquet([{listed}], hive_partitioning = false)")  # noqa: S608 - the catalog's paths
    box.view("finished_runs", " UNION ALL ".join(parts))
    opened = f"SELECT {select_list()}, coalesce(started_at, created_at) AS run_at FROM open_runs"  # noqa: S608
    box.view("runs", f"SELECT {columns} FROM finished_runs UNION ALL {opened}")  # noqa: S608
    box.lock()
    return box
