"""Examples of the OpenAPI document: instances of the Structs, of one made-up history that agrees with itself.

It is 2025-01-11T08:00:00Z. The task ran 25 times in the two days before; its newest run is still open.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any, Final

from msgspec import Raw, Struct

from runlake.model import (
    EXAMPLE_RUN,
    EXAMPLE_TASK,
    Cells,
    DailyFigures,
    Durations,
    Health,
    Histogram,
    PreviousPeriod,
    Ready,
    Run,
    RunPage,
    Series,
    Stored,
    Streak,
    Summary,
    TaskFigures,
    TaskStats,
)

UNTIL: Final = datetime(2025, 1, 11, 8, tzinfo=UTC)
RUN_ID: Final = uuid.UUID(EXAMPLE_RUN)
OPEN_ID: Final = uuid.UUID("0194545f-2870-7b3c-9d2e-4f5a6b7c8d9e")
TASK_ID: Final = uuid.UUID(EXAMPLE_TASK)
NIGHTLY_ID: Final = uuid.UUID("9b2d6f7e-3c41-4a58-8e0d-7f1a2b3c4d5e")
STEADY_ID: Final = uuid.UUID("c3a1e5d7-8f24-4b69-a0c8-1d2e3f4a5b6c")


class Example(Struct, frozen=True):
    """One named example: what it shows, and the value."""

    name: str
    summary: str
    value: Any


def _at(hour: int, minute: int = 0, second: int = 0, *, day: int = 11) -> datetime:
    return datetime(2025, 1, day, hour, minute, second, tzinfo=UTC)


FINISHED: Final = Run(
    id=RUN_ID,
    task_id=TASK_ID,
    lease_owner="worker-xyz",
    leased_until=_at(6, 0, 32),
    started_at=_at(6),
    finished_at=_at(6, 0, 2),
    success=True,
    error=None,
    attempt=1,
    output=Raw(b'{"rows":12}'),
    created_at=_at(5, 59, 58),
)
OPEN: Final = Run(
    id=OPEN_ID,
    task_id=TASK_ID,
    lease_owner="worker-xyz",
    leased_until=_at(8, 0, 30),
    started_at=_at(7, 58, 30),
    finished_at=None,
    success=None,
    error=None,
    attempt=1,
    output=Raw(b"null"),
    created_at=_at(7, 58, 29),
)
PAGE: Final = RunPage(items=[OPEN, FINISHED], total=25, limit=2, offset=0, has_more=True)
NEXT_LINK: Final = f'</runs?task_id={EXAMPLE_TASK}&limit=2&offset=2>; rel="next"'
TAG: Final = '"18a3c9f2b7d4e600-2f-9a1b0c3d4e5f6071"'

# As a client writes it: own offsets, and nothing that has a default.
FINISHED_RECORD: Final[dict[str, Any]] = {
    "id": EXAMPLE_RUN,
    "task_id": EXAMPLE_TASK,
    "lease_owner": "worker-xyz",
    "leased_until": "2025-01-11T08:00:32+02:00",
    "started_at": "2025-01-11T08:00:00+02:00",
    "finished_at": "2025-01-11T08:00:02+02:00",
    "success": True,
    "output": {"rows": 12},
    "created_at": "2025-01-11T07:59:58+02:00",
}
OPEN_RECORD: Final[dict[str, Any]] = {
    "task_id": EXAMPLE_TASK,
    "lease_owner": "worker-xyz",
    "leased_until": "2025-01-11T08:00:30Z",
    "started_at": "2025-01-11T07:58:30Z",
    "created_at": "2025-01-11T07:58:29Z",
}
BATCH: Final[dict[str, Any]] = {"runs": [FINISHED_RECORD, OPEN_RECORD]}
STORED: Final = Stored(received=2, stored=2, duplicates=0, stale=0, ids=[RUN_ID, OPEN_ID])
STORED_AGAIN: Final = Stored(received=1, stored=0, duplicates=1, stale=0, ids=[RUN_ID])


class _Day(Struct, frozen=True):
    """The counts of a day; every finished run of these examples has a duration."""

    day: int
    succeeded: int
    failed: int
    open: int
    seconds: float
    p95: float


def _daily(days: Sequence[_Day]) -> list[DailyFigures]:
    """The entries of up to seven days, their rates and averages worked out."""
    entries = []
    for count, d in enumerate(days, 1):
        week = days[:count]
        finished, week_finished = d.succeeded + d.failed, sum(w.succeeded + w.failed for w in week)
        entries.append(
            DailyFigures(
                date=date(2025, 1, d.day),
                total_runs=finished + d.open,
                successful_runs=d.succeeded,
                failed_runs=d.failed,
                open_runs=d.open,
                success_rate=d.succeeded / finished,
                avg_execution_time_seconds=d.seconds / finished,
                p95_execution_time_seconds=d.p95,
                success_rate_7d=sum(w.succeeded for w in week) / week_finished,
                avg_execution_time_seconds_7d=sum(w.seconds for w in week) / week_finished,
            )
        )
    return entries


TASK_STATS: Final = TaskStats(
    task_id=TASK_ID,
    period_days=2,
    window_start=_at(8, day=9),
    window_end=UNTIL,
    total_runs=25,
    successful_runs=21,
    failed_runs=3,
    open_runs=1,
    retried_runs=3,
    success_rate=0.875,
    failure_rate=0.125,
    avg_execution_time_seconds=2.5,
    min_execution_time_seconds=0.84,
    p50_execution_time_seconds=2.1,
    p90_execution_time_seconds=4.66,
    p95_execution_time_seconds=5.16,
    p99_execution_time_seconds=6.36,
    max_execution_time_seconds=6.71,
    last_run=OPEN.started_at,
    last_success=FINISHED.started_at,
    last_failure=_at(17, 30, day=10),
    current_streak=Streak(success=True, length=6),
    daily=_daily([_Day(9, 8, 0, 0, 16.0, 3.1), _Day(10, 9, 3, 0, 36.0, 5.88), _Day(11, 4, 0, 1, 8.0, 2.9)]),
)

_FAILING: Final = TaskFigures(
    task_id=NIGHTLY_ID,
    total_runs=96,
    failed_runs=33,
    success_rate=0.65625,
    avg_execution_time_seconds=4.1375,
    p95_execution_time_seconds=9.75,
)
_OURS: Final = TaskFigures(
    task_id=TASK_ID,
    total_runs=13,
    failed_runs=3,
    success_rate=0.75,
    avg_execution_time_seconds=3.2,
    p95_execution_time_seconds=5.8,
)
_STEADY: Final = TaskFigures(
    task_id=STEADY_ID,
    total_runs=1335,
    failed_runs=0,
    success_rate=1.0,
    avg_execution_time_seconds=2.7,
    p95_execution_time_seconds=4.9,
)
SUMMARY: Final = Summary(
    period_days=1,
    window_start=_at(8, day=10),
    window_end=UNTIL,
    total_runs=1444,
    total_tasks_executed=3,
    successful_runs=1404,
    failed_runs=36,
    open_runs=4,
    success_rate=0.975,
    failure_rate=0.025,
    avg_execution_time_seconds=2.8,
    p50_execution_time_seconds=2.4,
    p90_execution_time_seconds=4.4,
    p95_execution_time_seconds=5.1,
    p99_execution_time_seconds=8.2,
    runs_per_day=1444.0,
    daily=_daily([_Day(10, 936, 24, 0, 2880.0, 5.3), _Day(11, 468, 12, 4, 1152.0, 4.6)]),
    previous=PreviousPeriod(
        total_runs=1400,
        total_tasks_executed=3,
        successful_runs=1344,
        failed_runs=56,
        open_runs=0,
        success_rate=0.96,
        failure_rate=0.04,
        avg_execution_time_seconds=2.9,
    ),
    top_failing_tasks=[_FAILING, _OURS],
    slowest_tasks=[_FAILING, _OURS, _STEADY],
)
HISTOGRAM: Final = Histogram(
    start=_at(6),
    end=_at(9),
    width="1h",
    tz="UTC",
    edges=[_at(6), _at(7), _at(8), _at(9)],
    series=[
        Series(key="success", runs=[4, 3, 4]),
        Series(key="failed", runs=[0, 1, 0]),
        Series(key="open", runs=[0, 0, 1]),
    ],
    timed=[4, 4, 4],
    seconds=[8.4, 11.2, 8.0],
    total=13,
    queued=2,
)
DURATIONS: Final = Durations(
    start=_at(6),
    end=_at(9),
    column_seconds=3_600,
    columns=3,
    row_edges_seconds=[1.83, 2.14, 2.5, 2.93],
    success=Cells(x=[0, 0, 1, 2], y=[0, 1, 2, 0], n=[3, 1, 3, 4]),
    failed=Cells(x=[1], y=[2], n=[1]),
    p50_seconds=[2.07, 2.81, 2.0],
    p95_seconds=[2.3, 2.9, 2.04],
    timed=12,
    open=1,
    queued=2,
    points=None,
)
HEALTH: Final = Health()
METRICS: Final = """\
# HELP runlake_runs Runs in the lake.
# TYPE runlake_runs gauge
runlake_runs 2.403118e+06
# HELP runlake_requests_total Answers by method, route and status.
# TYPE runlake_requests_total counter
runlake_requests_total{method="GET",route="/runs/{run_id}",status="200"} 5210.0
"""
READY: Final = Ready(snapshot=1187, runs=2_403_118)
