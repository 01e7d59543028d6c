"""What does it take to find the group of an error?

    .venv/bin/python benchmarks/error_groups.py [--rows 5000] [--rounds 9]

Prints microseconds of processor time an error, by kind of error, of one thread; then milliseconds to execute
`error_parts` of one short error as the service does for a commit, planned once, and as an analyst does, planned anew.
The best of some rounds; numbers in the texts are seeded.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "helpers"))

import corpus
import duckdb
import pyarrow as pa
from benchmarks.comparison import machine

from runlake import duck, macros

NAMES: Final = (
    "a plain line",
    "a time-out",
    "HTTP, too many tries",
    "a key that is missing",
    "of psycopg, without a traceback",
    "a key that is there already, of SQLAlchemy",
    "Java, the last cause",
    "lines of a log",
)
LARGE: Final = {"1 MiB in one line": "x 12 ab" * 150_000, "1 MiB of lines": "no row 12\n" * 105_000 + "KeyError: 12"}


def best(rounds: int, work: Callable[[], object]) -> float:
    """Seconds of processor time, the least of some rounds."""
    least = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        work()
        least = min(least, time.process_time() - start)
    return least


def of_many(con: duckdb.DuckDBPyConnection, texts: list[str], rounds: int) -> float:
    """Microseconds an error."""
    con.register("given", pa.table({"error": texts}))
    con.execute("CREATE OR REPLACE TABLE error AS FROM given")
    query = "SELECT count(error_group(error)) FROM error"
    return best(rounds, lambda: con.execute(query).fetchall()) / len(texts) * 1e6


def main() -> None:
    """Prints two tables; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    print(f"{machine.description()}, commit {machine.commit()}\n\n| error | letters | µs |\n|---|--:|--:|")
    rng = random.Random(7)
    known = {entry.name: entry.texts[0] for entry in corpus.entries()}
    with duck.connect(threads=1, memory_limit="1GB") as con:
        for statement in macros.definitions():
            con.execute(statement)
        for name in NAMES:
            texts = [corpus.filled(known[name], rng) for _ in range(options.rows)]
            letters = sum(map(len, texts)) / len(texts)
            print(f"| {name} | {letters:.0f} | {of_many(con, texts, options.rounds):.1f} |", flush=True)
        for name, text in LARGE.items():
            print(f"| {name} | {len(text)} | {of_many(con, [text] * 4, options.rounds):.0f} |", flush=True)
        one = "SELECT error_parts(error) FROM (SELECT 'KeyError: ' || random() AS error)"
        con.execute(f"PREPARE one AS {one}")
        executed = {
            label: best(20 * options.rounds, partial(con.execute, query))
            for label, query in (("planned once", "EXECUTE one"), ("planned anew", one))
        }
    print("\n| one error | ms |\n|---|--:|")
    for label, seconds in executed.items():
        print(f"| {label} | {seconds * 1000:.2f} |")


if __name__ == "__main__":
    main()
