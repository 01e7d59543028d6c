"""The Runs API by brute force: plain Python over a list of dicts, written from the contract and not from the SQL.

A row has the fields of a run: ids as UUID, times as int microseconds since the epoch, `output` as JSON text.
Answers are the decoded JSON the service must give; `assert_same` compares the two.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from functools import cache
from typing import Any, Final, NamedTuple

Row = dict[str, Any]
Json = dict[str, Any]
Test = Callable[[Row], bool]

DAY: Final = 24 * 60 * 60 * 1_000_000
TIMES: Final = ("leased_until", "started_at", "finished_at", "created_at")
FIELDS: Final = (
    "id",
    "task_id",
    "lease_owner",
    "leased_until",
    "started_at",
    "finished_at",
    "success",
    "error",
    "attempt",
    "output",
    "created_at",
)
_EXACT_BELOW: Final = 50
_EPOCH: Final = datetime(1970, 1, 1)


def text_of(micros: int) -> str:
    """A time as the API writes it."""
    return (_EPOCH + timedelta(microseconds=micros)).isoformat() + "Z"


def run_at(row: Row) -> int:
    """The run time."""
    started = row["started_at"]
    return int(row["created_at"] if started is None else started)


def took(row: Row) -> int | None:
    """Execution time in microseconds, of runs that have one."""
    if row["finished_at"] is None or row["started_at"] is None:
        return None
    return int(row["finished_at"] - row["started_at"])


def shown(row: Row, *, errors: bool = True) -> Json:
    """A run as it is answered."""
    answer = dict(row)
    answer["id"], answer["task_id"] = str(row["id"]), str(row["task_id"])
    for name in TIMES:
        answer[name] = None if row[name] is None else text_of(row[name])
    answer["output"] = None if row["output"] is None else json.loads(row["output"])
    if not errors:
        answer["error"] = None
    return answer


def _rate(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _seconds(micros: Sequence[int]) -> float:
    """The average, in seconds."""
    return sum(micros) / len(micros) / 1e6 if micros else 0.0


class Between(NamedTuple):
    """Any number of seconds between two durations (microseconds), each within 1 %, or exact below 50."""

    low: int
    high: int

    def holds(self, answer: float) -> bool:
        """Whether an answer is one of them."""
        low = self.low * (1.0 if self.low < _EXACT_BELOW else 0.99)
        high = self.high * (1.0 if self.high < _EXACT_BELOW else 1.01)
        return low / 1e6 - 1e-12 <= answer <= high / 1e6 + 1e-12


def percentile(micros: Sequence[int], p: Fraction) -> Between | None:
    """What lies at rank p * (n - 1): the durations on both sides of it; None when there is none."""
    if not micros:
        return None
    ordered = sorted(micros)
    rank = p * (len(ordered) - 1)
    return Between(ordered[math.floor(rank)], ordered[math.ceil(rank)])


class _Figures:
    """What every answer says about some runs."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = list(rows)
        self.good = sum(row["success"] is True for row in self.rows)
        self.bad = sum(row["success"] is False for row in self.rows)
        self.finished = self.good + self.bad
        self.took = [us for row in self.rows if (us := took(row)) is not None]

    def counts(self) -> Json:
        return {
            "total_runs": len(self.rows),
            "successful_runs": self.good,
            "failed_runs": self.bad,
            "open_runs": len(self.rows) - self.finished,
            "success_rate": _rate(self.good, self.finished),
            "avg_execution_time_seconds": _seconds(self.took),
        }

    def totals(self) -> Json:
        return {**self.counts(), "failure_rate": _rate(self.bad, self.finished)}

    def percentiles(self, *ps: int) -> Json:
        return {f"p{p}_execution_time_seconds": percentile(self.took, Fraction(p, 100)) for p in ps}


def kinds(row: Row, now: int) -> set[str]:
    """The words of `status` that fit a run."""
    if row["success"] is not None:
        return {"success" if row["success"] else "failed"}
    lost = row["leased_until"] is not None and row["leased_until"] < now
    return {
        *(["queued"] if row["started_at"] is None else []),
        *(["lost"] if lost else []),
        *(["running"] if row["started_at"] is not None and not lost else []),
    }


def _micros(seconds: float) -> Fraction:
    """Of what stands in a query string, exactly."""
    return Fraction(repr(seconds)) * 1_000_000


def _at_least(least: Fraction) -> Test:
    return lambda row: (us := took(row)) is not None and us >= least


def _at_most(most: Fraction) -> Test:
    return lambda row: (us := took(row)) is not None and us <= most


