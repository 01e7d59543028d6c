"""Does any input bring the service down, or leave half of itself behind? Random bodies and requests for some minutes.

    .venv/bin/python benchmarks/fuzz.py [--minutes 10] [--seed 1]

Rounds of the cases of tests/faults/test_fuzz.py, each with another seed, against one server, and of Arrow streams with
changed bytes, which are decoded here; a failing case is printed, with its round, and the next round goes on. At the
end `runlake check` reads what was stored. Exit code 1 on any finding.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

from fuzzer import BODIES, Fuzzer
from support import Server, environment, runlake

CASES: Final = 300  # of each kind of body, a round


def main() -> None:
    """Print each finding and, at the end, the number of cases by kind and status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        lake = Path(folder) / "lake"
        with Server(lake, env=environment(None, RUNLAKE_MAINTAIN_SECONDS="1000")) as server:
            fuzzer = Fuzzer(server)
            number, findings = options.seed, 0
            while time.monotonic() < until and server.process.poll() is None:
                findings += one_round(fuzzer, number)
                number += 1
            if server.process.poll() is not None:
                findings += 1
                print(f"the server died: {server.process.returncode}", "".join(server.log)[-3000:], sep="\n")
        check = runlake("check", "--data", str(lake))
        findings += len(check.stderr.splitlines())
        print(check.stderr, end="")
    for kind, times in sorted(fuzzer.tried.items()):
        print(f"{times:>8,}  {kind}")
    print(f"{fuzzer.tried.total():,} cases, seeds {options.seed} to {number - 1}: {findings} findings")
    sys.exit(1 if findings else 0)


def one_round(fuzzer: Fuzzer, seed: int) -> int:
    """The number of kinds in which something was found."""
    findings = 0
    for kind in (*BODIES, "operations", "changed streams"):
        try:
            if kind == "operations":
                fuzzer.operations(CASES // 30, seed=seed)
            elif kind == "changed streams":
                fuzzer.changed(10 * CASES, seed=seed)
            else:
                fuzzer.bodies(kind, CASES, seed=seed)
        except Exception:  # noqa: BLE001 - whatever a case finds is printed
            findings += 1
            print(f"round {seed}, {kind}:", traceback.format_exc(limit=-3)[-3000:], sep="\n", flush=True)
    return findings


if __name__ == "__main__":
    main()
