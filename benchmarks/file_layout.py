"""Which codec, Parquet version and row-group size should the lake's files have?

    .venv/bin/python benchmarks/file_layout.py [--runs 274000] [--tasks 2000] [--rounds 7] [--only lz4_raw]

One generated day, as dense as one of 100,000,000 runs a year, is written by DuckDB in every layout, sorted as the lake
sorts, and asked through DuckDB with one thread. All layouts must give the same rows before anything is timed.

Informational. Prints a Markdown table. Figures are milliseconds of CPU of one question: the median of the rounds, in
each of which all layouts take turns. In brackets: the ratio to the layout that the lake had before, the first row.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import duckdb
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import machine

from runlake import duck, generate, times
from runlake.columns import NAMES, RUN_AT

UNTIL: Final = times.parse("2026-11-01")
QUARTER: Final = 15 * 60 * 1_000_000  # microseconds
SEED: Final = 5
ASKED: Final = 24  # different questions of one kind
DAYS_ASKED: Final = 6  # of the kinds that read the whole day


class Layout(NamedTuple):
    """How a file is written; `level` is the codec's own, None for its default."""

    codec: str
    version: str
    rows: int
    level: int | None = None

    @property
    def name(self) -> str:
        """Its name in the table."""
        return f"{self.codec} {self.version} {self.rows:,}" + ("" if self.level is None else f" level {self.level}")

    @property
    def options(self) -> str:
        """Options of COPY."""
        level = "" if self.level is None else f", COMPRESSION_LEVEL {self.level}"
        return f"COMPRESSION {self.codec}, PARQUET_VERSION {self.version}, ROW_GROUP_SIZE {self.rows}{level}"


LAYOUTS: Final = (
    Layout("zstd", "V1", 4096),
    Layout("zstd", "V1", 8192),
    Layout("lz4_raw", "V1", 4096),
    Layout("zstd", "V2", 4096),
    Layout("zstd", "V2", 8192),
    Layout("zstd", "V2", 8192, 1),
    Layout("zstd", "V2", 16384),
    Layout("snappy", "V2", 8192),
    Layout("lz4_raw", "V2", 2048),
    Layout("lz4_raw", "V2", 4096),
    Layout("lz4_raw", "V2", 6144),
    Layout("lz4_raw", "V2", 8192),
    Layout("lz4_raw", "V2", 16384),
    Layout("lz4_raw", "V2", 122880),
    Layout("uncompressed", "V2", 8192),
)

WRITE: Final = "COPY (FROM day ORDER BY run_at DESC, id DESC) TO '{path}' (FORMAT parquet, {options})"
_FILE: Final = "read_parquet('{path}', hive_partitioning = false)"
_WINDOW: Final = "run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)"
_RUN: Final = ", ".join(NAMES)
_NEWEST: Final = "ORDER BY run_at DESC, id DESC LIMIT 50"
_BY_TASK: Final = (
    "task_id, count(*) AS runs, count(*) FILTER (success) AS succeeded, "
    "sum(epoch_us(finished_at) - epoch_us(started_at)) AS took"
)
# The window of each kind (microseconds around a run's time, rounded to quarter hours) is in `parameters`.
QUESTIONS: Final = {
    "detail": f"SELECT {_RUN} FROM {_FILE} WHERE id = $id AND {_WINDOW}",
    "page": f"SELECT {_RUN} FROM {_FILE} WHERE {_WINDOW} {_NEWEST} OFFSET 20",
    "failures": f"SELECT {_RUN} FROM {_FILE} WHERE NOT success AND {_WINDOW} {_NEWEST}",
    "task in quarter": f"SELECT {_RUN} FROM {_FILE} WHERE task_id = $task AND {_WINDOW}",
    "half hour by task": f"SELECT {_BY_TASK} FROM {_FILE} WHERE {_WINDOW} GROUP BY task_id",
    "day by task": f"SELECT {_BY_TASK} FROM {_FILE} GROUP BY task_id",
    "rare task": f"SELECT {_RUN} FROM {_FILE} WHERE task_id = $task {_NEWEST}",
}
Bound = dict[str, Any]


class File(NamedTuple):
    """One layout's file, and the CPU seconds to write it."""

    layout: Layout
    path: Path
    seconds: float


