"""A catalog in a database of PostgreSQL, which one process at a time may write.

A writer has an advisory lock, and a number, its epoch. PostgreSQL takes the lock from a process whose connection is
lost, which may write on without knowing: so a trigger refuses each commit that is not of the newest epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import duckdb
import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from runlake import duck, statements
from runlake.columns import COLUMNS, RUN_AT, Column
from runlake.errors import LakeError, LakeLocked, UsageError
from runlake.lake.attach import attach_statement, load_extensions
from runlake.lake.lock import WriteLock, take_write_lock
from runlake.paths import Paths

SQL: Final = statements.blocks("runlake.lake.catalogs", "postgres.sql")
PREFIX: Final = "postgres:"
# A connection that is dead is noticed within a minute, whether anything was sent over it or not.
_ALIVE: Final = {
    "connect_timeout": "10",
    "tcp_user_timeout": "60000",
    "keepalives_idle": "20",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}


def _stored(column: Column) -> str:
    """A column of an inlined row as DuckLake stores it in PostgreSQL: texts are bytes, and times are texts."""
    value = f'decode("{column.name}")' if column.sql == "VARCHAR" else f'CAST("{column.name}" AS {column.sql})'
    return f'{value} AS "{column.name}"'


class PostgresCatalog:
    """See Catalog. `address` is a libpq string or URI behind `postgres:`; `paths` is the folder of this node."""

    inlined = ", ".join(_stored(column) for column in (*COLUMNS, RUN_AT))
    before_clean: Sequence[str] = ()

    def __init__(self, paths: Paths, address: str) -> None:
        self._paths = paths
        try:
            self._known: dict[str, Any] = conninfo_to_dict(address.removeprefix(PREFIX))
        except psycopg.ProgrammingError:
            raise UsageError("RUNLAKE_CATALOG: what follows postgres: is no libpq string or URI") from None
        if {"password", "sslpassword"} & self._known.keys():
            # It would be in messages of PostgreSQL's library, and so in logs.
            raise UsageError("RUNLAKE_CATALOG must not hold a password", hint="put it in PGPASSWORD, or in a passfile")
        self.place = self.name = PREFIX + make_conninfo("", **self._known)
        self._lock: WriteLock | None = None
        self._session: psycopg.Connection[Any] | None = None
        self._epoch = self._bytes = 0

    def _connected(self) -> psycopg.Connection[Any]:
        return psycopg.connect(self._conninfo(), autocommit=True)

    def _conninfo(self, **more: str) -> str:
        return make_conninfo("", **(_ALIVE | self._known | more))

    def exists(self) -> bool:
        """Whether a lake was made in the database."""
        with self._failing(), self._connected() as con:
            if con.execute(SQL["has_tables"]).fetchone() == (False,):
                return False
            return con.execute(SQL["has_lake"]).fetchone() == (True,)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        try:
            yield
        except psycopg.Error as exc:
            raise LakeError(f"the catalog {self.name}: {' '.join(str(exc).split())}") from exc

    def lock(self) -> None:
        """Take the lock of the node's folder, and that of the lake."""
        self._lock = take_write_lock(self._paths)
        try:
            with self._failing():
                self._session = self._connected()
                if self._session.execute(SQL["lock"]).fetchone() != (True,):
                    raise LakeLocked(self.place, 0)
                self._session.execute(SQL["create_epoch"])
                (self._epoch,) = self._session.execute(SQL["next_epoch"]).fetchone() or (0,)
        except BaseException:
            self.close()
            raise

    def prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """See Catalog. One process writes, so a conflict of commits is a fault, and nothing to try again."""
        load_extensions(con, "postgres_scanner")
        con.execute("SET GLOBAL ducklake_max_retry_count = 0")

    @contextmanager
    def opening(self) -> Iterator[None]:
        """See Catalog."""
        with self._failing(), duck.translated(f"opening the catalog {self.name}"):
            yield

    @contextmanager
    def creating(self, con: duckdb.DuckDBPyConnection, data_path: str) -> Iterator[None]:
        """See Catalog; a lake exists when its tables do, which are made in one transaction."""
        con.execute(self._attach_statement(data_path, "READ_WRITE"))
        yield
        con.execute("DETACH lake")

    def attach_tables(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """See Catalog."""
        con.execute(f"ATTACH {duck.literal(self._conninfo())} AS {name} (TYPE postgres)")

    def attach(self, con: duckdb.DuckDBPyConnection, data_path: str, *, write: bool) -> None:
        """See Catalog; a writer also makes the trigger, and indexes that DuckLake 1.5.5 does not make."""
        if write and self._session is not None:
            self._session.execute(SQL["create_fence"])
            self._session.execute(SQL["create_indexes"])
        con.execute(self._attach_statement(data_path, "READ_WRITE" if write else "READ_ONLY"))

    def _attach_statement(self, data_path: str, mode: str) -> str:
        options = f"{self._known.get('options', '')} -c runlake.epoch={self._epoch}".strip()
        conninfo = self._conninfo(application_name=f"runlake-{self._epoch or 'reader'}", options=options)
        return attach_statement(f"{PREFIX}{conninfo}", data_path, mode)

    def bytes(self) -> int:
        """The size of the database, at the last time when it said it."""
        return self._bytes

    def measure(self) -> None:
        """See Catalog."""
        with suppress(psycopg.Error):
            if self._session and (found := self._session.execute(SQL["bytes"]).fetchone()):
                self._bytes = int(found[0])

    def log_bytes(self) -> int:
        """0: the log of PostgreSQL is of all its databases."""
        return 0

    def close(self) -> None:
        """See Catalog."""
        if self._session is not None:
            self._session.close()
            self._session = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None
