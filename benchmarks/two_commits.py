"""Has runlake become slower since another commit? Both serve copies of one lake and are asked the same in turns.

    .venv/bin/python benchmarks/two_commits.py COMMIT [--runs 1000000] [--turns 3] [--work FOLDER] [--help]

Machines differ by more than commits do, and so do hours of one machine: figures of two days tell little of the code.
Answers are compared before anything is timed. Both run on the packages that are installed now. For every kind of
question `wrk` asks each side for two seconds, then the other, and the sides change places every turn; the first turn
warms up. Appends alternate body by body. Prints medians in milliseconds, or what the row says, and the ratio of times,
above 1 where this work tree is slower. Exit code 1 if the median of the ratios is above 1.1. The last row is not among
them: it is this work tree alone, with one reading thread and with two.

A lake that `compare.py --work FOLDER --keep` left is used, and written to by neither side. Both commits import its
files, so that the other one has the same runs in a lake of its own layout.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import appends, lake, machine, measure, questions, systems, writes, wrk
from benchmarks.comparison.figures import Shape

LOST: Final = 1.1
SECONDS: Final = 2
WORDS: Final = 38  # the width of the first column
MIXED_SECONDS: Final = 5
OF_RECORDS: Final = "^[^r_]"  # columns of the files: all but run_at, and those of DuckLake in merged files
MANY: Final = 64  # clients that send one run each


class Side(NamedTuple):
    """One commit, serving its own copy of the lake."""

    name: str
    port: int
    client: machine.Client


def main() -> None:
    """Compares, times and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("commit", help="any name git knows it by")
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--work", type=Path, help="where lakes are kept [a temporary folder]")
    options = parser.parse_args()
    if options.work:
        options.work.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="runlake-two-", dir=options.work) as scratch:
        work: Path = options.work or Path(scratch)
        print(f"this work tree beside {options.commit}: {options.runs:,} runs, {machine.description()}", flush=True)
        ratios = list(_measured(options.commit, Shape(options.runs), work, Path(scratch), options.turns))
    middle = statistics.median(ratios)
    print(f"median of the ratios {middle:.3f}")
    raise SystemExit(1 if middle > LOST else 0)


def _measured(commit: str, shape: Shape, work: Path, scratch: Path, turns: int) -> Iterator[float]:
    """The ratio of each row."""
    bodies = work / "bodies"
    appends.make(bodies)
    folder = work / f"{shape.runs}-{shape.days}"
    folder.mkdir(exist_ok=True)
    facts = lake.make(folder / "lake", shape, machine.commit())
    other, now = machine.checked_out(commit, scratch), machine.ROOT / "src"
    print(f"{'':{WORDS}}{'then':>10}{'now':>10}{'ratio':>8}", flush=True)
    before = scratch / "before"
    imported = {"then": _imported(other, before, facts), "now": _imported(now, scratch / "again", facts)}
    yield _printed("import, seconds", imported)
    shutil.rmtree(scratch / "again")
    machine.run(["env", f"PYTHONPATH={other}", *machine.RUNLAKE, "maintain", "--data", str(before)])
    with (
        _serving("now", now, folder / "lake", scratch) as ours,
        _serving("then", other, before, scratch) as theirs,
    ):
        sides = ours, theirs
        yield from _questions(sides, turns, scratch, facts)
        for name, without in (("mixed", ()), ("mixed, no rare tasks", questions.RARE)):
            file = questions.write(scratch, name, questions.mixed(facts, without=without))
            yield _printed(f"{name}, requests/s", _turns(sides, turns, partial(_mixed, file)), rate=True)
        with _serving("1 thread", now, folder / "lake", scratch, RUNLAKE_READ_THREADS="1") as one:
            mixed = questions.write(scratch, "mixed", questions.mixed(facts))
            threads = _turns((one, ours), turns, partial(_mixed, mixed))
        for batches in appends.ALONE:
            medians = _appended(sides, appends.alone(bodies, batches), batches.size)
            yield _printed(f"append, runs: {batches.size}", medians)
        file, size = appends.clients(bodies, MANY), appends.CLIENTS[MANY].size
        rates = {side.name: writes.at_once(side, file, MANY, size).rate for side in sides}
        yield _printed(f"append, {MANY} clients, runs/s", rates, rate=True)
    figures = _figure(threads["1 thread"]) + _figure(threads["now"])
    print(f"{'mixed, 1 and 2 reading threads':{WORDS}}{figures}", flush=True)


def _questions(sides: Sequence[Side], turns: int, scratch: Path, facts: lake.Facts) -> Iterator[float]:
    """The median of each kind of question that both answer, by one connection."""
    ours, theirs = sides
    for kind in questions.KINDS:
        paths = questions.paths(kind, facts)
        if kind in questions.LATER and theirs.client.get(paths[0]).status != HTTPStatus.OK:
            print(f"{kind:{WORDS}} could not be asked then", flush=True)
            continue
        measure.agree(ours, [theirs], kind, paths)
        ask = partial(_asked, questions.write(scratch, kind, paths), kind)
        yield _printed(kind, _turns(sides, turns, ask))


def _asked(file: Path, kind: str, side: Side) -> float:
    return wrk.gets(side.port, file, 1, SECONDS, kind in questions.MISSING).p50


def _mixed(file: Path, side: Side) -> float:
    return measure.mixed(side, file, MIXED_SECONDS).rate


def _imported(source: Path, data: Path, facts: lake.Facts) -> float:
    """Seconds of the import of the files of the lake into a new one."""
    command = [*machine.RUNLAKE, "import", *facts.files, "--select", f"SELECT COLUMNS('{OF_RECORDS}') FROM source"]
    return machine.run(["env", f"PYTHONPATH={source}", *command, "--data", str(data)])[1]


@contextmanager
def _serving(name: str, source: Path, original: Path, scratch: Path, **settings: str) -> Iterator[Side]:
    with systems.copy_served(source, original, scratch / name, **settings) as (port, _):
        yield Side(name, port, machine.Client(port))


def _turns(sides: Sequence[Side], turns: int, ask: Callable[[Side], float]) -> dict[str, float]:
    """The median of each side; who was first in one turn is last in the next."""
    took: dict[str, list[float]] = {side.name: [] for side in sides}
    for turn in range(1 + turns):
        for side in sides if turn % 2 else reversed(sides):
            took[side.name].append(ask(side))
    return {name: statistics.median(found[1:]) for name, found in took.items()}


def _appended(sides: Sequence[Side], file: Path, size: int) -> dict[str, float]:
    took: dict[str, list[float]] = {side.name: [] for side in sides}
    with file.open("rb") as bodies:
        for turn, body in enumerate(bodies):
            for side in sides if turn % 2 else reversed(sides):
                took[side.name].append(1000 * writes.post(side.client, body, size))
    return {name: statistics.median(found[1:]) for name, found in took.items()}


def _printed(what: str, medians: dict[str, float], *, rate: bool = False) -> float:
    ratio = medians["then"] / medians["now"] if rate else medians["now"] / medians["then"]
    print(f"{what:{WORDS}}{_figure(medians['then'])}{_figure(medians['now'])}{ratio:>8.2f}", flush=True)
    return ratio


def _figure(value: float) -> str:
    return f"{value:>10,.0f}" if value >= 1000 else f"{value:>10.3g}"


if __name__ == "__main__":
    main()
