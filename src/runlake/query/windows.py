"""A window as the statements of statistics see it: its spans in rollups, and what is read run by run, for the ends that
it cuts and for runs that are not counted yet.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from runlake import times
from runlake.query.engine import Session
from runlake.query.spans import Range, Spans, joined, spans, within
from runlake.query.sql import SQL, filled
from runlake.serving.counting import State, first_day

_COLUMNS: Final = {"month": "month", "day": "day", "hour": "hour", "run": "run_at"}


class Window(Struct, frozen=True):
    """The run times low <= t < high (microseconds), its spans, and what is read for the hours it cuts and for runs
    that are not counted yet; `files` are parameters that their sources name.
    """

    low: int
    high: int
    spans: Spans
    runs: list[tuple[str, str, Range]]
    files: dict[str, list[str]]

    @classmethod
    def of(cls, session: Session, low: int, high: int, *, months: bool = False) -> Window:
        """`months`: take whole months where they are counted. Raises LakeDamaged when a file is not counted."""
        state = session.state
        session.require_readable(low // times.DAY_US, (high - 1) // times.DAY_US)
        inside = _counted_spans(state, low, high, state.months if months else ())
        runs = [("run", "uncounted_run", (low, high))]
        files: dict[str, list[str]] = {}
        for cut in inside.cuts:
            source, paths = source_of(session, *cut)
            runs.append(("run", source, cut))
            files |= paths
        return cls(low, high, inside, runs, files)

    def by_day(self, session: Session, days: Collection[int]) -> Window:
        """The same window, but months that hold any of these days are read by day."""
        state = session.state
        months = [
            month for month in state.months if not any(first_day(month) <= d < first_day(month + 1) for d in days)
        ]
        return replace(self, spans=_counted_spans(state, self.low, self.high, months))

    @property
    def parameters(self) -> dict[str, Any]:
        """Its files, its first and last day, and the whole days of it that are counted as such: `whole_last` is the day
        after them.
        """
        whole = [day for days in self.spans.days for day in days]
        whole += [first_day(month) for months in self.spans.months for month in months]
        return self.files | {
            "first_day": self.low // times.DAY_US,
            "last_day": (self.high - 1) // times.DAY_US,
            "whole_first": min(whole, default=0),
            "whole_last": max(whole, default=0),
        }

    @property
    def pieces(self) -> list[tuple[str, str, Range]]:
        """All that is read of it: its kind (a rollup, or runs), the source of runs, and the range."""
        found = self.spans
        kinds = (("month", found.months), ("day", found.days), ("hour", found.parts))
        return [(kind, "", span) for kind, ranges in kinds for span in ranges] + self.runs


def _counted_spans(state: State, low: int, high: int, months: Collection[int]) -> Spans:
    """The spans of the part of a window in which there may be counted runs."""
    first = max(low, state.first_day * times.DAY_US)
    return spans(first, max(first, state.counted_until(high)), months)


def cells(what: str, *windows: Window, **parts: object) -> str:
    """One SELECT for each table that holds spans of these windows, which are in their order and touch: the statements
    `month{what}`, `day{what}`, `hour{what}` and `run{what}`. In them the last window begins at {now}.
    """
    read: dict[tuple[str, str], list[Range]] = {}
    for window in windows:
        for kind, source, span in window.pieces:
            read.setdefault((kind, source), []).append(span)
    selects = []
    for (kind, source), ranges in read.items():
        lows = [span[0] for piece, of, span in windows[-1].pieces if (piece, of) == (kind, source)]
        now = min(lows, default=max(ranges)[1])
        # A scan of runs decodes only the rows of its range, but all of a row group between two ranges.
        for near in [[span] for span in joined(ranges)] if kind == "run" else [ranges]:
            place = within(_COLUMNS[kind], near)
            selects.append(filled(SQL[f"{kind}{what}"], within=place, now=now, runs=source, **parts))
    return " UNION ALL ".join(selects)


def source_of(session: Session, low: int, high: int) -> tuple[str, dict[str, list[str]]]:
    """Where the counted runs of some microseconds of one day are read, and the files that it names as a parameter."""
    if low >= session.state.hot_from:
        return "hot_run", {}
    paths = [path for (path,) in session.rows(SQL["files_of_day"], {"day": low // times.DAY_US})]
    of_files = SQL["and_of_files"] if paths else ""
    return filled(SQL["cold_runs"], of_files=of_files, low=low, high=high), {f"files_{low}": paths} if paths else {}