def group_of(row: Row) -> str | None:
    """The group of errors of a failed run, for a text that is no traceback; the corpus of errors has the others."""
    return _group(row["error"] or "") if row["success"] is False else None


@cache
def _group(error: str) -> str | None:
    text = error.replace("\r", "").strip("\n\t ")
    if not text:
        return None
    line = text.split("\n")[0]
    kind = re.match(r"([A-Za-z_$][\w.$]*)(?::|$)", line, re.ASCII)
    rest = line[kind.end() :] if kind else line
    message = re.sub(r"[+-]?[0-9]+(?:[.,][0-9]+)*", "<n>", rest).strip(" ")
    parts = "\n".join((kind[1] if kind else "", message, ""))
    return f"v1:{hashlib.md5(parts.encode(), usedforsecurity=False).hexdigest()[:16]}"


# Each filter parameter: from its value and the time now to a test of runs.
TESTS: Final[dict[str, Callable[[Any, int], Test]]] = {
    "task_id": lambda value, _: lambda row: row["task_id"] in (value if isinstance(value, list) else [value]),
    "success": lambda value, _: lambda row: row["success"] is value,
    "start_time": lambda value, _: lambda row: row["started_at"] is not None and value <= row["started_at"],
    "end_time": lambda value, _: lambda row: row["started_at"] is not None and row["started_at"] < value,
    "status": lambda value, now: lambda row: bool(kinds(row, now) & set(value)),
    "lease_owner": lambda value, _: lambda row: row["lease_owner"] == value,
    "attempt_min": lambda value, _: lambda row: row["attempt"] >= value,
    "duration_min": lambda value, _: _at_least(_micros(value)),
    "duration_max": lambda value, _: _at_most(_micros(value)),
    "error": lambda value, _: lambda row: row["error"] is not None and value.lower() in row["error"].lower(),
    "error_group": lambda value, _: lambda row: group_of(row) == value,
}


