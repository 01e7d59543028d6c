"""Opening DuckDB instances, passing them Arrow tables, and translating their errors. Nothing is downloaded."""

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

# DuckDB raises these for Arrow columns of an unknown type, or with values that are not of their type.
UNREADABLE: Final = (duckdb.NotImplementedException, duckdb.InvalidInputException, duckdb.ConversionException)


def connect(*, threads: int, memory_limit: str, temp: Path | None = None) -> duckdb.DuckDBPyConnection:
    """A new in-memory instance in UTC. Large operators may spill to the folder `temp`; without it they cannot."""
    con = duckdb.connect(":memory:", config=_NO_DOWNLOADS | {"threads": threads, "memory_limit": memory_limit})
    con.execute("SET GLOBAL TimeZone = 'UTC'")
    # DuckDB turns it on in `python -c`, for example, and it then writes between the rows of an answer.
    con.execute("SET enable_progress_bar = false")
    con.execute("SET GLOBAL arrow_lossless_conversion = true")
    # The cache would keep blocks of files that were deleted or restored, up to the memory limit.
    con.execute("SET GLOBAL enable_external_file_cache = false")
    con.execute("SET GLOBAL temp_directory = $temp", {"temp": str(temp) if temp else ""})
    return con


class Slot:
    """A registered name for Arrow tables of one schema, which hold other rows each time.

    A table that is registered and dropped inside a transaction stays in memory until the transaction ends. A Slot is
    registered once, before, and releases its rows at once.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self.rows = self._none = schema.empty_table()

    def clear(self) -> None:
        """Release the rows."""
        self.rows = self._none

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The present rows; DuckDB calls this for each query."""
        return self.rows.__arrow_c_stream__(requested_schema)


@contextmanager
def given(slots: Mapping[str, Slot], tables: Mapping[str, pa.Table]) -> Iterator[None]:
    """Inside the block the slots of these names hold the tables; afterwards they are empty."""
    for name, table in tables.items():
        slots[name].rows = table
    try:
        yield
    finally:
        for name in tables:
            slots[name].clear()


def extension(name: str) -> str:
    """The path of an extension, which is installed as a wheel of exactly our DuckDB version."""
    try:
        path = files(f"duckdb_extension_{name}") / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"
    except ModuleNotFoundError:
        path = None
    if path is None or not path.is_file():
        raise LakeMissing(f"the DuckDB extension {name} for {duckdb.__version__} is not installed")
    return str(path)


def literal(text: str | Path) -> str:
    """A SQL string literal, for statements that take no parameters (ATTACH, LOAD)."""
    return "'" + str(text).replace("'", "''") + "'"


# SQLite has only this message when the disk is too full for its log.
_IO_ERROR: Final = "disk I/O error"
_LITTLE: Final = 1 << 18  # bytes of free space that make an I/O error a full disk
# A statement that failed on PostgreSQL. It has whole rows in it, so neither the message nor a trace may show it.
_STATEMENT: Final = re.compile(r'(?<=Failed to execute query )(".*": |".*)', re.DOTALL)
_NO_SPACE: Final = re.compile(r"no space left|disk (is )?full|database or disk is full", re.IGNORECASE)


@contextmanager
def translated(doing: str, *, disk: Path | None = None, full: str | None = None) -> Iterator[None]:
    """Translate errors of DuckDB and of the operating system to DiskFull, Timeout or LakeDamaged.

    `doing` describes the work in their messages. `disk` is a folder of the disk that SQLite writes to. `full` is the
    hint of a DiskFull, where the default one does not fit.
    """
    try:
        yield
    except duckdb.InterruptException as exc:
        raise Timeout(f"{doing}: interrupted at its time limit") from exc
    except (duckdb.Error, OSError) as exc:
        said, cut = _STATEMENT.subn("", str(exc))
        text, cause = " ".join(said.split()), None if cut else exc
        no_room = isinstance(exc, OSError) and exc.errno in (errno.ENOSPC, errno.EDQUOT)
        if disk is not None and _IO_ERROR in text:
            no_room = shutil.disk_usage(disk).free < _LITTLE
        if no_room or _NO_SPACE.search(text):
            raise DiskFull(f"{doing}: the disk is full", hint=full) from cause
        raise LakeDamaged(f"{doing}: {text}") from cause
