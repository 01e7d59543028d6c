"""How many runs a second do 64 clients store that send one run each? Beside PostgreSQL, in turns.

    .venv/bin/python benchmarks/single_runs.py [--than COMMIT] [--runs 1000000] [--turns 5] [--work FOLDER] [--help]

Both hold the same history; PostgreSQL is behind the handler of all peers, and `wrk` is the 64 clients. With `--than`
another commit takes turns with them, over a copy of the same lake. Each body is sent once to each side, and the runs
are counted afterwards. The first turn warms up. Prints medians: among them the CPU, for each run, of the three busiest
threads of the process that answers; of PostgreSQL that is the handler, without the database. Then the ratio of runs a
second to those of the first side, turn by turn.
"""

from __future__ import annotations

import argparse
import heapq
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import appends, lake, machine, systems, writes, wrk
from benchmarks.comparison.figures import Shape

CLIENTS: Final = 64
SECONDS: Final = 2
_THREADS: Final = 3


class Side(NamedTuple):
    """A system that answers."""

    name: str
    port: int
    pid: int


class Turn(NamedTuple):
    """Runs a second; milliseconds of the median request, of the 99th percentile, and of CPU for a run by thread."""

    rate: float
    p50: float
    p99: float
    cpu: tuple[float, ...]


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--than", metavar="COMMIT", help="another commit of runlake, any name git knows it by")
    parser.add_argument("--runs", type=int, default=1_000_000, help="of the history")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--work", type=Path, help="where lake and loaded rows are kept [a temporary folder]")
    options = parser.parse_args()
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="runlake-single-", dir=options.work) as scratch:
        print(f"{options.runs:,} runs, {machine.description()}, {machine.commit()}", flush=True)
        _measure(options, options.work or Path(scratch), Path(scratch))


def _measure(options: argparse.Namespace, work: Path, scratch: Path) -> None:
    bodies, shape = work / "bodies", Shape(options.runs)
    appends.make(bodies)
    folder = work / f"{shape.runs}-{shape.days}"
    folder.mkdir(exist_ok=True)
    facts = lake.make(folder / "lake", shape, machine.commit())
    parts = list(_parts(appends.clients(bodies, CLIENTS), 1 + options.turns, scratch))
    with ExitStack() as stack:
        sides = []
        sources = {"this work tree": machine.ROOT / "src"}
        if options.than:
            sources[options.than] = machine.checked_out(options.than, scratch)
        for number, (name, source) in enumerate(sources.items()):
            served = systems.copy_served(source, folder / "lake", scratch / f"copy-{number}")
            sides.append(Side(name, *stack.enter_context(served)))
        peer = stack.enter_context(systems.peer("postgres", folder, facts))
        systems.forget("postgres", folder)  # its rows change
        sides.append(Side("PostgreSQL", peer.port, peer.pid))
        _print(sides, [_turn(sides if turn % 2 else sides[::-1], part) for turn, part in enumerate(parts)][1:])


def _parts(file: Path, number: int, scratch: Path) -> Iterator[Path]:
    """The lines of a file as so many files."""
    with file.open("rb") as lines:
        bodies = lines.readlines()
    for turn in range(number):
        part = scratch / f"bodies-{turn}.ndjson"
        part.write_bytes(b"".join(bodies[turn::number]))
        yield part


def _turn(sides: Sequence[Side], part: Path) -> dict[str, Turn]:
    found = {}
    for side in sides:
        client = machine.Client(side.port)
        before, cpu = writes.settled(client), machine.cpu(side.pid)
        timing, answered = wrk.posts(side.port, part, CLIENTS, SECONDS, 1)
        taken = (seconds - cpu.get(thread, 0.0) for thread, seconds in machine.cpu(side.pid).items())
        busiest = tuple(1000 * seconds / answered for seconds in heapq.nlargest(_THREADS, taken))
        stored = writes.total(client) - before
        client.close()
        if not answered <= stored <= answered + CLIENTS:
            raise SystemExit(f"{side.name} answered {answered} runs and holds {stored} more than before")
        found[side.name] = Turn(timing.rate, timing.p50, timing.p99, busiest)
    return found


def _print(sides: Sequence[Side], turns: Sequence[dict[str, Turn]]) -> None:
    print(f"{'':20}{'runs/s':>8}{'p50 ms':>8}{'p99 ms':>8}   {'CPU ms of threads':20}ratio of runs/s")
    for side in sides:
        *figures, threads = zip(*(turn[side.name] for turn in turns), strict=True)
        rate, p50, p99 = map(statistics.median, figures)
        cpu = " ".join(f"{statistics.median(one):.3f}" for one in zip(*threads, strict=True))
        ratios = [turn[side.name].rate / turn[sides[0].name].rate for turn in turns]
        listed = f"{statistics.median(ratios):.2f}: " + " ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"{side.name:20}{rate:>8.0f}{p50:>8.1f}{p99:>8.1f}   {cpu:20}{listed}", flush=True)


if __name__ == "__main__":
    main()
