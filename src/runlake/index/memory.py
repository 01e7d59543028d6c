"""The reading DuckDB instance: rows that are not in Parquet, as a native table, and counts of those that are.

Each row is valid for the snapshots born <= n < died, so one table serves every View.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb
import pyarrow as pa
from msgspec import Struct

from runlake import duck, statements
from runlake.columns import RUN_AT, ddl, select_list
from runlake.index.counts import Counts
from runlake.intake.batch import uuid_array
from runlake.settings import Settings

SQL: Final = {
    name: text.replace("{columns}", ddl(RUN_AT)).replace("{select}", select_list())
    for name, text in statements.blocks("runlake.index", "memory.sql").items()
}

_FLUSHED: Final = "(FROM recent WHERE finished_at IS NOT NULL AND died = 9223372036854775807)"


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
        self._con.execute(SQL["create"])
        self.counts = Counts(self._con)

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to this instance, for one thread."""
        return self._con.cursor()

    def apply(self, change: Change) -> None:
        """Make the rows of a snapshot, in one transaction: a reader sees all of it or nothing."""
        self._con.execute("BEGIN")
        try:
            if change.flushed:
                self.counts.add(_FLUSHED, change.snapshot)
                self._con.execute(SQL["flushed"], {"snapshot": change.snapshot})
            if change.counted is not None and change.counted.num_rows:
                self.count(change.counted, change.snapshot)
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

    def count(self, rows: pa.Table, snapshot: int) -> None:
        """Count rows that went to Parquet."""
        with self._given("counted", rows):
            self.counts.add("counted", snapshot)

    def inlined_days(self) -> list[int]:
        """Days of the finished rows that are not in Parquet yet."""
        return [int(day) for (day,) in self._con.execute(SQL["inlined_days"]).fetchall()]

    def waiting(self) -> pa.Table:
        """The finished rows that were in no file when the index in use was saved, as `Lake.inserted` gives them."""
        return self._con.execute(SQL["waiting"].replace("{base}", self.counts.base)).to_arrow_table()

    def purge(self, oldest: int) -> None:
        """Forget rows that no snapshot from `oldest` on can see; gives their memory back."""
        self._con.execute(SQL["purge"], {"oldest": oldest})
        self.counts.compact(oldest)

    def retire(self, snapshot: int) -> None:
        """Let everything that is not saved end with this snapshot; older Views go on seeing it."""
        self._con.execute(SQL["retire"], {"snapshot": snapshot})
        self.counts.retire(snapshot)

    def close(self) -> None:
        """End the instance."""
        self._con.close()
