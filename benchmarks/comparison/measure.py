"""Asking and timing: a few questions one by one, then many by `wrk`."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.comparison import machine, questions, same
from benchmarks.comparison.systems import System
from msgspec import Struct

_LUA: Final = Path(__file__).resolve().parent.parent / "urls.lua"
_UNITS: Final = {"us": 1e-3, "ms": 1.0, "s": 1e3, "m": 6e4}
_WARM: Final = 5
_SAMPLED: Final = 20
_SAMPLE_SECONDS: Final = 5.0
_SLOW_MS: Final = 100.0


class Timing(Struct, frozen=True):
    """Milliseconds and requests a second. `few` says how many requests this rests on, where wrk was not run."""

    p50: float
    p99: float
    rate: float
    engine: float | None = None
    few: int | None = None


def agree(ours: System, peers: Sequence[System], kind: str, paths: Iterable[str]) -> None:
    """Compare answers to some paths; ends the benchmark with both answers where they differ."""
    expected = 404 if kind in questions.MISSING else 200
    started = time.perf_counter()
    for path in paths:
        answer = ours.client.get(path)
        for peer in peers:
            other = peer.client.get(path)
            if answer.status != expected or other.status != expected:
                raise SystemExit(f"{path}: runlake {answer.status}, {peer.name} {other.status}\n{other.body}")
            # The text of an error is each system's own.
            if expected == 200 and (found := same.difference(answer.body, other.body)):
                raise SystemExit(f"{path}: {found}\nrunlake: {answer.body}\n{peer.name}: {other.body}")
        if time.perf_counter() - started > 3:
            return


def timing(system: System, kind: str, paths: Sequence[str], file: Path, seconds: int) -> Timing:
    """One kind of question, one connection; what is slow is asked one by one, so that it is asked more than once or
    twice, and the same paths of every system: some tasks have a hundred times the runs of others."""
    _ask(system, paths[-_SAMPLED - _WARM : -_SAMPLED], 1, 1)
    took, inside = _ask(system, paths[-_SAMPLED:], 3, _SAMPLE_SECONDS)
    if statistics.median(took) > _SLOW_MS:
        return Timing(statistics.median(took), max(took), 1000 / statistics.mean(took), inside, len(took))
    p50, p99, rate = _wrk(system.port, file, 1, seconds, kind in questions.MISSING)
    # Once more, because by now everything is as warm as it was for wrk.
    _, inside = _ask(system, paths[-_SAMPLED:], 3, _SAMPLE_SECONDS)
    return Timing(p50, p99, rate, inside)


def _ask(system: System, paths: Sequence[str], least: int, seconds: float) -> tuple[list[float], float | None]:
    """Milliseconds of each request, and the engine's median; at least some, then until the time is over."""
    answers: list[machine.Answer] = []
    started = time.perf_counter()
    for path in paths:
        answers.append(system.client.get(path))
        if len(answers) >= least and time.perf_counter() - started > seconds:
            break
    engine = [answer.engine * 1000 for answer in answers if answer.engine is not None]
    return [answer.seconds * 1000 for answer in answers], statistics.median(engine) if engine else None


def mixed(system: System, file: Path, seconds: int) -> Timing:
    """All kinds in turn, 16 connections."""
    p50, p99, rate = _wrk(system.port, file, 16, seconds, None)
    # What wrk left unanswered still runs, and would slow down whoever is asked next.
    time.sleep(1)
    while system.client.get("/health").body.get("busy"):
        time.sleep(0.1)
    return Timing(p50, p99, rate)


def _wrk(port: int, file: Path, connections: int, seconds: int, missing: bool | None) -> tuple[float, float, float]:
    """p50, p99 (ms) and requests a second; `missing` says whether every answer must be a 404, None that some are."""
    command = f"wrk -t1 -c{connections} -d{seconds}s --timeout 120s --latency -s {_LUA} http://127.0.0.1:{port} --"
    printed, _ = machine.run([*command.split(), str(file)])
    requests = int(_figure(r"(\d+) requests in", printed))
    refused = int(_figure(r"Non-2xx or 3xx responses: (\d+)", printed, "0"))
    if "Socket errors" in printed or (missing is not None and refused != (requests if missing else 0)):
        raise SystemExit(f"wrk met errors on {file.name}:\n{printed}")
    rate = float(_figure(r"Requests/sec:\s+([\d.]+)", printed))
    return _milliseconds(printed, 50), _milliseconds(printed, 99), rate


def _figure(pattern: str, printed: str, default: str | None = None) -> str:
    found = re.search(pattern, printed)
    if not found and default is None:
        raise SystemExit(f"wrk did not say {pattern}:\n{printed}")
    return found[1] if found else str(default)


def _milliseconds(printed: str, percent: int) -> float:
    found = re.search(rf"^ +{percent}% +([\d.]+)(us|ms|s|m)$", printed, re.MULTILINE)
    return float(found[1]) * _UNITS[found[2]] if found else float("nan")
