"""The data: a generated lake, and what the questions need to know about it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import duckdb
import msgspec
from benchmarks.comparison import machine
from benchmarks.comparison.figures import Shape
from benchmarks.comparison.machine import RUNLAKE
from benchmarks.peers.protocol import size_of
from msgspec import Struct

import runlake
from runlake import times

SEED: Final = 5
UNTIL: Final = "2026-11-01"
END: Final = times.parse(UNTIL)
SAMPLED: Final = 600
NEWEST: Final = 1000
SILENT: Final = 20
GROUPS: Final = 20
_BYTES: Final = 300  # a run on disk, at most: the lake, merged and not; its index twice; ClickHouse, merged and not
_POSTGRES_BYTES: Final = 900  # its table and indexes, the log of changes, the CSV on its way in
_FLOOR: Final = 2 << 30  # bytes for all else
_OPEN: Final = """
COPY (SELECT *, coalesce(started_at, created_at) AS run_at FROM lake.open_runs) TO '{target}' (FORMAT parquet)
"""
_IDS: Final = "SELECT id::VARCHAR FROM runs USING SAMPLE reservoir({n} ROWS) REPEATABLE ({seed})"
_NEWEST: Final = "SELECT id::VARCHAR FROM runs ORDER BY run_at DESC LIMIT {n}"
_MIDDLE: Final = "SELECT epoch_us(run_at), id::VARCHAR FROM runs ORDER BY run_at DESC, id DESC LIMIT {n} OFFSET {half}"
_GROUPS: Final = """
SELECT lake.error_group(error) FROM lake.finished_runs WHERE NOT success AND run_at >= TIMESTAMPTZ '{since}'
GROUP BY ALL ORDER BY count(*) DESC LIMIT {n}
"""
_TASKS: Final = """
SELECT task_id::VARCHAR, epoch_us(max(run_at)) FROM runs GROUP BY task_id ORDER BY count(*) DESC, task_id
"""


class Facts(Struct, frozen=True):
    """What there is to ask about; tasks are ordered by their runs, most first, `silent` by their last run."""

    runs: int
    commit: str
    files: list[str]
    ids: list[str]
    newest: list[str]
    tasks: list[str]
    silent: list[str]
    silent_days: float  # since the last run of the one that ran last
    seconds: dict[str, float]
    middle: list[tuple[int, str]] = []  # run times (µs) and ids at half the history
    groups: list[str] = []  # of errors: those with the most runs of the last month


def make(folder: Path, shape: Shape, commit: str) -> Facts:
    """The lake in `folder`, generated unless it is there already; seconds of another commit are called so."""
    known = folder.with_suffix(".json")
    if known.exists() and folder.exists():
        facts = msgspec.json.decode(known.read_bytes(), type=Facts)
        if not facts.middle:  # written when nobody asked for these
            facts = _facts(folder, shape.runs, facts.commit, facts.seconds)
            machine.write(known, msgspec.json.encode(facts))
        if facts.commit == commit:
            return facts
        seconds = {f"{what} (at {facts.commit})": s for what, s in facts.seconds.items()}
        return msgspec.structs.replace(facts, seconds=seconds)
    shutil.rmtree(folder, ignore_errors=True)
    command = f"generate --runs {shape.runs} --days {shape.days} --tasks {shape.tasks} --seed {SEED} --until {UNTIL}"
    _, generated = machine.run([*RUNLAKE, *command.split(), "--data", str(folder)])
    _, maintained = machine.run([*RUNLAKE, "maintain", "--data", str(folder)])
    facts = _facts(folder, shape.runs, commit, {"generate": generated, "maintain": maintained})
    machine.write(known, msgspec.json.encode(facts))
    return facts


def check_disk(work: Path, shape: Shape, *, postgres: bool) -> None:
    """Raises SystemExit when a history of this shape, loaded into all systems, may not fit beside what is there."""
    wanted = _FLOOR + shape.runs * (_BYTES + (_POSTGRES_BYTES if postgres else 0)) - size_of(work)
    free = shutil.disk_usage(work).free
    if free < wanted:
        raise SystemExit(f"{work}: {shape.name} may need {wanted >> 30} GiB more, and {free >> 30} are free")


def _facts(folder: Path, runs: int, commit: str, seconds: dict[str, float]) -> Facts:
    """The open runs go to a Parquet file beside the lake: with the lake's own files it is all rows."""
    opened = folder.parent / "open_runs.parquet"
    with runlake.attach(folder) as con:
        con.execute(_OPEN.format(target=opened))
        since = times.to_text(END - 30 * times.DAY_US)
        groups = [row[0] for row in con.execute(_GROUPS.format(since=since, n=GROUPS)).fetchall()]
    files = machine.run([*RUNLAKE, "info", "--files", "--data", str(folder)])[0].splitlines()
    files = [*files, str(opened)]
    with duckdb.connect(":memory:") as con:
        con.execute(f"CREATE VIEW runs AS FROM read_parquet({files}, hive_partitioning = false)")
        found = con.execute("SELECT count(*) FROM runs").fetchall()[0][0]
        assert found == runs, f"the files hold {found} of {runs} runs"
        ids, newest = (
            [row[0] for row in con.execute(sql).fetchall()]
            for sql in (_IDS.format(n=SAMPLED, seed=SEED), _NEWEST.format(n=NEWEST))
        )
        middle = con.execute(_MIDDLE.format(n=SAMPLED, half=runs // 2)).fetchall()
        last = dict(con.execute(_TASKS).fetchall())
    silent = sorted(last, key=last.__getitem__)[:SILENT]
    silent_days = (END - last[silent[-1]]) / times.DAY_US
    return Facts(runs, commit, files, ids, newest, list(last), silent, silent_days, seconds, middle, groups)
