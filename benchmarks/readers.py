"""Do other readers of Parquet see the same runs in the lake's files?

    .venv/bin/python benchmarks/readers.py [--runs 60000] [--codecs lz4_raw] [--readers polars,spark]

A lake is made with each codec that the settings offer: files of a few row groups, sorted and merged. Every reader is
installed in a virtual environment of its own and made to print how many runs it sees and one checksum over all rows, in
any order: ids, times in microseconds, flags, texts, nulls. DuckDB of this work tree says what is right. A reader that
does not know an encoding is asked without the columns that have it, and the table says so.

Needs a package index, and for Spark `java`; exit code 1 where a reader fails or sees anything else.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import machine

from runlake import generate, times
from runlake.lake import bulk
from runlake.lake.catalog import Lake
from runlake.lake.merging import LARGEST
from runlake.lake.stored import Stored
from runlake.paths import Paths
from runlake.serving.serving import Serving
from runlake.settings import Settings

CODECS: Final = ("lz4_raw", "zstd")
IDS: Final = ("id", "task_id")
TIMES: Final = ("leased_until", "started_at", "finished_at", "created_at", "run_at")
PLAIN: Final = ("lease_owner", "success", "error", "attempt", "output")

# Each reader fills `columns`: a list of values for every name; ids as hex digits, times as microseconds or None.
HEAD: Final = """
import hashlib, json, sys
asked = json.loads(sys.stdin.read())
files, IDS, TIMES, PLAIN = asked["files"], asked["ids"], asked["times"], asked["plain"]
columns = {name: [] for name in (*IDS, *TIMES, *PLAIN)}
"""
TAIL: Final = """
total = 0
for row in zip(*columns.values(), strict=True):
    total += int.from_bytes(hashlib.sha256(json.dumps(row).encode()).digest(), "big")
print(len(columns["id"]), f"{total % (1 << 256):064x}"[:16])
"""
DUCKDB: Final = """
import duckdb
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
wanted = [f"replace({name}::VARCHAR, '-', '')" for name in IDS] + [f"epoch_us({name})" for name in TIMES] + [*PLAIN]
rows = con.execute(f"SELECT {', '.join(wanted)} FROM read_parquet($files, hive_partitioning=false)", {"files": files})
columns = dict(zip(columns, map(list, zip(*rows.fetchall(), strict=True)), strict=True))
"""
ARROW: Final = """
import pyarrow as pa
from pyarrow import parquet
for file in files:
    table = parquet.ParquetFile(file).read(list(columns))
    for name in IDS:
        columns[name] += [value.hex for value in table[name].to_pylist()]
    for name in TIMES:
        columns[name] += table[name].cast(pa.int64()).to_pylist()
    for name in PLAIN:
        columns[name] += table[name].to_pylist()
"""
POLARS: Final = """
import polars as pl
for file in files:  # merged files have a column more than others
    frame = pl.read_parquet(file, columns=list(columns), hive_partitioning=False)
    for name in IDS:
        columns[name] += [value.hex() for value in frame[name].cast(pl.Binary)]
    for name in TIMES:
        columns[name] += frame[name].dt.timestamp("us").to_list()
    for name in PLAIN:
        columns[name] += frame[name].to_list()
"""
FASTPARQUET: Final = """
import fastparquet, pandas
for file in files:
    frame = fastparquet.ParquetFile(file).to_pandas(columns=list(columns))
    for name in IDS:
        columns[name] += [bytes(value).hex() for value in frame[name]]
    for name in TIMES:
        whole = frame[name].dt.tz_localize(None).astype("datetime64[us]")
        columns[name] += [None if pandas.isna(one) else int(one.to_datetime64().astype("int64")) for one in whole]
    for name in PLAIN:
        kind = {"success": bool, "attempt": int}.get(name, str)
        columns[name] += [None if pandas.isna(one) else kind(one) for one in frame[name]]
