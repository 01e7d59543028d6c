"""How fast is `runlake import`? A Parquet file of dense days, loaded by the command in a process of its own.

    .venv/bin/python benchmarks/bulk_import.py [--runs 4000000] [--days 14] [--repeat 3]

Informational. The runs stored are counted before a rate is reported; the rate includes start-up and commit.
The peer of the same run is plain DuckDB: COPY of the same file to day folders, sorted, zstd, same row groups.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import duckdb
from pyarrow import parquet

from runlake import generate, times
from runlake.settings import Settings

RUNLAKE: Final = [sys.executable, "-c", "from runlake.cli import main; main()"]
PEER: Final = """
COPY (SELECT *, coalesce(started_at, created_at) AS run_at, year(run_at) AS y, month(run_at) AS m, day(run_at) AS d
      FROM read_parquet('{source}') ORDER BY run_at DESC, id DESC)
TO '{target}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {rows}, PARTITION_BY (y, m, d))
"""


def main() -> None:
    """Print rates and the peak memory of the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=4_000_000)
    parser.add_argument("--days", type=int, default=14)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.parquet"
        make(source, options.runs, options.days)
        ours, peer = [], []
        for attempt in range(options.repeat):
            ours.append(load(source, Path(folder) / f"lake-{attempt}", options.runs))
            peer.append(copy(source, Path(folder) / f"peer-{attempt}"))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    print(f"{options.runs} runs, {options.days} days, duckdb {duckdb.__version__}, {platform.machine()}")
    print(f"runlake import: {options.runs / statistics.median(ours):,.0f} runs/s, peak {peak} MiB")
    print(f"plain DuckDB:   {options.runs / statistics.median(peer):,.0f} runs/s, no checks, no ids looked up")
    print(f"ratio of times: {statistics.median(ours) / statistics.median(peer):.2f}")


def make(target: Path, runs: int, days: int) -> None:
    """A Parquet file of a generated history."""
    writer: parquet.ParquetWriter | None = None
    for table in generate.history(runs=runs, days=days, tasks=500, seed=1, until=times.parse("2025-06-01")):
        writer = writer or parquet.ParquetWriter(target, table.schema, compression="zstd")
        writer.write_table(table)
    assert writer is not None
    writer.close()


def load(source: Path, lake: Path, runs: int) -> float:
    """Seconds of one import, all of the command included."""
    started = time.perf_counter()
    done = subprocess.run(
        [*RUNLAKE, "import", str(source), "--data", str(lake)], capture_output=True, text=True, check=True
    )
    seconds = time.perf_counter() - started
    assert f"stored      {runs}\n" in done.stdout, done.stdout
    return seconds


def copy(source: Path, target: Path) -> float:
    """Seconds of the peer."""
    started = time.perf_counter()
    with duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "2GB"}) as con:
        con.execute(PEER.format(source=source, target=target, rows=Settings().row_group_rows))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
