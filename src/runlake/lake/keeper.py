"""Upkeep in the writing thread: looks at what is due, and does it one bounded step at a time."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from runlake.lake import maintain
from runlake.lake.catalog import Lake
from runlake.lake.follower import Follower
from runlake.lake.maintain import Step
from runlake.log import event


class Keeper:
    """Keeps a lake in shape; between two steps the caller may write."""

    def __init__(self, lake: Lake, index: Follower) -> None:
        self._lake, self._index = lake, index
        self._due: deque[Step] = deque()
        self.memory = 0  # bytes of the lake's DuckDB, at the last look
        self.on_step: Callable[[str, float], None] = lambda _step, _seconds: None
        self._dead_open = lake.dead_open_rows()
        self._last_tidy = self._last_look = time.monotonic()

    def replaced(self, open_rows: int) -> None:
        """So many open versions have been replaced or finished."""
        self._dead_open += open_rows

    def turn(self) -> bool:
        """Do one step if one is due; returns whether there is more to do at once."""
        self._index.tend(self._lake)
        now = time.monotonic()
        settings = self._lake.settings
        full = self._index.inlined_rows() >= settings.flush_rows
        if not self._due and (full or now - self._last_look >= settings.maintain_seconds):
            self._last_look = now
            self.memory = int(self._lake.execute("memory").column(0)[0].as_py())
            self._due.extend(maintain.plan(self._state(now - self._last_tidy), settings))
        if self._due and self._due[0] is Step.CLEAN and not self._index.settled():
            return False  # a request may still read the files; it will be over soon
        if self._due:
            step = self._due.popleft()
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

    def _step(self, step: Step) -> bool:
        """Do a step; returns whether it has to go on."""
        started = time.monotonic()
        before = self._index.files()
        commit = maintain.run(step, self._lake, before, self._index.inlined_days(), self._index.kept)
        if commit is not None:
            self._index.apply(commit)
        if step is Step.REWRITE_OPEN:
            self._dead_open = 0
        if step is Step.CLEAN:
            self._last_tidy = time.monotonic()
        seconds = time.monotonic() - started
        self.on_step(step.name.lower(), seconds)
        event("upkeep", step=step.name.lower(), seconds=round(seconds, 3))
        after = self._index.files()
        return step is Step.MERGE and len(after) < len(before) and bool(maintain.crowded(after))

    def _state(self, since_tidy: float) -> maintain.State:
        return maintain.State(
            files=self._index.files(),
            inlined_rows=self._index.inlined_rows(),
            open_rows=len(self._index.open_runs),
            dead_open_rows=self._dead_open,
            since_tidy=since_tidy,
        )
