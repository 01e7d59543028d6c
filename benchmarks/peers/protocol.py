"""What a peer is: something that loads the rows and answers named questions in its own SQL."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import pyarrow as pa
from msgspec import Struct

from runlake import statements, times

Row = tuple[Any, ...]


class Config(Struct, frozen=True):
    """What a peer's process is told: the Parquet files with all rows, and where the peer keeps its own."""

    files: list[str]
    folder: str
    dsn: str = ""


class Figures(NamedTuple):
    """Figures of one group of runs: of a day, of a task or, with neither, of all. Durations and times in µs."""

    day: int | None
    task_id: uuid.UUID | None
    good: int
    bad: int
    open: int
    timed: int
    us: int | None
    us_min: int | None
    us_max: int | None
    percentiles: Sequence[float] | None
    last_run: int | None
    last_good: int | None
    last_bad: int | None


class Session(Protocol):
    """The connection of one worker thread."""

    seconds: float  # spent in the engine so far

    def rows(self, question: str, where: Sequence[str], bound: Mapping[str, Any]) -> list[Row]:
        """The rows of a named statement; `where` names conditions that are joined by AND."""

    def append(self, rows: Sequence[Row]) -> None:
        """Store runs durably; raises NotImplementedError where appends are not compared."""


class Peer(Protocol):
    """One system, in a process of its own."""

    def load(self) -> None:
        """Store all rows, indexed and tidy, once."""

    def session(self) -> Session:
        """A new connection."""

    def size(self) -> int:
        """Bytes on disk."""


class Sql:
    """The statements of a peer's `.sql` files, with the conditions asked for put into their place."""

    def __init__(self, name: str) -> None:
        self.blocks: dict[str, str] = {}
        for file in (name, f"{name}_charts"):
            self.blocks |= statements.blocks("benchmarks.peers", f"sql/{file}.sql")
        self._texts: dict[tuple[str, tuple[str, ...]], str] = {}

    def text(self, question: str, where: Sequence[str]) -> str:
        """The same object for the same question, so that drivers can remember what they prepared."""
        key = (question, tuple(where))
        if key not in self._texts:
            conditions = " AND ".join(self.blocks[name] for name in where) or "true"
            self._texts[key] = self.blocks[question].replace("{where}", conditions)
        return self._texts[key]


def tuples(table: pa.Table) -> list[Row]:
    """The rows of an Arrow table, times as UTC datetimes."""
    columns = [
        [None if us is None else times.to_datetime(us) for us in column.cast(pa.int64()).to_pylist()]
        if pa.types.is_timestamp(column.type)
        else column.to_pylist()
        for column in table.columns
    ]
    return list(zip(*columns, strict=True))


def size_of(folder: str | Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
