"""A load holds a few pieces of its source at a time, however many there are."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
from loading import load_pieces
from support import environment

from runlake import generate, times
from runlake.columns import ARROW
from runlake.lake.bulk import Chunk, Totals
from runlake.settings import Settings
from runlake.store import Store

PIECES: Final = 80
ROWS: Final = 10_000
WARM: Final = 20  # pieces until as many are held as ever will be


def resident() -> int:
    """Bytes of this process in memory; not Arrow's own count, which does not see what DuckDB made."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def pieces(sizes: list[int]) -> Iterator[Chunk]:
    """Pieces with outputs of about a kilobyte, made one by one."""
    history = generate.history(
        runs=PIECES * ROWS, days=3, tasks=5, seed=1, until=times.parse("2025-01-04"), batch_rows=ROWS
    )
    output = pa.array(np.full(ROWS, '"' + "x" * 1000 + '"', dtype=object), ARROW.field("output").type)
    for number, rows in enumerate(history):
        table = rows.set_column(rows.column_names.index("output"), "output", output)
        sizes.append(table.nbytes)
        yield Chunk("made", number * ROWS + 1, table)


def grown(folder: str) -> tuple[int, int]:
    """(bytes by which this process grew over most of a load, bytes it loaded meanwhile)."""
    store = Store(Settings(data=folder, memory_limit="256MB"))
    sizes: list[int] = []
    held: list[int] = []

    def look(_: Totals) -> None:
        held.append(resident())

    try:
        store.load()
        totals = load_pieces(store, pieces(sizes), progress=look)
    finally:
        store.close()
    assert totals.stored == PIECES * ROWS
    assert len(held) == PIECES
    return max(held[WARM:]) - held[WARM], sum(sizes[WARM:])


def test_memory_does_not_grow_with_the_source(tmp_path: Path) -> None:
    """In a process of its own, whose memory no other test has stretched."""
    code = "import sys, test_import_memory; print(*test_import_memory.grown(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(tmp_path / "lake")]
    env = environment(None, PYTHONPATH=os.pathsep.join(sys.path))
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    growth, loaded = map(int, done.stdout.split())
    assert growth < loaded / 2
