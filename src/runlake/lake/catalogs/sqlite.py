"""A catalog that is a SQLite file in the folder of its lake."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import duckdb

from runlake import duck
from runlake.columns import COLUMNS, RUN_AT
from runlake.errors import LakeDamaged
from runlake.lake.attach import attach_statement, load_extensions
from runlake.lake.catalogs.wal import WalHolder
from runlake.lake.lock import WriteLock, take_write_lock
from runlake.lake.sync import replace_file
from runlake.paths import Paths

_NO_CATALOG: Final = re.compile(r"not a database|malformed|does not exist")
# A reader must not set the journal mode: a backup has another one, and may lie on a read-only medium.
_WRITE: Final = "META_BUSY_TIMEOUT 10000, META_JOURNAL_MODE 'WAL'"
_READ: Final = "META_BUSY_TIMEOUT 10000, READ_ONLY"


class SqliteCatalog:
    """See Catalog."""

    inlined = ", ".join(f'CAST("{c.name}" AS {c.sql}) AS "{c.name}"' for c in (*COLUMNS, RUN_AT))
    before_clean: Sequence[str] = ("date_scheduled",)

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self.place, self.name = str(paths.folder), str(paths.catalog)
        self._lock: WriteLock | None = None
        self._wal: WalHolder | None = None

    def exists(self) -> bool:
        """Whether the file is there."""
        return self._paths.catalog.exists()

    def lock(self) -> None:
        """Take the lock of the folder, which dies with the process."""
        self._lock = take_write_lock(self._paths)

    def prepare(self, con: duckdb.DuckDBPyConnection) -> None:
        """See Catalog."""
        load_extensions(con)

    @contextmanager
    def opening(self) -> Iterator[None]:
        """See Catalog; a file that is no catalog is named so."""
        try:
            with duck.translated(f"opening the catalog {self.name}", disk=self._paths.folder):
                yield
        except LakeDamaged as exc:
            if _NO_CATALOG.search(exc.detail):
                raise LakeDamaged(f"{self.name} is no catalog of a lake", hint="restore it from a backup") from exc
            raise

    @contextmanager
    def creating(self, con: duckdb.DuckDBPyConnection, data_path: str) -> Iterator[None]:
        """See Catalog; until it is complete, the file has another name."""
        part = self._paths.unfinished_catalog
        for leftover in part.parent.glob(f"{part.name}*"):
            leftover.unlink()
        con.execute(attach_statement(f"sqlite:{part}", data_path, _WRITE))
        yield
        con.execute("DETACH lake")
        replace_file(part, self._paths.catalog)

    def attach_tables(self, con: duckdb.DuckDBPyConnection, name: str) -> None:
        """See Catalog."""
        con.execute(f"ATTACH {duck.literal(self.name)} AS {name} (TYPE sqlite)")

    def attach(self, con: duckdb.DuckDBPyConnection, data_path: str, *, write: bool) -> None:
        """See Catalog; with `write` the write-ahead log stays until `close`."""
        if write:
            self._wal = WalHolder(self._paths.catalog)
        con.execute(attach_statement(f"sqlite:{self.name}", data_path, _WRITE if write else _READ))

    def bytes(self) -> int:
        """The size of the file."""
        return _size(self.name)

    def measure(self) -> None:
        """Nothing: `bytes` looks itself."""

    def log_bytes(self) -> int:
        """The size of the log beside it."""
        return _size(f"{self.name}-wal")

    def close(self) -> None:
        """See Catalog."""
        if self._wal is not None:
            self._wal.close()
            self._wal = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size  # noqa: PTH116
    except OSError:
        return 0
