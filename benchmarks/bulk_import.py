"""How fast is `runlake import`? A Parquet file of dense days, loaded by the command in a process of its own.

    .venv/bin/python benchmarks/bulk_import.py [--runs 8000000] [--days 28] [--repeat 3] [--sizes 3]

Informational. The runs stored are counted before a rate is reported; the rate includes start-up and commit.
The peer of the same run is plain DuckDB: COPY of the same file to day folders, sorted, in the same layout.
Before it, halves, quarters and so on of the runs are loaded once each, to show that memory does not grow.
"""

from __future__ import annotations

import argparse
import os
import platform
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
TO '{target}' (FORMAT parquet, COMPRESSION {codec}, PARQUET_VERSION V2, ROW_GROUP_SIZE {rows}, PARTITION_BY (y, m, d))
"""


def main() -> None:
    """Print the peak memory by size, and the rates at the largest."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=8_000_000)
    parser.add_argument("--days", type=int, default=28)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--sizes", type=int, default=3)
    options = parser.parse_args()
    print(f"duckdb {duckdb.__version__}, {platform.machine()}, {options.days} days")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source.parquet"
        for halvings in reversed(range(options.sizes)):
            runs = options.runs >> halvings
            size = make(source, runs, options.days)
            _, peak = load(source, Path(folder) / f"size-{halvings}", runs)
            print(f"{runs} runs, {size >> 20} MiB as Arrow: peak {peak >> 20} MiB", flush=True)
        ours, peer = [], []
        for attempt in range(options.repeat):
            ours.append(load(source, Path(folder) / f"lake-{attempt}", options.runs)[0])
            peer.append(copy(source, Path(folder) / f"peer-{attempt}"))
    print(f"runlake import: {options.runs / statistics.median(ours):,.0f} runs/s")
    print(f"plain DuckDB:   {options.runs / statistics.median(peer):,.0f} runs/s, no checks, no ids looked up")
    print(f"ratio of times: {statistics.median(ours) / statistics.median(peer):.2f}")


def make(target: Path, runs: int, days: int) -> int:
    """A Parquet file of a generated history; returns its bytes as Arrow tables."""
    size = 0
    writer: parquet.ParquetWriter | None = None
    for table in generate.history(runs=runs, days=days, tasks=500, seed=1, until=times.parse("2025-06-01")):
        writer = writer or parquet.ParquetWriter(target, table.schema, compression="zstd")
        writer.write_table(table)
        size += table.nbytes
    assert writer is not None
    writer.close()
    return size


def load(source: Path, lake: Path, runs: int) -> tuple[float, int]:
    """Seconds and peak bytes of one import, all of the command included."""
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen([*RUNLAKE, "import", str(source), "--data", str(lake)], stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        out.seek(0)
        assert f"stored      {runs}\n" in out.read(), "not every run was stored"
    return seconds, usage.ru_maxrss * 1024


def copy(source: Path, target: Path) -> float:
    """Seconds of the peer."""
    started, ours = time.perf_counter(), Settings()
    with duckdb.connect(":memory:", config={"threads": 2, "memory_limit": "2GB"}) as con:
        con.execute(PEER.format(source=source, target=target, codec=ours.parquet_codec, rows=ours.row_group_rows))
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
