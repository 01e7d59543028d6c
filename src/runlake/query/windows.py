"""The parts of a window: whole days, which are counted, and the days it cuts in two, whose runs are looked at."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import UNSET, Struct

from runlake import times
from runlake.index.figures import Records
from runlake.index.view import View
from runlake.model import SummaryQuery, TaskStatsQuery
from runlake.query.days import Runs
from runlake.query.engine import Session


class Window(Struct, frozen=True):
    """The run times start..end (microseconds, both inside)."""

    start: int
    end: int

    @classmethod
    def asked(cls, query: TaskStatsQuery | SummaryQuery) -> Window:
        """The window of a question."""
        end = times.now() if query.until is UNSET else int(query.until)
        return cls(end - query.days * times.DAY_US, end)

    @property
    def days(self) -> tuple[int, int]:
        """Its first and last day."""
        return self.start // times.DAY_US, self.end // times.DAY_US

    @property
    def _whole(self) -> tuple[int, int]:
        """The days first <= day < last that lie wholly within it."""
        first = -(-self.start // times.DAY_US)
        return first, max(first, (self.end + 1) // times.DAY_US)

    def need(self, view: View) -> None:
        """Raise LakeDamaged unless all its runs are known."""
        view.need(*self.days)

    def whole(self, view: View) -> tuple[int, int]:
        """The whole days first <= day < last that are counted in files."""
        first, last = self._whole
        return max(first, view.first_day), max(last, view.first_day)

    def edges(self) -> list[int]:
        """The days it touches that are not whole: one or two."""
        first, last = self._whole
        return [day for day in dict.fromkeys(self.days) if not first <= day < last]

    def cut(self, session: Session, view: View) -> Iterator[tuple[int, Runs]]:
        """(day, runs in files) of its edges, those inside the window; some parts a day."""
        for day in self.edges():
            for file in view.files.of_day(day):
                session.check()
                for runs in session.days.runs(file, view.tasks).between(self.start, self.end):
                    yield day, runs

    def recent(self, view: View) -> Records:
        """The runs inside the window that are in no file."""
        runs = view.recent.runs
        return runs[(runs["ran_at"] >= self.start) & (runs["ran_at"] <= self.end)]
