"""Which row-group size? Bytes per run and the time of point reads and pages, on one dense day per size.

The last two columns are the best SQL for the same: a detail that is told the hour, and a page of a known hour, from
DuckDB with cached footers. It answers with the same rows.

    .venv/bin/python benchmarks/row_groups.py [--runs 274000] [--repeat 200]

Informational. Answers of all sizes are compared before anything is timed; figures are medians in milliseconds.
"""

from __future__ import annotations

import argparse
import platform
import random
import statistics
import subprocess
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from runlake import duck, generate, times
from runlake.index.index import Index
from runlake.lake import bulk
from runlake.lake.catalog import Lake
from runlake.lake.merging import LARGEST
from runlake.lake.write import run_hours
from runlake.model import Instant, RunsQuery
from runlake.paths import Paths
from runlake.query import queries
from runlake.query.engine import Engine
from runlake.settings import Settings

SIZES: Final = (2048, 4096, 8192, 16384, 32768, 122880)
UNTIL: Final = times.parse("2025-06-01")
NOON: Final = UNTIL - times.DAY_US // 2
_DETAIL: Final = """
SELECT * FROM read_parquet($files, hive_partitioning = false)
WHERE id = $id AND run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
"""
_PAGE: Final = """
SELECT * FROM read_parquet($files, hive_partitioning = false)
WHERE run_at >= make_timestamptz($low) AND run_at < make_timestamptz($high)
ORDER BY run_at DESC, id DESC LIMIT 50 OFFSET $offset
"""


def main() -> None:
    """Print one row per size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=274_000)
    parser.add_argument("--repeat", type=int, default=200)
    options = parser.parse_args()
    history = list(generate.history(runs=options.runs, days=1, tasks=500, seed=1, until=UNTIL))
    print(f"{options.runs} runs of one day, duckdb {duckdb.__version__}, {platform.machine()}, commit {commit()}")
    names = ("rows", "bytes/run", "detail", "page", "deep page", "task page", "SQL detail", "SQL page")
    print(" ".join(f"{name:>10}" for name in names))
    answers: set[tuple[object, ...]] = set()
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            answers.add(measure(Settings(data=folder, row_group_rows=size), history, options.repeat))
    assert len(answers) == 1, "the sizes gave different answers"


def measure(settings: Settings, history: list[pa.Table], repeat: int) -> tuple[object, ...]:
    """Load one lake, print its figures, return its answers."""
    lake = Lake(Paths.of(settings.data), settings, write=True)
    index = Index(settings)
    index.load(lake)
    bulk.load(lake, index, (bulk.Source("generated", 1, rows) for rows in history))
    with lake.transaction():
        lake.execute("merge", {"low": 0, "high": LARGEST, "steps": 16})
    view = index.load(lake)
    engine = Engine(index, settings)
    chooser = random.Random(1)
    ids = chooser.sample(history[0]["id"].to_pylist(), 200)
    task = history[0]["task_id"][0].as_py()
    middle = view.total // 2
    questions: list[Callable[[int], object]] = [
        lambda i: engine.submit(queries.detail, ids[i % len(ids)]).result().id,
        lambda _: first_id(engine, RunsQuery()),
        lambda i: first_id(engine, RunsQuery(offset=middle + i)),
        lambda i: first_id(engine, RunsQuery(task_id=task, offset=i)),
    ]
    answer = tuple(ask(3) for ask in questions)
    hour_of = dict(zip(history[0]["id"].to_pylist(), run_hours(history[0]).tolist(), strict=True))
    questions += in_sql([file.path for file in view.files.all()], ids, hour_of)
    assert tuple(ask(3) for ask in questions[-2:]) == (
        answer[0],
        first_id(engine, RunsQuery(end_time=Instant(NOON), offset=3)),
    )
    medians = [median_ms(ask, repeat) for ask in questions]
    size = sum(file.size for file in view.files.all()) / view.finished
    print(f"{settings.row_group_rows:>10} {size:>10.1f} " + " ".join(f"{m:>10.2f}" for m in medians))
    engine.close()
    index.close()
    lake.close()
    return answer


def in_sql(files: list[str], ids: list[uuid.UUID], hour_of: dict[uuid.UUID, int]) -> list[Callable[[int], object]]:
    """A detail and a first page, each as one statement; they give the id of the first row."""
    con = duck.connect(threads=2, memory_limit="2GB")
    con.execute("SET GLOBAL parquet_metadata_cache = true")
    con.execute("SET GLOBAL validate_external_file_cache = 'NO_VALIDATION'")
    con.execute("SET GLOBAL late_materialization_max_rows = 1000")

    def first(statement: str, **bound: object) -> object:
        return con.execute(statement, {"files": files, **bound}).to_arrow_table()["id"][0].as_py()

    def detail(i: int) -> object:
        hour = hour_of[ids[i % len(ids)]]
        return first(_DETAIL, id=ids[i % len(ids)], low=hour * times.HOUR_US, high=(hour + 1) * times.HOUR_US)

    return [detail, lambda i: first(_PAGE, low=NOON - times.HOUR_US, high=NOON, offset=i)]


def first_id(engine: Engine, query: RunsQuery) -> uuid.UUID:
    """The first item of a page."""
    return engine.submit(queries.page, query).result().items[0].id


def median_ms(ask: Callable[[int], object], repeat: int) -> float:
    """Median time of a question asked in varying form."""
    seconds = []
    for i in range(repeat):
        started = time.perf_counter()
        ask(i)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) * 1000


def commit() -> str:
    """The commit the code is from."""
    here = Path(__file__).parent
    found = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=here, capture_output=True, text=True, check=False
    )
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    main()
