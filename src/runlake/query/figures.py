"""What all statistics say alike: sums as counts, rates and averages; durations in seconds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import Struct

from runlake import times
from runlake.model import DailyFigures

PERCENTS: Final = (50, 90, 95, 99)


class Figures(Struct, frozen=True):
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
            "success_rate": rate(self.succeeded, self.succeeded + self.failed),
            "avg_execution_time_seconds": self.seconds,
        }

    @property
    def seconds(self) -> float:
        """The average execution time."""
        return rate(self.duration_us, self.duration_count) / 1e6

    @property
    def failure_rate(self) -> float:
        """Of the finished runs."""
        return rate(self.failed, self.succeeded + self.failed)


NOTHING: Final = Figures(0, 0, 0, 0, 0.0)


def rate(part: float, whole: float) -> float:
    """A share, or an average; 0 of nothing."""
    return part / whole if whole else 0.0


def seconds(micros: float | None) -> float | None:
    """Seconds of microseconds."""
    return None if micros is None else micros / 1e6


def moment(micros: int | None) -> datetime | None:
    """The time of microseconds since the epoch."""
    return None if micros is None else times.to_datetime(micros)


def daily(day: int, figures: Figures, p95: float | None, week: Sequence[float]) -> DailyFigures:
    """An entry; `week` are the sums of up to seven: succeeded, finished, microseconds, durations."""
    succeeded, finished, duration_us, duration_count = week
    return DailyFigures(
        date=times.to_date(day),
        **figures.shared,
        p95_execution_time_seconds=seconds(p95),
        success_rate_7d=rate(succeeded, finished),
        avg_execution_time_seconds_7d=rate(duration_us, duration_count) / 1e6,
    )


def percentiles(values: Sequence[float | None]) -> dict[str, Any]:
    """The fields of an answer, from the microseconds of PERCENTS."""
    names = (f"p{p}_execution_time_seconds" for p in PERCENTS)
    return {name: seconds(value) for name, value in zip(names, values, strict=True)}
