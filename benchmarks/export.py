"""How many runs a second does GET /export/runs send, and how much more memory does the service need for many?

    .venv/bin/python benchmarks/export.py [--runs 8000000] [--days 30] [--times 3] [--work FOLDER] [--help]

Each format is exported in turns, once of a tenth of the days and once of all of them; the client reads and counts the
bytes. Beside it plain DuckDB copies the same files to /dev/null with one thread, as an export has; its texts have times
and JSON as DuckDB writes them. Prints medians. Exit code 1 if a count is wrong, or if the service grew by more than
300 MiB over all of it.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from typing import Final, NamedTuple, get_args

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import duckdb
from benchmarks.comparison import lake, machine
from benchmarks.comparison.figures import Shape

from runlake import times
from runlake.model import Form

FORMS: Final[tuple[Form, ...]] = get_args(Form)
MOST: Final = 300 << 20  # bytes that the service may grow by
PLAIN: Final[dict[str, str]] = {
    "parquet": "FORMAT parquet, COMPRESSION lz4_raw, PARQUET_VERSION v2, ROW_GROUP_SIZE 61440",
    "csv": "FORMAT csv",
    "ndjson": "FORMAT json",
}
PIECE: Final = 1 << 20


class Taken(NamedTuple):
    """One export: the runs that it says it has, its bytes, and seconds."""

    runs: int
    size: int
    seconds: float


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=8_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where the lake is kept [a temporary folder]")
    options = parser.parse_args()
    print(f"{options.runs:,} runs over {options.days} days, {machine.description()}, {machine.commit()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="runlake-export-") as scratch:
        work: Path = options.work or Path(scratch)
        folder = work / f"{options.runs}-{options.days}"
        folder.mkdir(parents=True, exist_ok=True)
        facts = lake.make(folder / "lake", Shape(options.runs, options.days), machine.commit())
        port = machine.free_port()
        command = [*machine.RUNLAKE, "serve", "--data", str(folder / "lake"), "--port", str(port)]
        with machine.served(command, port, "/ready", folder / "export.log") as (pid, _):
            grown = _measured(port, pid, facts, options.times, options.days)
    if grown > MOST:
        sys.exit(1)


def _measured(port: int, pid: int, facts: lake.Facts, turns: int, days: int) -> int:
    """Prints the tables; returns the bytes that the service grew by."""
    take(port, f"format=ndjson&start_time={times.to_text(lake.END - times.DAY_US)}")  # warms it up
    before = machine.memory(pid, "VmRSS")
    some = f"start_time={times.to_text(lake.END - max(1, days // 10) * times.DAY_US)}"
    print(
        "\n| format | bytes a run | runs/s, some days | runs/s, all | plain DuckDB | ratio |\n|---|---|---|---|---|---|"
    )
    found: dict[str, list[list[float]]] = {form: [[], [], []] for form in FORMS}
    sizes = {}
    for _ in range(turns):
        for form in FORMS:
            few, all_ = take(port, f"format={form}&{some}"), take(port, f"format={form}")
            if all_.runs != facts.runs:
                raise SystemExit(f"{form}: {all_.runs} of {facts.runs} runs")
            sizes[form] = all_.size / all_.runs
            rates = (few.runs / few.seconds, all_.runs / all_.seconds, copied(facts, form))
            for into, rate in zip(found[form], rates, strict=True):
                into.append(rate)
    for form in FORMS:
        few_, whole, plain = (statistics.median(rates) for rates in found[form])
        other = f"{plain:,.0f} | {whole / plain:.2f}" if plain else "|"
        print(f"| {form} | {sizes[form]:.0f} | {few_:,.0f} | {whole:,.0f} | {other} |", flush=True)
    grown = machine.memory(pid, "VmHWM") - before
    print(f"\nThe service grew by {grown >> 20} MiB at most; {MOST >> 20} are allowed.")
    return grown


def take(port: int, query: str) -> Taken:
    """One export, read to its end."""
    http = HTTPConnection("127.0.0.1", port, timeout=600)
    started, size = time.perf_counter(), 0
    http.request("GET", f"/export/runs?{query}")
    answer = http.getresponse()
    if answer.status != HTTPStatus.OK:
        raise SystemExit(f"{query}: {answer.status} {answer.read().decode()}")
    while piece := answer.read(PIECE):
        size += len(piece)
    http.close()
    return Taken(int(answer.headers["Runlake-Total"]), size, time.perf_counter() - started)


def copied(facts: lake.Facts, form: Form) -> float:
    """Runs a second that plain DuckDB copies in a format; 0 where it has none."""
    if form not in PLAIN:
        return 0
    with duckdb.connect(config={"threads": 1}) as con:
        started = time.perf_counter()
        con.execute(
            f"COPY (SELECT * EXCLUDE run_at FROM read_parquet({facts.files}, hive_partitioning = false))"
            f" TO '/dev/null' ({PLAIN[form]}, USE_TMP_FILE false)"
        )
        return facts.runs / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
