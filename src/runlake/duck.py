"""Opening DuckDB instances, and turning its errors into ours. Nothing is downloaded at run time."""

from __future__ import annotations

import errno
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from runlake.errors import DiskFull, LakeDamaged, LakeMissing, Timeout

_NO_DOWNLOADS: Final[dict[str, str | bool | int | float | list[str]]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
}

# What DuckDB raises over Arrow columns of a type it does not know, or with values that are not of their type.
UNREADABLE: Final = (duckdb.NotImplementedException, duckdb.InvalidInputException, duckdb.ConversionException)


def connect(*, threads: int, memory_limit: str, temp: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A fresh in-memory instance in UTC; `temp` is where large operators may spill (none: nowhere)."""
    con = duckdb.connect(":memory:", config=_NO_DOWNLOADS | {"threads": threads, "memory_limit": memory_limit})
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    # It is on by itself in what looks interactive, such as `python -c`, and writes between the rows of an answer.
    con.execute("SET enable_progress_bar = false")
    con.execute("SET GLOBAL arrow_lossless_conversion = true")
    # It would keep what was read of files that are gone, up to the limit of memory, and of files that were restored.
    con.execute("SET GLOBAL enable_external_file_cache = false")
    con.execute("SET GLOBAL temp_directory = $temp", {"temp": str(temp) if temp else ""})
    return con


class Slot:
    """Rows under one registered name: other rows each time, of one schema.

    A name registered and dropped inside a transaction keeps its rows in memory until the transaction ends, for
    older readers; a Slot is registered once, before, and lets its rows go at once.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = self._none = schema.empty_table()

    def clear(self) -> None:
        """Hold no rows."""
        self.rows = self._none

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows there are now; DuckDB asks anew for each query."""
        return self.rows.__arrow_c_stream__(requested_schema)


@contextmanager
def given(slots: Mapping[str, Slot], tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Inside, the slots of these names hold these rows; afterwards they hold none."""
    for name, table in tables.items():
        slots[name].rows = table
    try:
        yield
    finally:
        for name in tables:
            slots[name].clear()


def extension(name: str) -> str:
    """Path of an extension that came as a wheel of the very same DuckDB version."""
    root = files(f"duckdb_extension_{name}")
    path = root / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    if not path.is_file():
        raise LakeMissing(f"the DuckDB extension {name} for {duckdb.__version__} is not installed")
    return str(path)


def literal(text: str | Path) -> str:
    """A SQL string literal, for statements that take no parameters (ATTACH, LOAD)."""
    return "'" + str(text).replace("'", "''") + "'"


# SQLite says no more than this when there is no room for the files beside the catalog.
_IO_ERROR: Final = "disk I/O error"
_LITTLE: Final = 1 << 18  # bytes
_NO_SPACE: Final = re.compile(r"no space left|disk (is )?full|database or disk is full", re.IGNORECASE)


@contextmanager
def translated(doing: str, *, disk: Path | None = None, full: str | None = None) -> Iterator[None]:
    """Raise our errors instead of DuckDB's and the system's; `doing` says what was tried, on which disk, and `full`
    what to do when there is no room on it, where that is not what DiskFull says.

    Raises DiskFull, Timeout or LakeDamaged, each `from` the foreign error.
    """
    try:
        yield
    except duckdb.InterruptException as exc:
        raise Timeout(f"{doing}: interrupted at its time limit") from exc
    except (duckdb.Error, OSError) as exc:
        text = " ".join(str(exc).split())
        no_room = isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT)
        if disk is not None and _IO_ERROR in text:
            no_room = shutil.disk_usage(disk).free < _LITTLE
        if no_room or _NO_SPACE.search(text):
            raise DiskFull(f"{doing}: the disk is full", hint=full) from exc
        raise LakeDamaged(f"{doing}: {text}") from exc
