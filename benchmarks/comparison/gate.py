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
THRESHOLD: Final = 1.5  # times the ratio of the baseline
NOISE: Final = (
    "Two runs of the same commit on a shared machine differ by up to a quarter in a ratio of medians; the threshold "
    "is twice that."
)


class Baseline(Struct, frozen=True):
    """Ratios by size and benchmark: runlake's time over the peer's, so more is worse."""

    date: str
    commit: str
    machine: str
    versions: dict[str, str]
    noise: str
    threshold: float
    ratios: dict[str, dict[str, float]]


def ratios(results: Results) -> dict[str, dict[str, float]]:
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


def worse(baseline: Baseline, now: dict[str, dict[str, float]]) -> list[str]:
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


def write(file: Path, results: Results) -> None:
    """Make a run the baseline. A commit with changes is none."""
    if results.commit.endswith("changes"):
        raise SystemExit("the baseline is of a commit: commit first, then measure")
    made = Baseline(results.date, results.commit, results.machine, results.versions, NOISE, THRESHOLD, ratios(results))
    machine.write(file, msgspec.json.format(msgspec.json.encode(made)) + b"\n")