class Oracle:
    """Answers every question about a history."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self.rows = sorted(rows, key=lambda row: (run_at(row), row["id"].int), reverse=True)
        self._by_id = {row["id"]: row for row in self.rows}
        assert len(self._by_id) == len(self.rows), "a history holds no id twice"
        self.by_task: dict[uuid.UUID, list[Row]] = {}  # in the same order
        for row in self.rows:
            self.by_task.setdefault(row["task_id"], []).append(row)

    def selected(self, now: int, **asked: Any) -> list[Row]:
        """The runs that fit all filter parameters, the most recent first; `now` tells which leases are over."""
        tests = [TESTS[name](value, now) for name, value in asked.items() if value is not None]
        return [row for row in self.rows if all(test(row) for test in tests)]

    def page(
        self,
        *,
        include_errors: bool = False,
        limit: int = 50,
        offset: int = 0,
        order: str = "started",
        fields: Sequence[str] | None = None,
        now: int = 0,
        **asked: Any,
    ) -> Json:
        """GET /runs."""
        found = self.selected(now, **asked)
        if order == "duration":
            found = [row for row in found if took(row) is not None]
            found.sort(key=lambda row: (took(row), row["id"].int), reverse=True)
        items = [shown(row, errors=include_errors) for row in found[offset : offset + limit]]
        return {
            "items": [{name: item[name] for name in fields} for item in items] if fields else items,
            "total": len(found),
            "limit": limit,
            "offset": offset,
            "has_more": offset + limit < len(found),
        }

    def detail(self, run_id: uuid.UUID) -> Json | None:
        """GET /runs/{run_id}; None stands for 404."""
        return shown(self._by_id[run_id]) if run_id in self._by_id else None

    def latest(self, task_id: uuid.UUID) -> Json | None:
        """GET /task/{task_id}/latest."""
        return next(map(shown, self.by_task.get(task_id, [])), None)

    def task_stats(self, task_id: uuid.UUID, *, until: int, days: int = 30) -> Json:
        """GET /task/{task_id}/stats."""
        start = until - days * DAY
        rows = [row for row in self.by_task.get(task_id, []) if start <= run_at(row) <= until]
        figures = _Figures(rows)
        return {
            **figures.totals(),
            **figures.percentiles(50, 90, 95, 99),
            "task_id": str(task_id),
            "period_days": days,
            "window_start": text_of(start),
            "window_end": text_of(until),
            "retried_runs": sum(row["attempt"] > 1 for row in rows),
            "min_execution_time_seconds": min(figures.took) / 1e6 if figures.took else None,
            "max_execution_time_seconds": max(figures.took) / 1e6 if figures.took else None,
            "last_run": _newest(rows),
            "last_success": _newest(row for row in rows if row["success"] is True),
            "last_failure": _newest(row for row in rows if row["success"] is False),
            "current_streak": _streak([row["success"] for row in rows if row["success"] is not None]),
            "daily": _daily(rows, start, until),
        }

    def summary(self, *, until: int, days: int = 7) -> Json:
        """GET /stats/summary."""
        start = until - days * DAY
        rows = [row for row in self.rows if start <= run_at(row) <= until]
        before = [row for row in self.rows if start - days * DAY <= run_at(row) < start]
        tasks: dict[uuid.UUID, list[Row]] = {}
        for row in rows:
            tasks.setdefault(row["task_id"], []).append(row)
        ranked = [(task.int, _task(task, part)) for task, part in tasks.items()]
        failing = sorted((t for t in ranked if t[1]["failed_runs"]), key=lambda t: (-t[1]["failed_runs"], t[0]))
        timed = [t for t in ranked if t[1]["p95_execution_time_seconds"] is not None]
        slowest = sorted(timed, key=lambda t: (-t[1]["avg_execution_time_seconds"], t[0]))
        figures = _Figures(rows)
        return {
            **figures.totals(),
            **figures.percentiles(50, 90, 95, 99),
            "period_days": days,
            "window_start": text_of(start),
            "window_end": text_of(until),
            "total_tasks_executed": len(tasks),
            "runs_per_day": len(rows) / days,
            "daily": _daily(rows, start, until),
            "previous": {**_Figures(before).totals(), "total_tasks_executed": len({r["task_id"] for r in before})},
            "top_failing_tasks": [entry for _, entry in failing[:10]],
            "slowest_tasks": [entry for _, entry in slowest[:10]],
        }


def _newest(rows: Iterable[Row]) -> str | None:
    times = [run_at(row) for row in rows]
    return text_of(max(times)) if times else None


def _streak(results: Sequence[bool]) -> Json | None:
    """Of results, newest first."""
    if not results:
        return None
    length = next((i for i, result in enumerate(results) if result is not results[0]), len(results))
    return {"success": results[0], "length": length}


def _task(task: uuid.UUID, rows: Sequence[Row]) -> Json:
    figures = _Figures(rows)
    names = ("total_runs", "failed_runs", "success_rate", "avg_execution_time_seconds")
    counts = figures.counts()
    return {"task_id": str(task), **{name: counts[name] for name in names}, **figures.percentiles(95)}


def _daily(rows: Sequence[Row], start: int, until: int) -> list[Json]:
    """One entry for each UTC day from the one of `start` to the one of `until`."""
    by_day: dict[int, list[Row]] = {day: [] for day in range(start // DAY, until // DAY + 1)}
    for row in rows:
        by_day[run_at(row) // DAY].append(row)
    entries: list[Json] = []
    week: list[_Figures] = []
    for day, part in by_day.items():
        figures = _Figures(part)
        week = [*week, figures][-7:]
        entries.append(
            {
                **figures.counts(),
                **figures.percentiles(95),
                "date": text_of(day * DAY)[:10],
                "success_rate_7d": _rate(sum(f.good for f in week), sum(f.finished for f in week)),
                "avg_execution_time_seconds_7d": _seconds([us for f in week for us in f.took]),
            }
        )
    return entries


def assert_same(answer: Any, expected: Any, at: str = "") -> None:
    """Equal in every field; a float may differ by one part in a thousand million."""
    if isinstance(expected, Between):
        assert isinstance(answer, float), f"{at}: {answer!r} is not a float"
        assert expected.holds(answer), f"{at}: {answer!r} is not {expected!r}"
    elif isinstance(expected, dict):
        assert isinstance(answer, dict), at
        assert Counter(answer.keys()) == Counter(expected.keys()), f"{at}: other fields"
        for name, value in expected.items():
            assert_same(answer[name], value, f"{at}.{name}")
    elif isinstance(expected, list):
        assert isinstance(answer, list), at
        assert len(answer) == len(expected), f"{at}: {len(answer)} entries instead of {len(expected)}"
        for i, (one, other) in enumerate(zip(answer, expected, strict=True)):
            assert_same(one, other, f"{at}[{i}]")
    elif isinstance(expected, float):
        assert isinstance(answer, float), f"{at}: {answer!r} is not a float"
        assert math.isclose(answer, expected, rel_tol=1e-9, abs_tol=1e-12), f"{at}: {answer!r} != {expected!r}"
    else:
        assert type(answer) is type(expected) and answer == expected, f"{at}: {answer!r} != {expected!r}"
