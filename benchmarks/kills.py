"""Does anything acknowledged get lost? Hundreds of kills, at random moments and at every fail point.

    .venv/bin/python benchmarks/kills.py [--kills 300] [--seed 1] [--work FOLDER]

One lake lives through all of them. Between two kills a server takes requests, flushes, merges, cleans, counts
and checkpoints all the time; then it dies, by `kill -9` after a random while or by itself at a named point. After each
restart the request without an answer must be stored whole or not at all, and the last acknowledged runs must be there;
at the end every acknowledged run is compared, field by field, and `runlake check` reads all files. Exit code 1 on any
loss. The moments of the kills depend on the machine; requests, waits and points come from the seed.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

import httpx
from ledger import Ledger
from support import Server, environment, runlake

from runlake import failpoints

SMALL: Final = {
    "RUNLAKE_FLUSH_ROWS": "300",
    "RUNLAKE_MERGE_FILES": "3",
    "RUNLAKE_ROLLUP_ROWS": "1500",
    "RUNLAKE_MAINTAIN_SECONDS": "0.02",
    "RUNLAKE_TIDY_SECONDS": "0.3",
    "RUNLAKE_GRACE_SECONDS": "0.5",
}
LIFE_SECONDS: Final = 1.5  # at most, of a server that dies at a random moment
PATIENCE_SECONDS: Final = 8.0  # of a server that waits for its fail point
LOOKED_AT: Final = 40  # acknowledged runs read again after each restart


def live(lake: Path, ledger: Ledger, rng: random.Random) -> tuple[str, list[str]]:
    """Start a server, look at what is there, send requests until it is dead; how it died, and what was wrong."""
    point = rng.choice(failpoints.POINTS) if rng.random() < 0.5 else ""
    extra = {"RUNLAKE_FAIL_POINT": f"{point}:{rng.randrange(1, 6)}"} if point else {}
    server = Server(lake, env=environment(None, **SMALL, **extra))
    life = PATIENCE_SECONDS if point else rng.random() * LIFE_SECONDS
    killer = threading.Timer(life + 1.0, server.process.kill)
    wrong: list[str] = []
    try:
        try:
            server.wait_ready()
        except AssertionError:
            if server.process.wait(30) != -signal.SIGKILL:
                raise
        else:
            with suppress(httpx.TransportError):  # it may die while it is asked; the next one is asked again
                wrong += [*ledger.settle(server.client), *ledger.recent(server.client, LOOKED_AT)]
            killer.cancel()
            killer = threading.Timer(life, server.process.kill)
            killer.start()
            while status := ledger.post(server.client, ledger.batch()):
                if status != 200:
                    wrong.append(f"POST answered {status}")
    finally:
        killer.cancel()
        code = server.stop(signal.SIGKILL)
    if code != -signal.SIGKILL:
        wrong.append(f"the server ended with {code}: {''.join(server.log)[-500:]}")
    return point or "kill -9", wrong


def main() -> None:
    """Print a line every 25 kills, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--work", type=Path, help="folder for the lake; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        wrong = suffer(Path(folder) / "lake", options.kills, options.seed)
    for line in wrong[:50]:
        print(line)
    sys.exit(1 if wrong else 0)


def suffer(lake: Path, kills: int, seed: int) -> list[str]:
    """All kills and the last look; what was wrong."""
    rng, ledger, deaths, wrong = random.Random(seed), Ledger(seed), Counter[str](), list[str]()
    started = time.monotonic()
    for number in range(1, kills + 1):
        how, found = live(lake, ledger, rng)
        deaths[how] += 1
        wrong += [f"after kill {number - 1}: {line}" for line in found]
        if number % 25 == 0 or number == kills:
            held, seconds = len(ledger.acknowledged), time.monotonic() - started
            print(f"{number} kills, {held:,} runs acknowledged, {len(wrong)} wrong, {seconds:.0f} s", flush=True)
    with Server(lake, env=environment(None, **SMALL)) as server:
        wrong += [*ledger.settle(server.client), *ledger.check(server.client)]
    check = runlake("check", "--data", str(lake))
    if check.returncode:
        wrong += check.stderr.splitlines()
    print(", ".join(f"{how}: {times}" for how, times in sorted(deaths.items())))
    lost = sum("is lost" in line for line in wrong)
    print(f"kills {kills}  seed {seed}  acknowledged {len(ledger.acknowledged)}  lost {lost}  wrong {len(wrong)}")
    print(f"check: {' '.join(check.stdout.split())}; {time.monotonic() - started:.0f} seconds")
    return wrong


if __name__ == "__main__":
    main()
