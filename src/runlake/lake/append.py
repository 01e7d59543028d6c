"""Group commit: one thread writes; appends that wait together share one transaction.

bytes -> Batch -> queue -> admit -> one lake transaction (files synced, then COMMIT) -> followed -> answers
Every answer of a group goes out after its commit, because a duplicate or a conflict may rest on a neighbour.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct

from runlake.errors import Busy, DiskFull, LakeDamaged, RunlakeError
from runlake.intake.batch import Batch
from runlake.intake.decoded import Decoded
from runlake.lake import admit, write
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit, Follower
from runlake.lake.maintenance import Maintenance
from runlake.lake.stored import Stored
from runlake.log import LOGGER

_GATHER: Final = 0.02  # seconds at most that a group waits to become as large as the last
_IDLE: Final = 0.5  # seconds between looks at the clock when nothing comes in


class AppendResult(Struct, frozen=True):
    """What became of a batch."""

    stored: int
    duplicates: int
    stale: int


class Writer:
    """The one writer of a lake. `submit` may be called from any thread; all else happens in its own."""

    def __init__(self, lake: Lake, stored: Stored, follower: Follower) -> None:
        self._lake, self._stored, self._follower = lake, stored, follower
        self._settings = lake.settings
        self._queue: deque[tuple[Batch | Decoded, Future[AppendResult]]] = deque()
        self._waiting_rows = 0
        self._wake = threading.Condition()
        self._closing = False
        self._behind_since: float | None = None  # monotonic; while the newest commit may not be followed
        self.committed_at = time.time()
        self.on_commit: Callable[[float], None] = lambda _seconds: None
        self._retry_at = 0.0  # monotonic; when upkeep may read the lake again after that failed
        self._crowd = 0  # batches of the last group
        self._more = False
        self.maintenance = Maintenance(lake, stored, follower)
        self._thread = threading.Thread(target=self._run, name="runlake-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def submit(self, batch: Batch | Decoded) -> Future[AppendResult]:
        """Queue a batch. The future ends when its group is durable and visible to every later read.

        It raises Conflict, DiskFull, or Busy when the commit failed. Raises Busy when the queue is full.
        """
        future: Future[AppendResult] = Future()
        with self._wake:
            if self._closing:
                raise Busy("the service is shutting down")
            if self._waiting_rows and self._waiting_rows + len(batch) > self._settings.queue_rows:
                raise Busy("too many runs wait to be written")
            self._queue.append((batch, future))
            self._waiting_rows += len(batch)
            self._wake.notify()
        return future

    @property
    def queued_rows(self) -> int:
        """Rows that wait for their commit; from any thread."""
        return self._waiting_rows

    def lag(self) -> float:
        """Seconds for which answers have been behind the lake; from any thread."""
        since = self._behind_since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Write what is queued, then end; a second call does nothing."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._commit(group)
            try:
                self._more = self._look_after()
            except Exception as exc:  # noqa: BLE001 - upkeep that fails must not end the writing
                self._more = False
                self._retry_at = time.monotonic() + self._settings.maintain_seconds
                self._recover(exc)

    def _look_after(self) -> bool:
        """Upkeep, but only ever when every commit is followed; returns whether there is more to do at once."""
        if self._behind_since is not None and time.monotonic() < self._retry_at:
            return False
        self._catch_up()
        return self.maintenance.run_one_step()

    def _catch_up(self) -> None:
        if self._behind_since is not None:
            self._stored.load(self._lake)
            self._follower.load()
            self._behind_since = None

    def _next_group(self) -> list[tuple[Batch | Decoded, Future[AppendResult]]] | None:
        """The batches for one commit; [] when it is only time to look after the lake; None at the end."""
        group: list[tuple[Batch | Decoded, Future[AppendResult]]] = []
        with self._wake:
            if not self._queue and not self._closing and not self._more:
                self._wake.wait(_IDLE)
            if not self._queue:
                return None if self._closing else []
            self._gather()
            rows = 0
            while self._queue and (not rows or rows + len(self._queue[0][0]) <= self._settings.group_rows):
                batch, future = self._queue.popleft()
                rows += len(batch)
                # A caller that went away before its turn is not written; from now on it is.
                if future.set_running_or_notify_cancel():
                    group.append((batch, future))
            self._waiting_rows -= rows
            self._crowd = len(group)
            return group

    def _gather(self) -> None:
        """Wait a little for the callers of the last group, who were all answered at once: most come again.

        Without it the first of them has a commit of its own, and all the others wait for that.
        """
        deadline = time.monotonic() + _GATHER
        while len(self._queue) < self._crowd and not self._closing and (left := deadline - time.monotonic()) > 0:
            self._wake.wait(left)

    def _commit(self, group: list[tuple[Batch | Decoded, Future[AppendResult]]]) -> None:
        try:
            admission = self._write([batch for batch, _ in group])
        except Exception as exc:  # noqa: BLE001 - whatever it was, every caller must hear of it
            self._recover(exc)
            if isinstance(exc, LakeDamaged) and len(group) > 1:
                # One of them needs a file that cannot be read: the others must not suffer for it.
                for alone in group:
                    self._commit([alone])
                return
            for _, future in group:
                future.set_exception(exc if isinstance(exc, DiskFull) else _failed(exc))
            return
        start = 0
        for (batch, future), conflict in zip(group, admission.conflicts, strict=True):
            stop = start + len(batch)
            if conflict is not None:
                future.set_exception(conflict)
            else:
                status = admission.status[start:stop]
                kinds = (admit.STORE, admit.DUPLICATE, admit.STALE)
                future.set_result(AppendResult(*(int(np.count_nonzero(status == kind)) for kind in kinds)))
            start = stop

    def _write(self, batches: list[Batch | Decoded]) -> admit.Admission:
        self._catch_up()
        started = time.monotonic()
        few = sum(map(len, batches)) <= self._settings.inline_rows
        self._lake.use_threads(1 if few else self._settings.threads)
        admission = admit.admit(batches, self._stored, self._follower.locate, partial(write.verify, self._lake))
        commit = write.store(self._lake, admission, self._stored.last_file)
        if commit is not None:
            self.committed_at = time.time()
            # Until it is followed: a failure in between must leave nothing wrong.
            self._behind_since = time.monotonic()
            self._stored.apply(commit)
            self._follow(commit)
            self._behind_since = None
            self.on_commit(time.monotonic() - started)
            self.maintenance.count_replaced(len(admission.closed))
        return admission

    def _follow(self, commit: Commit) -> None:
        """The commit took place: whatever goes wrong now, its callers wait until every read sees it."""
        try:
            self._follower.apply(commit)
        except Exception as exc:  # noqa: BLE001 - loading again is the cure of all of them
            LOGGER.error("following a commit failed: %s", exc, exc_info=exc)
            self._follower.load()

    def _recover(self, exc: Exception) -> None:
        """After a failure nobody knows whether the commit took place: read the lake again before the next."""
        known = isinstance(exc, DiskFull)  # it comes often, and its trace tells nothing more
        LOGGER.log(logging.ERROR, "writing failed: %s", exc, exc_info=None if known else exc)
        self._behind_since = self._behind_since or time.monotonic()


def _failed(exc: Exception) -> RunlakeError:
    failure = Busy(
        "the commit failed, and the runs may have been stored: send the same ids again; the log of the service says why"
    )
    failure.__cause__ = exc
    return failure
