"""The newer questions of the API put to a peer's session: SQL groups and ranks, Python lays out the columns.

Left out, which favours the peers: `queued`, `failure_z`, and of sequences all but `flips`. Of `/stats/durations` and
`/errors` they answer only what they can know of: the runs that were timed, were open, have failed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from benchmarks.peers.protocol import Row, Session
from msgspec import UNSET

from runlake import times
from runlake.model import BreakdownQuery, DurationsQuery, ErrorsQuery, Filter, HistogramQuery, OwnersQuery, TasksQuery
from runlake.query import spark

Json = dict[str, Any]

_WIDTHS: Final = {"1h": times.HOUR_US, "6h": 6 * times.HOUR_US, "1d": times.DAY_US}  # those that are asked for
_SHIFTS: Final = {"UTC": 0, "Asia/Kolkata": 330 * 60_000_000}  # zones that never change, and their microseconds
_WINDOW: Final = ("since", "before")
_GAPS_US: Final = 28 * times.DAY_US  # a task is in the fleet when it ran in so long a time before the end
_SHARES: Final = 10


def histogram(session: Session, query: HistogramQuery) -> Json:
    """GET /stats/histogram, of one width in a zone that never changes, of all tasks or of one."""
    low, high, bound = _window(query)
    width, shift = _WIDTHS[str(query.width)], _SHIFTS[query.tz]
    first = (low + shift) // width
    size = (high - 1 + shift) // width - first + 1
    bound |= {"width": width, "shift": shift}
    where: Sequence[str] = _WINDOW
    if query.task_id is not UNSET:
        where, bound = (*_WINDOW, "by_task"), bound | {"task_id": query.task_id[0]}
    timed, us = [0] * size, [0] * size
    runs: dict[str | None, list[int]] = {}
    if query.by == "outcome":
        runs = {key: [0] * size for key in ("success", "failed", "open")}
        for bucket, *counts, of_timed, of_us in session.rows("histogram", where, bound):
            for key, count in zip(runs, counts, strict=True):
                runs[key][bucket - first] = count
            timed[bucket - first], us[bucket - first] = of_timed, of_us or 0
    else:
        for bucket, key, count, of_timed, of_us in session.rows(f"histogram_by_{query.by}", where, bound):
            runs.setdefault(None if key is None else str(key), [0] * size)[bucket - first] = count
            timed[bucket - first] += of_timed
            us[bucket - first] += of_us or 0
    return {
        "start": times.to_datetime(low),
        "end": times.to_datetime(high),
        "width": query.width,
        "tz": query.tz,
        "edges": [times.to_datetime((first + n) * width - shift) for n in range(size + 1)],
        "series": [{"key": key, "runs": counts} for key, counts in runs.items()],
        "timed": timed,
        "seconds": [micros / 1e6 for micros in us],
        "total": sum(map(sum, runs.values())),
    }


def durations(session: Session, query: DurationsQuery) -> Json:
    """Of GET /stats/durations the counts: each system would have buckets of its own."""
    *_, bound = _window(query)
    _, _, _, _, opened, timed, *_ = session.rows("totals", _WINDOW, bound)[0]
    return {"timed": timed, "open": opened}


def errors(session: Session, query: ErrorsQuery) -> Json:
    """Of GET /errors the failed runs: no other system has the fingerprint of an error."""
    *_, bound = _window(query)
    _, _, _, failed, *_ = session.rows("totals", _WINDOW, bound)[0]
    return {"total_failed": failed}


def tasks(session: Session, query: TasksQuery) -> Json:
    """GET /stats/tasks by runs, not compared with the window before."""
    low, high, bound = _window(query)
    first = min(low, (high - _GAPS_US) // times.DAY_US * times.DAY_US)
    rows = session.rows("fleet", _WINDOW, bound | {"since": first, "start": low})
    order = [row[0] for row in rows]
    columns: Json = {"task_id": order, "name": [None] * len(rows)}
    for name, values in zip(
        ("runs", "failed", "open", "retried", "success_rate", "avg_seconds", "max_seconds", "last_run"),
        zip(*map(_task, rows), strict=True),
        strict=True,
    ):
        columns[name] = values
    if "p95_seconds" in query.measures:  # type: ignore[operator]
        found = {task: (p50, p95) for task, p50, p95 in session.rows("fleet_percentiles", _WINDOW, bound)}
        for at, name in enumerate(("p50_seconds", "p95_seconds")):
            columns[name] = [_seconds(found.get(task, (None, None))[at]) for task in order]
    if "flips" in query.measures:  # type: ignore[operator]
        flips: dict[Any, int] = dict(session.rows("fleet_flips", _WINDOW, bound))
        columns["flips"] = [flips.get(task, 0) for task in order]
    return {
        **_compared_with_nothing(low, high),
        "total_tasks": len(rows),
        "truncated": False,
        "columns": {name: columns[name] for name in ("task_id", "name", *query.measures)},  # type: ignore[misc]
        "spark": _spark(session, "fleet_spark", (low, high, query.spark), bound, order),
    }


def owners(session: Session, query: OwnersQuery) -> Json:
    """GET /stats/owners, not compared with the window before."""
    low, high, bound = _window(query)
    rows = session.rows("owners", _WINDOW, bound | {"now": times.now()})
    order = [row[0] for row in rows]
    names = ("owner", "runs", "failed", "open", "lost", "last_seen")
    columns: Json = dict(zip(names, zip(*(row[:6] for row in rows), strict=True), strict=True))
    columns["last_seen"] = [times.to_datetime(at) for at in columns["last_seen"]]
    columns["avg_seconds"] = [_average(timed, us) for *_, timed, us in rows]
    columns |= dict.fromkeys(("previous_runs", "previous_failed", "previous_avg_seconds"), [None] * len(rows))
    return {
        **_compared_with_nothing(low, high),
        "total_owners": len(rows),
        "truncated": False,
        "columns": columns,
        "spark": _spark(session, "owners_spark", (low, high, query.spark), bound, order),
    }


def breakdown(session: Session, query: BreakdownQuery) -> Json:
    """GET /stats/breakdown of the failed runs against the rest."""
    *_, bound = _window(query)
    (_, _, selected, baseline), *rows = session.rows("breakdown", _WINDOW, bound | {"top": _SHARES})
    by: dict[str, list[Json]] = {str(kind): [] for kind in query.by}  # type: ignore[union-attr]
    for kind, value, chosen, others in rows:
        share, other = chosen / selected, others / baseline if baseline else 0.0
        by[kind].append(
            {
                "value": int(value) if kind in ("attempt", "hour") else value,
                "selected": chosen,
                "baseline": others,
                "selected_share": share,
                "baseline_share": other,
                "lift": share / other if other else None,
            }
        )
    return {"selected": selected, "baseline": baseline, "by": by}


def _window(query: Filter | TasksQuery | OwnersQuery) -> tuple[int, int, Json]:
    """Start, end, and both as parameters."""
    low, high = int(query.start_time), int(query.end_time)  # type: ignore[arg-type]
    return low, high, {"since": low, "before": high}


def _compared_with_nothing(low: int, high: int) -> Json:
    return {
        "start": times.to_datetime(low),
        "end": times.to_datetime(high),
        "previous_start": None,
        "previous_complete": None,
    }


def _task(row: Row) -> tuple[Any, ...]:
    _, runs, failed, opened, retried, timed, us, longest, last = row
    finished = runs - opened
    rate = (finished - failed) / finished if finished else None
    at = None if last is None else times.to_datetime(last)
    return runs, failed, opened, retried, rate, _average(timed, us), _seconds(longest), at


def _average(timed: int, us: int | None) -> float | None:
    return (us or 0) / timed / 1e6 if timed else None


def _seconds(us: float | None) -> float | None:
    return None if us is None else us / 1e6


def _spark(
    session: Session, question: str, window: tuple[int, int, int], bound: Json, order: Sequence[Any]
) -> Json | None:
    parts = spark.parts_of(*window)
    if not parts.width:
        return None
    first = parts.origin // parts.width
    place = {key: at for at, key in enumerate(order)}
    lines: list[list[list[int]]] = [[[0] * parts.count for _ in order] for _ in range(2)]
    rows: Iterable[Row] = session.rows(question, _WINDOW, bound | {"width": parts.width})
    for key, part, *counts in rows:
        for line, count in zip(lines, counts, strict=True):
            line[place[key]][part - first] = count
    return {
        "start": times.to_datetime(parts.origin),
        "width_seconds": parts.width // 1_000_000,
        "runs": lines[0],
        "failed": lines[1],
    }
