"""What we want, stated once, and whether a run of the benchmark reached it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final, NamedTuple

from benchmarks.comparison.figures import DATABASE, ID_INDEX, OURS, READY, REBUILD, Results, Size
from benchmarks.comparison.questions import LATER

SIZE: Final = 100_000_000  # runs that these are for, over HTTP, on 2 cores
P50: Final = {  # milliseconds, one connection
    "detail, any id": 4,
    "detail, newest 1000": 3,
    "detail, unknown id": 3,
    "first page": 4,
    "page of failures": 6,
    "page of a frequent task": 15,
    "page of a rare task": 50,
    "page at half the history": 8,
    "page in 30 days": 8,
    "latest of a frequent task": 4,
    "latest of a rare task": 4,
    "latest of a long-silent task": 4,
    "task stats, 30 days": 10,
    "task stats, 365 days": 25,
    "summary, 7 days": 10,
    "summary, 365 days": 20,
    "page of an owner, 7 days": 60,
    "page of an owner, 30 days": 150,
    "page of retries, 7 days": 60,
    "page of retries, 30 days": 150,
    "page of long runs, 7 days": 60,
    "page of long runs, 30 days": 150,
    "page by words of the error, 7 days": 400,
    "page by duration, 7 days": 60,
    "page by cursor at half the history": 8,
    "histogram, 7 days": 8,
    "histogram, 30 days": 8,
    "histogram, 365 days": 8,
    "histogram in Kolkata, 30 days": 8,
    "histogram of a task, 30 days": 12,
    "density, 7 days": 12,
    "density, 365 days": 40,
    "fleet, 30 days": 30,
    "fleet with percentiles, 30 days": 120,
    "owners, 30 days": 20,
    "errors, 30 days": 30,
    "one group of errors, 30 days": 40,
    "context of a run": 20,
    "breakdown, 7 days": 80,
}
P99: Final = 5  # times p50
FLAT: Final = 2  # times p50 at 1,000,000 runs ...
FLAT_MS: Final = 5  # ... or under this
FLAT_FROM: Final = 1_000_000
MIXED: Final = 300  # requests/s, 16 connections, all different
UNCHANGED: Final = 4000  # answers 304 a second
APPEND_MS: Final = 20  # p50 of one run, durable
CLIENTS: Final = {"64 clients, 1 run each": 2500, "8 clients, 1,000 runs each": 40_000}  # runs/s, durable
IMPORT: Final = 500_000  # runs/s, Parquet of dense days
BESIDE: Final = 2  # times the p50 without writes, while at least ...
ARRIVING: Final = 4900  # ... so many of the 5,000 runs/s sent arrive
MEMORY_MIB: Final = 2048  # resident, mapped pages included
INDEX_BYTES: Final = 12  # a run, of the id index; serving.duckdb is beside
READY_SECONDS: Final = 2  # with a serving database
REBUILD_RATE: Final = 400_000  # runs/s, without one

PEER_SIZE: Final = 10_000_000
AHEAD_OF_POSTGRES: Final = (
    "first page",
    "page of failures",
    "page at half the history",
    "page in 30 days",
    "task stats, 365 days",
    "summary, 7 days",
    "summary, 365 days",
    *(kind for kind in LATER if not kind.startswith("page") or "cursor" in kind),
)
POSTGRES_TIMES: Final = 4  # at most, on the other reads: single rows and short ones of one task


class Goal(NamedTuple):
    """`measured` is nan where it was not; `most` says that less is better."""

    what: str
    wanted: float
    measured: float
    unit: str
    most: bool = True
    note: str = ""

    @property
    def verdict(self) -> str:
        """Met, missed, or not measured."""
        if math.isnan(self.measured):
            return "not measured"
        return "met" if (self.measured <= self.wanted if self.most else self.measured >= self.wanted) else "**missed**"


def alone(results: Results) -> list[Goal]:
    """Goals of runlake itself, at the largest size that was measured."""
    sizes = results.dense()
    if not sizes:
        return []
    size = sizes[-1]
    imported = results.imported.ours if results.imported else math.nan
    return [
        *(Goal(f"{kind}, p50", ms, p50(size, kind), "ms") for kind, ms in P50.items()),
        _tail(size),
        _flat(sizes),
        Goal("16 connections, all different", MIXED, size.mixed[OURS].rate, "requests/s", most=False),
        Goal("304s", UNCHANGED, size.unchanged.rate if size.unchanged else math.nan, "requests/s", most=False),
        *_written(size),
        Goal("bulk import of Parquet", IMPORT, imported, "runs/s", most=False),
        *_resources(size),
    ]


def peer_size(results: Results) -> Size | None:
    """The largest size, up to PEER_SIZE, that PostgreSQL was part of."""
    sizes = [size for size in results.dense() if "postgres" in size.systems and size.shape.runs <= PEER_SIZE]
    return sizes[-1] if sizes else None


def beside(results: Results) -> list[Goal]:
    """Goals against the peers, at `peer_size`."""
    size = peer_size(results)
    return list(_peers(size)) if size else []


def p50(size: Size, kind: str, system: str = OURS) -> float:
    """Milliseconds of a question; nan where it was not asked of the system."""
    found = size.questions.get(kind, {}).get(system)
    return found.p50 if found else math.nan


def _tail(size: Size) -> Goal:
    """Of the kinds that were asked often enough."""
    found = {kind: t[OURS].p99 / t[OURS].p50 for kind, t in size.questions.items() if not t[OURS].few}
    worst = max(found, key=found.__getitem__, default="")
    return Goal("p99 / p50, worst kind", P99, found.get(worst, math.nan), "", note=worst)


def _flat(sizes: list[Size]) -> Goal:
    """The worst of the kinds that take FLAT_MS or more."""
    small, large = sizes[0], sizes[-1]
    if small.shape.runs != FLAT_FROM or small is large:
        return Goal(
            f"flatness, kinds of {FLAT_MS} ms or more", FLAT, math.nan, "", note=f"needs {FLAT_FROM:,} and more"
        )
    found = {k: p50(large, k) / p50(small, k) for k in large.questions if p50(large, k) >= FLAT_MS}
    worst = max(found, key=found.__getitem__, default="")
    note = worst or f"every kind is under {FLAT_MS} ms"
    return Goal(f"flatness, worst kind of {FLAT_MS} ms or more", FLAT, found.get(worst, 0.0), "", note=note)


def _written(size: Size) -> Iterator[Goal]:
    found = size.writes
    one = found.alone["1 run"][OURS].p50 if found else math.nan
    yield Goal("append of one run, p50", APPEND_MS, one, "ms")
    for clients, rate in CLIENTS.items():
        measured = found.clients[clients][OURS].rate if found else math.nan
        yield Goal(clients, rate, measured, "runs/s", most=False)
    ratios = {kind: b.loaded.p50 / b.quiet.p50 for kind, b in found.beside.items()} if found else {}
    worst = max(ratios, key=ratios.__getitem__, default="")
    yield Goal(
        "reads while 5,000 runs/s arrive, p50 / p50 without", BESIDE, ratios.get(worst, math.nan), "", note=worst
    )
    yield Goal("runs that arrived meanwhile", ARRIVING, found.arrived if found else math.nan, "runs/s", most=False)


def _resources(size: Size) -> Iterator[Goal]:
    runs, seconds = size.shape.runs, size.seconds[OURS]
    moments = {name: peak for name, peak in size.memory.items() if name.startswith(OURS)}
    worst = max(moments, key=moments.__getitem__)
    yield Goal("peak memory", MEMORY_MIB, moments[worst] / 2**20, "MiB", note=worst)
    beside = f"{DATABASE} beside it: {size.parts[DATABASE] / runs:.1f}"
    yield Goal("id index, bytes per run", INDEX_BYTES, size.parts[ID_INDEX] / runs, "", note=beside)
    yield Goal("ready, serving database there", READY_SECONDS, seconds[READY], "s")
    yield Goal(
        "rebuild of the serving database",
        REBUILD_RATE,
        runs / seconds[REBUILD],
        "runs/s",
        most=False,
        note="start included",
    )
    theirs = size.disk.get("clickhouse", math.nan) / runs
    yield Goal("Parquet, bytes per run, at most ClickHouse's", theirs, size.parts["Parquet"] / runs, "")


def _peers(size: Size) -> Iterator[Goal]:
    """Ratios of p50: the peer's over runlake's, and for what PostgreSQL is quick at the other way round."""
    for kind, asked in size.questions.items():
        if "clickhouse" in asked:
            ratio = p50(size, kind, "clickhouse") / p50(size, kind)
            yield Goal(f"{kind}: ahead of ClickHouse", 1, ratio, "times", most=False)
    for kind in (kind for kind, asked in size.questions.items() if "postgres" in asked):
        ratio = p50(size, kind, "postgres") / p50(size, kind)
        if kind in AHEAD_OF_POSTGRES:
            yield Goal(f"{kind}: ahead of PostgreSQL", 1, ratio, "times", most=False)
        else:
            yield Goal(f"{kind}: within {POSTGRES_TIMES}x of PostgreSQL", POSTGRES_TIMES, 1 / ratio, "times")
