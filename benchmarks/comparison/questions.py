"""The questions: for each kind several hundred different paths, from a seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from benchmarks.comparison.lake import END, SEED, Facts

from runlake import times

PATHS: Final = 400
_FREQUENT: Final = 20
_RARE: Final = 200
_RECENT_US: Final = 60 * times.DAY_US
_MONTH_US: Final = 30 * times.DAY_US

Make = Callable[[random.Random, Facts], str]


def _moment(rng: random.Random) -> int:
    """A time within the last 60 days, to the microsecond."""
    return END - rng.randrange(_RECENT_US)


def _frequent(rng: random.Random, facts: Facts) -> str:
    return rng.choice(facts.tasks[:_FREQUENT])


def _rare(rng: random.Random, facts: Facts) -> str:
    return rng.choice(facts.tasks[-_RARE:])


def _silent(rng: random.Random, facts: Facts) -> str:
    return rng.choice(facts.silent)


def _unknown(rng: random.Random, _: Facts) -> str:
    return f"/runs/{uuid.UUID(int=rng.getrandbits(128), version=4)}"


def _window(rng: random.Random, _: Facts) -> str:
    end = _moment(rng)
    start = times.to_text(end - _MONTH_US)
    return f"/runs?start_time={start}&end_time={times.to_text(end)}&offset={rng.randrange(50)}"


def _stats(days: int) -> Make:
    return lambda rng, facts: f"/task/{_frequent(rng, facts)}/stats?days={days}&until={times.to_text(_moment(rng))}"


def _summary(days: int) -> Make:
    return lambda rng, _: f"/stats/summary?days={days}&until={times.to_text(_moment(rng))}"


KINDS: Final[dict[str, Make]] = {
    "detail, any id": lambda rng, facts: f"/runs/{rng.choice(facts.ids)}",
    "detail, newest 1000": lambda rng, facts: f"/runs/{rng.choice(facts.newest)}",
    "detail, unknown id": _unknown,
    "first page": lambda rng, _: f"/runs?offset={rng.randrange(50)}",
    "page of failures": lambda rng, _: f"/runs?success=false&offset={rng.randrange(50)}",
    "page of a frequent task": lambda rng, facts: f"/runs?task_id={_frequent(rng, facts)}&offset={rng.randrange(50)}",
    "page of a rare task": lambda rng, facts: f"/runs?task_id={_rare(rng, facts)}&limit={rng.randrange(20, 51)}",
    "page at half the history": lambda rng, facts: f"/runs?offset={facts.runs // 2 + rng.randrange(10_000)}",
    "page in 30 days": _window,
    "latest of a frequent task": lambda rng, facts: f"/task/{_frequent(rng, facts)}/latest",
    "latest of a rare task": lambda rng, facts: f"/task/{_rare(rng, facts)}/latest",
    "latest of a long-silent task": lambda rng, facts: f"/task/{_silent(rng, facts)}/latest",
    "task stats, 30 days": _stats(30),
    "task stats, 365 days": _stats(365),
    "summary, 7 days": _summary(7),
    "summary, 365 days": _summary(365),
}
# Asked once more while runs arrive.
BESIDE: Final = (
    "detail, any id",
    "first page",
    "page of failures",
    "latest of a frequent task",
    "task stats, 30 days",
    "summary, 7 days",
)
MISSING: Final = frozenset({"detail, unknown id"})  # answered with 404


def paths(kind: str, facts: Facts) -> list[str]:
    """The paths of one kind; the same for every system."""
    rng = random.Random(f"{SEED} {kind}")
    return [KINDS[kind](rng, facts) for _ in range(PATHS)]


def write(work: Path, name: str, asked: Sequence[str]) -> Path:
    """The file of paths that the load generator reads."""
    file = work / f"{name.replace(' ', '-').replace(',', '')}.urls"
    file.write_text("\n".join(asked) + "\n")
    return file


def mixed(facts: Facts) -> list[str]:
    """All kinds in equal parts, shuffled; without those answered by 404, so that every answer has to be 200."""
    found = [path for kind in KINDS if kind not in MISSING for path in paths(kind, facts)]
    random.Random(SEED).shuffle(found)
    return found
