"""The database of a lake's catalog: what differs from one to another.

sqlite.py     a SQLite file in the folder of the lake; wal.py keeps its write-ahead log
postgres.py   a database of PostgreSQL, for a lake whose files are in S3; postgres.sql
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import duckdb


class Catalog(Protocol):
    """The database in which DuckLake keeps the catalog of one lake.

    place           of the lake, for messages
    name            of the catalog, for messages
    inlined         the select list that gives inlined rows the schema columns.STORED
    before_clean    statements of lake.sql that DuckLake's clean-up needs before it
    """

    place: str
    name: str
    inlined: str
    before_clean: Sequence[str]

    def exists(self) -> bool:
        """Whether there is a lake."""

    def lock(self) -> None:
        """Take the write lock, until `close`; raises LakeLocked."""

    def prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """Load what a DuckDB needs to attach the catalog."""

    def opening(self) -> AbstractContextManager[None]:
        """Translate the errors of opening the catalog inside the block to LakeDamaged or DiskFull."""

    def creating(self, con: duckdb.DuckDBPyConnection, data_path: str) -> AbstractContextManager[None]:
        """Inside the block a new catalog is attached as `lake`, and gets its tables in one transaction.

        Afterwards it exists; after an error, or a crash, it does not.
        """

    def attach_tables(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """Attach the catalog's own tables under a name, past DuckLake."""

    def attach(self, con: duckdb.DuckDBPyConnection, data_path: str, *, write: bool) -> None:
        """Attach the lake, whose files are below `data_path`, as `lake`."""

    def bytes(self) -> int:
        """The size of the catalog, at the last `measure` where it lies on another machine; any thread may ask."""

    def measure(self) -> None:
        """Find the size that `bytes` answers, where that is a question to another machine. The writing thread may."""

    def log_bytes(self) -> int:
        """The size of its write-ahead log; any thread may ask."""

    def close(self) -> None:
        """Release the lock and all else; a second call does nothing."""
