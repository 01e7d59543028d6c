"""Attaching a lake to DuckDB: for the service, for a backup, and for analysts."""

from __future__ import annotations

from pathlib import Path

import duckdb

from runlake import duck
from runlake.errors import LakeVersion
from runlake.lake.sql import LAYOUT, OLDER_LAYOUT, SQL
from runlake.paths import Paths


def load_extensions(con: duckdb.DuckDBPyConnection, catalog: str = "sqlite_scanner") -> None:
    """Load the extensions that attach lakes into an instance: DuckLake, and that of the catalog's database."""
    for name in (catalog, "ducklake"):
        con.execute(f"LOAD {duck.literal(duck.extension(name))}")


def attach_statement(uri: str, data_path: str, options: str) -> str:
    """The ATTACH statement for a catalog with its files in `data_path`, whichever path the catalog names."""
    return (
        f"ATTACH {duck.literal('ducklake:' + uri)} AS lake (DATA_PATH {duck.literal(data_path)},"
        f" OVERRIDE_DATA_PATH true, {options})"
    )


def layout_of(con: duckdb.DuckDBPyConnection, place: str) -> str:
    """The layout of the attached lake, ours or the one before; raises LakeVersion for others."""
    found = con.execute(SQL["comment"], {"table": "finished_runs"}).fetchone()
    if found is None or found[0] not in (LAYOUT, OLDER_LAYOUT):
        raise LakeVersion(
            f"the lake {place} has the layout {found[0] if found else None!r}, not {LAYOUT!r}",
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
