"""Processes, ports and memory of this machine, and what the report says about it."""

from __future__ import annotations

import json
import os
import platform
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parent.parent.parent
RUNLAKE: Final = [sys.executable, "-c", "from runlake.cli import main; main()"]
# The kernel ends what was started when the benchmark is gone, however that came: the next run finds nothing in its way.
_LEASH: Final = ["setpriv", "--pdeathsig", "KILL", "--"]
_MEASURED: Final = ["src", "benchmarks", ":!benchmarks/last.*", ":!benchmarks/baseline.json", ":!benchmarks/README.md"]
PEER: Final = [sys.executable, "-m", "benchmarks.peers.server"]


class Answer(NamedTuple):
    """One response, and how long it took: for the client, and for the engine where the server says so."""

    status: int
    body: Any
    seconds: float
    engine: float | None
    tag: str | None


class Client:
    """One connection, kept open while it is used: servers close one that was idle for some seconds."""

    def __init__(self, port: int) -> None:
        self._http = HTTPConnection("127.0.0.1", port, timeout=600)
        self._used = time.monotonic()

    def close(self) -> None:
        """End the connection."""
        self._http.close()

    def get(self, path: str, tag: str | None = None) -> Answer:
        """The answer to GET; `tag` is an ETag that is known already."""
        return self._ask("GET", path, None, {"If-None-Match": tag} if tag else {})

    def post(self, path: str, body: bytes) -> Answer:
        """The answer to POST of JSON."""
        return self._ask("POST", path, body, {"Content-Type": "application/json"})

    def _ask(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Answer:
        if time.monotonic() - self._used > 2:
            self._http.close()
        started = time.perf_counter()
        self._http.request(method, path, body, headers)
        response = self._http.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        self._used = time.monotonic()
        timing = response.getheader("Server-Timing")
        engine = None if timing is None else float(timing.partition("dur=")[2]) / 1000
        return Answer(response.status, json.loads(content or b"null"), seconds, engine, response.getheader("ETag"))


def free_port() -> int:
    """A port of 127.0.0.1 that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(command: Sequence[str], port: int, path: str, log: Path) -> Iterator[tuple[int, float]]:
    """A server of its own process, from the moment `path` answers 200; yields its pid and the seconds that took."""
    started = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen([*_LEASH, *command], cwd=ROOT, stdout=out, stderr=out)
        try:
            while not _answers(port, path):
                if process.poll() is not None or time.perf_counter() - started > 3600:
                    raise SystemExit(f"{' '.join(command)} did not start:\n{log.read_text()[-4000:]}")
                time.sleep(0.01)
            yield process.pid, time.perf_counter() - started
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                # A query that nobody waits for any more keeps its thread, and with it the process.
                process.kill()
                process.wait()


def _answers(port: int, path: str) -> bool:
    try:
        with closing(Client(port)) as client:
            return client.get(path).status == 200
    except (OSError, HTTPException):
        return False


def run(command: Sequence[str]) -> tuple[str, float]:
    """What a command printed, and the seconds it took; the benchmark ends where it fails."""
    started = time.perf_counter()
    done = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done.stdout, time.perf_counter() - started


def write(file: Path, content: bytes) -> None:
    """Write a small file whole or not at all: what an interrupted run leaves is believed by the next one."""
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(file)


def checked_out(commit: str, scratch: Path) -> Path:
    """The sources of a commit."""
    archive = scratch / "then.tar"
    run(["git", "archive", "--output", str(archive), commit, "src"])
    run(["tar", "-xf", str(archive), "-C", str(scratch)])
    return scratch / "src"


def cpu(pid: int) -> dict[str, float]:
    """The CPU seconds that each thread of a process has taken so far, by its number."""
    found = {}
    for thread in Path(f"/proc/{pid}/task").iterdir():
        fields = (thread / "stat").read_text().rpartition(")")[2].split()
        found[thread.name] = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return found


def memory(pid: int, field: str) -> int:
    """A field of /proc/PID/status in bytes; 0 for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), 0)


def children(pid: int) -> list[int]:
    """Process ids of the direct children."""
    found = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in found.split()]


def description() -> str:
    """Cores and architecture."""
    gib = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return f"{os.cpu_count()} cores, {platform.machine()}, {gib:.0f} GiB"


def commit() -> str:
    """The commit of what is measured; what the benchmark itself writes is no change."""
    changed = " with changes" if run(["git", "status", "--porcelain", "--", *_MEASURED])[0] else ""
    return run(["git", "rev-parse", "--short", "HEAD"])[0].strip() + changed
