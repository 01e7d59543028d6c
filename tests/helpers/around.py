"""Errors, owners, breakdowns and the context of a run by brute force, from the contract."""

from __future__ import annotations

import math
import uuid
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from oracle import DAY, Json, Oracle, Row, group_of, percentile, run_at, shown, text_of, took

_LEAST: Final = 30  # finished runs that a comparison of failures needs
_NEW: Final = 28 * DAY
_ATTEMPTS: Final = 31 * DAY  # how far from a run its other attempts are looked for


def is_in(row: Row, low: int, high: int) -> bool:
    """Whether a run started in a window."""
    return row["started_at"] is not None and low <= row["started_at"] < high


def newest(rows: Sequence[Row]) -> Row:
    """The run with the latest run time; of equal ones the higher id."""
    return max(rows, key=lambda row: (run_at(row), row["id"].int))


def groups(oracle: Oracle, now: int, start: int, end: int, *others: str, **asked: Any) -> Json:
    """GET /errors with no limit, by group; the totals as those of `all`. Of `others` what GET /errors/{group} says."""
    length = end - start
    failed = [row for row in oracle.selected(now, **asked) if row["success"] is False]
    inside = [row for row in failed if is_in(row, start, end)]
    before = [row for row in failed if is_in(row, max(0, start - length), start)]
    answer: Json = {"all": {"total_failed": len(inside), "without_text": sum(group_of(row) is None for row in inside)}}
    for group in {*others, *(group for row in inside if (group := group_of(row)))}:
        mine = [row for row in inside if group_of(row) == group]
        every = [run_at(row) for row in oracle.rows if group_of(row) == group]
        spark = Counter((run_at(row) - start) * 30 // length for row in mine)
        answer[group] = {
            "runs": len(mine),
            "previous_runs": sum(group_of(row) == group for row in before),
            "tasks": len({row["task_id"] for row in mine}),
            "owners": len({row["lease_owner"] for row in mine} - {None}),
            "first_seen": text_of(min(every)),
            "last_seen": text_of(max(map(run_at, mine))) if mine else None,
            "is_new": not any(start - _NEW <= at < start for at in every),
            "sample": str(newest(mine)["id"]) if mine else None,
            "spark": [spark[part] for part in range(30)],
        }
    return answer


def failure_z(failed: int, finished: int, other_failed: int, other_finished: int) -> float | None:
    """The difference of two shares of failures, in standard errors."""
    if finished < _LEAST or other_finished < _LEAST:
        return None
    p = (failed + other_failed) / (finished + other_finished)
    error = math.sqrt(p * (1 - p) * (1 / finished + 1 / other_finished))
    return (failed / finished - other_failed / other_finished) / error if error else None


def _figures(rows: Sequence[Row]) -> tuple[int, int, float | None]:
    durations = [us for row in rows if (us := took(row)) is not None]
    average = sum(durations) / len(durations) / 1e6 if durations else None
    return len(rows), sum(row["success"] is False for row in rows), average


def owners(oracle: Oracle, now: int, start: int, end: int) -> dict[str, Json]:
    """The figures of GET /stats/owners, by owner."""
    inside = [row for row in oracle.rows if is_in(row, start, end) and row["lease_owner"] is not None]
    before = [row for row in oracle.rows if is_in(row, max(0, 2 * start - end), start)]
    finished = Counter(row["lease_owner"] for row in inside if row["success"] is not None)
    failed = Counter(row["lease_owner"] for row in inside if row["success"] is False)
    answer = {}
    for owner in {row["lease_owner"] for row in inside}:
        mine = [row for row in inside if row["lease_owner"] == owner]
        runs, bad, average = _figures(mine)
        previous = _figures([row for row in before if row["lease_owner"] == owner])
        opened = [row for row in mine if row["success"] is None]
        answer[owner] = {
            "runs": runs,
            "failed": bad,
            "open": len(opened),
            "lost": sum(row["leased_until"] is not None and row["leased_until"] < now for row in opened),
            "last_seen": text_of(max(map(run_at, mine))),
            "avg_seconds": average,
            "failure_z": failure_z(bad, finished[owner], failed.total() - bad, finished.total() - finished[owner]),
            "previous_runs": previous[0],
            "previous_failed": previous[1],
            "previous_avg_seconds": previous[2],
        }
    return answer


def _power(row: Row) -> float | None:
    us = took(row)
    if not us:
        return us
    # The largest power of two that is not longer, without a logarithm.
    seconds = 2.0**-20
    while seconds * 2 * 1_000_000 <= us:
        seconds *= 2
    return seconds


VALUES: Final[dict[str, Callable[[Row], Any]]] = {
    "task": lambda row: str(row["task_id"]),
    "owner": lambda row: row["lease_owner"],
    "error_group": group_of,
    "attempt": lambda row: row["attempt"],
    "hour": lambda row: run_at(row) // 3_600_000_000 % 24,
    "duration": _power,
}


def breakdown(selected: Sequence[Row], others: Sequence[Row], kind: str) -> dict[Any, tuple[int, int]]:
    """The runs of each value among both."""
    value = VALUES[kind]
    chosen, rest = Counter(map(value, selected)), Counter(map(value, others))
    if kind in ("error_group", "duration"):
        chosen.pop(None, None)
    return {key: (count, rest[key]) for key, count in chosen.items()}


def neighbours(oracle: Oracle, run_id: uuid.UUID) -> Json:
    """The runs of the same task around one run."""
    (row,) = [row for row in oracle.rows if row["id"] == run_id]
    mine = [other for other in oracle.rows if other["task_id"] == row["task_id"]]  # the newest first
    place = mine.index(row)
    good = [other["success"] is True for other in mine]
    before = next((n for n in range(place + 1, len(mine)) if good[n]), None)
    after = next((n for n in range(place - 1, -1, -1) if good[n]), None)
    return {
        "previous": str(mine[place + 1]["id"]) if place + 1 < len(mine) else None,
        "next": str(mine[place - 1]["id"]) if place else None,
        "last_success_before": None if before is None else short(mine[before]),
        "next_success_after": None if after is None else short(mine[after]),
    }


def _ended(row: Row) -> int | None:
    """When an attempt ended that may be followed by another one: it failed, or its lease ended before it did."""
    ended: int | None = row["leased_until"] if row["success"] is None else row["finished_at"]
    return None if row["success"] else ended


def attempts(oracle: Oracle, row: Row) -> tuple[list[Json], int]:
    """The attempts of the work of a run in short; and among how many one of them was chosen, at most."""
    mine = [
        other
        for other in oracle.rows
        if other["task_id"] == row["task_id"] and abs(run_at(other) - run_at(row)) <= _ATTEMPTS
    ]
    numbered: dict[int, list[Row]] = {}
    for other in mine:
        numbered.setdefault(other["attempt"], []).append(other)

    def next_at(one: Row) -> int | None:
        ended = _ended(one)
        moments = [run_at(other) for other in numbered.get(one["attempt"] + 1, ())]
        return None if ended is None else min((at for at in moments if ended <= at <= ended + DAY), default=None)

    chain, choices = [row], [1]
    while rivals := [one for one in numbered.get(chain[0]["attempt"] - 1, ()) if next_at(one) == run_at(chain[0])]:
        choices.append(len(rivals))
        chain.insert(0, max(rivals, key=lambda one: (_ended(one), one["id"].int)))
    while (moment := next_at(chain[-1])) is not None:
        last = chain[-1]["attempt"]
        choices.append(sum(next_at(one) == moment for one in numbered[last]))
        others = [one for one in numbered[last + 1] if run_at(one) == moment]
        chain.append(min(others, key=lambda one: (_ended(one) is None, one["id"].int)))
    return [short(one) for one in chain], max(choices)


def short(row: Row) -> Json:
    """A run in short."""
    whole = shown(row)
    return {name: whole[name] for name in ("id", "attempt", "started_at", "finished_at", "success")}


def rank(oracle: Oracle, row: Row, days: int) -> Json | None:
    """How the duration of a run compares with those of other runs of its task."""
    mine = took(row)
    at = run_at(row)
    others = [
        us
        for other in oracle.rows
        if other["task_id"] == row["task_id"] and other is not row and at - days * DAY <= run_at(other) <= at
        if (us := took(other)) is not None
    ]
    if mine is None or not others:
        return None
    return {"share_faster": sum(us < mine for us in others) / len(others), "of": len(others), "days": days}


def _buckets(micros: Sequence[int]) -> Counter[int]:
    return Counter(us if us < 50 else 50 + math.floor(math.log(us / 50) / math.log(1.0198)) for us in micros)


def slower(now: Sequence[int], before: Sequence[int]) -> float | None:
    """The probability that a duration of now is longer than one before, by buckets, equal ones by half."""
    if not now or not before:
        return None
    of_now, of_before = _buckets(now), _buckets(before)
    wins = sum(
        n * m * (1.0 if here > there else 0.5 if here == there else 0.0)
        for here, n in of_now.items()
        for there, m in of_before.items()
    )
    return wins / len(now) / len(before)


def _sequence(rows: Sequence[Row]) -> tuple[int, int]:
    """Streak and flips of finished runs; of equal run times failures come first."""
    results = [row["success"] for row in sorted(rows, key=lambda row: (run_at(row), row["success"]))]
    flips = sum(one is not other for one, other in pairwise(results))
    length = 0
    while length < len(results) and results[-1 - length] is results[-1]:
        length += 1
    return (length if results and results[-1] else -length), flips


def tasks(oracle: Oracle, now: int, start: int, end: int) -> dict[str, Json]:
    """The figures of GET /stats/tasks, by task."""
    length = end - start
    gap_from = max(0, (end - 28 * DAY) // DAY * DAY)
    before_from = max(0, start - length)
    answer = {}
    for task, mine in oracle.by_task.items():
        queued = sum(row["success"] is None and row["started_at"] is None for row in mine)
        seen = [row for row in mine if is_in(row, min(gap_from, before_from), end)]
        if not seen and not queued:
            continue
        rows = [row for row in seen if is_in(row, start, end)]
        before = [row for row in seen if is_in(row, before_from, start)]
        finished = [row for row in rows if row["success"] is not None]
        failed = sum(row["success"] is False for row in rows)
        durations, earlier = ([us for row in some if (us := took(row)) is not None] for some in (rows, before))
        gaps = sorted(run_at(row) for row in seen if row["success"] is not None and is_in(row, gap_from, end))
        streak, flips = _sequence(finished)
        outcome = max(
            ((run_at(row), ("failed", "success", "open").index(kind_of(row))) for row in rows), default=(None, None)
        )
        before_finished = [row for row in before if row["success"] is not None]
        before_failed = sum(row["success"] is False for row in before)
        answer[str(task)] = {
            "runs": len(rows),
            "failed": failed,
            "open": len(rows) - len(finished),
            "queued": queued,
            "retried": sum(row["attempt"] > 1 for row in finished),
            "success_rate": (len(finished) - failed) / len(finished) if finished else None,
            "avg_seconds": sum(durations) / len(durations) / 1e6 if durations else None,
            "p50_seconds": percentile(durations, Fraction(1, 2)),
            "p95_seconds": percentile(durations, Fraction(95, 100)),
            "max_seconds": max(durations) / 1e6 if durations else None,
            "last_run": None if outcome[0] is None else text_of(outcome[0]),
            "last_outcome": None if outcome[1] is None else ("failed", "success", "open")[outcome[1]],
            "streak": streak,
            "flips": flips,
            "silent_seconds": (min(end, now) - max(map(run_at, seen))) / 1e6 if seen else None,
            "longest_gap_seconds": max((b - a for a, b in pairwise(gaps)), default=None),
            "previous_runs": len(before),
            "previous_failed": before_failed,
            "previous_p95_seconds": percentile(earlier, Fraction(95, 100)),
            "slower": slower(durations, earlier),
            "failure_z": failure_z(failed, len(finished), before_failed, len(before_finished)),
        }
        gap = answer[str(task)]["longest_gap_seconds"]
        answer[str(task)]["longest_gap_seconds"] = None if gap is None else gap / 1e6
    return answer


def kind_of(row: Row) -> str:
    """What became of a run."""
    return "open" if row["success"] is None else "success" if row["success"] else "failed"


def attention(figures: Json, timed: int, timed_before: int) -> int:
    """How much attention a task needs: it fails (3), is slower (2), is silent (1), or none of these."""
    if figures["streak"] <= -1:
        return 3
    ratio = None
    if figures["p95_seconds"] and figures["previous_p95_seconds"]:
        ratio = figures["p95_seconds"] / figures["previous_p95_seconds"]
    if min(timed, timed_before) >= _LEAST and ratio is not None and figures["slower"] >= 0.65 and ratio >= 1.25:
        return 2
    gap = figures["longest_gap_seconds"]
    return int(gap is not None and figures["silent_seconds"] > 2 * gap)


def timed(oracle: Oracle, task: str, start: int, end: int) -> tuple[int, int]:
    """Timed runs of a task in a window, and in the one before it."""
    mine = [row for row in oracle.by_task[uuid.UUID(task)] if took(row) is not None]
    windows = ((start, end), (max(0, 2 * start - end), start))
    before, now = (sum(is_in(row, *span) for row in mine) for span in reversed(windows))
    return now, before
