"""Plain DuckDB over the lake's Parquet files, without anything of runlake beside them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
from benchmarks.peers.protocol import Config, Row, Sql, tuples


class Plain:
    """A view over the exact list of files; DuckDB remembers their footers."""

    def __init__(self, config: Config) -> None:
        self._files = config.files
        self._sql = Sql("plain")
        self._con = duckdb.connect(":memory:", config={"threads": 2})
        for setting in (
            "TimeZone = 'UTC'",
            "arrow_lossless_conversion = true",
            "parquet_metadata_cache = true",
            f"temp_directory = '{config.folder}'",
        ):
            self._con.execute(f"SET GLOBAL {setting}")
        self._con.execute(self._sql.blocks["create"].replace("{files}", str(self._files)))

    def load(self) -> None:
        """There is nothing to store: the files are the lake's."""

    def session(self) -> PlainSession:
        """A cursor of the one instance."""
        return PlainSession(self._con.cursor(), self._sql)

    def size(self) -> int:
        """Bytes of the files."""
        return sum(Path(file).stat().st_size for file in self._files)


class PlainSession:
    """Answers leave DuckDB as Arrow tables."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, sql: Sql) -> None:
        self.seconds = 0.0
        self._cursor = cursor
        self._sql = sql

    def rows(self, question: str, where: Sequence[str], bound: Mapping[str, Any]) -> list[Row]:
        """The rows of a named statement."""
        started = time.perf_counter()
        table = self._cursor.execute(self._sql.text(question, where), dict(bound)).to_arrow_table()
        self.seconds += time.perf_counter() - started
        return tuples(table)

    def append(self, rows: Sequence[Row]) -> None:
        """Not compared: a Parquet file is not appended to."""
        raise NotImplementedError
