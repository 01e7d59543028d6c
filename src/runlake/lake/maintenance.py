"""Maintenance in the writing thread: finds the steps that are due and does them one by one."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from runlake import times
from runlake.errors import LakeDamaged
from runlake.lake import retention, steps
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit, Follower
from runlake.lake.merging import mergeable
from runlake.lake.steps import Step
from runlake.lake.stored import Stored
from runlake.lake.unreadable_files import UnreadableFiles
from runlake.log import event

_FOLLOWER: Final = "follower"
_CHECKSUM_BYTES: Final = 256 << 20  # read for missing checksums in one step, because appends wait meanwhile
_LONGEST: Final = 12  # maintenance intervals: the longest pause after repeated failures
_NO_LIMIT: Final = float("inf")


class Backoff:
    """Pauses after failures: work that failed is tried again later, each time after twice the pause."""

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._failures: dict[object, int] = {}
        self._until: dict[object, float] = {}

    def is_over(self, work: object) -> bool:
        """Whether this work may be tried now."""
        return time.monotonic() >= self._until.get(work, 0.0)

    @contextmanager
    def attempt(self, work: object) -> Iterator[None]:
        """Do the work inside the block; an error begins a pause and is raised again."""
        try:
            yield
        except Exception:
            failures = self._failures[work] = self._failures.get(work, 0) + 1
            self._until[work] = time.monotonic() + self._pause * min(2 ** min(failures, 9), _LONGEST)
            raise
        self._failures.pop(work, None)


class Maintenance:
    """Keeps a lake in shape. The writing thread calls it between commits, one step at a time.

    dropped         runs and files that retention has dropped since the start
    unreadable      files that merges leave out
    memory_bytes    memory of the lake's DuckDB when the steps were planned last
    """

    def __init__(self, lake: Lake, stored: Stored, follower: Follower) -> None:
        self._lake, self._stored, self._follower = lake, stored, follower
        self._due: deque[Step] = deque()
        self._backoff = Backoff(lake.settings.maintain_seconds)
        self.memory_bytes = 0
        self.on_step: Callable[[str, float], None] = lambda _step, _seconds: None
        self._dead_open = lake.dead_open_rows()
        self._last_tidy = self._last_plan = time.monotonic()
        self.dropped = retention.Dropped()
        self.unreadable = UnreadableFiles(lake.storage)

    def count_replaced(self, open_rows: int) -> None:
        """Count versions of open runs that a commit has replaced or finished."""
        self._dead_open += open_rows

    def run_one_step(self) -> bool:
        """Do one step if one is due; returns whether another one should follow at once."""
        if self._backoff.is_over(_FOLLOWER):
            with self._backoff.attempt(_FOLLOWER):
                self._follower.run_one_step()
        self._plan()
        if self._due and self._due[0] is Step.CLEAN and self._follower.has_old_readers():
            self._due.popleft()  # the next plan has it again
        elif self._due:
            step = self._due.popleft()
            with self._backoff.attempt(step):
                if self._run(step, _CHECKSUM_BYTES):
                    self._due.appendleft(step)
        return bool(self._due)

    def _plan(self) -> None:
        """Find the steps that are due, at each maintenance interval, or earlier when many rows are inlined."""
        now, settings = time.monotonic(), self._lake.settings
        is_full = self._stored.inlined_rows >= settings.flush_rows and self._backoff.is_over(Step.FLUSH)
        if self._due or not (is_full or now - self._last_plan >= settings.maintain_seconds):
            return
        self._last_plan = now
        if now - self._last_tidy >= settings.tidy_seconds:
            self.unreadable.recheck(self._stored.files)
        self.memory_bytes = int(self._lake.execute("memory").column(0)[0].as_py())
        self._lake.catalog.measure()
        planned = steps.plan(self._state(now - self._last_tidy), settings)
        self._due.extend(step for step in planned if self._backoff.is_over(step))

    def pending_steps(self) -> list[Step]:
        """All steps that have anything to do now, due or not."""
        return steps.plan_all(self._state(0))

    def run(self, wanted: list[Step]) -> None:
        """Do these steps to their end."""
        for step in wanted:
            while self._run(step, _NO_LIMIT):
                pass
            if step is Step.RETAIN:
                # The files are dropped: let the next start begin at a snapshot that does not name them.
                self._follower.checkpoint()

    def _run(self, step: Step, checksum_bytes: float) -> bool:
        """Do a part of a step; returns whether another part remains."""
        started = time.monotonic()
        self._lake.use_threads(self._lake.settings.threads)
        if step is Step.RETAIN:
            return self._retain(started)
        before, unreadable = self._stored.files, self.unreadable.numbers
        merges = steps.merges_of(step, before, unreadable, self._lake.settings)
        inlined_days, pinned = list(self._stored.inlined_days), self._follower.pinned_snapshots()
        try:
            commit = steps.run(step, self._lake, merges, inlined_days, pinned)
        except LakeDamaged as exc:
            if not self.unreadable.add_causes(exc, [file for _, some in merges for file in some]):
                raise
            self._stored.load(self._lake)  # the commit itself may have failed, and may have taken place
            self._follower.load()
            return True  # merge the other days
        if commit is not None:
            self._follow(commit)
        if step is Step.REWRITE_OPEN:
            self._dead_open = 0
        if step is Step.CLEAN:
            self._lake.storage.tidy(self._lake.every_file(), checksum_bytes)
            self._last_tidy = time.monotonic()
        seconds = time.monotonic() - started
        self.on_step(step.name.lower(), seconds)
        event("upkeep", step=step.name.lower(), seconds=round(seconds, 3))
        after = self._stored.files
        return step is Step.MERGE and len(after) < len(before) and bool(mergeable(after, unreadable))

    def _follow(self, commit: Commit) -> None:
        self._stored.apply(commit)
        self._follower.apply(commit)

    def _retain(self, started: float) -> bool:
        """Drop a few of the oldest days; returns whether more days have to go."""
        goal = self._horizon_due()
        if goal is None:
            return False
        days, files = list(self._stored.inlined_days), self._stored.files
        horizon = retention.next_horizon(files, days, goal)
        dropped = retention.to_drop(files, self._lake.inlined(), horizon)
        self._follow(retention.drop(self._lake, days, horizon))
        self.dropped.add(dropped)
        event(
            "upkeep",
            step="retain",
            kept_from=times.to_date(horizon),
            days=dropped.days,
            runs=dropped.runs,
            files=dropped.files,
            bytes=dropped.bytes,
            seconds=round(time.monotonic() - started, 3),
        )
        return horizon < goal

    def _horizon_due(self) -> int | None:
        """The first day to keep; None when the lake has no days before it."""
        days = {*(file.day for file in self._stored.files), *list(self._stored.inlined_days)}
        return retention.due(days, retention.today(), self._lake.settings.retention_days)

    def _state(self, since_tidy: float) -> steps.State:
        return steps.State(
            files=self._stored.files,
            inlined_rows=self._stored.inlined_rows,
            open_rows=len(self._stored.open_runs),
            dead_open_rows=self._dead_open,
            since_tidy=since_tidy,
            overdue=self._horizon_due() is not None,
            unreadable=self.unreadable.numbers,
        )
