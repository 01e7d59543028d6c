"""Upkeep in the writing thread: looks at what is due, and does it one bounded step at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from runlake import times
from runlake.errors import LakeDamaged
from runlake.lake import maintain, retention, sums
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit
from runlake.lake.following import Following
from runlake.lake.maintain import Step
from runlake.lake.merging import mergeable
from runlake.lake.stored import Stored
from runlake.lake.unreadable import Unreadable
from runlake.log import event

_FOLLOWING: Final = "following"
_SUMS_BYTES: Final = 256 << 20  # appends wait while files without a checksum get one, so no more than this at a time
_LONGEST: Final = 12  # maintenance intervals that work rests at most after it failed again and again


class Rests:
    """Work that failed rests before it is tried again, each time twice as long, and holds up no other work."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._failures: dict[object, int] = {}
        self._until: dict[object, float] = {}

    def over(self, what: object) -> bool:
        """Whether this may be tried now."""
        return time.monotonic() >= self._until.get(what, 0.0)

    @contextmanager
    def trying(self, what: object) -> Iterator[None]:
        """Do this inside; an error goes on to the caller."""
        try:
            yield
        except Exception:
            failures = self._failures[what] = self._failures.get(what, 0) + 1
            self._until[what] = time.monotonic() + self._pause * min(2 ** min(failures, 9), _LONGEST)
            raise
        self._failures.pop(what, None)


class Keeper:
    """Keeps a lake in shape; between two steps the caller may write. `gone` is what retention has dropped,
    `unreadable` the files that are in the way of merges."""

    def __init__(self, lake: Lake, stored: Stored, following: Following) -> None:
        self._lake, self._stored, self._following = lake, stored, following
        self._due: deque[Step] = deque()
        self._rests = Rests(lake.settings.maintain_seconds)
        self.memory = 0  # bytes of the lake's DuckDB, at the last look
        self.on_step: Callable[[str, float], None] = lambda _step, _seconds: None
        self._dead_open = lake.dead_open_rows()
        self._last_tidy = self._last_look = time.monotonic()
        self.gone = retention.Gone()
        self.unreadable = Unreadable()

    def replaced(self, open_rows: int) -> None:
        """So many open versions have been replaced or finished."""
        self._dead_open += open_rows

    def turn(self) -> bool:
        """Do one step if one is due; returns whether there is more to do at once."""
        if self._rests.over(_FOLLOWING):
            with self._rests.trying(_FOLLOWING):
                self._following.tend()
        now = time.monotonic()
        settings = self._lake.settings
        full = self._stored.inlined_rows >= settings.flush_rows and self._rests.over(Step.FLUSH)
        if not self._due and (full or now - self._last_look >= settings.maintain_seconds):
            self._last_look = now
            if now - self._last_tidy >= settings.tidy_seconds:
                self.unreadable.look_again(self._stored.files)
            self.memory = int(self._lake.execute("memory").column(0)[0].as_py())
            planned = maintain.plan(self._state(now - self._last_tidy), settings)
            self._due.extend(step for step in planned if self._rests.over(step))
        if self._due and self._due[0] is Step.CLEAN and not self._following.settled():
            self._due.popleft()  # a request may still read the files: the next look plans it again
        elif self._due:
            step = self._due.popleft()
            with self._rests.trying(step):
                if self._step(step):
                    self._due.appendleft(step)
        return bool(self._due)

    def steps(self) -> list[Step]:
        """All steps that have anything to do now."""
        return maintain.everything(self._state(0))

    def run(self, steps: list[Step]) -> None:
        """Do these steps to their end."""
        for step in steps:
            while self._step(step):
                pass
            if step is Step.RETAIN:
                # The next start begins at a snapshot that does not name the files.
                self._following.checkpoint()
        sums.tidy(self._lake.paths, self._lake.every_file())

    def _step(self, step: Step) -> bool:
        """Do a step; returns whether it has to go on."""
        started = time.monotonic()
        self._lake.use_threads(self._lake.settings.threads)
        if step is Step.RETAIN:
            return self._retain(started)
        before, bad = self._stored.files, self.unreadable.numbers
        merges = maintain.merges_of(step, before, bad, self._lake.settings)
        try:
            commit = maintain.run(step, self._lake, merges, list(self._stored.inlined_days), self._following.kept())
        except LakeDamaged as exc:
            if not self.unreadable.blame(exc, [file for _, some in merges for file in some]):
                raise
            self._stored.load(self._lake)  # in case it was the commit that failed, and took place
            self._following.load()
            return True  # the other days need not wait for this one
        if commit is not None:
            self._follow(commit)
        if step is Step.REWRITE_OPEN:
            self._dead_open = 0
        if step is Step.CLEAN:
            sums.tidy(self._lake.paths, self._lake.every_file(), _SUMS_BYTES)
            self._last_tidy = time.monotonic()
        seconds = time.monotonic() - started
        self.on_step(step.name.lower(), seconds)
        event("upkeep", step=step.name.lower(), seconds=round(seconds, 3))
        after = self._stored.files
        return step is Step.MERGE and len(after) < len(before) and bool(mergeable(after, bad))

    def _follow(self, commit: Commit) -> None:
        self._stored.apply(commit)
        self._following.apply(commit)

    def _retain(self, started: float) -> bool:
        """Drop a few of the oldest days; returns whether there are more to go."""
        goal = self._horizon()
        if goal is None:
            return False
        days, files = list(self._stored.inlined_days), self._stored.files
        horizon = retention.bounded(files, days, goal)
        gone = retention.gone(files, self._lake.inlined(), horizon)
        self._follow(retention.drop(self._lake, days, horizon))
        self.gone.add(gone)
        event(
            "upkeep",
            step="retain",
            kept_from=times.to_date(horizon),
            days=gone.days,
            runs=gone.runs,
            files=gone.files,
            bytes=gone.bytes,
            seconds=round(time.monotonic() - started, 3),
        )
        return horizon < goal

    def _horizon(self) -> int | None:
        """The first day to keep, when there are days before it."""
        days = {*(file.day for file in self._stored.files), *list(self._stored.inlined_days)}
        return retention.due(days, retention.today(), self._lake.settings.retention_days)

    def _state(self, since_tidy: float) -> maintain.State:
        return maintain.State(
            files=self._stored.files,
            inlined_rows=self._stored.inlined_rows,
            open_rows=len(self._stored.open_runs),
            dead_open_rows=self._dead_open,
            since_tidy=since_tidy,
            overdue=self._horizon() is not None,
            bad=self.unreadable.numbers,
        )
