"""What does POST /sql cost beside `runlake sql`, and how much of the mixed load is lost beside it?

    .venv/bin/python benchmarks/sql_over_http.py [--runs 8000000] [--days 30] [--times 9] [--work FOLDER] [--help]

The history is as dense as 100,000,000 runs of a year. Each query runs in turns by POST /sql and by the command, each in
a process of its own; answers are compared first. Then `wrk` asks the mixed load of `compare.py`, in turns alone and
beside two clients that ask for the p95 of each task again and again. Prints medians. Exit code 1 if answers differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import beside, lake, machine, questions
from benchmarks.comparison.beside import Work
from benchmarks.comparison.figures import Shape

P95: Final = """SELECT task_id, count(*) AS runs, quantile_cont(epoch(finished_at - started_at), 0.95) AS p95
FROM finished_runs GROUP BY task_id ORDER BY task_id"""
QUERIES: Final = {
    "SELECT 1": "SELECT 1 AS one",
    "runs and failures of each day": """SELECT run_at::DATE AS day, count(*) AS runs,
        count(*) FILTER (NOT success) AS failed
        FROM runs GROUP BY day ORDER BY day""",
    "the p95 of each task": P95,
    "1,000,000 whole runs": "FROM finished_runs WHERE run_at >= '2026-10-20' ORDER BY run_at, id LIMIT 1000000",
}
SECONDS: Final = 60


class Took(NamedTuple):
    """One result: its bytes, and milliseconds."""

    content: bytes
    ms: float


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=8_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--times", type=int, default=9)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=10, help="of each turn [10]")
    parser.add_argument("--work", type=Path, help="where the lake is kept [a temporary folder]")
    options = parser.parse_args()
    print(f"{options.runs:,} runs over {options.days} days, {machine.description()}, {machine.commit()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="runlake-sql-") as scratch:
        folder = (options.work or Path(scratch)) / f"{options.runs}-{options.days}"
        folder.mkdir(parents=True, exist_ok=True)
        facts = lake.make(folder / "lake", Shape(options.runs, options.days), machine.commit())
        file = questions.write(Path(scratch), "mixed", questions.mixed(facts))
        port = machine.free_port()
        command = [*machine.RUNLAKE, "serve", "--data", str(folder / "lake"), "--port", str(port)]
        with machine.served(command, port, "/ready", Path(scratch) / "serve.log"):
            same = [_compare(port, folder / "lake", name, options.times) for name in QUERIES]
            work = Work("two endless queries", partial(_endless, port), at_once=2)
            beside.lost(port, file, work, options.turns, options.seconds)
    raise SystemExit(0 if all(same) else 1)


def _compare(port: int, data: Path, name: str, times: int) -> bool:
    """Whether both ways answer alike; prints what each takes."""
    query = QUERIES[name]
    ways = {"POST /sql": partial(_posted, port, query), "runlake sql": partial(_called, data, query)}
    first = {way: take().content for way, take in ways.items()}
    same = len(set(first.values())) == 1
    took: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(times):
        for way, take in ways.items():
            took[way].append(take().ms)
    shown = ", ".join(f"{way} {statistics.median(found):,.0f} ms" for way, found in took.items())
    size = len(first["POST /sql"])
    print(f"{name} ({size:,} bytes, {'alike' if same else 'DIFFERENT'}): {shown}", flush=True)
    return same


def _posted(port: int, query: str) -> Took:
    http = HTTPConnection("127.0.0.1", port, timeout=2 * SECONDS)
    headers = {"Content-Type": "application/json", "Accept": "text/csv"}
    started = time.perf_counter()
    http.request("POST", "/sql", json.dumps({"query": query, "timeout_seconds": SECONDS}), headers)
    response = http.getresponse()
    content = response.read()
    ms = 1000 * (time.perf_counter() - started)
    http.close()
    if response.status != HTTPStatus.OK:
        raise SystemExit(f"{query} was answered {response.status}: {content[:500]!r}")
    return Took(content, ms)


def _called(data: Path, query: str) -> Took:
    started = time.perf_counter()
    done = subprocess.run(
        [*machine.RUNLAKE, "sql", query, "--format", "csv", "--data", str(data)], check=True, capture_output=True
    )
    return Took(done.stdout, 1000 * (time.perf_counter() - started))


def _endless(port: int, ended: threading.Event) -> int:
    """One client that always waits for a query, until it is over; returns how many it had."""
    done = 0
    while not ended.is_set():
        _posted(port, P95)
        done += 1
    return done


if __name__ == "__main__":
    main()
