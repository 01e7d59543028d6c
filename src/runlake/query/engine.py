"""Reading threads and time limits: each question is answered on one of a few threads of our own, with one View."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Concatenate, ParamSpec, TypeVar

from msgspec import Struct

from runlake.errors import Busy, LakeDamaged, Timeout
from runlake.index.index import Index
from runlake.index.view import View
from runlake.query.days import Days
from runlake.query.files import Reader
from runlake.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")


class Session(Struct, frozen=True):
    """What one question reads with, until its time is over."""

    reader: Reader
    days: Days
    ended: threading.Event
    dropped: threading.Event
    deadline: float

    def check(self) -> None:
        """Raise Timeout when the time is over; called before each read of a file."""
        if self.ended.is_set() or self.dropped.is_set() or time.monotonic() > self.deadline:
            raise Timeout("the question was interrupted at its time limit")

    def hurry(self) -> None:
        """End the question at its next check: nobody waits for the answer. From any thread."""
        self.dropped.set()


def _let_go(exc: BaseException | None) -> None:
    """Empty the frames of an error: they hold the View, and the error may live on until it is collected."""
    while exc is not None:
        traceback.clear_frames(exc.__traceback__)
        exc = exc.__cause__ or exc.__context__


class Engine:
    """Runs functions of `queries` on reading threads, each with the newest View."""

    def __init__(self, index: Index, settings: Settings) -> None:
        self._index = index
        self._seconds = settings.query_seconds
        self._reader = Reader(settings.threads)
        self._days = Days(settings.cache_bytes)
        self._waiting = threading.BoundedSemaphore(settings.read_threads + settings.read_queue)
        self._pool = ThreadPoolExecutor(settings.read_threads, thread_name_prefix="runlake-read")
        self._ended = threading.Event()
        self._warming = threading.Thread(target=self._warm, name="runlake-warm", daemon=True)

    def warm(self) -> None:
        """Begin to read what statistics of the newest days will need, so that the first to ask need not wait for it."""
        self._warming.start()

    def _warm(self) -> None:
        view = self._index.view
        files, tasks = view.files.all(), view.tasks
        del view  # nobody asks for its snapshot: it may be cleaned away
        with suppress(LakeDamaged):  # a question that needs the file will say so
            self._days.warm(files, tasks, self._ended)

    def submit(self, question: Callable[Concatenate[Session, View, P], T], *args: P.args, **kw: P.kwargs) -> Future[T]:
        """Answer a question on a reading thread; raises Busy when too many wait."""
        if not self._waiting.acquire(blocking=False):
            raise Busy("too many queries wait", hint="try again later")

        def answer() -> T:
            try:
                return question(self._session(), self._index.view, *args, **kw)
            except BaseException as exc:
                _let_go(exc)
                raise

        try:
            future = self._pool.submit(answer)
        except RuntimeError:  # the pool's way to say that it was closed
            self._waiting.release()
            raise Busy("the service is shutting down") from None
        future.add_done_callback(lambda _: self._waiting.release())
        return future

    def _session(self) -> Session:
        deadline = time.monotonic() + self._seconds
        return Session(self._reader, self._days, self._ended, threading.Event(), deadline)

    def close(self) -> None:
        """Drop what waits and end what runs; a second call does nothing."""
        self._ended.set()
        self._pool.shutdown(wait=True, cancel_futures=True)
        if self._warming.is_alive():
            self._warming.join()
        self._reader.close()
