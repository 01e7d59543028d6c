"""Rows that are not in Parquet, in a native table of the reading DuckDB instance.

Each row is valid for the snapshots born <= n < died, so one table serves every View.
"""

from __future__ import annotations

from typing import Final

import duckdb
import pyarrow as pa
from msgspec import Struct

from runlake import duck, statements
from runlake.intake.batch import uuid_array
from runlake.model import RUN_AT, ddl, select_list
from runlake.settings import Settings

SQL: Final = {
    name: text.replace("{columns}", ddl(RUN_AT)).replace("{select}", select_list())
    for name, text in statements.blocks("runlake.index", "memory.sql").items()
}


class Change(Struct, frozen=True):
    """How the rows in memory change with a snapshot."""

    snapshot: int
    finished: pa.Table | None = None
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
        self._con.execute(SQL["create"])

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to this instance, for one thread."""
        return self._con.cursor()

    def apply(self, change: Change) -> None:
        """Make the rows of a snapshot, in one transaction: a reader sees all of it or nothing."""
        self._con.execute("BEGIN")
        try:
            if change.flushed:
                self._con.execute(SQL["flushed"], {"snapshot": change.snapshot})
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
        self._con.register(name, rows)
        try:
            self._con.execute(SQL[name], {"snapshot": snapshot})
        finally:
            self._con.unregister(name)

    def inlined_days(self) -> list[int]:
        """Days of the finished rows that are not in Parquet yet."""
        return [int(day) for (day,) in self._con.execute(SQL["inlined_days"]).fetchall()]

    def purge(self, oldest: int) -> None:
        """Forget rows that no snapshot from `oldest` on can see; gives their memory back."""
        self._con.execute(SQL["purge"], {"oldest": oldest})

    def clear(self) -> None:
        """Forget everything."""
        self._con.execute(SQL["create"])

    def close(self) -> None:
        """End the instance."""
        self._con.close()
