"""What the handlers share: the store, once it is ready, and the state of getting there."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Concatenate, Final, ParamSpec, TypeVar

import msgspec

from runlake.api.asked import Asked, Caller
from runlake.api.body import Room
from runlake.api.metrics import Metrics
from runlake.errors import Busy, NotReady
from runlake.intake import Batch, Decoded
from runlake.lake.append import Counts
from runlake.log import LOGGER, event
from runlake.query.engine import Session
from runlake.settings import Settings
from runlake.store import Store

_TELL: Final = 2.0  # seconds between lines of the log while the serving database is made
_AGAIN: Final = 10.0  # seconds until loading is tried once more
P = ParamSpec("P")
T = TypeVar("T")


class _StoppedError(Exception):
    """Ends the loading thread."""


class Service:
    """Opens nothing and closes nothing: it is handed a Store, loads it, and answers once that is done."""

    def __init__(self, store: Store, loaded: Callable[[], None] = lambda: None) -> None:
        self._store = store
        self._loaded = loaded  # called once all is loaded, before the first answer
        self.room = Room(store.settings.bodies_bytes)
        self.metrics = Metrics(store, self.room)
        store.writer.on_commit = self.metrics.commit
        store.writer.keeper.on_step = self.metrics.step
        self._start = time.time_ns()  # a lake made anew may have the same snapshot numbers
        self._reason: str | None = "the serving database is being loaded"
        self._stopped = threading.Event()
        self._told = time.monotonic()
        self._thread = threading.Thread(target=self._load, name="runlake-load", daemon=True)

    @property
    def settings(self) -> Settings:
        """The settings of the store."""
        return self._store.settings

    def start(self) -> None:
        """Load the store in the background; the routes answer 503 until it is there."""
        self._thread.start()

    def _load(self) -> None:
        """Until it works: what is in the way, such as a disk that is full, may go away."""
        while not self._is_loaded():
            if self._stopped.wait(_AGAIN):
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
        """End the loading, if it still goes on; then the store may be closed."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _progress(self, done: int, total: int) -> None:
        if self._stopped.is_set():
            raise _StoppedError
        self._reason = f"the serving database is being made: {done} of {total} files"
        if time.monotonic() - self._told >= _TELL:
            self._told = time.monotonic()
            event("making the serving database", files=done, of=total)

    def ready(self) -> Store:
        """The store; raises NotReady with the reason."""
        if self._reason is not None:
            raise NotReady(self._reason)
        return self._store

    async def ask(
        self, caller: Caller, question: Callable[Concatenate[Session, P], T], *args: P.args, **kw: P.kwargs
    ) -> tuple[T, bytes, str]:
        """The answer, its JSON and the tag of its snapshot, all made on a reading thread.

        A question whose caller goes away is dropped.
        """

        def encoded(session: Session) -> tuple[T, bytes, str]:
            answer = question(session, *args, **kw)
            return answer, msgspec.json.encode(answer), self._tag(session.state.snapshot)

        asked = Asked(encoded)
        future: Future[tuple[T, bytes, str]] = self.ready().engine.submit(asked)
        self.metrics.asked += 1
        try:
            return await asked.answer(future, caller)
        finally:
            self.metrics.asked -= 1

    def tag(self) -> str:
        """The tag of the newest snapshot: equal tags of one request mean equal answers."""
        return self._tag(self.ready().serving.snapshot)

    def _tag(self, snapshot: int) -> str:
        return f"{self._start:x}-{snapshot:x}"

    async def append(self, batch: Batch | Decoded) -> Counts:
        """Store a batch; returns when it is durable and visible."""
        started = time.perf_counter()
        store = self.ready()
        if store.serving.unreadable:
            raise Busy("a file of the lake cannot be read, so whether these runs are stored is not known")
        counts = await asyncio.wrap_future(store.writer.submit(batch))
        self.metrics.append(time.perf_counter() - started, counts)
        return counts
