"""The reading DuckDB instance: rows that are not in Parquet, and counts of those that are, as native tables.

Each row and each cell is valid for the snapshots born <= n < died, so one table serves every View.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import duckdb
import pyarrow as pa
from msgspec import Struct

from runlake import duck, statements
from runlake.columns import RUN_AT, ddl, select_list
from runlake.intake.batch import uuid_array
from runlake.settings import Settings

SQL: Final = {
    name: text.replace("{columns}", ddl(RUN_AT)).replace("{select}", select_list())
    for name, text in statements.blocks("runlake.index", "memory.sql").items()
}


_CELLS: Final = statements.blocks("runlake.index", "cells.sql")
_FLUSHED: Final = "(FROM recent WHERE finished_at IS NOT NULL AND died = 9223372036854775807)"
_FEW_CELLS: Final = 10_000


class Change(Struct, frozen=True):
    """How the rows in memory change with a snapshot; `counted` rows went to Parquet at once."""

    snapshot: int
    finished: pa.Table | None = None
    counted: pa.Table | None = None
    opened: pa.Table | None = None
    closed: tuple[bytes, ...] = ()
    flushed: bool = False


class Memory:
    """The reading DuckDB instance: no extension, no catalog; Parquet files by exact name, and the table `recent`."""

    def __init__(self, settings: Settings) -> None:
        self._con = duck.connect(threads=settings.threads, memory_limit=settings.memory_limit)
        # Files never change once they are named, so their footers may stay cached unchecked.
        self._con.execute("SET GLOBAL parquet_metadata_cache = true")
        self._con.execute("SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'")
        # Pages are fetched in two steps (narrow top-N, then the wide columns) up to this many rows.
        self._con.execute("SET GLOBAL late_materialization_max_rows = 1000")
        self._cells = self._compacted = 0
        self.clear()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to this instance, for one thread."""
        return self._con.cursor()

    def apply(self, change: Change) -> None:
        """Make the rows of a snapshot, in one transaction: a reader sees all of it or nothing."""
        self._con.execute("BEGIN")
        try:
            if change.flushed:
                self._count(_FLUSHED, {"snapshot": change.snapshot})
                self._con.execute(SQL["flushed"], {"snapshot": change.snapshot})
            if change.counted is not None and change.counted.num_rows:
                with self._given("counted", change.counted):
                    self._count("counted", {"snapshot": change.snapshot})
            if change.closed:
                self._with("closed", pa.table({"id": uuid_array(b"".join(change.closed))}), change.snapshot)
            for name, rows in (("finished", change.finished), ("opened", change.opened)):
                if rows is not None and rows.num_rows:
                    self._with(name, rows, change.snapshot)
            self._con.execute("COMMIT")
        except BaseException:
            self._con.execute("ROLLBACK")
            raise

    def _with(self, name: str, rows: pa.Table, snapshot: int) -> None:
        with self._given(name, rows):
            self._con.execute(SQL[name], {"snapshot": snapshot})

    @contextmanager
    def _given(self, name: str, rows: pa.Table) -> Iterator[None]:
        self._con.register(name, rows)
        try:
            yield
        finally:
            self._con.unregister(name)

    def _count(self, rows: str, bound: dict[str, Any]) -> None:
        """Add the cells of these rows; `rows` is one of our own constants."""
        for name in ("add_cells", "add_hours"):
            added = self._con.execute(_CELLS[name].replace("{rows}", rows), bound).fetchone()
            if name == "add_cells" and added:
                self._cells += int(added[0])

    def count_files(self, files: list[str], snapshot: int) -> None:
        """Add the cells of Parquet files."""
        self._count("read_parquet($files, hive_partitioning = false)", {"files": files, "snapshot": snapshot})

    def inlined_days(self) -> list[int]:
        """Days of the finished rows that are not in Parquet yet."""
        return [int(day) for (day,) in self._con.execute(SQL["inlined_days"]).fetchall()]

    def purge(self, oldest: int) -> None:
        """Forget rows that no snapshot from `oldest` on can see; gives their memory back."""
        self._con.execute(SQL["purge"], {"oldest": oldest})
        # Every commit adds cells; they are merged once they outweigh those that are merged already.
        if self._cells > _FEW_CELLS + 2 * self._compacted:
            self.compact(oldest)

    def compact(self, oldest: int) -> None:
        """Merge the cells that no View from `oldest` on can tell apart."""
        for name in ("compact_cells", "compact_hours"):
            self._con.execute(_CELLS[name], {"oldest": oldest})
        found = self._con.execute(_CELLS["size"]).fetchone()
        self._cells = self._compacted = int(found[0]) if found else 0

    def retire(self, snapshot: int) -> None:
        """Let everything end with this snapshot; older Views go on seeing it."""
        for table in ("recent", "cells", "hours"):
            self._con.execute(SQL[f"retire_{table}"], {"snapshot": snapshot})

    def clear(self) -> None:
        """Forget everything."""
        self._con.execute(SQL["create"])
        for name in ("create_cells", "create_hours"):
            self._con.execute(_CELLS[name])
        self._cells = self._compacted = 0

    def close(self) -> None:
        """End the instance."""
        self._con.close()
