"""Many small commits on one lake: what grows, and what an append costs meanwhile.

One caller posts three runs a commit to an open store, without HTTP; every fifth commit opens a run that the next one
finishes. Every line is a stretch: the state at its end, and the times of its appends; at the end come the steps of
upkeep, which runs as in the service. By default snapshots and replaced files stay for 20 seconds only, so that their
plateau shows within minutes; with `--grace 3600`, as shipped, it is the commits of an hour.

    python benchmarks/small_commits.py --commits 20000
"""

from __future__ import annotations

import argparse
import json
import logging
import shutil
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Final

import numpy as np

from runlake import times
from runlake.intake import decode_json
from runlake.lake.append import AppendResult
from runlake.settings import Settings
from runlake.store import Store

# Another process, because two SQLite libraries with one file in one process drop each other's locks.
LOOK: Final = """
import sqlite3, sys
con = sqlite3.connect(sys.argv[1], timeout=60)
print(con.execute("SELECT count(*) FROM ducklake_snapshot").fetchone()[0])
"""
HEAD: Final = (
    "commits",
    "catalog MB",
    "WAL MB",
    "snapshots",
    "files",
    "on disk",
    "waiting",
    "p50 ms",
    "p99 ms",
    "max ms",
)


class Steps(logging.Handler):
    """The seconds of every step of upkeep, as the log tells them."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: dict[str, list[float]] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Take note of a step."""
        if record.getMessage() == "upkeep":
            values = vars(record)["values"]
            self.seconds.setdefault(values["step"], []).append(values["seconds"])


def main() -> None:
    """Parse the command line, fill a lake, print the curve."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--commits", type=int, default=20_000)
    parser.add_argument("--every", type=int, default=1_000, help="commits a line")
    parser.add_argument("--days", type=int, default=3, help="over how many days the runs are spread")
    parser.add_argument("--grace", type=float, default=20.0, help="RUNLAKE_GRACE_SECONDS")
    parser.add_argument("--tidy", type=float, default=10.0, help="RUNLAKE_TIDY_SECONDS")
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="small-commits-"))
    settings = Settings(data=str(folder / "lake"), grace_seconds=given.grace, tidy_seconds=given.tidy)
    steps = Steps()
    logging.getLogger("runlake").addHandler(steps)
    logging.getLogger("runlake").setLevel(logging.INFO)
    store = Store(settings)
    try:
        store.load()
        store.start()
        print("| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD), sep="\n", flush=True)
        for start in range(0, given.commits, given.every):
            took = [commit(store, number, given.days) for number in range(start, start + given.every)]
            print("| " + " | ".join(line(store, start + given.every, took)) + " |", flush=True)
        print("", "| step | times | median ms | longest ms |", "|---|---|---|---|", sep="\n")
        for name, seconds in sorted(steps.seconds.items()):
            print(f"| {name} | {len(seconds)} | {np.median(seconds) * 1e3:.0f} | {max(seconds) * 1e3:.0f} |")
    finally:
        store.close()
        shutil.rmtree(folder)


def commit(store: Store, number: int, days: int) -> float:
    """Post one small batch and return the seconds until it was durable and visible."""
    runs = [run(3 * number + i, days) for i in range(3)]
    if number % 5 == 0:
        runs[0] |= {"finished_at": None, "success": None}
    elif number % 5 == 1:
        runs[0] = run(3 * (number - 1), days)
    body = json.dumps({"runs": runs}).encode()
    began = time.perf_counter()
    answer: AppendResult = store.writer.submit(decode_json(body).batch()).result(120)
    assert answer.stored == len(runs)
    return time.perf_counter() - began


def run(number: int, days: int) -> dict[str, Any]:
    """A finished run made of a number."""
    at = times.now() - number % (days * 24) * times.HOUR_US
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_OID, str(number))),
        "task_id": str(uuid.UUID(int=number % 50)),
        "started_at": times.to_text(at - 2_500_000),
        "finished_at": times.to_text(at),
        "success": number % 20 > 0,
    }


def line(store: Store, commits: int, took: list[float]) -> list[str]:
    """One line of the table."""
    paths = store.lake.paths
    wal = paths.catalog.with_name(f"{paths.catalog.name}-wal")
    look = subprocess.run(
        [sys.executable, "-I", "-S", "-c", LOOK, str(paths.catalog)], capture_output=True, text=True, check=True
    )
    milliseconds = np.array(took) * 1e3
    return [
        f"{commits:,}",
        f"{paths.catalog.stat().st_size / 1e6:.1f}",
        f"{wal.stat().st_size / 1e6:.1f}",
        f"{int(look.stdout):,}",
        f"{len(store.stored.files):,}",
        f"{sum(1 for _ in paths.files.rglob('*.parquet')):,}",
        f"{store.stored.inlined_rows:,}",
        f"{np.percentile(milliseconds, 50):.0f}",
        f"{np.percentile(milliseconds, 99):.0f}",
        f"{milliseconds.max():.0f}",
    ]


if __name__ == "__main__":
    main()