"""
SPARK: Final = """
from pyspark.sql import SparkSession
from pyspark.sql.functions import col, hex, lower, unix_micros
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", False).getOrCreate()
spark.sparkContext.setLogLevel("ERROR")
# It refuses to guess the type of a UUID, so the types are given.
kinds = {"success": "BOOLEAN", "attempt": "INT"} | dict.fromkeys(IDS, "BINARY") | dict.fromkeys(TIMES, "TIMESTAMP")
schema = ", ".join(f"{name} {kinds.get(name, 'STRING')}" for name in columns)
wanted = [lower(hex(col(name))) for name in IDS] + [unix_micros(col(name)) for name in TIMES] + [*map(col, PLAIN)]
rows = spark.read.schema(schema).parquet(*files).select(*wanted).collect()
columns = dict(zip(columns, map(list, zip(*rows, strict=True)), strict=True))
spark.stop()
"""


class Reader(NamedTuple):
    """The packages that it needs, itself first, its part of the program, and the columns that it cannot read."""

    packages: tuple[str, ...]
    reads: str
    without: tuple[str, ...] = ()


READERS: Final = {
    "pyarrow": Reader(("pyarrow",), ARROW),
    "polars": Reader(("polars",), POLARS),
    "fastparquet": Reader(("fastparquet", "pandas"), FASTPARQUET, ("lease_owner", "error", "output")),
    "duckdb 1.5.2": Reader(("duckdb==1.5.2",), DUCKDB),
    "spark": Reader(("pyspark",), SPARK),
}
# Asked by name only: it fails at texts of version 2, and gives wrong times and shortened ids without an error.
WRONG: Final = frozenset({"fastparquet"})


def main() -> None:
    """Makes the lakes, asks every reader and prints a table; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=60_000)
    parser.add_argument("--codecs", default=",".join(CODECS))
    parser.add_argument("--readers", default=",".join(name for name in READERS if name not in WRONG))
    options = parser.parse_args()
    print(f"{options.runs:,} runs, {machine.description()}, commit {machine.commit()}\n")
    print("| codec | reader | columns | runs | checksum | |\n|---|---|---|---|---|---|", flush=True)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="runlake-readers-") as scratch:
        lakes = {codec: lake(Path(scratch) / codec, codec, options.runs) for codec in options.codecs.split(",")}
        for name in options.readers.split(","):
            reader = READERS[name]
            python, version = environment(Path(scratch) / "venv", reader.packages)
            columns = f"all but {', '.join(reader.without)}" if reader.without else "all"
            for codec, files in lakes.items():
                seen = answer(python, reader, files)
                right = seen == answer(Path(sys.executable), Reader((), DUCKDB, reader.without), files)
                wrong += not right
                verdict = "as stored" if right else "**differs**"
                print(f"| {codec} | {version} | {columns} | {' | '.join(seen)} | {verdict} |", flush=True)
    sys.exit(1 if wrong else 0)


def lake(folder: Path, codec: str, runs: int) -> list[str]:
    """A merged lake of two days; returns its files."""
    settings = Settings(data=str(folder), parquet_codec=codec)  # type: ignore[arg-type]
    history = generate.history(runs=runs, days=2, tasks=500, seed=5, until=times.parse("2026-11-01"), batch_rows=20_000)
    opened = Lake(Paths.of(folder), settings, write=True)
    stored, serving = Stored(), Serving(opened)
    try:
        stored.load(opened)
        serving.load()
        pieces = (bulk.Chunk("generated", 1, rows) for rows in history)
        bulk.BulkLoad(opened, stored, serving.locate, serving.remember).run(pieces)
        with opened.transaction():
            opened.execute("merge", {"low": 0, "high": LARGEST, "steps": 16})
        return [file.path for file in opened.files()]
    finally:
        serving.close()
        opened.close()


def environment(folder: Path, packages: Iterable[str]) -> tuple[Path, str]:
    """A fresh virtual environment with some packages; returns its Python, and the version of the first."""
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    machine.run([str(python), "-m", "pip", "install", "--quiet", "--no-cache-dir", *packages])
    first = next(iter(packages)).split("==")[0]
    version = f"from importlib.metadata import version; print('{first}', version('{first}'))"
    return python, machine.run([str(python), "-c", version])[0].strip()


def answer(python: Path, reader: Reader, files: list[str]) -> tuple[str, str]:
    """Count and checksum as a reader sees them; where it fails, the last line of what it said."""
    plain = [name for name in PLAIN if name not in reader.without]
    asked = json.dumps({"files": files, "ids": IDS, "times": TIMES, "plain": plain})
    command = [str(python), "-c", f"{HEAD}{reader.reads}{TAIL}"]
    done = subprocess.run(command, input=asked, capture_output=True, text=True, check=False)
    if done.returncode:
        return "failed", (done.stderr.strip().splitlines() or ["no message"])[-1].replace("|", "/")[:200]
    count, checksum = done.stdout.split()[-2:]
    return count, checksum


if __name__ == "__main__":
    main()
