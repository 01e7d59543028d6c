"""What do 200,000 tasks cost that 2,000 do not? The same runs, the same questions over HTTP.

    .venv/bin/python benchmarks/many_tasks.py [--runs 8000000] [--days 30] [--tasks 200000] [--work FOLDER] [--help]

Two lakes of as many runs, as dense as 100,000,000 runs of a year, are served at once and asked in turns, question by
question. Prints p50 of both and their ratio. A fleet of more than 5,000 tasks is answered with the first 5,000. Exit
code 1 if a question takes more than 4 times as long with many tasks.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import lake, machine, measure, questions, systems
from benchmarks.comparison.figures import TASKS, Shape
from benchmarks.comparison.systems import System

MOST: Final = 4  # times the same question's time


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=8_000_000)
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--tasks", type=int, default=200_000)
    parser.add_argument("--seconds", type=int, default=1, help="of each question [1]")
    parser.add_argument("--work", type=Path, help="where the lakes are kept [a temporary folder]")
    options = parser.parse_args()
    print(f"{options.runs:,} runs over {options.days} days, {machine.description()}, {machine.commit()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="runlake-tasks-") as scratch, ExitStack() as stack:
        work: Path = options.work or Path(scratch)
        served = []
        for tasks in (TASKS, options.tasks):
            folder = work / f"{options.runs}-{options.days}-{tasks}"
            folder.mkdir(parents=True, exist_ok=True)
            facts = lake.make(folder / "lake", Shape(options.runs, options.days, tasks), machine.commit())
            served.append((stack.enter_context(systems.runlake(folder / "lake", {})), facts))
        worst = _compared(served, Path(scratch), options)
    print(f"at most {worst:.1f} times as long")
    raise SystemExit(1 if worst > MOST else 0)


def _compared(served: list[tuple[System, lake.Facts]], scratch: Path, options: argparse.Namespace) -> float:
    """The worst ratio of all questions; each is printed."""
    print(
        f"| question | {TASKS:,} tasks, p50 ms | {options.tasks:,} tasks, p50 ms | ratio |\n| --- | --- | --- | --- |"
    )
    worst = 0.0
    for kind in questions.KINDS:
        p50s = []
        for system, facts in served:
            paths = questions.paths(kind, facts)
            measure.agree(system, [], kind, paths)  # warms up
            file = questions.write(scratch, kind, paths)
            p50s.append(measure.timing(system, kind, paths, file, options.seconds).p50)
        few, many = p50s
        worst = max(worst, many / few)
        print(f"| {kind} | {few:.3g} | {many:.3g} | {many / few:.2f} |", flush=True)
    return worst


if __name__ == "__main__":
    main()
