"""Counts of the finished runs in Parquet files, in the reading instance: the saved ones and those made since.

Saved counts lie in a DuckDB file attached under a name of its own; counts made since are native tables `new_…`.
Queries see the views `cells`, `hours`, `histograms` and `day_histograms` over both.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import duckdb

from runlake import duck, statements

TABLES: Final = ("cells", "hours", "histograms", "day_histograms")
SQL: Final = statements.blocks("runlake.index", "counts.sql")
_FEW: Final = 50_000  # rows


class Counts:
    """The tables of counts of one DuckDB instance; one thread at a time changes them."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con
        self.base = "base_none"  # the name the saved counts are attached by
        self._rows = self._compacted = 0
        for name in ("bucket_of", "middle_of", "between"):
            con.execute(SQL[name])
        _narrow(con, "recent LIMIT 0")
        for table in TABLES:
            con.execute(
                f"CREATE TABLE new_{table} AS SELECT *, CAST(0 AS BIGINT) AS born, CAST(0 AS BIGINT) AS died"  # noqa: S608 - our own
                f" FROM ({SQL[f'count_{table}']})"
            )
        con.execute(f"ATTACH ':memory:' AS {self.base}")
        create(con, self.base)
        self._view(self.base)

    def add(self, rows: str, snapshot: int, **bound: Any) -> None:
        """Count rows from this snapshot on; `rows` is one of our own constants: a table or a SELECT in brackets."""
        _narrow(self._con, rows, **bound)
        for table in TABLES:
            added = self._con.execute(
                f"INSERT INTO new_{table} SELECT *, $snapshot, 9223372036854775807 FROM ({SQL[f'count_{table}']})",  # noqa: S608
                {"snapshot": snapshot},
            ).fetchone()
            self._rows += int(added[0]) if added else 0

    def retire(self, snapshot: int) -> None:
        """Let what is not saved end with this snapshot; older Views go on seeing it."""
        for table in TABLES:
            self._con.execute(SQL["retire"].replace("{table}", table), {"snapshot": snapshot})

    def compact(self, oldest: int) -> None:
        """Merge what no View from `oldest` on can tell apart, once it outweighs what is merged already."""
        if self._rows <= _FEW + 2 * self._compacted:
            return
        for table in TABLES:
            rows = f"(FROM new_{table} WHERE died > $oldest)"
            merge = SQL[f"merge_{table}"].replace("{rows}", rows).replace("{versions}", SQL["versions"])
            self._con.execute(f"CREATE OR REPLACE TABLE new_{table} AS {merge}", {"oldest": oldest})
        self._count()

    def _count(self) -> None:
        found = self._con.execute(SQL["size"]).fetchone()
        self._rows = self._compacted = int(found[0]) if found else 0

    def use(self, file: Path, snapshot: int) -> None:
        """Take the counts up to `snapshot` from a saved file, and keep those made since."""
        base = f"base_{snapshot}"
        with duck.translated(f"opening the saved index {file}"):
            self._con.execute(f"ATTACH {duck.literal(file)} AS {base} (READ_ONLY)")
        before = self.base
        self._con.execute("BEGIN")
        for table in TABLES:
            self._con.execute(
                f"CREATE OR REPLACE TABLE new_{table} AS FROM new_{table} WHERE born > $snapshot",
                {"snapshot": snapshot},
            )
        self._view(base)
        self._con.execute("COMMIT")
        self._con.execute(f"DETACH {before}")
        self.base = base
        self._count()

    def _view(self, base: str) -> None:
        for table in TABLES:
            statement = SQL["view_histograms" if table == "histograms" else "view"]
            self._con.execute(statement.replace("{base}", base).replace("{table}", table))
        self._con.execute(SQL["view_day_tasks"].replace("{base}", base))

    def save(self, cursor: duckdb.DuckDBPyConnection, target: str) -> None:
        """Write saved and new counts as one into an attached database, in the cursor's open transaction."""
        for table in TABLES:
            if table == "histograms":
                rows = SQL["save_histograms"].replace("{base}", self.base)
            else:
                living = f"(FROM {table} WHERE died = 9223372036854775807)"
                rows = SQL[f"merge_{table}"].replace("{rows}", living).replace("{versions}", "")
            cursor.execute(f"CREATE TABLE {target}.{table} AS {rows}")
        day_tasks(cursor, target)


def create(con: duckdb.DuckDBPyConnection, target: str) -> None:
    """Make empty tables of counts in an attached database."""
    _narrow(con, "recent LIMIT 0")
    for table in TABLES:
        con.execute(f"CREATE TABLE {target}.{table} AS FROM ({_saved(table)}) LIMIT 0")
    day_tasks(con, target)


def add(con: duckdb.DuckDBPyConnection, target: str, files: list[str]) -> None:
    """Count whole days of files in an attached database; `narrow` is left with their rows."""
    _narrow(con, "read_parquet($files, hive_partitioning = false)", files=files)
    for table in TABLES:
        con.execute(f"INSERT INTO {target}.{table} {_saved(table)}")


def order(con: duckdb.DuckDBPyConnection, target: str) -> None:
    """Put the rows in the order they are asked for."""
    for table in ("cells", "histograms"):
        con.execute(f"CREATE TABLE {target}.ordered AS FROM {target}.{table} ORDER BY unit // 32, task_id, unit")
        con.execute(f"DROP TABLE {target}.{table}")
        con.execute(f"ALTER TABLE {target}.ordered RENAME TO {table}")
    day_tasks(con, target)


def day_tasks(con: duckdb.DuckDBPyConnection, target: str) -> None:
    """Make the cells once more, in the order of days."""
    rows = SQL["day_tasks"].replace("{rows}", f"{target}.cells")
    con.execute(f"CREATE OR REPLACE TABLE {target}.day_tasks AS {rows}")


def _narrow(con: duckdb.DuckDBPyConnection, rows: str, **bound: Any) -> None:
    """Make `narrow`, what is counted of each of the rows."""
    con.execute(SQL["narrow"].replace("{rows}", rows), bound)


def _saved(table: str) -> str:
    rows = SQL[f"count_{table}"]
    return SQL["as_lists"].replace("{rows}", rows) if table == "histograms" else rows
