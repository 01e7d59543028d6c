"""Does it stay as it is for long? A real server under everything at once, with a table of how it does over time.

    .venv/bin/python benchmarks/soak.py [--minutes 10] [--rate 20] [--seed 1] [--kills 3] [--work FOLDER]

Appends at a steady pace, reads of all kinds, analysts that attach from other processes, upkeep at short intervals, and
now and then `kill -9` and a new start. A line every interval: memory, files, bytes of the catalog and its log, median
and 99th percentile of reads and appends in milliseconds, and the longest step of upkeep. At the end every acknowledged
run is compared field by field, and `runlake check` reads all files. Exit code 1 if a run is missing or wrong, or an
unexpected status came. One client appends, so each append is one commit of its own.
"""

from __future__ import annotations

import argparse
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "helpers"))

import httpx
import numpy as np
from ledger import Ledger
from support import RUNLAKE, Server, environment, runlake

LIVELY: Final = {
    "RUNLAKE_FLUSH_ROWS": "1000",
    "RUNLAKE_MERGE_FILES": "4",
    "RUNLAKE_ROLLUP_ROWS": "10000",
    "RUNLAKE_MAINTAIN_SECONDS": "1",
    "RUNLAKE_TIDY_SECONDS": "10",
    "RUNLAKE_GRACE_SECONDS": "20",
}
READERS: Final = 2
READ_PAUSE: Final = 0.02  # seconds between two reads of a reader
RECENT: Final = 5000  # runs that readers ask for
ANALYST_PAUSE: Final = 2.0
# Two looks of one attached analyst, as docs/analysts.md says: again if a commit came in between.
ANALYST: Final = """
import runlake, sys
con = runlake.attach(sys.argv[1])
last = "SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot"
for _ in range(50):
    before = con.sql(last).fetchone()
    runs, ids = con.sql("SELECT count(*), count(DISTINCT id) FROM lake.runs").fetchone()
    if con.sql(last).fetchone() == before:
        print(runs, ids)
        break
"""
COUNT: Final = "SELECT count(*) AS runs, count(DISTINCT id) AS ids FROM runs"
HEADER: Final = (
    "   s     runs  files  RSS MiB  catalog KiB  WAL KiB  read p50  p99  append p50   p99  reads  upkeep max ms  kills"
)


