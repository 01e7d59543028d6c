"""Appends: batches of new runs, one after the other, each on disk when it is answered."""

from __future__ import annotations

import os
import shutil
import statistics
from pathlib import Path
from typing import Final

import msgspec
from benchmarks.comparison import lake
from benchmarks.comparison.measure import Timing
from benchmarks.comparison.systems import System

from runlake import generate, times
from runlake.model import Run

BATCHES: Final = {1: 200, 100: 60, 1000: 30, 10_000: 8}
_NULL: Final = msgspec.Raw(b"null")


def bodies() -> dict[int, list[bytes]]:
    """For each size of batch some bodies of POST /runs, all runs new and later than the history."""
    runs = sum(size * count for size, count in BATCHES.items())
    tables = generate.history(runs=runs, days=2, tasks=2000, seed=lake.SEED + 1, until=lake.END + 3 * times.DAY_US)
    rows = (msgspec.json.encode(_run(row)) for table in tables for row in table.to_pylist())
    return {
        size: [b'{"runs":[' + b",".join(next(rows) for _ in range(size)) + b"]}" for _ in range(count)]
        for size, count in BATCHES.items()
    }


def _run(row: dict[str, object]) -> Run:
    output = row["output"]
    row["output"] = msgspec.Raw(output.encode()) if isinstance(output, str) else _NULL
    return Run(**row)  # type: ignore[arg-type]


def timing(system: System, size: int, batches: list[bytes]) -> Timing:
    """Milliseconds of one batch, runs a second; the first batch is not counted."""
    took = []
    for body in batches:
        answer = system.client.post("/runs", body)
        if answer.status != 200 or answer.body["stored"] != size:
            raise SystemExit(f"{system.name} did not store {size} runs: {answer.status} {answer.body}")
        took.append(answer.seconds)
    del took[0]
    worst = statistics.quantiles(took, n=100, method="inclusive")[98]
    return Timing(statistics.median(took) * 1000, worst * 1000, size * len(took) / sum(took), few=len(took))


def copied(folder: Path, target: Path) -> Path:
    """A lake that may be written to: its Parquet files are linked, because they never change, the rest is copied."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, copy_function=_link_or_copy)
    return target


def _link_or_copy(source: str, target: str) -> str:
    if source.endswith(".parquet"):
        os.link(source, target)
        return target
    return shutil.copy2(source, target)
