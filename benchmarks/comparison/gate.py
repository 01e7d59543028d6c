"""The gate: is runlake, measured against a peer of the same run, worse than it was?

Only ratios are compared: a slow hour of the machine slows both down. Everything else is informational.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import msgspec
from benchmarks.comparison import machine
from benchmarks.comparison.figures import OURS, Results, Size
from msgspec import Struct

PEER: Final = "plain"  # for questions: the same engine on the same files, and nothing to install
APPENDS: Final = {"1,000 runs": "postgres", "10,000 runs": "postgres"}  # small ones measure the disk's sync
THRESHOLD: Final = 1.5  # times the ratio of the baseline, at least: the square of the noise where that is more

Ratios = dict[str, dict[str, float]]  # size, benchmark


class Baseline(Struct, frozen=True):
    """Ratios are runlake's time over the peer's, so more is worse.

    `noise` is how far the farthest of them was apart in two runs of the commit, as a factor; None when there was one.
    """

    date: str
    commit: str
    machine: str
    versions: dict[str, str]
    noise: float | None
    threshold: float
    ratios: Ratios


def ratios(results: Results) -> Ratios:
    """What the gate compares of one run."""
    found = {size.shape.name: _of(size) for size in results.sizes}
    if results.imported:
        found[f"import of {results.imported.runs:,} runs"] = {
            "bulk import": results.imported.plain / results.imported.ours
        }
    return {name: by for name, by in found.items() if by}


def _of(size: Size) -> dict[str, float]:
    found = {}
    for kind, timings in size.questions.items():
        if PEER in timings:
            found[f"{kind} / {PEER}"] = timings[OURS].p50 / timings[PEER].p50
    for batch, peer in APPENDS.items():
        timings = size.writes.alone.get(batch, {}) if size.writes else {}
        if peer in timings:
            found[f"append of {batch} / {peer}"] = timings[OURS].p50 / timings[peer].p50
    return {name: ratio for name, ratio in found.items() if math.isfinite(ratio)}


def worse(baseline: Baseline, now: Ratios) -> list[str]:
    """One line for each ratio that is worse by more than the threshold, or is gone; other sizes are not compared."""
    shared = [size for size in baseline.ratios if size in now]
    if not shared:
        return [f"nothing in common: the baseline has {', '.join(baseline.ratios)}"]
    found = []
    for size in shared:
        for name, before in baseline.ratios[size].items():
            ratio = now[size].get(name, math.nan)
            if math.isnan(ratio):
                found.append(f"{size}, {name}: was {before:.3f}, now not measured")
            elif ratio > before * baseline.threshold:
                found.append(f"{size}, {name}: was {before:.3f}, now {ratio:.3f} ({ratio / before:.2f} times)")
    return found


def check(file: Path, results: Results) -> list[str]:
    """As `worse`, against a file; raises SystemExit where there is none."""
    if not file.exists():
        raise SystemExit(f"{file} is missing: make it with --write-baseline")
    return worse(msgspec.json.decode(file.read_bytes(), type=Baseline), ratios(results))


def noise(one: Ratios, other: Ratios) -> float:
    """The largest factor between two ratios of the same benchmark; 1 where nothing is in common."""
    shared = [(one[size][name], other[size][name]) for size in one for name in one[size] if name in other.get(size, {})]
    return max((max(a / b, b / a) for a, b in shared), default=1.0)


def write(file: Path, results: Results, twin: Results | None = None) -> None:
    """Make a run the baseline; `twin` is another one of the same commit. A commit with changes is none."""
    if results.commit.endswith("changes") or (twin and twin.commit != results.commit):
        raise SystemExit("the baseline is of one commit: commit first, then measure")
    found = ratios(results)
    apart = noise(found, ratios(twin)) if twin else None
    threshold = max(THRESHOLD, (apart or 1.0) ** 2)
    made = Baseline(results.date, results.commit, results.machine, results.versions, apart, threshold, found)
    machine.write(file, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
