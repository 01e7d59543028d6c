"""Attaching a lake to DuckDB: for the service, for a backup, and for analysts."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import duckdb

from runlake import duck
from runlake.errors import LakeVersion
from runlake.lake.sql import LAYOUT, OLDER_LAYOUT, SQL
from runlake.paths import Paths

_EXTENSIONS: Final = ("sqlite_scanner", "ducklake")


def load_extensions(con: duckdb.DuckDBPyConnection) -> None:
    """Load the extensions that attach lakes into an instance."""
    for name in _EXTENSIONS:
        con.execute(f"LOAD {duck.literal(duck.extension(name))}")


def attach_statement(uri: str, data_path: str, mode: str) -> str:
    """The ATTACH statement for a catalog with its files in `data_path`, whichever path the catalog names."""
    return (
        f"ATTACH {duck.literal('ducklake:' + uri)} AS lake (DATA_PATH {duck.literal(data_path)},"
        f" OVERRIDE_DATA_PATH true, META_BUSY_TIMEOUT 10000, {mode})"
    )


def layout_of(con: duckdb.DuckDBPyConnection, paths: Paths) -> str:
    """The layout of the attached lake, ours or the one before; raises LakeVersion for others."""
    found = con.execute(SQL["comment"], {"table": "finished_runs"}).fetchone()
    if found is None or found[0] not in (LAYOUT, OLDER_LAYOUT):
        raise LakeVersion(
            f"the lake {paths.folder} has the layout {found[0] if found else None!r}, not {LAYOUT!r}",
            hint="use the version of runlake that made it",
        )
    return str(found[0])


def attach(folder: str | Path) -> duckdb.DuckDBPyConnection:
    """A new DuckDB with the lake of a folder attached, read-only, as `lake`; for analysts."""
    con = duckdb.connect(":memory:")
    con.execute("SET TimeZone = 'UTC'")
    load_extensions(con)
    con.execute(f"ATTACH {duck.literal(f'ducklake:sqlite:{Paths.of(folder).catalog}')} AS lake (READ_ONLY)")
    return con
