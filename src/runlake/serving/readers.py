"""Who reads the serving database now, and what the next question reads: both change under one lock."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import duckdb

from runlake.errors import NotReady
from runlake.log import warn
from runlake.serving.database import Database

_CORRUPT: Final = "Corrupt database"  # how DuckDB begins to say that a block of a file is not what was written
_INVALIDATED: Final = "has been invalidated"  # as by a checkpoint on a full disk, which is no fatal error by its type


class Readers:
    """Any thread may read; the writing thread says what of, and waits here until nobody does.

    lost     what made the open instance useless, if anything did: then nobody reads
    corrupt  whether its file is useless, too
    """

    def __init__(self) -> None:
        self._guard = threading.Condition()
        self._database: Database | None = None
        self._seen: dict[int, int] = {}  # the oldest snapshot that a thread may see
        self._kept: dict[object, int] = {}  # that of who goes on reading files without a transaction
        self.snapshot = -1  # the newest
        self.lost: duckdb.Error | None = None
        self.corrupt = False

    def offer(self, database: Database, snapshot: int) -> None:
        """From now on this is read."""
        with self._guard:
            self._database, self.snapshot, self.lost, self.corrupt = database, snapshot, None, False

    def end(self) -> None:
        """From now on nothing is read; returns when nobody reads any more."""
        with self._guard:
            self._database, self.snapshot = None, -1
            self._guard.wait_for(lambda: not self._seen)

    @contextmanager
    def reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A cursor of this thread inside a read transaction. Raises NotReady."""
        thread = threading.get_ident()
        with self._guard:
            database = self._database
            if database is None or self.lost is not None:
                raise NotReady("the serving database is being made")
            self._seen[thread] = self.snapshot
        try:
            with self.noticing(), database.reading() as cursor:
                yield cursor
        except duckdb.Error as exc:
            if self.lost is not None:
                raise NotReady("the serving database is being made") from exc
            raise
        finally:
            with self._guard:
                del self._seen[thread]
                self._guard.notify_all()

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """See in the errors of DuckDB whether the instance, or its file, is useless."""
        try:
            yield
        except duckdb.Error as exc:
            corrupt = _CORRUPT in str(exc)
            useless = isinstance(exc, duckdb.FatalException | duckdb.InternalException) or _INVALIDATED in str(exc)
            if corrupt or useless:
                warn("the serving database is lost", reason=exc)
                self.lost, self.corrupt = exc, self.corrupt or corrupt
            raise

    @contextmanager
    def keeping(self) -> Iterator[None]:
        """Inside the block, which may last long, the files of what is read now stay. Nobody waits for its end."""
        key = object()
        with self._guard:
            self._kept[key] = self.snapshot
        try:
            yield
        finally:
            with self._guard:
                del self._kept[key]

    def has_old(self) -> bool:
        """Whether anybody reads an older snapshot than the newest: files that it names have to stay."""
        with self._guard:
            return any(snapshot < self.snapshot for snapshot in (*self._seen.values(), *self._kept.values()))