class Soak:
    """One soak: what its threads share."""

    def __init__(self, lake: Path, seed: int, rate: float) -> None:
        self._lake, self._rate = lake, rate
        self.ledger = Ledger(seed)
        self.wrong: list[str] = []
        self.kills = 0
        self._rng = random.Random(seed)
        self._server = Server(lake, env=environment(None, **LIVELY)).wait_ready()
        assert self.ledger.post(self._server.client, self.ledger.batch()) == 200
        self._floor = 0  # runs that every later look must count
        self._recent = list(self.ledger.acknowledged)  # ids to ask for
        self._up = threading.Event()  # a server is there, or was until it was killed
        self._ended = threading.Event()
        self._reads: list[float] = []
        self._appends: list[float] = []
        self._logged = 0

    def _append(self, client: httpx.Client) -> None:
        due = time.monotonic()
        while not self._ended.is_set():
            self._up.wait()
            client.base_url = self._server.url
            batch = self.ledger.batch()
            started = time.monotonic()
            status = self.ledger.post(client, batch)
            if status == 200:
                self._appends.append(time.monotonic() - started)
                self._floor = len(self.ledger.acknowledged)
                self._recent = [*self._recent, *(run["id"] for run in batch)][-RECENT:]
            elif status:
                self.wrong.append(f"POST answered {status}")
            else:
                self._settle(client)
            due = max(due + 1 / self._rate, time.monotonic() - 1)
            time.sleep(max(0.0, due - time.monotonic()))

    def _settle(self, client: httpx.Client) -> None:
        """The server was killed: what became of the last append is to be asked of the next one."""
        while not self._ended.is_set():
            time.sleep(0.05)
            self._up.wait()
            client.base_url = self._server.url
            with suppress(httpx.TransportError):
                if client.get("/ready").status_code == 200:
                    self.wrong += self.ledger.settle(client)
                    return

    def _path(self, rng: random.Random) -> str:
        known = rng.choice(self._recent)
        task = self.ledger.acknowledged[known]["task_id"]
        return rng.choice(
            [
                "/runs?limit=50",
                f"/runs?success=false&limit=50&offset={rng.randrange(2000)}",
                f"/runs?task_id={task}&include_errors=true",
                f"/runs/{known}",
                f"/task/{task}/latest",
                f"/task/{task}/stats?days=30&until=2025-01-08T00:00:00Z",
                "/stats/summary?days=7&until=2025-01-08T00:00:00Z",
            ]
        )

    def _read(self, client: httpx.Client, number: int) -> None:
        rng = random.Random(number)
        while not self._ended.wait(READ_PAUSE):
            server, floor = self._server, self._floor
            path = self._path(rng)
            started = time.monotonic()
            try:
                answer = client.get(server.url + path)
            except httpx.TransportError:
                if server is self._server and self._up.is_set() and server.process.poll() is None:
                    self.wrong.append(f"GET {path}: no answer of a living server")
                self._up.wait()
                continue
            self._reads.append(time.monotonic() - started)
            starting = answer.status_code == 503 and "loaded" in answer.text
            if answer.status_code != 200 and not starting:
                self.wrong.append(f"GET {path}: {answer.status_code} {answer.text[:200]}")
            elif path == "/runs?limit=50" and not starting and answer.json()["total"] < floor:
                self.wrong.append(f"GET {path}: {answer.json()['total']} runs after {floor} were acknowledged")

    def _analyse(self, _: httpx.Client) -> None:
        turn = 0
        while not self._ended.wait(ANALYST_PAUSE):
            floor, turn = self._floor, turn + 1
            if turn % 2:
                command = [sys.executable, "-c", ANALYST, str(self._lake)]
            else:
                command = [*RUNLAKE, "sql", COUNT, "--format", "csv", "--data", str(self._lake)]
            done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment(), check=False)
            found = [int(number) for number in re.findall(r"\d+", done.stdout)]
            if done.returncode or len(found) != 2 or found[0] != found[1] or found[0] < floor:
                self.wrong.append(f"analyst: {done.stdout} after {floor}: {done.stderr[-500:]}")

    def _kill(self) -> None:
        """End the server as a power cut does, and start it again."""
        self._up.clear()
        self._server.stop(signal.SIGKILL)
        self.kills += 1
        self._note_log()
        self._logged = 0
        self._server = Server(self._lake, env=environment(None, **LIVELY)).wait_ready()
        self._up.set()

    def _note_log(self) -> list[float]:
        """Seconds of the upkeep steps logged since the last look; errors are findings."""
        lines, self._logged = self._server.log[self._logged :], len(self._server.log)
        self.wrong += [line.strip() for line in lines if " ERROR " in line]
        return [float(found[1]) for line in lines if (found := re.search(r"upkeep.* seconds=([\d.]+)", line))]

    def run(self, seconds: float, interval: float, kills: int) -> None:
        """All of it for so long; prints a line an interval."""
        self._up.set()
        work = [self._append, self._analyse, *(partial(self._read, number=n) for n in range(READERS))]
        threads = [threading.Thread(target=self._guarded, args=(job,), daemon=True) for job in work]
        for thread in threads:
            thread.start()
        begin, lines = time.monotonic(), max(1, round(seconds / interval))
        fatal = set(self._rng.sample(range(1, lines), min(kills, lines - 1)))
        print(HEADER, flush=True)
        for line in range(1, lines + 1):
            time.sleep(max(0.0, begin + line * interval - time.monotonic()))
            print(self._line(time.monotonic() - begin), flush=True)
            if line in fatal:
                self._kill()
        self._ended.set()
        for thread in threads:
            thread.join(120)
        self.wrong += [*self.ledger.settle(self._server.client), *self.ledger.check(self._server.client)]
        self._note_log()
        if self._server.stop() != 0:
            self.wrong.append("the server did not end with 0")

    def _guarded(self, job: Callable[[httpx.Client], None]) -> None:
        try:
            # One client for all requests of a job: to make one takes longer than most requests.
            with httpx.Client(timeout=60) as client:
                job(client)
        except Exception:  # noqa: BLE001 - a client that ends early is a finding
            self.wrong.append(traceback.format_exc())

    def _line(self, seconds: float) -> str:
        reads, appends = self._reads, self._appends
        self._reads, self._appends = [], []
        steps = self._note_log()
        resident = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{self._server.process.pid}/status").read_text())
        files = sum(1 for _ in (self._lake / "files").rglob("*.parquet"))
        sizes = [self._lake / name for name in ("catalog.sqlite", "catalog.sqlite-wal")]
        catalog, wal = (file.stat().st_size >> 10 if file.is_file() else 0 for file in sizes)
        rss = int(resident[1]) >> 10 if resident else 0
        return (
            f"{seconds:>4.0f} {len(self.ledger.acknowledged):>8,} {files:>6} {rss:>8} {catalog:>12,} {wal:>8,}"
            f" {percentile(reads, 50):>9} {percentile(reads, 99):>4} {percentile(appends, 50):>11}"
            f" {percentile(appends, 99):>5} {len(reads):>6} {max(steps, default=0) * 1000:>14.0f} {self.kills:>6}"
        )


def percentile(seconds: list[float], rank: int) -> str:
    """Milliseconds, or a dash."""
    return f"{np.percentile(seconds, rank) * 1000:.0f}" if seconds else "-"


def main() -> None:
    """Print the table, then the findings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--rate", type=float, default=20, help="appends a second")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--interval", type=float, default=20, help="seconds a line")
    parser.add_argument("--work", type=Path, help="folder for the lake; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.work) as folder:
        lake = Path(folder) / "lake"
        soak = Soak(lake, options.seed, options.rate)
        soak.run(60 * options.minutes, options.interval, options.kills)
        check = runlake("check", "--data", str(lake))
        wrong = soak.wrong + check.stderr.splitlines()
    for line in wrong[:50]:
        print(line)
    print(
        f"check: {' '.join(check.stdout.split())}; acknowledged {len(soak.ledger.acknowledged):,}; wrong {len(wrong)}"
    )
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
