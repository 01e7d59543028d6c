"""The bodies of appends: all runs new and later than the history, made once for all sizes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from benchmarks.comparison import lake

from runlake import generate, times
from runlake.model import Run

_NULL: Final = msgspec.Raw(b"null")
_TASKS: Final = 2000


class Batches(NamedTuple):
    """So many bodies of so many runs each."""

    size: int
    bodies: int


# One after the other; then by many clients, for seconds; then at a pace, beside questions.
ALONE: Final = (Batches(1, 200), Batches(100, 60), Batches(1000, 30), Batches(10_000, 8))
CLIENTS: Final = {64: Batches(1, 40_000), 8: Batches(1000, 300)}
PACED: Final = Batches(500, 250)


def make(folder: Path) -> None:
    """One file for each use, a body a line; nothing is made where they are."""
    done = folder / "done"
    if done.exists():
        return
    folder.mkdir(exist_ok=True)
    files = [(alone(folder, batches), batches) for batches in ALONE]
    files += [(clients(folder, n), batches) for n, batches in CLIENTS.items()]
    files += [(paced(folder), PACED)]
    rows = _rows(sum(batches.size * batches.bodies for _, batches in files))
    for file, batches in files:
        with file.open("wb") as out:
            for _ in range(batches.bodies):
                out.write(b'{"runs":[' + b",".join(next(rows) for _ in range(batches.size)) + b"]}\n")
    done.touch()


def alone(folder: Path, batches: Batches) -> Path:
    """The file of the batches that one client posts."""
    return folder / f"alone-{batches.size}.ndjson"


def clients(folder: Path, number: int) -> Path:
    """The file of the batches that so many clients post."""
    return folder / f"clients-{number}.ndjson"


def paced(folder: Path) -> Path:
    """The file of the batches that arrive while questions are asked."""
    return folder / "paced.ndjson"


def _rows(runs: int) -> Iterator[bytes]:
    tables = generate.history(runs=runs, days=2, tasks=_TASKS, seed=lake.SEED + 1, until=lake.END + 3 * times.DAY_US)
    return (msgspec.json.encode(_run(row)) for table in tables for row in table.to_pylist())


def _run(row: dict[str, object]) -> Run:
    output = row["output"]
    row["output"] = msgspec.Raw(output.encode()) if isinstance(output, str) else _NULL
    return Run(**row)  # type: ignore[arg-type]


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
