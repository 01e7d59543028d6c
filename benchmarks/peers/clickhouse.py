"""ClickHouse inside the process (chdb); it answers one query at a time, each on all cores."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from benchmarks.peers.protocol import Config, Row, Sql, tuples
from chdb.session import Session as Chdb

_FILES_AT_ONCE: Final = 100
_open: Callable[[str], Any] = Chdb  # it has no types
_TEXT: Final = {True: "true", False: "false"}


class ClickHouse:
    """One MergeTree in the order of run times, with bloom filters for ids and tasks."""

    def __init__(self, config: Config) -> None:
        self._files = config.files
        self._sql = Sql("clickhouse")
        self._turn = threading.Lock()
        self._chdb = _open(f"{config.folder}/clickhouse")

    def load(self) -> None:
        """INSERT from the files, then OPTIMIZE FINAL."""
        for name in ("drop", "database", "create"):
            self._chdb.query(self._sql.blocks[name])
        for i in range(0, len(self._files), _FILES_AT_ONCE):
            names = "', '".join(self._files[i : i + _FILES_AT_ONCE])
            self._chdb.query(self._sql.blocks["insert"].replace("{files}", f"['{names}']"))
        self._chdb.query(self._sql.blocks["tidy"])

    def session(self) -> ClickHouseSession:
        """All threads share the one session that a process may have."""
        return ClickHouseSession(self._chdb, self._sql, self._turn)

    def size(self) -> int:
        """Bytes of the active parts."""
        return int(str(self._chdb.query(self._sql.blocks["size"])).strip())


class ClickHouseSession:
    """Answers leave ClickHouse as Arrow tables."""

    def __init__(self, chdb: Any, sql: Sql, turn: threading.Lock) -> None:
        self.seconds = 0.0
        self._turn = turn
        self._chdb = chdb
        self._sql = sql

    def rows(self, question: str, where: Sequence[str], bound: Mapping[str, Any]) -> list[Row]:
        """The rows of a named statement."""
        values = {name: _TEXT[v] if isinstance(v, bool) else str(v) for name, v in bound.items()}
        # It answers one query at a time anyway, and mixes up the parameters of two that come at once.
        with self._turn:
            started = time.perf_counter()
            table = self._chdb.query(self._sql.text(question, where), "ArrowTable", params=values)
            self.seconds += time.perf_counter() - started
        return tuples(table)

    def append(self, rows: Sequence[Row]) -> None:
        """Not compared: each INSERT is a part on disk, and no part is synced."""
        raise NotImplementedError
