"""How much of the mixed load is lost beside an endless scan, and how soon does a scan show something?

    .venv/bin/python benchmarks/beside_scan.py [--runs 8000000] [--days 30] [--turns 5] [--work FOLDER] [--help]

The history is as dense as 100,000,000 runs of a year. First one client alone searches the errors of seven days, in
parts and plain. Then `wrk` asks the mixed load of `compare.py`, in turns alone and beside a client that searches the
errors of 31 days again and again. Prints medians. Exit code 1 if more than 30 % of the requests a second are lost.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from functools import partial
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import beside, lake, machine, questions
from benchmarks.comparison.beside import Work
from benchmarks.comparison.figures import Shape

from runlake import times

LOST: Final = 0.3
WORDS: Final = ("timeout", "reset by peer", "z%C3%BCrich", "customer_id", "allocate", "no such thing")
EVENTS: Final = {"Accept": "text/event-stream"}


class Search(NamedTuple):
    """Milliseconds to the first part, and to the end."""

    first: float
    whole: float


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=8_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=10, help="of each turn [10]")
    parser.add_argument("--work", type=Path, help="where the lake is kept [a temporary folder]")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="runlake-scan-") as scratch:
        work: Path = options.work or Path(scratch)
        folder = work / f"{options.runs}-{options.days}"
        folder.mkdir(parents=True, exist_ok=True)
        print(f"{options.runs:,} runs over {options.days} days, {machine.description()}", flush=True)
        facts = lake.make(folder / "lake", Shape(options.runs, options.days), machine.commit())
        file = questions.write(Path(scratch), "mixed", questions.mixed(facts))
        port = machine.free_port()
        command = [*machine.RUNLAKE, "serve", "--data", str(folder / "lake"), "--port", str(port)]
        with machine.served(command, port, "/ready", Path(scratch) / "serve.log"):
            _searches(port)
            lost = beside.lost(
                port, file, Work("an endless scan", partial(_endless, port)), options.turns, options.seconds
            )
    raise SystemExit(1 if lost > LOST else 0)


def _searches(port: int) -> None:
    for headers, name in ((EVENTS, "in parts"), ({}, "plain")):
        took = [_search(port, path, headers) for path, _ in zip(_paths(7), range(24), strict=False)][4:]
        first, whole = (statistics.median(one[at] for one in took) for at in (0, 1))
        print(f"errors of 7 days, {name}: first bytes after {first:.0f} ms, all after {whole:.0f} ms", flush=True)


def _endless(port: int, ended: threading.Event) -> int:
    """One client that always waits for a scan, until it is over; returns how many it had."""
    for number, path in enumerate(_paths(31)):
        if ended.is_set():
            return number
        _search(port, path, {})
    raise AssertionError


def _paths(days: int) -> Iterator[str]:
    """Text searches, each with another end: none is a repetition."""
    for number in itertools.count():
        end = lake.END - number * 1_000_003
        window = f"start_time={times.to_text(end - days * times.DAY_US)}&end_time={times.to_text(end)}"
        yield f"/runs?error={WORDS[number % len(WORDS)].replace(' ', '%20')}&{window}"


def _search(port: int, path: str, headers: dict[str, str]) -> Search:
    http = HTTPConnection("127.0.0.1", port, timeout=600)
    started = time.perf_counter()
    http.request("GET", path, headers=headers)
    response = http.getresponse()
    response.read(1)
    first = time.perf_counter()
    content = response.read()
    ended = time.perf_counter()
    http.close()
    if response.status != 200 or b"event: error" in content:
        raise SystemExit(f"{path} was answered {response.status}: {content[:500]!r}")
    return Search(1000 * (first - started), 1000 * (ended - started))


if __name__ == "__main__":
    main()
