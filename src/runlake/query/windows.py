"""A window as the statements of statistics see it: one SELECT a span, from the rollup of its size, and what is read run
by run for the ends that it cuts and for runs that are not counted yet.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from runlake import times
from runlake.query.engine import Session
from runlake.query.spans import Spans, spans
from runlake.query.sql import SQL, filled
from runlake.serving.counting import first_day

Span = tuple[str, int, int]  # what is read, from the first up to, but without, the second
_COLUMNS: Final = {"month": "month", "day": "day", "hour": "hour", "run": "run_at"}


class Window(Struct, frozen=True):
    """The run times low <= t < high (microseconds), its spans, and what is read for the hours it cuts and for runs
    that are not counted yet; `files` are parameters that their sources name.
    """

    low: int
    high: int
    spans: Spans
    runs: list[Span]
    files: dict[str, list[str]]

    @classmethod
    def of(cls, session: Session, low: int, high: int, *, months: bool = False) -> Window:
        """`months`: take whole months where they are counted. Raises LakeDamaged when a file is not counted."""
        state = session.state
        session.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
        first = max(low, state.first_day * times.DAY_US)
        inside = spans(first, max(first, state.counted_until(high)), state.months if months else ())
        runs = [("uncounted_run", low, high)]
        files: dict[str, list[str]] = {}
        for cut in inside.cuts:
            source, paths = source_of(session, *cut)
            runs.append((source, *cut))
            files |= paths
        return cls(low, high, inside, runs, files)

    def by_day(self, session: Session, days: Collection[int]) -> Window:
        """The same window, but months that hold any of these days are read by day."""
        state = session.state
        months = [
            month for month in state.months if not any(first_day(month) <= d < first_day(month + 1) for d in days)
        ]
        first = max(self.low, state.first_day * times.DAY_US)
        return replace(self, spans=spans(first, max(first, state.counted_until(self.high)), months))

    @property
    def parameters(self) -> dict[str, Any]:
        """Its files, its first and last day, and the whole days of it that are counted as such."""
        whole = [day for days in self.spans.days for day in days]
        whole += [first_day(month) for months in self.spans.months for month in months]
        return self.files | {
            "first_day": self.low // times.DAY_US,
            "last_day": (self.high - 1) // times.DAY_US,
            "whole_first": min(whole, default=0),
            "whole_last": max(whole, default=0),
        }

    @property
    def ranges(self) -> dict[str, list[Span]]:
        """What there is to read, by its kind: (source, low, high) of each; only runs have several sources."""
        found = self.spans
        kinds = {"month": found.months, "day": found.days, "hour": found.parts}
        return {kind: [("", *span) for span in ranges] for kind, ranges in kinds.items()} | {"run": self.runs}

    def cells(self, what: str, **parts: object) -> str:
        """One SELECT a span: the statements `month{what}`, `day{what}`, `hour{what}` and `run{what}`, together."""
        return " UNION ALL ".join(
            filled(SQL[f"{kind}{what}"], low=low, high=high, runs=source, **parts)
            for kind, spans in self.ranges.items()
            for source, low, high in spans
        )


def cells_of_both(before: Window, now: Window) -> str:
    """The cells of two windows that touch: spans that touch, too, or are an hour or a day apart, are read once."""
    found = []
    for kind, earlier in before.ranges.items():
        later = list(now.ranges[kind])
        for source, low, high in earlier:
            near = 0 if kind == "run" else 1
            mate = next((span for span in later if span[0] == source and 0 <= span[1] - high <= near), None)
            if mate is not None:
                later.remove(mate)
            found.append(_both(kind, source, (low, high), (high, high) if mate is None else mate[1:]))
        found += [_both(kind, source, (low, low), (low, high)) for source, low, high in later]
    return " UNION ALL ".join(found)


def _both(kind: str, source: str, earlier: tuple[int, int], later: tuple[int, int]) -> str:
    (low, before), (now, high) = earlier, later
    apart = "" if before == now else filled(SQL["gap"], column=_COLUMNS[kind], before=before, now=now)
    return filled(SQL[f"{kind}_cells"], runs=source, low=low, high=high, now=now, apart=apart)


def source_of(session: Session, low: int, high: int) -> tuple[str, dict[str, list[str]]]:
    """Where the counted runs of some microseconds of one day are read, and the files that it names as a parameter."""
    if low >= session.state.hot_from:
        return "hot_run", {}
    paths = [path for (path,) in session.rows(SQL["files_of_day"], {"day": low // times.DAY_US})]
    # Without a file there are none; hot_run, which does not reach back so far, has none either.
    return (filled(SQL["runs_in_files"], low=low, high=high), {f"files_{low}": paths}) if paths else ("hot_run", {})
