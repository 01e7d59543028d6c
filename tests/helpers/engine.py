"""DuckDB without the check of its extensions' signatures, which costs more than most tests.

Every LOAD hashes 35 MB, and each instance of DuckDB loads two extensions: a third of a second of processor time, at
every opening of a lake. Processes that start as shipped check them.
"""

from __future__ import annotations

from typing import Any

import duckdb

_connect = duckdb.connect


def trust_extensions() -> None:
    """From now on instances of this process load extensions without hashing them."""

    def connect(
        database: Any = ":memory:", read_only: bool = False, config: dict[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        return _connect(database, read_only, {"allow_unsigned_extensions": "true", **(config or {})})

    duckdb.connect = connect
