"""Group commit: one thread writes, and batches that wait at the same time share one transaction.

batch -> queue -> admit -> one lake transaction (sync new files, COMMIT) -> follower -> results
The follower takes a small commit beside that transaction, and shows it after its COMMIT.
All results of a group are sent after its commit, because a duplicate or a conflict may depend on another batch of it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from typing import Final

import numpy as np
from msgspec import Struct

from runlake.errors import BadInput, Busy, Changed, DiskFull, LakeDamaged, NotFound, RunlakeError
from runlake.intake.batch import Batch
from runlake.intake.decoded import Decoded
from runlake.lake import admit, write
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit, Follower
from runlake.lake.maintenance import Maintenance
from runlake.lake.stored import Stored
from runlake.log import LOGGER

_GATHER: Final = 0.02  # seconds that a group waits, at most, for the clients of the last one
_CHANGES: Final = 64  # other changes than appends that may wait
_IDLE: Final = 0.5  # seconds between calls of maintenance while no batch comes in


class AppendResult(Struct, frozen=True):
    """The numbers of runs of a batch, by result."""

    stored: int
    duplicates: int
    stale: int


_Queued = tuple[Batch | Decoded, Future[AppendResult]]
Change = Callable[[Lake], Commit | None]  # another change of the lake than an append; None when it changed nothing


class Writer:
    """The one writer of a lake, with a thread of its own. Any thread may call `submit`.

    committed_at    when this process last committed, or opened the lake; seconds since the epoch
    on_commit       called with the seconds that a commit took
    """

    def __init__(self, lake: Lake, stored: Stored, follower: Follower) -> None:
        self._lake, self._stored, self._follower = lake, stored, follower
        self._settings = lake.settings
        self._queue: deque[_Queued] = deque()
        self._queued_rows = 0
        self._changes: deque[tuple[Change, Future[None]]] = deque()
        self._wake = threading.Condition()
        self._closing = False
        self._behind_since: float | None = None  # monotonic; since when the follower may be behind the lake
        self.committed_at = time.time()
        self.on_commit: Callable[[float], None] = lambda _seconds: None
        self._retry_at = 0.0  # monotonic; when maintenance may run again after it failed
        self._awaited = 0  # batches that the next group waits for
        self._has_more_steps = False
        self.maintenance = Maintenance(lake, stored, follower)
        self._beside = ThreadPoolExecutor(1, thread_name_prefix="runlake-follower")
        self._thread = threading.Thread(target=self._run, name="runlake-writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, batch: Batch | Decoded) -> Future[AppendResult]:
        """Queue a batch; raises Busy when the queue is full.

        The future is done once the batch is durable and visible to every later read. It raises Conflict, DiskFull, or
        Busy when the commit failed.
        """
        future: Future[AppendResult] = Future()
        with self._wake:
            if self._closing:
                raise Busy("the service is shutting down")
            if self._queued_rows and self._queued_rows + len(batch) > self._settings.queue_rows:
                raise Busy("too many runs wait to be written")
            self._queue.append((batch, future))
            self._queued_rows += len(batch)
            self._wake.notify()
        return future

    def change(self, change: Change) -> Future[None]:
        """Queue another change of the lake, such as of names; raises Busy when the writer ends, or many wait.

        The future is done once the change is durable and visible. It raises what the change raises, DiskFull, or Busy
        when the commit failed.
        """
        future: Future[None] = Future()
        with self._wake:
            if self._closing:
                raise Busy("the service is shutting down")
            if len(self._changes) >= _CHANGES:
                raise Busy("too many changes wait to be written")
            self._changes.append((change, future))
            self._wake.notify()
        return future

    @property
    def queued_rows(self) -> int:
        """Rows that wait for their commit; any thread may ask."""
        return self._queued_rows

    def lag(self) -> float:
        """Seconds since when answers are behind the lake, 0 when they are not; any thread may ask."""
        since = self._behind_since
        return 0.0 if since is None else time.monotonic() - since

    def close(self) -> None:
        """Write what is queued, then end; a second call does nothing."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join()
        self._beside.shutdown()

    def _run(self) -> None:
        while (group := self._next_group()) is not None:
            if group:
                self._commit(group)
            while self._changes:
                self._do(*self._changes.popleft())
            try:
                self._has_more_steps = self._maintain()
            except Exception as exc:  # noqa: BLE001 - failed maintenance must not end the thread
                self._has_more_steps = False
                self._retry_at = time.monotonic() + self._settings.maintain_seconds
                self._recover(exc)

    def _maintain(self) -> bool:
        """Do one step of maintenance, after the follower has caught up; returns whether another one should follow."""
        if self._behind_since is not None and time.monotonic() < self._retry_at:
            return False
        self._catch_up()
        return self.maintenance.run_one_step()

    def _catch_up(self) -> None:
        if self._behind_since is not None:
            self._stored.load(self._lake)
            self._follower.load()
            self._behind_since = None

    def _next_group(self) -> list[_Queued] | None:
        """The batches for one commit; [] when it is time for maintenance, None when the writer ends."""
        group: list[_Queued] = []
        with self._wake:
            if not self._queue and not self._changes and not self._closing and not self._has_more_steps:
                self._wake.wait(_IDLE)
            if not self._queue:
                return None if self._closing and not self._changes else []
            self._gather()
            rows = 0
            while self._queue and (not rows or rows + len(self._queue[0][0]) <= self._settings.group_rows):
                batch, future = self._queue.popleft()
                rows += len(batch)
                # A batch that was cancelled is left out. From now on it cannot be cancelled any more.
                if future.set_running_or_notify_cancel():
                    group.append((batch, future))
            self._queued_rows -= rows
            return group

    def _gather(self) -> None:
        """Wait a little for the clients of the last group: all got their results at once, and most send again.

        With those who came meanwhile they are one group. Otherwise there would be two that take turns, and a small
        commit takes as long as one of twice as many.
        """
        deadline = time.monotonic() + _GATHER
        while self._may_grow() and (left := deadline - time.monotonic()) > 0:
            self._wake.wait(left)

    def _may_grow(self) -> bool:
        """Whether the next group waits for others; not when it is full, or keeps something else waiting."""
        is_full = self._queued_rows >= self._settings.group_rows
        return len(self._queue) < self._awaited and not (is_full or self._changes or self._closing)

    def _commit(self, group: list[_Queued]) -> None:
        try:
            admission = self._write([batch for batch, _ in group])
        except Exception as exc:  # noqa: BLE001 - every future needs a result or an error
            self._recover(exc)
            if isinstance(exc, LakeDamaged) and len(group) > 1:
                # One batch needs a file that cannot be read: commit the others without it.
                for alone in group:
                    self._commit([alone])
                return
            for _, future in group:
                future.set_exception(exc if isinstance(exc, DiskFull) else _failed(exc))
            return
        self._awaited = len(group) + len(self._queue)  # before the results go: their clients may be back at once
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
        changed = write.changes(admission)
        if changed is not None:
            with self._beginning(changed) as begun:
                commit = write.commit_rows(self._lake, changed, self._stored.last_file)
            self._follow(commit, begun)
            self.on_commit(time.monotonic() - started)
            self.maintenance.count_replaced(len(admission.closed))
        return admission

    @contextmanager
    def _beginning(self, changed: Commit) -> Iterator[Future[None] | None]:
        """Let the follower begin to follow a small commit beside the block, which makes it: both take as long.

        Yields what tells whether the follower could, done at the end of the block; an error of the block undoes it.
        """
        if not write.is_inlined(self._lake, changed):
            yield None
            return
        begun = self._beside.submit(self._follower.begin, changed)
        try:
            yield begun
        except BaseException:
            wait([begun])
            self._follower.undo()
            raise
        wait([begun])

    def _do(self, change: Change, future: Future[None]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            self._catch_up()
            commit = change(self._lake)
            if commit is not None:
                self._follow(commit)
        except (BadInput, Changed, NotFound) as exc:  # nothing was written
            future.set_exception(exc)
        except Exception as exc:  # noqa: BLE001 - every future needs a result or an error
            self._recover(exc)
            future.set_exception(exc if isinstance(exc, DiskFull) else _failed(exc, "this change"))
        else:
            future.set_result(None)

    def _follow(self, commit: Commit, begun: Future[None] | None = None) -> None:
        """Apply a commit, which has taken place: its results are due once every read sees it."""
        self.committed_at = time.time()
        # Set until the follower has the commit, so that a failure in between is repaired.
        self._behind_since = time.monotonic()
        self._stored.apply(commit)
        try:
            if begun is not None:
                begun.result()
            self._follower.apply(commit)
        except Exception as exc:  # noqa: BLE001 - `load` repairs the follower after any error
            LOGGER.error("following a commit failed: %s", exc, exc_info=exc)
            self._follower.load()
        self._behind_since = None

    def _recover(self, exc: Exception) -> None:
        """Log a failure. The commit may have taken place: read the lake again before the next one."""
        is_expected = isinstance(exc, DiskFull)  # it comes often, and its trace says nothing more
        LOGGER.log(logging.ERROR, "writing failed: %s", exc, exc_info=None if is_expected else exc)
        self._behind_since = self._behind_since or time.monotonic()


def _failed(exc: Exception, what: str = "the runs") -> RunlakeError:
    again = "send the same ids again" if what == "the runs" else "read it again"
    failure = Busy(f"the commit failed, and {what} may have been stored: {again}; the log of the service says why")
    failure.__cause__ = exc
    return failure
