"""The database itself: opening the file, cursors for reading threads, one transaction at a time for the writer.

The file is attached with `RECOVERY_MODE no_wal_writes`: a commit costs no sync, and after a crash the file is as the
last checkpoint left it. It belongs to one process, and is disposable.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from runlake import duck
from runlake.columns import ARROW, NAMED
from runlake.intake.batch import uuid_array
from runlake.lake.files import Files

_FILE: Final = pa.schema(
    [
        ("day", pa.int32()),
        ("number", pa.int64()),
        ("path", pa.string()),
        ("rows", pa.int64()),
        ("size", pa.int64()),
        ("readable", pa.bool_()),
    ]
)
FAILED: Final = pa.schema(
    [
        ("id", pa.uuid()),
        ("task_id", pa.uuid()),
        ("run_at", pa.int64()),
        ("started", pa.int32()),
        ("duration", pa.int64()),
        ("attempt", pa.int32()),
        ("lease_owner", pa.string()),
        ("finished_at", pa.int64()),
        ("error_id", pa.string()),
        ("kind", pa.string()),
        ("message", pa.string()),
        ("frame", pa.string()),
    ]
)
SHARED: Final = pa.schema([("name", pa.string()), ("query", pa.string())])
_SLOTS: Final = {
    "incoming": ARROW,
    "closed": pa.schema([ARROW.field("id")]),
    "file": _FILE,
    "failed": FAILED,
    "named": NAMED,
    "shared": SHARED,
}
_ROW_GROUP: Final = 24_576  # rows: what a question looks for is an hour, or a task, and not 122,880 rows of a table
# Reading: cached footers; and the columns of a page come with its first pass, which is half the price of a second one.
_SETTINGS: Final = {"parquet_metadata_cache": "true", "late_materialization_max_rows": "0"}


class Database:
    """An open serving database. One thread writes; any thread may read, each with a cursor of its own."""

    def __init__(self, file: Path, storage: Files, *, threads: int, memory_limit: str, temp: Path) -> None:
        self.file, self._storage = file, storage
        self._con = duck.connect(threads=threads, memory_limit=memory_limit, temp=temp)
        for name, value in _SETTINGS.items():
            self._con.execute(f"SET GLOBAL {name} = {value}")
        options = f"RECOVERY_MODE no_wal_writes, ROW_GROUP_SIZE {_ROW_GROUP}"
        # DuckDB must not checkpoint by itself, at the end or after a large commit: the file is as our last
        # checkpoint left it, whose row in `checkpointed` says what it is.
        self._con.execute("PRAGMA disable_checkpoint_on_shutdown")
        self._con.execute("SET GLOBAL checkpoint_threshold = '1TB'")
        self._con.execute(f"ATTACH {duck.literal(file)} AS serving ({options})")
        self._con.execute("USE serving")
        self._slots = {name: duck.Slot(schema) for name, schema in _SLOTS.items()}
        for name, slot in self._slots.items():
            self._con.register(name, slot)
        self._prepared: set[str] = set()
        self._local = threading.local()
        self._cursors: list[duckdb.DuckDBPyConnection] = []

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """This thread's cursor inside a read transaction, which is ended afterwards."""
        cursor: duckdb.DuckDBPyConnection | None = getattr(self._local, "cursor", None)
        if cursor is None:
            cursor = self._local.cursor = self._con.cursor()
            self._cursors.append(cursor)
            cursor.execute("USE serving")
        cursor.execute("BEGIN")
        try:
            yield cursor
        finally:
            with suppress(duckdb.Error):
                cursor.execute("ROLLBACK")

    def begin(self) -> None:
        """Begin a transaction of the writing thread, for `commit` or `rollback`."""
        self._con.execute("BEGIN")

    def commit(self) -> None:
        """Let readers see what changed."""
        self._con.execute("COMMIT")

    def rollback(self) -> bool:
        """Forget what changed; whether that was possible."""
        try:
            self._con.execute("ROLLBACK")
        except duckdb.Error:
            return False
        return True

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Begin and commit; any error rolls back."""
        self.begin()
        try:
            yield
            self.commit()
        except BaseException:
            self.rollback()
            raise

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """Run one statement of the writing thread and fetch its rows."""
        with self._storage.reading(files_in(parameters or {})):
            return self._con.execute(statement, dict(parameters or {})).fetchall()

    def arrow(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The same as an Arrow table."""
        with self._storage.reading(files_in(parameters or {})):
            return self._con.execute(statement, dict(parameters or {})).to_arrow_table()

    def prepared(self, name: str, statement: str) -> pa.Table:
        """The answer of a statement that is planned only once. It may name no table, because a plan holds what DuckDB
        knew of the values of a table when it was made (0 rows for 50, in 1.5.5).
        """
        if name not in self._prepared:
            self._con.execute(f"PREPARE {name} AS {statement}")
            self._prepared.add(name)
        return self._con.execute(f"EXECUTE {name}").to_arrow_table()

    def given(self, **tables: pa.Table) -> AbstractContextManager[None]:
        """Arrow rows that the statements inside may name: those of _SLOTS."""
        return duck.given(self._slots, tables)

    def close(self) -> None:
        """Let the file go, once nobody reads; a second call does nothing."""
        for con in (*self._cursors, self._con):
            con.close()


def files_in(parameters: Mapping[str, Any]) -> Iterable[str]:
    """The files that a statement with these parameters reads: lists of texts name files, and nothing else."""
    return (text for value in parameters.values() if isinstance(value, list) for text in value if isinstance(text, str))


def closed_rows(ids: Sequence[bytes]) -> pa.Table:
    """Rows for `closed`, of 16-byte ids."""
    return pa.table({"id": uuid_array(b"".join(ids))})


def file_rows(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows for `file`."""
    return pa.Table.from_pylist(rows, schema=_FILE)


def incoming(rows: pa.Table) -> pa.Table:
    """Rows of the lake, as DuckDB gave them, for `incoming`: columns.ARROW."""
    columns = [rows[name] for name in ARROW.names]
    # DuckDB gives booleans as an extension of bytes, which Arrow does not cast at once.
    columns = [c.cast(pa.int8()).cast(pa.bool_()) if isinstance(c.type, pa.Bool8Type) else c for c in columns]
    return pa.table([c.cast(field.type) for c, field in zip(columns, ARROW, strict=True)], schema=ARROW)
