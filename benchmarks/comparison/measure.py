"""Asking and timing: a few questions one by one, then many by `wrk`."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from benchmarks.comparison import machine, questions, same, wrk
from benchmarks.comparison.figures import OURS, Timing
from benchmarks.comparison.systems import System

_CHECKED: Final = slice(100, 104)  # not the first or last paths: those are timed
_SAMPLED: Final = 20
_LEAST: Final = 3
_SAMPLE_SECONDS: Final = 3.0
_AGREE_SECONDS: Final = 3.0
_SLOW_MS: Final = 100.0
_UNCHANGED: Final = 100


class Served(Protocol):
    """What answers at a port."""

    @property
    def name(self) -> str: ...
    @property
    def port(self) -> int: ...
    @property
    def client(self) -> machine.Client: ...


def agree(ours: Served, peers: Sequence[Served], kind: str, paths: Sequence[str]) -> None:
    """Compare answers to some of the paths; ends the benchmark with the start of both where they differ."""
    expected = 404 if kind in questions.MISSING else 200
    started = time.perf_counter()
    for path in paths[_CHECKED]:
        answer = ours.client.get(path)
        for peer in peers:
            other = peer.client.get(path)
            if answer.status != expected or other.status != expected:
                raise SystemExit(f"{path}: {ours.name} {answer.status}, {peer.name} {other.status}\n{other.body}")
            told = answer.body
            if kind in questions.PARTLY:
                told = {name: told[name] for name in other.body}
            # The text of an error is each system's own.
            if expected == 200 and (found := same.difference(told, other.body)):
                shown = "\n".join(f"{s.name}: {str(a.body)[:2000]}" for s, a in ((ours, answer), (peer, other)))
                raise SystemExit(f"{path}: {found}\n{shown}")
        if time.perf_counter() - started > _AGREE_SECONDS:
            return


def timing(system: System, kind: str, paths: Sequence[str], file: Path, seconds: int) -> Timing:
    """One kind of question, one connection; what is slow is asked one by one, so that it is asked more than once or
    twice, and the same paths of every system: some tasks have a hundred times the runs of others. Comparing the
    answers has warmed all systems up."""
    took, inside = _ask(system, paths[-_SAMPLED:])
    if statistics.median(took) > _SLOW_MS:
        return Timing(statistics.median(took), max(took), 1000 / statistics.mean(took), inside, len(took))
    # runlake is asked for longer: its p99 is wanted too.
    found = wrk.gets(system.port, file, 1, seconds * (2 if system.name == OURS else 1), kind in questions.MISSING)
    if inside is not None:
        # Once more, because by now everything is as warm as it was for wrk.
        _, inside = _ask(system, paths[-_SAMPLED:])
    return Timing(found.p50, found.p99, found.rate, inside)


def _ask(system: System, paths: Sequence[str]) -> tuple[list[float], float | None]:
    """Milliseconds of each request, and the engine's median; at least some, then until the time is over."""
    answers: list[machine.Answer] = []
    started = time.perf_counter()
    for path in paths:
        answers.append(system.client.get(path))
        if len(answers) >= _LEAST and time.perf_counter() - started > _SAMPLE_SECONDS:
            break
    engine = [answer.engine * 1000 for answer in answers if answer.engine is not None]
    return [answer.seconds * 1000 for answer in answers], statistics.median(engine) if engine else None


def unchanged(system: System, paths: Sequence[str], file: Path, seconds: int) -> Timing:
    """16 connections that send back the ETag of what they know; before and after, a few are seen to be answered 304."""
    tagged = ((path, tag) for path in paths if (tag := system.client.get(path).tag))
    known = list(islice(tagged, _UNCHANGED))
    file.write_text("".join(f"{path}\t{tag}\n" for path, tag in known))
    _expect_304(system, known)
    found = wrk.gets(system.port, file, 16, seconds)
    _expect_304(system, known)
    return found


def _expect_304(system: System, known: Sequence[tuple[str, str]]) -> None:
    for path, tag in known[:: max(1, len(known) // 20)]:
        status = system.client.get(path, tag).status
        if status != 304:
            raise SystemExit(f"{path} with its own ETag was answered {status}")


def mixed(system: Served, file: Path, seconds: int) -> Timing:
    """All kinds in turn, 16 connections."""
    return wrk.gets(system.port, file, 16, seconds)
