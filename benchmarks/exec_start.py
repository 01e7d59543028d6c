"""How much later does a command begin under `runlake exec`, and how much later is it over?

    .venv/bin/python benchmarks/exec_start.py [--times 40]

The command prints the time; no service answers, so its records go to a spool that is deleted afterwards. Informational.
Beside it: the command alone, and below a Python program that does nothing else but to run it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

COMMAND: Final = ["date", "+%s.%N"]
RUNLAKE: Final = str(Path(sys.executable).with_name("runlake"))
WAYS: Final = {
    "alone": COMMAND,
    "below Python": [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])", *COMMAND],
    "below runlake exec": [RUNLAKE, "exec", "--task", "x", "--server", "http://127.0.0.1:1", "--", *COMMAND],
}


def main() -> None:
    """Print milliseconds until the command begins and until all is over, medians, ways in turns."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=40)
    times = parser.parse_args().times
    begun: dict[str, list[float]] = {name: [] for name in WAYS}
    over: dict[str, list[float]] = {name: [] for name in WAYS}
    for _ in range(times):
        for name, command in WAYS.items():
            with tempfile.TemporaryDirectory() as state:
                started = time.time()
                done = subprocess.run(
                    command, env=os.environ | {"XDG_STATE_HOME": state}, capture_output=True, check=True
                )
                over[name].append(time.time() - started)
            begun[name].append(float(done.stdout) - started)
    print("| command | begins after, ms | is over after, ms |\n|---|---|---|")
    for name in WAYS:
        print(f"| {name} | {1000 * statistics.median(begun[name]):.1f} | {1000 * statistics.median(over[name]):.1f} |")


if __name__ == "__main__":
    main()
