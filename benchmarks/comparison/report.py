"""The figures as Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

from benchmarks.comparison.measure import Timing
from benchmarks.comparison.systems import NAMES
from msgspec import Struct

Table = dict[str, dict[str, Timing]]  # question, system
_OURS: Final = "runlake"


class Size(Struct):
    """Everything measured at one size."""

    runs: int
    systems: list[str]
    questions: Table
    mixed: dict[str, Timing]
    appends: Table
    memory: dict[str, int]
    disk: dict[str, int]
    seconds: dict[str, dict[str, float]]


def text(header: Sequence[str], sizes: Sequence[Size]) -> str:
    """The whole report."""
    parts = ["# runlake beside others", *header, _NOTES]
    for size in sizes:
        parts += [f"## {size.runs:,} runs", _questions(size), _resources(size)]
        if size.appends:
            parts += [_appends(size)]
    if len(sizes) > 1:
        parts += ["## Flatness", _flatness(sizes)]
    return "\n\n".join(parts) + "\n"


_NOTES: Final = """\
Milliseconds over HTTP, one connection (`wrk -t1 -c1`), each request another path. In brackets the median inside the
engine. Ratio is the peer's p50 over runlake's: above 1 runlake is faster; for the mix it is runlake's rate over the
peer's. † is of at most 20 requests, for what is slow; its p99 is the slowest. Peers leave out `current_streak` and
`retried_runs`, which favours them; their percentiles are exact, runlake's within 1 %. All systems run, one at a time is
asked."""


def _questions(size: Size) -> str:
    peers = [name for name in size.systems if name != _OURS]
    head = [
        "question",
        "runlake p50",
        "p99",
        "req/s",
        *(c for p in peers for c in (f"{NAMES[p]} p50 [engine]", "ratio")),
    ]
    rows = []
    for question, by_system in size.questions.items():
        ours = by_system[_OURS]
        cells = [question, _ms(ours), _number(ours.p99), _number(ours.rate)]
        for peer in peers:
            theirs = by_system[peer]
            inside = "" if theirs.engine is None else f" [{_number(theirs.engine)}]"
            cells += [f"{_ms(theirs)}{inside}", _ratio(theirs.p50, ours.p50)]
        rows.append(cells)
    ours = size.mixed[_OURS]
    cells = ["all kinds mixed, 16 connections, req/s", "", "", _number(ours.rate)]
    for peer in peers:
        cells += [f"{_number(size.mixed[peer].rate)} req/s", _ratio(ours.rate, size.mixed[peer].rate)]
    return _table(head, [*rows, cells])


def _resources(size: Size) -> str:
    rows = []
    for name in size.systems:
        seconds = ", ".join(f"{what} {_number(s)}" for what, s in size.seconds[name].items())
        per_run = size.disk[name] / size.runs
        rows.append([NAMES[name], f"{size.memory[name] >> 20:,}", f"{per_run:.1f}", seconds])
    # PostgreSQL has no one peak: its shared buffers, and what each of its processes has now, beside the handler's.
    return _table(["system", "peak memory, MiB", "bytes per run on disk", "seconds"], rows)


def _appends(size: Size) -> str:
    systems = [name for name in size.systems if any(name in row for row in size.appends.values())]
    head = ["append of", *(c for name in systems for c in (f"{NAMES[name]} p50", "p99", "runs/s"))]
    rows = [
        [
            question,
            *(c for name in systems for c in (_number(t[name].p50), _number(t[name].p99), _number(t[name].rate))),
        ]
        for question, t in size.appends.items()
    ]
    return _table(head, rows)


def _flatness(sizes: Sequence[Size]) -> str:
    """p50 at the largest size over p50 at the smallest."""
    small, large = min(sizes, key=lambda s: s.runs), max(sizes, key=lambda s: s.runs)
    systems = [name for name in small.systems if name in large.systems]
    rows = [
        [q, *(_ratio(large.questions[q][name].p50, small.questions[q][name].p50) for name in systems)]
        for q in small.questions
    ]
    title = f"p50 at {large.runs:,} runs over p50 at {small.runs:,}:\n\n"
    return title + _table(["question", *(NAMES[name] for name in systems)], rows)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *rows])


def _ms(timing: Timing) -> str:
    return _number(timing.p50) + ("†" if timing.few else "")


def _ratio(one: float, other: float) -> str:
    return "" if math.isnan(one) or math.isnan(other) or not other else f"{one / other:.2f}"


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
