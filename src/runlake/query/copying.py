"""Writing an export: DuckDB copies its runs into a pipe, in an instance of its own, as fast as they are read."""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from typing import Final

import duckdb
import pyarrow as pa

from runlake import duck, macros
from runlake.errors import Timeout
from runlake.query.engine import yield_to_others
from runlake.query.export import Export
from runlake.query.sql import SQL, filled

_MEMORY: Final = "256MB"
_BATCH: Final = 50_000  # rows of an Arrow batch


class Copying:
    """One export, which `run` writes into the file descriptor `sink`, until any thread calls `cancel`."""

    def __init__(self, export: Export, sink: int) -> None:
        self._export, self._sink = export, sink
        self._guard = threading.Lock()
        self._con: duckdb.DuckDBPyConnection | None = None
        self.cancelled = False

    def run(self) -> None:
        """Write everything, and close `sink`. Raises LakeDamaged when a file cannot be read, or nobody reads the pipe
        any more, and Timeout when it was cancelled.
        """
        try:
            yield_to_others()
            with (
                duck.translated("exporting"),
                self._export.reading(),
                duck.connect(threads=1, memory_limit=_MEMORY) as con,
            ):
                for macro in macros.definitions():
                    con.execute(macro)
                con.register("outside", self._export.outside)
                with self._guard:
                    if self.cancelled:
                        raise Timeout("nobody waits for this export any more")
                    self._con = con
                try:
                    self._write(con)
                finally:
                    with self._guard:
                        self._con = None
        finally:
            os.close(self._sink)

    def _write(self, con: duckdb.DuckDBPyConnection) -> None:
        if self._export.form == "arrow":
            reader = con.execute(self._export.statement).to_arrow_reader(_BATCH)
            with os.fdopen(os.dup(self._sink), "wb") as sink, pa.ipc.new_stream(sink, reader.schema) as stream:
                for batch in reader:
                    stream.write_batch(batch)
        else:
            statement = filled(SQL[f"copy_{self._export.form}"], target=f"/dev/fd/{self._sink}")
            con.execute(statement.replace("{rows}", self._export.statement))

    def cancel(self) -> None:
        """End it soon; it may be called again."""
        with self._guard:
            self.cancelled = True
            if self._con is not None:
                with suppress(duckdb.Error):
                    self._con.interrupt()
