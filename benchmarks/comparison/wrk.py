"""The load generator: `wrk`, one thread, every request another one, and what it prints."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.comparison import machine
from benchmarks.comparison.figures import Timing

_HERE: Final = Path(__file__).resolve().parent.parent
_UNITS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}


class Printed(NamedTuple):
    """Counts, milliseconds and requests a second; `refused` answers were none of 2xx and 3xx."""

    requests: int
    refused: int
    broken: bool
    p50: float
    p99: float
    rate: float


def gets(port: int, file: Path, connections: int, seconds: float, missing: bool = False) -> Timing:
    """Asks the paths of a file; `missing` says that every answer must be a 404. SystemExit where one is an error."""
    printed = _run("urls.lua", port, file, connections, seconds)
    expected = printed.requests if missing else 0
    if printed.broken or printed.refused != expected:
        raise SystemExit(f"wrk met errors on {file.name}: {printed}")
    if not printed.requests:  # a lower bound: every one of them waited that long
        return Timing(1000 * seconds, 1000 * seconds, 0.0)
    return Timing(printed.p50, printed.p99, printed.rate)


def posts(port: int, file: Path, connections: int, seconds: float, runs: int) -> tuple[Timing, int]:
    """POST /runs with the bodies of a file, each used once, of so many runs; its rate is in runs a second.

    Returns how many were answered, too. Raises SystemExit when a body was refused, or when there were too few.
    """
    printed = _run("posts.lua", port, file, connections, seconds)
    with file.open("rb") as bodies:
        there = sum(1 for _ in bodies)
    if printed.broken or printed.refused:
        raise SystemExit(f"wrk met errors on {file.name}: {printed}")
    if printed.requests + connections >= there:
        raise SystemExit(f"{file.name} has too few bodies: {there} for {printed.requests} requests")
    return Timing(printed.p50, printed.p99, printed.rate * runs), printed.requests


def parse(text: str) -> Printed:
    """What wrk printed with `--latency`; no percentiles where nothing was answered."""
    return Printed(
        int(_figure(r"(\d+) requests in", text)),
        int(_figure(r"Non-2xx or 3xx responses: (\d+)", text, "0")),
        "Socket errors" in text,
        _milliseconds(text, 50),
        _milliseconds(text, 99),
        float(_figure(r"Requests/sec:\s+([\d.]+)", text)),
    )


def _run(script: str, port: int, file: Path, connections: int, seconds: float) -> Printed:
    command = f"wrk -t1 -c{connections} -d{seconds:.0f}s --timeout 120s --latency -s {_HERE / script}"
    return parse(machine.run([*command.split(), f"http://127.0.0.1:{port}", "--", str(file)])[0])


def _figure(pattern: str, text: str, default: str | None = None) -> str:
    found = re.search(pattern, text)
    if not found and default is None:
        raise SystemExit(f"wrk did not say {pattern}:\n{text}")
    return found[1] if found else str(default)


def _milliseconds(text: str, percent: int) -> float:
    # Units of one letter are padded with a space.
    found = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s|m) *$", text, re.MULTILINE)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")