def main() -> None:
    """Writes, compares, times and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=274_000)
    parser.add_argument("--tasks", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="", help="ask only layouts whose name holds this, and the first")
    options = parser.parse_args()
    layouts = [one for one in LAYOUTS if one is LAYOUTS[0] or options.only in one.name]
    with tempfile.TemporaryDirectory(prefix="runlake-layout-") as folder:
        con = connect()
        count = load(con, options.runs, options.tasks)
        files = [write(con, layout, Path(folder)) for layout in layouts]
        con.execute("SET threads = 1")
        bound = parameters(con)
        compare(con, files, bound)
        print(f"{count:,} runs of one day, {options.tasks:,} tasks, duckdb {duckdb.__version__}, ", end="")
        print(f"{machine.description()}, commit {machine.commit()}, {options.rounds} rounds\n")
        print(table(files, timed(con, files, bound, options.rounds), count))


def connect() -> duckdb.DuckDBPyConnection:
    """An instance that reads files as the service means to."""
    con = duck.connect(threads=1, memory_limit="4GB")
    con.execute("SET parquet_metadata_cache = true")
    con.execute("SET late_materialization_max_rows = 0")
    return con


def load(con: duckdb.DuckDBPyConnection, runs: int, tasks: int) -> int:
    """Fill the table `day` with finished runs; returns how many."""
    day = pa.concat_tables(generate.history(runs=runs, days=1, tasks=tasks, seed=SEED, until=UNTIL))
    con.register("generated", day)
    con.execute(
        f"CREATE TABLE day AS SELECT {_RUN}, coalesce(started_at, created_at) AS {RUN_AT.name} FROM generated "
        "WHERE finished_at IS NOT NULL"
    )
    con.unregister("generated")
    return int(con.execute("SELECT count(*) FROM day").to_arrow_table().column(0)[0].as_py())


def write(con: duckdb.DuckDBPyConnection, layout: Layout, folder: Path) -> File:
    """Write the day in a layout; the time is the better of two."""
    path = folder / f"{layout.name.replace(' ', '-')}.parquet"
    copy = partial(con.execute, WRITE.format(path=path, options=layout.options))
    seconds = [cpu(copy) for _ in range(2)]
    return File(layout, path, min(seconds))


def parameters(con: duckdb.DuckDBPyConnection) -> dict[str, list[Bound]]:
    """The values that each kind of question is asked with."""
    chooser = random.Random(SEED)
    rows = con.execute("SELECT id, task_id, epoch_us(run_at) AS at FROM day ORDER BY id").to_arrow_table()
    runs = [rows.slice(chooser.randrange(rows.num_rows), 1).to_pylist()[0] for _ in range(ASKED)]
    rare = con.execute("SELECT task_id FROM day GROUP BY 1 ORDER BY count(*), 1 LIMIT 300").to_arrow_table()["task_id"]
    quarter = [_window(run["at"], 1) for run in runs]
    half_hour = [_window(run["at"], 2) for run in runs]
    return {
        "detail": [{"id": run["id"], **window} for run, window in zip(runs, quarter, strict=True)],
        "page": quarter,
        "failures": half_hour,
        "task in quarter": [{"task": run["task_id"], **window} for run, window in zip(runs, quarter, strict=True)],
        "half hour by task": half_hour,
        "day by task": [{}] * DAYS_ASKED,
        "rare task": [{"task": rare[chooser.randrange(len(rare))].as_py()} for _ in range(DAYS_ASKED)],
    }


def _window(at: int, quarters: int) -> Bound:
    """The quarter hour of a time, and as many before it as make `quarters`; in microseconds."""
    high = at - at % QUARTER + QUARTER
    return {"low": high - quarters * QUARTER, "high": high}


def asked(con: duckdb.DuckDBPyConnection, file: File, kind: str, bound: Bound) -> pa.Table:
    """One question's rows."""
    return con.execute(QUESTIONS[kind].format(path=file.path), bound).to_arrow_table()


def _asked_all(con: duckdb.DuckDBPyConnection, file: File, kind: str, some: Sequence[Bound]) -> None:
    for values in some:
        asked(con, file, kind, values)


def compare(con: duckdb.DuckDBPyConnection, files: Sequence[File], bound: dict[str, list[Bound]]) -> None:
    """Every layout gives the same rows to every question; groups and unordered rows are sorted first."""
    for kind, some in bound.items():
        for values in some:
            first, *others = (_sorted(kind, asked(con, file, kind, values)) for file in files)
            assert first.num_rows, f"{kind}: no rows to compare"
            for file, rows in zip(files[1:], others, strict=True):
                assert rows.equals(first), f"{kind}: {file.layout.name} gives other rows than {files[0].layout.name}"


def _sorted(kind: str, rows: pa.Table) -> pa.Table:
    if _NEWEST in QUESTIONS[kind]:
        return rows
    key = pa.array([value.bytes for value in rows.column(0).to_pylist()], pa.binary())
    return rows.append_column("key", key).sort_by("key")


def timed(
    con: duckdb.DuckDBPyConnection, files: Sequence[File], bound: dict[str, list[Bound]], rounds: int
) -> dict[Layout, dict[str, float]]:
    """Milliseconds of CPU of one question: the median of the rounds."""
    seen: dict[Layout, dict[str, list[float]]] = {file.layout: {kind: [] for kind in bound} for file in files}
    for _ in range(rounds):
        for kind, some in bound.items():
            for file in random.sample(files, len(files)):
                seconds = cpu(partial(_asked_all, con, file, kind, some))
                seen[file.layout][kind].append(seconds / len(some) * 1000)
    return {layout: {kind: statistics.median(ms) for kind, ms in kinds.items()} for layout, kinds in seen.items()}


def cpu(call: Callable[[], object]) -> float:
    """Seconds of CPU that a call takes in this process."""
    started = time.process_time()
    call()
    return time.process_time() - started


def table(files: Sequence[File], figures: dict[Layout, dict[str, float]], count: int) -> str:
    """The Markdown table."""
    head = ("layout", "bytes a run", "write, s", *QUESTIONS)
    rows = [head, ["---"] * len(head), *_rows(files, figures, count)]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def _rows(files: Sequence[File], figures: dict[Layout, dict[str, float]], count: int) -> Iterator[list[str]]:
    before = figures[files[0].layout]
    for file in files:
        ms = figures[file.layout]
        timings = [f"{ms[kind]:.2f} ({ms[kind] / before[kind]:.2f})" for kind in QUESTIONS]
        size = file.path.stat().st_size / count
        written = f"{file.seconds:.2f} ({file.seconds / files[0].seconds:.2f})"
        yield [file.layout.name, f"{size:.1f}", written, *timings]


if __name__ == "__main__":
    main()
