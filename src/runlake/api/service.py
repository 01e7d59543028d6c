"""The service behind the handlers: it loads a store, says when that is ready, and runs queries and appends on it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

import msgspec
from litestar import Request

from runlake.api import sql_queries
from runlake.api.body import BodyReader
from runlake.api.cancellation import UNWATCHED, CancellableQuery
from runlake.api.exporting import Exports
from runlake.api.metrics import Metrics
from runlake.api.places import Places
from runlake.api.streaming import Streams
from runlake.errors import Busy, NotReady
from runlake.intake import Batch, Decoded
from runlake.lake.append import AppendResult, Change
from runlake.log import LOGGER, event
from runlake.query.changed import ChangedRuns
from runlake.query.engine import Session
from runlake.settings import Settings
from runlake.store import Store

_LOG_PAUSE: Final = 2.0  # seconds between lines of the log while the serving database is made
_RETRY_PAUSE: Final = 10.0  # seconds between two attempts to load
P = ParamSpec("P")
T = TypeVar("T")


class _StoppedError(Exception):
    """Ends the loading thread."""


class Service:
    """A Store while it is served. The caller opens and closes the Store; this loads it in the background."""

    def __init__(self, store: Store, loaded: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._loaded = loaded  # called once, after loading and before the first answer
        self.bodies = BodyReader(store.settings)
        self.exports = Exports(store.settings.exports)
        self.sql_places = Places(sql_queries.MOST, "queries")
        self.streams = Streams(store.settings.streams, ChangedRuns(store.serving.changes))
        self.metrics = Metrics(store, self.bodies.budget, self.exports, self.streams)
        store.writer.on_commit = self.metrics.commit
        store.writer.maintenance.on_step = self.metrics.step
        self._start = time.time_ns()  # part of each tag: a lake made anew repeats snapshot numbers
        self._reason: str | None = "the serving database is being loaded"  # why it is not ready; None when it is
        self._stopped = threading.Event()
        self._logged_at = time.monotonic()
        self._thread = threading.Thread(target=self._load, name="runlake-load", daemon=True)

    @property
    def settings(self) -> Settings:
        """The settings of the store."""
        return self._store.settings

    def start(self) -> None:
        """Load the store in the background; the routes answer 503 until it is there."""
        self._thread.start()

    def _load(self) -> None:
        """Load until it succeeds: the obstacle, such as a full disk, may go away."""
        while not self._is_loaded():
            if self._stopped.wait(_RETRY_PAUSE):
                return
        self._loaded()
        self._reason = None
        self.metrics.ready = True
        event("ready", snapshot=self._store.serving.snapshot, runs=self._store.stored.runs)

    def _is_loaded(self) -> bool:
        try:
            self._store.load(self._progress)
            if self._stopped.is_set():
                return False
            self._store.start()
        except _StoppedError:
            return False
        except Exception as exc:  # noqa: BLE001 - /ready has to say it, whatever it is
            self._reason = "the serving database could not be loaded; the log of the service says why"
            LOGGER.error("loading failed", exc_info=exc)
            return False
        return True

    def stop(self) -> None:
        """End loading, decoding, exports and streams; then the store may be closed."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
        self.bodies.close()
        self.exports.close()
        self.streams.close()

    def _progress(self, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise _StoppedError
        self._reason = f"the serving database is being made: {done} of {total} files"
        if time.monotonic() - self._logged_at >= _LOG_PAUSE:
            self._logged_at = time.monotonic()
            event("making the serving database", files=done, of=total)

    def ready(self) -> Store:
        """The store; raises NotReady with the reason."""
        if self._reason is not None:
            raise NotReady(self._reason)
        return self._store

    async def run_query(
        self,
        request: Request[Any, Any, Any],
        question: Callable[[Session], T],
        body: Callable[[T], object] = lambda answer: answer,
        *,
        scan: bool = False,
    ) -> tuple[T, bytes, int]:
        """Run a query on a reading thread, or in the lane of scans; returns its answer, the body of the answer as
        JSON, and its snapshot.

        The query is cancelled when the client of the request disconnects.
        """

        def encoded(session: Session) -> tuple[T, bytes, int]:
            answer = question(session)
            return answer, msgspec.json.encode(body(answer)), session.state.snapshot

        cancellable = CancellableQuery(encoded)
        engine = self.ready().engine
        future = engine.scan(cancellable) if scan else engine.submit(cancellable)
        self.metrics.queries_under_way += 1
        try:
            # A scan whose client is gone would keep a place in the lane from the next question of the same client.
            return await cancellable.result(future, request, unwatched=0 if scan else UNWATCHED)
        finally:
            self.metrics.queries_under_way -= 1

    def tag(self) -> str:
        """The tag of the newest snapshot. A request gets the same answer as long as the tag is the same."""
        return self.tag_of(self.ready().serving.snapshot)

    def tag_of(self, snapshot: int) -> str:
        """The tag of a snapshot."""
        return f"{self._start:x}-{snapshot:x}"

    async def change(self, change: Change) -> None:
        """Make another change of the lake; returns when it is durable and visible. Raises what it raises, and Busy."""
        await asyncio.wrap_future(self.ready().writer.change(change))

    async def append(self, batch: Batch | Decoded) -> AppendResult:
        """Store a batch; returns when it is durable and visible."""
        started = time.perf_counter()
        store = self.ready()
        if store.serving.unreadable:
            raise Busy("a file of the lake cannot be read, so whether these runs are stored is not known")
        counts = await asyncio.wrap_future(store.writer.submit(batch))
        self.metrics.append(time.perf_counter() - started, counts)
        return counts
