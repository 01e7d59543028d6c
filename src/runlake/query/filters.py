"""The filter grammar: which runs a question is about, as one Struct, and as SQL."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from hashlib import blake2b
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct
from msgspec.structs import replace

from runlake import times
from runlake.errors import BadInput
from runlake.model import Filter
from runlake.query.sql import SQL, Union, filled

_BOTH: Final = (True, False)
_RESULTS: Final = (("succeeded", True), ("failed", False))
_SCANS: Final = ("lease_owner", "attempt_min", "duration_min", "duration_max", "error")  # what no rollup knows
_OPEN: Final = ("queued", "lost", "running")
NOW_US: Final = 10_000_000  # "now" is cut to this, so that equal questions are equal
LONGEST_US: Final = 3_650 * times.DAY_US
LONGEST_SCAN_US: Final = 31 * times.DAY_US
_WHOLE: Final = {"started": "started_at IS NOT NULL", "duration": "epoch_us(finished_at) - epoch_us(started_at)"}
_NARROW: Final = {"started": "started", "duration": "duration"}


class RunFilter(Struct, frozen=True, kw_only=True):
    """Which runs: their run time is low <= t < high (microseconds), and so on.

    results    the results of finished runs that belong to it
    opened     the kinds of open runs that belong to it
    tasks      the numbers of `task_ids`; those without a run have none
    group      the number of `error_group`
    timed      only finished runs with a duration
    runs_only  they are read run by run, without rollups
    """

    low: int = 0
    high: int = times.MAX_US + 1
    started: bool = False
    results: tuple[bool, ...] = _BOTH
    opened: tuple[str, ...] = _OPEN
    task_ids: tuple[uuid.UUID, ...] | None = None
    tasks: tuple[int, ...] | None = None
    lease_owner: str | None = None
    attempt_min: int | None = None
    duration_min: int | None = None
    duration_max: int | None = None
    error: str | None = None
    error_group: str | None = None
    group: int | None = None
    timed: bool = False
    runs_only: bool = False
    now: int = 0

    @property
    def previous(self) -> RunFilter:
        """The same of the window of equal length before, as far as there is time."""
        return replace(self, low=max(0, 2 * self.low - self.high), high=self.low)

    @property
    def everything(self) -> bool:
        """Whether all runs match."""
        return not (self.whole or self.started)

    @property
    def is_scan(self) -> bool:
        """Whether no rollup knows how many runs match."""
        return self.timed or any(getattr(self, name) is not None for name in (*_SCANS, "error_group"))

    @property
    def is_of_group(self) -> bool:
        """Whether they are all runs of one group of errors, and more only of what narrow rows know."""
        return self.error_group is not None and self.error is None

    @property
    def is_failed(self) -> bool:
        """Whether they are read from failed_run, which knows all of them, counted or not."""
        of_runs = self.is_scan or self.runs_only
        return of_runs and self.error is None and self.results == (False,) and not self.opened

    @property
    def task(self) -> int | None:
        """The number of the task, if it is one."""
        return self.tasks[0] if self.tasks is not None and len(self.tasks) == 1 else None

    @property
    def part(self) -> int:
        """The time that the counts within a day are of."""
        return times.QUARTER_US if self.tasks is None or self.is_scan else times.HOUR_US

    @property
    def known(self) -> dict[str, Any]:
        """Its fields, as parameters of statements."""
        return {name: getattr(self, name) for name in self.__struct_fields__} | {"task": self.task}

    @property
    def whole(self) -> str:
        """A predicate over whole runs."""
        whole = self._predicate(_WHOLE, self.opened, "of_tasks" if self.task_ids is not None else None)
        return " AND ".join(part for part in (whole, SQL["of_group"] if self.error_group is not None else "") if part)

    @property
    def narrow(self) -> str:
        """A predicate over narrow rows; those of open runs are only what `uncounted` lets through."""
        kinds = _OPEN if self.opened else ()
        return self._predicate(_NARROW, kinds, "of_task_numbers" if self.tasks is not None else None)

    @property
    def hot(self) -> str:
        """The narrow rows of runs that are counted; of failed ones, also of those that are not."""
        return self.failed if self.is_failed else "hot_run"

    @property
    def failed(self) -> str:
        """The narrow rows of failed runs."""
        return "failed_run" if self.group is None else f"({SQL['failed_of_group']})"

    @property
    def uncounted(self) -> str:
        """The narrow rows of runs that are not counted, of open ones only those of the right kind."""
        if self.is_failed:
            return f"({SQL['none_uncounted']})"
        if self.opened in (_OPEN, ()):
            return "uncounted_run"
        return f"({filled(SQL['uncounted_and_open'], opened=self._kinds(_WHOLE, self.opened))})"

    def _predicate(self, columns: dict[str, str], opened: Collection[str], of_tasks: str | None) -> str:
        asked = [
            (of_tasks or "", of_tasks),
            ("has_started", self.started or None),
            ("has_owner", self.lease_owner),
            ("has_attempt", self.attempt_min),
            ("is_timed", self.timed or None),
            ("takes_at_least", self.duration_min),
            ("takes_at_most", self.duration_max),
            ("has_error", self.error),
        ]
        parts = [self._state(columns, opened)] + [
            filled(SQL[name], **columns) for name, value in asked if value is not None
        ]
        return " AND ".join(f"({part})" for part in parts if part)

    def _state(self, columns: dict[str, str], opened: Collection[str]) -> str:
        """Whether a run has one of the results, or is open in one of the ways, that are asked for."""
        if set(self.results) == set(_BOTH) and set(opened) == set(_OPEN):
            return ""
        choices = [SQL["has_result"]] if self.results else []
        if opened:
            kinds = self._kinds(columns, opened)
            choices.append(f"{SQL['is_open']} AND ({kinds})" if kinds else SQL["is_open"])
        return " OR ".join(choices) or "false"

    @staticmethod
    def _kinds(columns: dict[str, str], opened: Collection[str]) -> str:
        """Whether an open run is of one of these kinds; empty when that is any."""
        if set(opened) == set(_OPEN):
            return ""
        return " OR ".join(f"({filled(SQL[kind], **columns)})" for kind in opened)


def union_of(wanted: RunFilter, known: Mapping[str, Any], **parts: str) -> Union:
    """A statement about these runs, with further values and parts."""
    return Union({**wanted.known, **known}, **predicates(wanted), **parts)


def predicates(wanted: RunFilter) -> dict[str, str]:
    """What stands in the braces of blocks about these runs."""
    suffix = "_started" if wanted.started else ""
    fitting = [SQL[f"{name}{suffix}"] for name, result in _RESULTS if result in wanted.results]
    return {
        "whole": wanted.whole or "true",
        "narrow": wanted.narrow or "true",
        "hot_run": wanted.hot,
        "failed_run": wanted.failed,
        "uncounted_run": wanted.uncounted,
        "fitting": " + ".join(fitting) or "0",
        "duration": _WHOLE["duration"],
    }


def of(query: Filter) -> RunFilter:
    """The runs that a query selects. Raises BadInput when start_time is after end_time."""
    start, end = _or_none(query.start_time), _or_none(query.end_time)
    if start is not None and end is not None and start > end:
        raise BadInput.of("start_time", "is after end_time")
    results: Collection[bool] = _BOTH
    opened: Collection[str] = _OPEN
    if query.success is not UNSET:
        results, opened = (query.success,), ()
    if query.status is not UNSET:
        results = [result for result in results if ("success" if result else "failed") in query.status]
        opened = [kind for kind in opened if kind in query.status]
    least, most = _or_none(query.duration_min), _or_none(query.duration_max)
    if least is not None or most is not None:
        opened = ()
    if query.error_group is not UNSET:
        results, opened = [result for result in results if not result], ()
    return RunFilter(
        low=0 if start is None else start,
        high=times.MAX_US + 1 if end is None else end,
        started=start is not None or end is not None,
        results=tuple(results),
        opened=tuple(opened),
        task_ids=None if query.task_id is UNSET else tuple(dict.fromkeys(query.task_id)),
        lease_owner=_or_none(query.lease_owner),
        attempt_min=_or_none(query.attempt_min),
        duration_min=None if least is None else _micros(least, ROUND_CEILING),
        duration_max=None if most is None else _micros(most, ROUND_FLOOR),
        error=_or_none(query.error),
        error_group=_or_none(query.error_group),
        now=times.now() // NOW_US * NOW_US,
    )


def with_window(query: Filter) -> RunFilter:
    """The same for a question that needs a window; raises BadInput where it has none, or one that is too long."""
    for name in ("start_time", "end_time"):
        if getattr(query, name) is UNSET:
            raise BadInput.of(name, "is required here")
    wanted = of(query)
    if wanted.high - wanted.low > LONGEST_US:
        raise BadInput.of("start_time", "lies more than 3650 days before end_time")
    return wanted


def require_bounds(wanted: RunFilter, why: str) -> None:
    """Raise BadInput unless a scan is of one task, or of a window of at most 31 days."""
    one = wanted.task_ids is not None and len(wanted.task_ids) == 1
    if not one and wanted.high - wanted.low > LONGEST_SCAN_US:
        raise BadInput.of(why, "needs start_time and end_time, at most 31 days apart, or one task_id")


def scan_of(query: Filter) -> str | None:
    """The name of the first parameter of which no rollup knows how many runs match; None if there is none."""
    return next((name for name in _SCANS if getattr(query, name) is not UNSET), None)


def ages(query: Filter) -> bool:
    """Whether it depends on the time now which runs match."""
    return query.status is not UNSET and not {"lost", "running"}.isdisjoint(query.status)


def fingerprint(query: Filter) -> bytes:
    """What tells one selection of runs from another; `cursor` holds it."""
    asked = {name: getattr(query, name) for name in Filter.__struct_fields__}
    given = {name: value for name, value in asked.items() if value is not UNSET}
    return blake2b(msgspec.json.encode(given, enc_hook=int), digest_size=8).digest()  # of an Instant


def _micros(seconds: float, rounding: str) -> int:
    """Whole microseconds of a number of seconds as it was written."""
    return int((Decimal(repr(seconds)) * 1_000_000).to_integral_value(rounding))


def _or_none(value: Any) -> Any:
    return None if value is UNSET else value
