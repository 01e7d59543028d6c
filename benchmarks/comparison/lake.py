"""The data: a generated lake, and what the questions need to know about it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import duckdb
import msgspec
from benchmarks.comparison import machine
from benchmarks.comparison.machine import RUNLAKE
from msgspec import Struct

import runlake
from runlake import times

SEED: Final = 5
DAYS: Final = 365
UNTIL: Final = "2026-11-01"
END: Final = times.parse(UNTIL)
SAMPLED: Final = 600
NEWEST: Final = 1000
_OPEN: Final = """
COPY (SELECT *, coalesce(started_at, created_at) AS run_at FROM lake.open_runs) TO '{target}' (FORMAT parquet)
"""
_IDS: Final = "SELECT id::VARCHAR FROM runs USING SAMPLE reservoir({n} ROWS) REPEATABLE ({seed})"
_NEWEST: Final = "SELECT id::VARCHAR FROM runs ORDER BY run_at DESC LIMIT {n}"
_TASKS: Final = "SELECT task_id::VARCHAR FROM runs GROUP BY task_id ORDER BY count(*) DESC, task_id"


class Facts(Struct, frozen=True):
    """What there is to ask about; tasks are ordered by their runs, most first."""

    runs: int
    files: list[str]
    ids: list[str]
    newest: list[str]
    tasks: list[str]
    seconds: dict[str, float]


def make(folder: Path, runs: int, log: str) -> Facts:
    """The lake in `folder`, generated unless it is there already."""
    known = folder.parent / f"{log}.json"
    if known.exists() and folder.exists():
        return msgspec.json.decode(known.read_bytes(), type=Facts)
    shutil.rmtree(folder, ignore_errors=True)
    command = f"generate --runs {runs} --days {DAYS} --tasks 2000 --seed {SEED} --until {UNTIL}"
    _, generated = machine.run([*RUNLAKE, *command.split(), "--data", str(folder)])
    _, maintained = machine.run([*RUNLAKE, "maintain", "--data", str(folder)])
    facts = _facts(folder, runs, {"generate": generated, "maintain": maintained})
    known.write_bytes(msgspec.json.encode(facts))
    return facts


def _facts(folder: Path, runs: int, seconds: dict[str, float]) -> Facts:
    """The open runs go to a Parquet file beside the lake: with the lake's own files it is all rows."""
    opened = folder.parent / "open_runs.parquet"
    with runlake.attach(folder) as con:
        con.execute(_OPEN.format(target=opened))
    files = machine.run([*RUNLAKE, "info", "--files", "--data", str(folder)])[0].splitlines()
    files = [*files, str(opened)]
    with duckdb.connect(":memory:") as con:
        con.execute(f"CREATE VIEW runs AS FROM read_parquet({files}, hive_partitioning = false)")
        found = con.execute("SELECT count(*) FROM runs").fetchall()[0][0]
        assert found == runs, f"the files hold {found} of {runs} runs"
        ids, newest, tasks = (
            [row[0] for row in con.execute(sql).fetchall()]
            for sql in (_IDS.format(n=SAMPLED, seed=SEED), _NEWEST.format(n=NEWEST), _TASKS)
        )
    return Facts(runs, files, ids, newest, tasks, seconds)
