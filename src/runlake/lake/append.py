"""Group commit: one thread writes; appends that wait together share one transaction.

bytes -> Batch -> queue -> admit -> one lake transaction (files synced, then COMMIT) -> index -> answers
Every answer of a group goes out after its commit, because a duplicate or a conflict may rest on a neighbour.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future
from functools import partial
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake.errors import Busy, DiskFull, RunlakeError
from runlake.intake.batch import Batch
from runlake.lake import admit, maintain, write
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.log import event

_IDLE: Final = 0.5  # seconds between looks at the clock when nothing comes in


class Follower(Protocol):
    """What the writer needs of the index: its knowledge, and to tell it of commits."""

    @property
    def open_runs(self) -> Mapping[bytes, admit.Row]: ...
    def locate(self, halves: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]: ...
    def fingerprint(self, halves: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]: ...
    def apply(self, commit: Commit) -> object: ...
    def load(self, lake: Lake) -> object: ...
    def files(self) -> list[DataFile]: ...
    def last_file(self) -> int: ...
    def inlined_rows(self) -> int: ...
    def inlined_days(self) -> list[int]: ...


class Counts(Struct, frozen=True):
    """What became of a batch."""

    stored: int
    duplicates: int
    stale: int


class Writer:
    """The one writer of a lake. `submit` may be called from any thread; all else happens in its own."""

    def __init__(self, lake: Lake, index: Follower) -> None:
        self._lake, self._index = lake, index
        self._settings = lake.settings
        self._queue: deque[tuple[Batch, Future[Counts]]] = deque()
        self._waiting_rows = 0
        self._wake = threading.Condition()
        self._closing = False
        self._dead_open = lake.dead_open_rows()
        self._last_tidy = self._last_look = time.monotonic()
        self._behind = False
        self._thread = threading.Thread(target=self._run, name="runlake-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def submit(self, batch: Batch) -> Future[Counts]:
        """Queue a batch. The future ends when its group is durable and visible to every later read.

        It raises Conflict, DiskFull, or Busy when the commit failed. Raises Busy when the queue is full.
        """
        future: Future[Counts] = Future()
        with self._wake:
            if self._closing:
                raise Busy("the service is shutting down")
            if self._waiting_rows and self._waiting_rows + batch.rows.num_rows > self._settings.queue_rows:
                raise Busy("too many runs wait to be written")
            self._queue.append((batch, future))
            self._waiting_rows += batch.rows.num_rows
            self._wake.notify()
        return future

    def close(self) -> None:
        """Write what is queued, then end; a second call does nothing."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while group := self._next_group():
            if group[0] is not None:
                self._commit([item for item in group if item is not None])
            self._maintain()

    def _next_group(self) -> list[tuple[Batch, Future[Counts]] | None]:
        """The batches for one commit; [None] when it is only time to look after the lake; [] at the end."""
        with self._wake:
            if not self._queue and not self._closing:
                self._wake.wait(_IDLE)
            if not self._queue:
                return [] if self._closing else [None]
            group: list[tuple[Batch, Future[Counts]] | None] = []
            rows = 0
            while self._queue and (not group or rows + self._queue[0][0].rows.num_rows <= self._settings.group_rows):
                item = self._queue.popleft()
                group.append(item)
                rows += item[0].rows.num_rows
            self._waiting_rows -= rows
            return group

    def _commit(self, group: list[tuple[Batch, Future[Counts]]]) -> None:
        try:
            admission = self._write([batch for batch, _ in group])
        except Exception as exc:  # noqa: BLE001 - whatever it was, every caller must hear of it
            self._recover(exc)
            for _, future in group:
                future.set_exception(exc if isinstance(exc, DiskFull) else _failed(exc))
            return
        start = 0
        for (batch, future), conflict in zip(group, admission.conflicts, strict=True):
            stop = start + batch.rows.num_rows
            if conflict is not None:
                future.set_exception(conflict)
            else:
                count = partial(np.count_nonzero, axis=None)
                status = admission.status[start:stop]
                future.set_result(
                    Counts(
                        int(count(status == admit.STORE)),
                        int(count(status == admit.DUPLICATE)),
                        int(count(status == admit.STALE)),
                    )
                )
            start = stop

    def _write(self, batches: list[Batch]) -> admit.Admission:
        if self._behind:
            self._index.load(self._lake)
            self._behind = False
        admission = admit.admit(batches, self._index, partial(write.verify, self._lake))
        commit = write.store(self._lake, admission, self._index.last_file())
        if commit is not None:
            self._behind = True  # until the index has it: a failure in between must not leave it wrong
            self._index.apply(commit)
            self._behind = False
            self._dead_open += len(admission.closed)
        return admission

    def _recover(self, exc: Exception) -> None:
        """After a failure nobody knows whether the commit took place: read the lake again before the next."""
        event("commit failed", error=str(exc))
        self._behind = True

    def _maintain(self) -> None:
        now = time.monotonic()
        due = self._index.inlined_rows() >= self._settings.flush_rows
        if not due and now - self._last_look < self._settings.maintain_seconds:
            return
        self._last_look = now
        try:
            self.upkeep(maintain.plan(self._state(now - self._last_tidy), self._settings))
        except RunlakeError as exc:
            self._recover(exc)

    def _state(self, since_tidy: float) -> maintain.State:
        return maintain.State(
            files=self._index.files(),
            inlined_rows=self._index.inlined_rows(),
            open_rows=len(self._index.open_runs),
            dead_open_rows=self._dead_open,
            since_tidy=since_tidy,
        )

    def due(self) -> list[maintain.Step]:
        """The steps that have anything to do."""
        return maintain.everything(self._state(0))

    def upkeep(self, steps: list[maintain.Step] | None = None) -> list[maintain.Step]:
        """Do the given steps, or all that have anything to do; returns what was done. In the writing thread only."""
        steps = self.due() if steps is None else steps
        for step in steps:
            started = time.monotonic()
            self._step(step)
            event("upkeep", step=step.name.lower(), seconds=round(time.monotonic() - started, 3))
            if step is maintain.Step.CLEAN:
                self._last_tidy = time.monotonic()
        return steps

    def _step(self, step: maintain.Step) -> None:
        while True:
            files = self._index.files()
            commit = maintain.run(step, self._lake, files, self._index.inlined_days())
            if commit is not None:
                self._index.apply(commit)
            if step is maintain.Step.REWRITE_OPEN:
                self._dead_open = 0
            after = self._index.files()
            if step is not maintain.Step.MERGE or not maintain.crowded(after) or len(after) >= len(files):
                return


def _failed(exc: Exception) -> RunlakeError:
    failure = Busy(f"the commit failed: {exc}")
    failure.__cause__ = exc
    return failure
