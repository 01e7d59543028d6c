"""Statistics of a window: which spans it has, and the statements over them. All that is added up is SQL."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import UNSET, Struct

from runlake import duck, statements, times
from runlake.model import (
    DailyFigures,
    PreviousPeriod,
    Streak,
    Summary,
    SummaryQuery,
    TaskFigures,
    TaskStats,
    TaskStatsQuery,
)
from runlake.query.engine import Session
from runlake.query.spans import Spans, spans
from runlake.serving.counting import first_day

_TASK: Final = statements.blocks("runlake.query", "sql/statistics.sql")
_ALL: Final = statements.blocks("runlake.query", "sql/summary.sql")
_PERCENTS: Final = (50, 90, 95, 99)
_NO_TASK: Final = -1
Span = tuple[str, int, int]  # what is read, from the first up to, but without, the second


def _filled(text: str, **parts: object) -> str:
    for name, value in parts.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def _plain(name: str) -> str:
    """A fragment without its comment."""
    return " ".join(line for line in _TASK[name].splitlines() if not line.startswith("--"))


def _with_percentiles(text: str, percents: Sequence[int]) -> str:
    """A statement with what it says of each of these percentiles in its place."""
    return _filled(
        text,
        middle=_plain("middle"),
        neighbours=", ".join(_filled(_plain("neighbours"), p=p) for p in percents),
        between=", ".join(_filled(_plain("between"), p=p) for p in percents),
    )


_EVERY: Final = -1_000_000  # stands for all days of a window, before any that a window may have
_TASK_STATISTICS: Final = _with_percentiles(_filled(_TASK["task_statistics"], every=_EVERY), _PERCENTS)
_DURATIONS: Final = _with_percentiles(_ALL["percentiles"], _PERCENTS)
_RANKED_P95: Final = _with_percentiles(_ALL["ranked_percentile"], (95,))
_UNITS: Final = {"month": "month", "day": "day", "hour": "hour", "run": "run_at"}


class _Window(Struct, frozen=True):
    """The run times low <= t < high (microseconds), its spans, and what is read for the hours it cuts and for runs
    that are not counted yet: (source, low, high) of each.
    """

    low: int
    high: int
    spans: Spans
    runs: list[Span]

    @classmethod
    def of(cls, session: Session, low: int, high: int, *, months: bool = False) -> _Window:
        """`months`: take whole months where they are counted. Raises LakeDamaged when a file is not counted."""
        state = session.state
        state.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
        first = max(low, state.first_day * times.DAY_US)
        inside = spans(first, max(first, high), state.months if months else ())
        runs = [("uncounted_run", low, high)]
        for cut in inside.cuts:
            if (source := _source(session, *cut)) is not None:
                runs.append((source, *cut))
        return cls(low, high, inside, runs)

    @property
    def days(self) -> dict[str, int]:
        """Its first and last day, and the whole days of it that are counted as such, as parameters."""
        whole = [day for days in self.spans.days for day in days]
        whole += [first_day(month) for months in self.spans.months for month in months]
        return {
            "first_day": self.low // times.DAY_US,
            "last_day": (self.high - 1) // times.DAY_US,
            "whole_first": min(whole, default=0),
            "whole_last": max(whole, default=0),
        }

    @property
    def ranges(self) -> dict[str, list[Span]]:
        """What there is to read, by its kind: (source, low, high) of each; only runs have several sources."""
        found = self.spans
        kinds = {"month": found.months, "day": found.days, "hour": found.hours}
        return {kind: [("", *span) for span in ranges] for kind, ranges in kinds.items()} | {"run": self.runs}

    def cells(self, statements: Mapping[str, str], what: str, **parts: object) -> str:
        """One SELECT a span: the statements `month{what}`, `day{what}`, `hour{what}` and `run{what}`, together."""
        return " UNION ALL ".join(
            _filled(statements[f"{kind}{what}"], low=low, high=high, runs=source, **parts)
            for kind, spans in self.ranges.items()
            for source, low, high in spans
        )


def _of_both(before: _Window, now: _Window) -> str:
    """The cells of two windows that touch: spans that do, or that miss one another by a day or an hour, are read once."""
    found = []
    for kind, earlier in before.ranges.items():
        later = list(now.ranges[kind])
        for source, low, high in earlier:
            near = 0 if kind == "run" else 1
            mate = next((span for span in later if span[0] == source and 0 <= span[1] - high <= near), None)
            since, until = (high, high) if mate is None else mate[1:]
            if mate is not None:
                later.remove(mate)
            found.append((kind, source, low, high, since, until))
        found += [(kind, source, low, low, low, high) for source, low, high in later]
    return " UNION ALL ".join(_both(*span) for span in found)


def _both(kind: str, source: str, low: int, before: int, now: int, high: int) -> str:
    gap = "" if before == now else _filled(_ALL["gap"], unit=_UNITS[kind], before=before, now=now)
    return _filled(_ALL[f"{kind}_cells"], runs=source, low=low, high=high, now=now, gap=gap)


def _source(session: Session, low: int, high: int) -> str | None:
    """Where the counted runs of some microseconds of one hour are read; None when there are none."""
    if low >= session.state.hot_from:
        return "hot_run"
    paths = session.rows(_TASK["files_of_day"], {"day": low // times.DAY_US})
    if not paths:
        return None
    files = f"[{', '.join(duck.literal(path) for (path,) in paths)}]"
    return _filled(_TASK["runs_in_files"], files=files, low=low, high=high)


class _Edges(Struct, frozen=True):
    """A window of some tasks: its whole days, and what is read run by run: the days that it cuts in two where
    hot_run has them, else only the hours it cuts, beside whole `hours`; and runs that are not counted yet.
    """

    days: list[tuple[int, int]]
    hours: list[tuple[int, int]]
    runs: list[tuple[str, int, int]]

    @classmethod
    def of(cls, session: Session, low: int, high: int) -> _Edges:
        """Raises LakeDamaged when a file of its days is not counted."""
        state = session.state
        state.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
        first = max(low, state.first_day * times.DAY_US)
        first_whole, last_whole = -(-first // times.DAY_US), high // times.DAY_US
        if first_whole < last_whole:
            edges = [(first, first_whole * times.DAY_US), (last_whole * times.DAY_US, high)]
        else:
            edges = [(first, high)]
        runs, hours = [("uncounted_run", low, high)], []
        for edge in edges:
            if edge[0] >= edge[1]:
                continue
            if edge[0] >= state.hot_from:
                runs.append(("hot_run", *edge))
                continue
            parts = spans(*edge)
            hours += parts.hours
            runs += [(source, *cut) for cut in parts.cuts if (source := _source(session, *cut)) is not None]
        return cls([(first_whole, last_whole)] if first_whole < last_whole else [], hours, runs)

    def cells(self, statements: Mapping[str, str], what: str, **parts: object) -> list[str]:
        """One SELECT a span, from the statements `day{what}` and `hour{what}`."""
        return [
            _filled(statements[f"{kind}{what}"], low=low, high=high, **parts)
            for kind, ranges in (("day", self.days), ("hour", self.hours))
            for low, high in ranges
        ]

    def read(self, statement: str, **parts: object) -> list[str]:
        """One SELECT for each that is read run by run."""
        return [_filled(statement, low=low, high=high, **parts, runs=source) for source, low, high in self.runs]


class _Figures(Struct, frozen=True):
    """The columns of a row of sums that all answers share, durations in microseconds."""

    succeeded: int
    failed: int
    open: int
    duration_count: int
    duration_us: float

    @property
    def finished(self) -> int:
        """Runs that have a result."""
        return self.succeeded + self.failed

    @property
    def shared(self) -> dict[str, Any]:
        """The fields they all have."""
        return {
            "total_runs": self.succeeded + self.failed + self.open,
            "successful_runs": self.succeeded,
            "failed_runs": self.failed,
            "open_runs": self.open,
            "success_rate": _rate(self.succeeded, self.succeeded + self.failed),
            "avg_execution_time_seconds": self.seconds,
        }

    @property
    def seconds(self) -> float:
        """The average execution time."""
        return _rate(self.duration_us, self.duration_count) / 1e6

    @property
    def failure_rate(self) -> float:
        """Of the finished runs."""
        return _rate(self.failed, self.succeeded + self.failed)


_NOTHING: Final = _Figures(0, 0, 0, 0, 0.0)


def _rate(part: float, whole: float) -> float:
    return part / whole if whole else 0.0


def _seconds(micros: float | None) -> float | None:
    return None if micros is None else micros / 1e6


def _moment(micros: int | None) -> datetime | None:
    return None if micros is None else times.to_datetime(micros)


def _bounds(query: TaskStatsQuery | SummaryQuery) -> tuple[int, int]:
    """The window of a question: its first and its last microsecond."""
    end = times.now() if query.until is UNSET else int(query.until)
    return end - query.days * times.DAY_US, end


def _daily(day: int, figures: _Figures, p95: float | None, week: Sequence[float]) -> DailyFigures:
    """An entry; `week` are the sums of up to seven: succeeded, finished, microseconds, durations."""
    succeeded, finished, duration_us, duration_count = week
    return DailyFigures(
        date=times.to_date(day),
        **figures.shared,
        p95_execution_time_seconds=_seconds(p95),
        success_rate_7d=_rate(succeeded, finished),
        avg_execution_time_seconds_7d=_rate(duration_us, duration_count) / 1e6,
    )


def _percentiles(values: Sequence[float | None]) -> dict[str, float | None]:
    names = (f"p{p}_execution_time_seconds" for p in _PERCENTS)
    return {name: _seconds(value) for name, value in zip(names, values, strict=True)}


def task_stats(session: Session, task_id: uuid.UUID, query: TaskStatsQuery) -> TaskStats:
    """GET /task/{task_id}/stats. Raises LakeDamaged."""
    start, end = _bounds(query)
    window = _Edges.of(session, start, end + 1)
    found = session.rows(_TASK["task_number"], {"task_id": task_id})
    task = found[0][0] if found else _NO_TASK
    cells = window.cells(_TASK, "_of_task") or [_filled(_TASK["day_of_task"], low=0, high=0)]
    runs = " UNION ALL ".join(window.read(_TASK["of_task"]))
    statement = _filled(_TASK_STATISTICS, cells=" UNION ALL ".join(cells), runs=runs)
    days = {"first_day": start // times.DAY_US, "last_day": end // times.DAY_US}
    overall, *entries = (_TaskRow(*row) for row in session.rows(statement, {"task": task, **days}))
    return TaskStats(
        task_id=task_id,
        period_days=query.days,
        window_start=times.to_datetime(start),
        window_end=times.to_datetime(end),
        **overall.figures.shared,
        failure_rate=overall.figures.failure_rate,
        retried_runs=int(overall.retried or 0),
        min_execution_time_seconds=_seconds(overall.shortest),
        max_execution_time_seconds=_seconds(overall.longest),
        **_percentiles((overall.p50, overall.p90, overall.p95, overall.p99)),
        last_run=_moment(overall.last_run),
        last_success=_moment(overall.last_success),
        last_failure=_moment(overall.last_failure),
        current_streak=_streak(session, task, task_id, end, overall, entries),
        daily=[_daily(entry.day, entry.figures, entry.p95, entry.week) for entry in entries],
    )


class _TaskRow(Struct, frozen=True):
    """A row of the statement task_statistics; `day` is _EVERY of the whole window. Sums of nothing are null."""

    day: int
    succeeded: int | None
    failed: int | None
    open: int | None
    retried: int | None
    duration_count: int | None
    duration_us: float | None
    shortest: int | None
    longest: int | None
    last_success: int | None
    last_failure: int | None
    last_open: int | None
    week_succeeded: int | None
    week_finished: int | None
    week_us: float | None
    week_count: int | None
    p50: float | None
    p90: float | None
    p95: float | None
    p99: float | None

    @property
    def figures(self) -> _Figures:
        """The sums."""
        return _Figures(
            int(self.succeeded or 0),
            int(self.failed or 0),
            int(self.open or 0),
            int(self.duration_count or 0),
            self.duration_us or 0.0,
        )

    @property
    def week(self) -> tuple[float, ...]:
        """The sums of up to seven entries."""
        return self.week_succeeded or 0, self.week_finished or 0, self.week_us or 0.0, self.week_count or 0

    @property
    def last_run(self) -> int | None:
        """The newest run time."""
        known = [time for time in (self.last_success, self.last_failure, self.last_open) if time is not None]
        return max(known, default=None)


def _streak(
    session: Session, task: int, task_id: uuid.UUID, end: int, overall: _TaskRow, entries: Sequence[_TaskRow]
) -> Streak | None:
    """The newest finished runs that ended alike: those after the last run that ended otherwise."""
    last_success, last_failure = overall.last_success, overall.last_failure
    if last_success is None or last_failure is None:
        length = overall.figures.finished
        return Streak(last_success is not None, length) if length else None
    turn = min(last_success, last_failure)
    day = turn // times.DAY_US
    later = sum(entry.figures.finished for entry in entries if entry.day > day)
    high = min(end + 1, (day + 1) * times.DAY_US)
    asked = {"task": task, "turn": turn, "high": high}
    source = _source(session, turn, high) or "hot_run"
    newer, *tied = session.rows(_filled(_TASK["streak"], runs=source), asked)[0]
    if 0 in tied:
        return Streak(last_success > last_failure, later + newer)
    # Runs of both results began in that microsecond: their ids say which came last.
    paths = session.rows(_TASK["files_of_day"], {"day": day})
    listed = _filled(_TASK["whole_runs"], files=f"[{', '.join(duck.literal(path) for (path,) in paths)}]")
    statement = _filled(_TASK["ties"], whole_runs=listed if paths else "inlined_run WHERE false")
    results = [success for (success,) in session.rows(statement, {"task_id": task_id, "turn": turn})]
    newest = results[0] if not newer and last_success == last_failure else last_success > last_failure
    return Streak(newest, later + newer + results.index(not newest))


class _Row(Struct, frozen=True):
    """A row of the statement figures; its kind says which columns it has."""

    kind: str
    number: int | None  # of a task, or a day
    task_id: uuid.UUID | None
    succeeded: int
    failed: int
    open: int
    duration_count: int
    duration_us: float
    tasks: int | None
    week_succeeded: int | None
    week_finished: int | None
    week_us: float | None
    week_count: int | None

    @property
    def figures(self) -> _Figures:
        """The sums."""
        sums = (int(self.succeeded), int(self.failed), int(self.open), int(self.duration_count))
        return _Figures(*sums, self.duration_us)


def summary(session: Session, query: SummaryQuery) -> Summary:
    """GET /stats/summary. Raises LakeDamaged."""
    start, end = _bounds(query)
    window = _Window.of(session, start, end + 1, months=True)
    before = _Window.of(session, start - query.days * times.DAY_US, start, months=True)
    statement = _filled(_ALL["figures"], cells=_of_both(before, window))
    rows: dict[str, list[_Row]] = {}
    for row in session.rows(statement, window.days):
        rows.setdefault(row[0], []).append(_Row(*row))
    quantiles = _quantiles(session, window)
    now, previous = (_total(rows.get(kind, [])) for kind in ("window", "previous"))
    p95 = _p95_of_tasks(session, window, {row.number for kind in ("failing", "slowest") for row in rows.get(kind, [])})
    days = sorted(rows["day"], key=lambda row: row.number or 0)
    return Summary(
        period_days=query.days,
        window_start=times.to_datetime(start),
        window_end=times.to_datetime(end),
        **now.shared,
        total_tasks_executed=_tasks(rows.get("window", [])),
        failure_rate=now.failure_rate,
        **_percentiles(quantiles.get(None, (None,) * len(_PERCENTS))),
        runs_per_day=now.shared["total_runs"] / query.days,
        daily=[
            _daily(
                row.number or 0,
                row.figures,
                quantiles.get(row.number, (None,) * len(_PERCENTS))[2],
                (row.week_succeeded or 0, row.week_finished or 0, row.week_us or 0.0, row.week_count or 0),
            )
            for row in days
        ],
        previous=PreviousPeriod(
            **previous.shared,
            total_tasks_executed=_tasks(rows.get("previous", [])),
            failure_rate=previous.failure_rate,
        ),
        top_failing_tasks=[_of_task(row, p95) for row in rows.get("failing", [])],
        slowest_tasks=[_of_task(row, p95) for row in rows.get("slowest", [])],
    )


def _total(rows: Sequence[_Row]) -> _Figures:
    return rows[0].figures if rows else _NOTHING


def _tasks(rows: Sequence[_Row]) -> int:
    return rows[0].tasks or 0 if rows else 0


def _quantiles(session: Session, window: _Window) -> dict[int | None, tuple[float | None, ...]]:
    """The four percentiles of the whole window (None) in microseconds, and the 95th of its days."""
    statement = _filled(_DURATIONS, cells=window.cells(_ALL, "_durations"))
    whole: dict[str, Any] = {name: window.days[name] for name in ("whole_first", "whole_last")}
    whole["uncounted"] = [day for (day,) in session.rows(_ALL["uncounted_days"])]
    return {day: tuple(values) for day, *values in session.rows(statement, whole)}


def _p95_of_tasks(session: Session, window: _Window, tasks: set[int | None]) -> dict[int | None, float]:
    """The 95th percentile of some tasks by their numbers, in microseconds."""
    if not tasks:
        return {}
    cells = window.cells(_ALL, "_ranked", tasks=", ".join(map(str, sorted(tasks, key=lambda task: task or 0))))
    return dict(session.rows(_filled(_RANKED_P95, cells=cells)))


def _of_task(row: _Row, p95: Mapping[int | None, float]) -> TaskFigures:
    assert row.task_id is not None  # noqa: S101 - the rankings have it
    figures = row.figures
    return TaskFigures(
        task_id=row.task_id,
        total_runs=figures.shared["total_runs"],
        failed_runs=figures.failed,
        success_rate=figures.shared["success_rate"],
        avg_execution_time_seconds=figures.seconds,
        p95_execution_time_seconds=_seconds(p95.get(row.number)),
    )
