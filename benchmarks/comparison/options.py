"""The command line of the benchmark."""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from benchmarks.comparison import machine
from benchmarks.comparison.figures import NAMES, OURS

_HERE = machine.ROOT / "benchmarks"


def parsed() -> argparse.Namespace:
    """What was asked for; ends the process where that makes no sense."""
    parser = argparse.ArgumentParser(
        prog="compare.py", description="runlake beside PostgreSQL, ClickHouse and plain DuckDB."
    )
    known = [name for name in NAMES if name != OURS]
    measuring = parser.add_argument_group("what is measured")
    measuring.add_argument(
        "--sizes", type=lambda text: [int(n) for n in text.split(",") if n], default=[1_000_000, 10_000_000]
    )
    measuring.add_argument("--thin", type=int, default=200_000, help="runs of the thin history; 0 leaves it out")
    measuring.add_argument("--import-runs", type=int, default=8_000_000, help="of the bulk import; 0 leaves it out")
    measuring.add_argument("--peers", type=lambda text: text.split(","), default=known, help=f"of {','.join(known)}")
    measuring.add_argument("--seconds", type=int, default=1, help="of wrk, for each question and system")
    measuring.add_argument(
        "--work", type=Path, help="folder for everything made; a second start in it goes on [a temporary one]"
    )
    measuring.add_argument("--keep", action="store_true", help="leave all that in --work also when it is complete")
    after = parser.add_argument_group("what is done with the figures")
    after.add_argument(
        "--out", type=Path, default=_HERE / "last.md", help="the report; its figures go to .json beside it"
    )
    after.add_argument("--read", type=Path, metavar="JSON", help="take the figures of an earlier run, measure nothing")
    after.add_argument("--handbook", action="store_true", help="write the short table into docs/benchmarks.md")
    after.add_argument("--gate", action="store_true", help="exit 1 where a ratio is worse than the baseline's")
    after.add_argument("--write-baseline", action="store_true", help="make these figures the baseline")
    after.add_argument("--twin", type=Path, metavar="JSON", help="another run of the same commit: tells the noise")
    after.add_argument("--baseline", type=Path, default=_HERE / "baseline.json")
    options = parser.parse_args()
    if unknown := set(options.peers) - set(known):
        parser.error(f"unknown peers: {', '.join(sorted(unknown))}")
    if options.keep and options.work is None:
        parser.error("--keep needs --work")
    if options.gate and not options.baseline.exists():
        parser.error(f"{options.baseline} is missing: make it with --write-baseline")
    if not options.read and not shutil.which("wrk"):
        parser.error("wrk is not installed; `make bench` installs it")
    return options
