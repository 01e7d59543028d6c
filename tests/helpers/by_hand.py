"""What nobody does properly: to change a lake past all doors."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from runlake.lake.attach import attach_statement, load_extensions
from runlake.paths import Paths


@contextmanager
def by_hand(lake: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB with the lake attached to be written, as `lake`."""
    paths = Paths.of(lake)
    with duckdb.connect() as con:
        load_extensions(con)
        con.execute(attach_statement(f"sqlite:{paths.catalog}", f"{paths.files}/", "READ_WRITE"))
        yield con
