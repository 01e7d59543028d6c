"""What is measured, as plain data: it is written to JSON, kept for a resumed run, and rendered by others."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

OURS: Final = "runlake"
NAMES: Final = {OURS: "runlake", "postgres": "PostgreSQL", "clickhouse": "ClickHouse", "plain": "plain DuckDB"}
REBUILD: Final = "ready, serving deleted"
ID_INDEX: Final = "id index"
DATABASE: Final = "serving.duckdb"
READY: Final = "ready"
TASKS: Final = 2000
DENSE_DAYS: Final = 365
THIN_DAYS: Final = 3653


class Shape(Struct, frozen=True):
    """A history: so many runs of so many tasks over so many days."""

    runs: int
    days: int = DENSE_DAYS
    tasks: int = TASKS

    @property
    def name(self) -> str:
        """As the report calls it."""
        return f"{self.runs:,} runs" + ("" if self.dense else f", thin: over {self.days:,} days")

    @property
    def dense(self) -> bool:
        """Is it one of the sizes that are compared with each other?"""
        return self.days == DENSE_DAYS


class Timing(Struct, frozen=True):
    """Milliseconds and requests (of appends: runs) a second; `engine` is the median inside a peer's engine.

    `few` says how many requests this rests on, where it was no load generator that asked.
    """

    p50: float
    p99: float
    rate: float
    engine: float | None = None
    few: int | None = None


Table = dict[str, dict[str, Timing]]  # question, system


class Beside(Struct, frozen=True):
    """A question asked while nothing was written, and while runs arrived."""

    quiet: Timing
    loaded: Timing


class Writes(Struct):
    """Figures of a copy of the lake that was written to. `arrived` is runs a second beside the questions."""

    alone: Table
    clients: Table
    beside: dict[str, Beside]
    arrived: float
    memory: int


class Size(Struct):
    """Everything measured of one history. Bytes; `parts` splits runlake's, `memory` knows its other moments too."""

    shape: Shape
    systems: list[str]
    questions: Table
    mixed: dict[str, Timing]
    unchanged: Timing | None
    memory: dict[str, int]
    disk: dict[str, int]
    parts: dict[str, int]
    seconds: dict[str, dict[str, float]]
    writes: Writes | None = None


class Imported(Struct, frozen=True):
    """Runs a second of `runlake import` and of plain DuckDB; peak memory of the import in bytes."""

    runs: int
    days: int
    ours: float
    plain: float
    peak: int


class Results(Struct):
    """One run of the benchmark."""

    date: str
    machine: str
    commit: str
    versions: dict[str, str]
    sizes: list[Size]
    imported: Imported | None = None

    def dense(self) -> list[Size]:
        """The sizes that are compared with each other, smallest first."""
        return sorted((size for size in self.sizes if size.shape.dense), key=lambda size: size.shape.runs)
