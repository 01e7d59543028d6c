"""PostgreSQL, reached by a driver; the cluster itself is made and tuned by `comparison.database`."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import duckdb
import psycopg
from benchmarks.peers.protocol import Config, Row, Sql

from runlake import times
from runlake.columns import select_list

_FILES_AT_ONCE: Final = 8  # keeps the CSV on its way in below some 100 MB
_PIECE: Final = 1 << 20
_MOMENTS: Final = frozenset({"since", "before", "start", "end", "at", "now"})
_CSV: Final = """
COPY (SELECT {columns} FROM read_parquet($files, hive_partitioning = false)) TO '{target}' (FORMAT csv, HEADER false)
"""


class Postgres:
    """One table with a B-tree for each way of asking."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._sql = Sql("postgres")

    def load(self) -> None:
        """COPY, then the indexes, then VACUUM ANALYZE."""
        blocks = self._sql.blocks
        with psycopg.connect(self._config.dsn, autocommit=True) as con:
            # One transaction, because then the rows are not logged on their way in.
            with con.transaction():
                for name in ("drop", "create"):
                    con.execute(blocks[name])
                with con.cursor() as cursor, cursor.copy(blocks["copy"]) as copy:
                    for piece in _pieces(self._config.files, Path(self._config.folder) / "rows.csv"):
                        copy.write(piece)
            for name in ("index_id", "index_time", "index_task", "index_success", "tidy"):
                con.execute(blocks[name])

    def session(self) -> PostgresSession:
        """A new connection."""
        return PostgresSession(self._config.dsn, self._sql)

    def size(self) -> int:
        """Bytes of the table and its indexes."""
        with psycopg.connect(self._config.dsn) as con:
            return int(con.execute(self._sql.blocks["size"]).fetchall()[0][0])


class PostgresSession:
    """Every statement is prepared at its first use."""

    def __init__(self, dsn: str, sql: Sql) -> None:
        self.seconds = 0.0
        self._sql = sql
        self._con = psycopg.connect(dsn, autocommit=True, prepare_threshold=0)

    def rows(self, question: str, where: Sequence[str], bound: Mapping[str, Any]) -> list[Row]:
        """The rows of a named statement."""
        values = {name: times.to_datetime(v) if name in _MOMENTS else v for name, v in bound.items()}
        started = time.perf_counter()
        found: list[Row] = self._con.execute(self._sql.text(question, where), values).fetchall()
        self.seconds += time.perf_counter() - started
        return found

    def append(self, rows: Sequence[Row]) -> None:
        """COPY in one transaction, on disk when it returns."""
        started = time.perf_counter()
        with self._con.cursor() as cursor, cursor.copy(self._sql.blocks["copy_rows"]) as copy:
            for row in rows:
                copy.write_row(row)
        self.seconds += time.perf_counter() - started


def _pieces(files: list[str], part: Path) -> Any:
    """All rows as CSV, a few files at a time."""
    with duckdb.connect(":memory:") as con:
        con.execute("SET TimeZone = 'UTC'")
        for i in range(0, len(files), _FILES_AT_ONCE):
            con.execute(_CSV.format(columns=select_list(), target=part), {"files": files[i : i + _FILES_AT_ONCE]})
            with part.open("rb") as source:
                while piece := source.read(_PIECE):
                    yield piece
    part.unlink()
