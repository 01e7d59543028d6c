"""Does `runlake import` keep its rate? Files of each format, loaded in turns by this code and by another checkout.

    .venv/bin/python benchmarks/import_formats.py --beside ../other-checkout [--runs 300000] [--repeat 3]

Informational: trust the ratios, for both load the same file one after the other on the same machine, and of them the
one of processor time where other programs run beside it. The runs stored are counted before a rate is reported; a rate
includes start-up and commit.
"""

from __future__ import annotations

import argparse
import gzip
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from runlake import generate, times

RUNLAKE: Final = [sys.executable, "-c", "from runlake.cli import main; main()"]
SELECT: Final = "SELECT * FROM source"
# (file, whether it is loaded by a SELECT); JSON by a SELECT is not here: what its columns are has changed.
LOADS: Final = (
    *(("runs.csv", False), ("runs.csv.gz", False), ("runs.ndjson", False), ("runs.ndjson.gz", False)),
    *(("runs.parquet", False), ("runs.csv", True), ("runs.parquet", True)),
)


def main() -> None:
    """Print rates and their ratio, format by format."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, required=True)
    parser.add_argument("--runs", type=int, default=300_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    here = Path(__file__).parent.parent
    with tempfile.TemporaryDirectory() as folder:
        make(Path(folder), options.runs)
        for name, selected in LOADS:
            spent: dict[Path, list[tuple[float, float]]] = {here: [], options.beside: []}
            for _ in range(options.repeat):
                for checkout, found in spent.items():
                    found.append(load(Path(folder), name, checkout, options.runs, selected=selected))
            (wall, cpu), (other_wall, other_cpu) = (
                [statistics.median(column) for column in zip(*found, strict=True)] for found in spent.values()
            )
            what = f"{name}{' by a SELECT' if selected else ''}"
            print(
                f"{what:<27} {options.runs / wall:>9,.0f} runs/s, beside it {options.runs / other_wall:>9,.0f}: "
                f"ratio of rates {other_wall / wall:.2f}, by processor time {other_cpu / cpu:.2f}",
                flush=True,
            )


def make(folder: Path, runs: int) -> None:
    """The same history in every format."""
    history = pa.concat_tables(generate.history(runs=runs, days=28, tasks=500, seed=1, until=times.parse("2025-06-01")))
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        con.register("history", history)
        con.execute(f"COPY history TO '{folder}/runs.parquet' (FORMAT parquet, COMPRESSION zstd)")
        con.execute(f"COPY history TO '{folder}/runs.csv' (FORMAT csv, HEADER)")
        con.execute(
            f"COPY (SELECT * REPLACE (json(output) AS output) FROM history) TO '{folder}/runs.ndjson' (FORMAT json)"
        )
    for name in ("runs.csv", "runs.ndjson"):
        with (folder / name).open("rb") as plain, gzip.open(folder / f"{name}.gz", "wb", 6) as packed:
            shutil.copyfileobj(plain, packed)


def load(folder: Path, name: str, checkout: Path, runs: int, *, selected: bool) -> tuple[float, float]:
    """Seconds of one import by the code of a checkout, all of the command included: by the clock, of processors."""
    lake = folder / "lake"
    command = [*RUNLAKE, "import", str(folder / name), "--data", str(lake), *(["--select", SELECT] if selected else [])]
    env = os.environ | {"PYTHONPATH": str(checkout.resolve() / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    started = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, env=env, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - started
        out.seek(0)
        assert f"stored      {runs}\n" in out.read(), "not every run was stored"
    shutil.rmtree(lake)
    return seconds, usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    main()
