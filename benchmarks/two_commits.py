"""Has runlake become slower since another commit? Both serve copies of one lake and are asked the same in turns.

    .venv/bin/python benchmarks/two_commits.py COMMIT [--runs 1000000] [--turns 3] [--work FOLDER] [--help]

Machines differ by more than commits do, and so do hours of one machine: figures of two days tell little of the code.
Answers are compared before anything is timed. Both run on the packages that are installed now. For every kind of
question `wrk` asks each side for two seconds, then the other, and the sides change places every turn; the first turn
warms up. Appends alternate body by body. Prints medians in milliseconds (requests a second for the mix) and the ratio
of times, above 1 where this work tree is slower. Exit code 1 if the median of the ratios is above 1.1.

A lake that `compare.py --work FOLDER --keep` left is used, and written to by neither side. The other commit imports its
files, so that it has the same runs in a lake of its own layout.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
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
APPENDED: Final = (1, 1000)  # runs a body


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
    bodies = work / "bodies"
    appends.make(bodies)
    folder = work / f"{shape.runs}-{shape.days}"
    folder.mkdir(exist_ok=True)
    facts = lake.make(folder / "lake", shape, machine.commit())
    other = machine.checked_out(commit, scratch)
    before = scratch / "imported"
    for command in (["import", *facts.files, "--select", "SELECT * EXCLUDE run_at FROM source"], ["maintain"]):
        machine.run(["env", f"PYTHONPATH={other}", *machine.RUNLAKE, *command, "--data", str(before)])
    with ExitStack() as stack:
        sides = [
            stack.enter_context(_serving(name, source, original, scratch))
            for name, source, original in (("now", machine.ROOT / "src", folder / "lake"), ("then", other, before))
        ]
        print(f"{'':{WORDS}}{'then':>10}{'now':>10}{'ratio':>8}", flush=True)
        for kind in questions.KINDS:
            paths = questions.paths(kind, facts)
            if kind in questions.LATER and sides[1].client.get(paths[0]).status != HTTPStatus.OK:
                print(f"{kind:{WORDS}} could not be asked then", flush=True)
                continue
            measure.agree(sides[0], sides[1:], kind, paths)
            ask = partial(_asked, questions.write(scratch, kind, paths), kind)
            yield _printed(kind, _turns(sides, turns, ask))
        mixed = partial(_mixed, questions.write(scratch, "mixed", questions.mixed(facts)))
        yield _printed("mixed, requests a second", _turns(sides, turns, mixed), rate=True)
        for batches in (found for found in appends.ALONE if found.size in APPENDED):
            medians = _appended(sides, appends.alone(bodies, batches), batches.size)
            yield _printed(f"append, runs: {batches.size}", medians)


def _asked(file: Path, kind: str, side: Side) -> float:
    return wrk.gets(side.port, file, 1, SECONDS, kind in questions.MISSING).p50


def _mixed(file: Path, side: Side) -> float:
    return measure.mixed(side, file, MIXED_SECONDS).rate


@contextmanager
def _serving(name: str, source: Path, original: Path, scratch: Path) -> Iterator[Side]:
    with systems.copy_served(source, original, scratch / name) as (port, _):
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
    print(f"{what:{WORDS}}{medians['then']:>10.3g}{medians['now']:>10.3g}{ratio:>8.2f}", flush=True)
    return ratio


if __name__ == "__main__":
    main()
