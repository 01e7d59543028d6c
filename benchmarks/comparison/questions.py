"""The questions: for each kind several hundred different paths, from a seed."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Final
from urllib.parse import quote

from benchmarks.comparison.lake import END, SEED, Facts

from runlake import times
from runlake.model import RunsQuery
from runlake.query import cursor
from runlake.query.filters import NOW_US

PATHS: Final = 400
_FREQUENT: Final = 20
_RARE: Final = 200
_RECENT_US: Final = 60 * times.DAY_US
_MONTH_US: Final = 30 * times.DAY_US
_WORKERS: Final = 200  # worker-000 and so on
_TEXTS: Final = ("connection RESET", "could not convert", "unable to allocate", "customer_id", "no answer from 10.2")
_COUNTS: Final = "runs,failed,open,retried,success_rate,avg_seconds,max_seconds,last_run"

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


def _between(rng: random.Random, days: int) -> str:
    """The two parameters of a window of so many days that ends now, which is the end of the history, cut to 10 s."""
    end = END - rng.randrange(PATHS) * NOW_US
    return f"start_time={times.to_text(end - days * times.DAY_US)}&end_time={times.to_text(end)}"


def _owner(days: int) -> Make:
    return lambda rng, _: f"/runs?lease_owner=worker-{rng.randrange(_WORKERS):03d}&{_between(rng, days)}"


def _retries(days: int) -> Make:
    return lambda rng, _: f"/runs?attempt_min={rng.randrange(2, 4)}&{_between(rng, days)}"


def _long(days: int) -> Make:
    return lambda rng, _: f"/runs?duration_min={rng.randrange(60, 600)}&{_between(rng, days)}"


def _words(days: int) -> Make:
    return lambda rng, _: f"/runs?error={quote(rng.choice(_TEXTS))}&{_between(rng, days)}"


def _longest(days: int) -> Make:
    return lambda rng, _: f"/runs?order=duration&offset={rng.randrange(50)}&{_between(rng, days)}"


def _cursor(rng: random.Random, facts: Facts) -> str:
    at, run_id = rng.choice(facts.middle)
    return f"/runs?cursor={cursor.token(RunsQuery(), at, uuid.UUID(run_id), before=False)}"


def _in_window(path: str, days: int) -> Make:
    """A path that ends where the parameters of a window begin."""
    return lambda rng, _: f"{path}{_between(rng, days)}"


def _fleet(measures: str, days: int, spark: int = 30) -> Make:
    return _in_window(f"/stats/tasks?compare=none&sort=runs&spark={spark}&measures={measures}&", days)


def _stats(days: int) -> Make:
    return lambda rng, facts: f"/task/{_frequent(rng, facts)}/stats?days={days}&until={times.to_text(_moment(rng))}"


def _summary(days: int) -> Make:
    return lambda rng, _: f"/stats/summary?days={days}&until={times.to_text(_moment(rng))}"


# Of the five routes that were there first.
FIRST: Final[dict[str, Make]] = {
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
# Their windows end now: people look at what is going on.
LATER: Final[dict[str, Make]] = {
    "page of an owner, 7 days": _owner(7),
    "page of an owner, 30 days": _owner(30),
    "page of retries, 7 days": _retries(7),
    "page of retries, 30 days": _retries(30),
    "page of long runs, 7 days": _long(7),
    "page of long runs, 30 days": _long(30),
    "page by words of the error, 7 days": _words(7),
    "page by words of the error, 30 days": _words(30),
    "page by duration, 7 days": _longest(7),
    "page by duration, 30 days": _longest(30),
    "page by cursor at half the history": _cursor,
    "histogram, 7 days": _in_window("/stats/histogram?width=1h&", 7),
    "histogram, 30 days": _in_window("/stats/histogram?width=6h&", 30),
    "histogram, 365 days": _in_window("/stats/histogram?width=1d&", 365),
    "histogram in Kolkata, 30 days": _in_window("/stats/histogram?width=1d&tz=Asia/Kolkata&", 30),
    "histogram of a task, 30 days": lambda rng, facts: (
        f"/stats/histogram?width=6h&task_id={_frequent(rng, facts)}&{_between(rng, 30)}"
    ),
    "histogram by task, 30 days": _in_window("/stats/histogram?width=6h&by=task&", 30),
    "histogram by owner, 30 days": _in_window("/stats/histogram?width=6h&by=owner&", 30),
    "density, 7 days": _in_window("/stats/durations?", 7),
    "density, 30 days": _in_window("/stats/durations?", 30),
    "density, 365 days": _in_window("/stats/durations?", 365),
    "names of tasks": lambda _rng, _facts: "/tasks/names",
    "about": lambda _rng, _facts: "/about",
    "fleet, 7 days": _fleet(_COUNTS, 7),
    "fleet, 30 days": _fleet(_COUNTS, 30),
    "fleet, 365 days": _fleet(_COUNTS, 365),
    "fleet with percentiles, 30 days": _fleet("runs,p50_seconds,p95_seconds", 30),
    "fleet with sequences, 30 days": _fleet("runs,flips", 30, spark=0),
    "owners, 30 days": _in_window("/stats/owners?compare=none&", 30),
    "errors, 30 days": _in_window("/errors?", 30),
    "one group of errors, 30 days": lambda rng, facts: f"/errors/{rng.choice(facts.groups)}?{_between(rng, 30)}",
    "context of a run": lambda rng, facts: f"/runs/{rng.choice(facts.ids)}/context",
    "breakdown, 7 days": _in_window("/stats/breakdown?success=false&by=task,owner,attempt,hour&", 7),
}
KINDS: Final = FIRST | LATER
# Peers answer some of it.
PARTLY: Final = frozenset({"density, 7 days", "density, 30 days", "density, 365 days", "errors, 30 days"})
# No peer answers.
ALONE: Final = frozenset({"one group of errors, 30 days", "context of a run", "names of tasks", "about"})
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
RARE: Final = frozenset(kind for kind in FIRST if "of a rare task" in kind or "long-silent" in kind)


def paths(kind: str, facts: Facts) -> list[str]:
    """The paths of one kind; the same for every system."""
    rng = random.Random(f"{SEED} {kind}")
    return [KINDS[kind](rng, facts) for _ in range(PATHS)]


def write(work: Path, name: str, asked: Sequence[str]) -> Path:
    """The file of paths that the load generator reads."""
    file = work / f"{name.replace(' ', '-').replace(',', '')}.urls"
    file.write_text("\n".join(asked) + "\n")
    return file


def mixed(facts: Facts, *, without: Collection[str] = ()) -> list[str]:
    """The first kinds in equal parts, shuffled; without those answered by 404, so that every answer has to be 200.

    Later ones are not in it: scans wait for each other, and what was measured before stays comparable.
    """
    found = [path for kind in FIRST if kind not in MISSING and kind not in without for path in paths(kind, facts)]
    random.Random(SEED).shuffle(found)
    return found
