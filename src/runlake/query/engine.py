"""Reading threads and time limits: each question runs on a thread of its own, inside one read transaction.

The transaction of the serving database is the snapshot: all statements of a question see the same one, whatever the
writer commits meanwhile.
"""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import duckdb
import pyarrow as pa

from runlake import duck
from runlake.errors import Busy, LakeDamaged, Timeout, TooLong, TooMany
from runlake.query.parts import Part, Report
from runlake.query.sql import SQL
from runlake.serving.counting import State
from runlake.serving.database import files_in
from runlake.serving.serving import Serving
from runlake.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

_PARAMETER: Final = re.compile(r"\$([a-z_0-9]+)")
_OVER: Final = "the question was interrupted at its time limit"
_NO_FILE: Final = (duckdb.FatalException, duckdb.InternalException)  # errors of the instance itself
_WAITING_SCANS: Final = 8
_NICER: Final = 5  # than the other threads is that of scans
_LOOK: Final = 0.05  # seconds between looks at the clock, and between interrupts: one is lost if nothing runs yet


class Session:
    """One question: its statements, until its time is over. `report` takes parts of its answer, if anybody does."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, serving: Serving, seconds: float) -> None:
        self._cursor, self._ids, self.unreadable = cursor, serving.ids, serving.unreadable
        self.storage, self._scan = serving.storage, serving.scan
        self._deadline = time.monotonic() + seconds
        self._dropped = threading.Event()
        self.report: Report | None = None

    @cached_property
    def state(self) -> State:
        """The row of `state` in the snapshot of this question."""
        return State(*self.rows(SQL["state"])[0])

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a statement; raises Timeout, or LakeDamaged for a file that cannot be read."""
        return self._fetched(statement, parameters or {}, self._cursor.fetchall)

    def table(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The same as an Arrow table."""
        return self._fetched(statement, parameters or {}, self._cursor.to_arrow_table)

    def _fetched(self, statement: str, asked: Mapping[str, Any], fetch: Callable[[], T]) -> T:
        if self.over:
            raise Timeout(_OVER)
        try:
            with self.storage.reading(files_in(asked)):
                self._cursor.execute(written(statement, asked))
                self._names = [column[0] for column in self._cursor.description]
                return fetch()
        except duckdb.InterruptException as exc:
            raise Timeout(_OVER) from exc
        except _NO_FILE:
            raise
        except duckdb.Error as exc:
            self._find_damage(asked, exc)
            raise

    def _find_damage(self, asked: Mapping[str, Any], exc: duckdb.Error) -> None:
        """Raise LakeDamaged for the file, of those that a statement read, that made it fail."""
        for path in files_in(asked):
            try:
                self._scan(path)
            except LakeDamaged as damaged:
                raise damaged from exc

    def records(self, statement: str, parameters: Mapping[str, Any] | None = None) -> list[dict[str, Any]]:
        """The same rows, each by the names of its columns."""
        return [dict(zip(self._names, row, strict=True)) for row in self.rows(statement, parameters)]

    def require_readable(self, first: int, last: int) -> None:
        """Raise LakeDamaged unless all runs of the days first..last (both included) are counted."""
        for file in self.unreadable:
            if first <= file.day <= last:
                raise LakeDamaged(f"cannot read {file.path}, which this answer may need")

    @property
    def over(self) -> bool:
        """Whether its time is over, or nobody waits for the answer any more."""
        return self._dropped.is_set() or time.monotonic() > self._deadline

    def tell(self, part: Part, answer: Callable[[], object]) -> None:
        """Report a part that is neither nothing nor the whole; its answer is made only if somebody takes it now."""
        if self.report is not None and 0 < part.done < part.of:
            self.report(part, answer)

    def quarters(self, run_id: uuid.UUID) -> list[int]:
        """The quarter hours (since the epoch) in which the run of an id may have begun; see IdIndex.locate."""
        return self._ids.quarters(run_id)

    def cancel(self) -> None:
        """End the statement that runs, and begin no other. From any thread."""
        self._dropped.set()
        self.interrupt()

    def interrupt(self) -> None:
        """End the statement that runs, if one does."""
        with suppress(duckdb.Error):
            self._cursor.interrupt()


@contextmanager
def in_time() -> Iterator[None]:
    """Turn the Timeout of a question, which reads more the longer its window is, into TooLong."""
    try:
        yield
    except Timeout as exc:
        raise TooLong("the window is too long to read within the time limit") from exc


def yield_to_others() -> None:
    """Let this thread have less of a busy processor than others have, where threads have a priority of their own."""
    if sys.platform == "linux":
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, min(19, os.getpriority(os.PRIO_PROCESS, thread) + _NICER))


def written(statement: str, parameters: Mapping[str, Any]) -> str:
    """A statement with its parameters written out: `$name` for each of them.

    DuckDB 1.5.5 plans a statement a second time when its values are bound, which is a third of a small answer. Only
    values whose text is safe by their type are taken, and texts as SQL literals.
    """
    return _PARAMETER.sub(lambda found: _literal(parameters[found[1]]), statement) if parameters else statement


def _literal(value: Any) -> str:
    match value:
        case None:
            return "NULL"
        case bool() | int():
            return str(value)
        case uuid.UUID():
            return f"'{value}'::UUID"
        case datetime():
            return f"'{value.isoformat()}'::TIMESTAMPTZ"
        case str():
            return duck.literal(value)
        case list() | tuple():
            inner = ", ".join(map(_literal, value)) or ("NULL" if isinstance(value, tuple) else "")  # nothing is in it
            return f"[{inner}]" if isinstance(value, list) else f"({inner})"  # a tuple is for IN
    raise TypeError(f"a parameter cannot be of {type(value)}")


class Engine:
    """Runs functions of `queries` on reading threads."""

    def __init__(self, serving: Serving, settings: Settings) -> None:
        self._serving = serving
        self._seconds = settings.query_seconds
        self._waiting = threading.BoundedSemaphore(settings.read_threads + settings.read_queue)
        self._pool = ThreadPoolExecutor(settings.read_threads, thread_name_prefix="runlake-read")
        # Scans have a lane of their own, so that they never hold up the other questions.
        self._scans_waiting = threading.BoundedSemaphore(1 + _WAITING_SCANS)
        self._scans = ThreadPoolExecutor(1, thread_name_prefix="runlake-scan", initializer=yield_to_others)
        self._guard = threading.Lock()
        self._running: set[Session] = set()
        self._ended = threading.Event()
        self._clock = threading.Thread(target=self._watch, name="runlake-clock", daemon=True)
        self._clock.start()

    def submit(self, question: Callable[Concatenate[Session, P], T], *args: P.args, **kw: P.kwargs) -> Future[T]:
        """Answer a question on a reading thread; raises Busy when too many wait."""
        if not self._waiting.acquire(blocking=False):
            raise Busy("too many queries wait", hint="try again later")
        return self._submit(self._pool, self._waiting, partial(self._answered, question, *args, **kw))

    def scan(self, question: Callable[[Session], T]) -> Future[T]:
        """Answer a question that reads much, after others of this kind; raises TooMany when too many wait."""
        if not self._scans_waiting.acquire(blocking=False):
            raise TooMany("too many scans wait")
        return self._submit(self._scans, self._scans_waiting, partial(self._answered, question))

    def _submit(
        self, pool: ThreadPoolExecutor, waiting: threading.BoundedSemaphore, answer: Callable[[], T]
    ) -> Future[T]:
        try:
            future = pool.submit(answer)
        except RuntimeError:  # the pool's way to say that it was closed
            waiting.release()
            raise Busy("the service is shutting down") from None
        future.add_done_callback(lambda _: waiting.release())
        return future

    def _answered(self, question: Callable[Concatenate[Session, P], T], *args: P.args, **kw: P.kwargs) -> T:
        with self._session() as session:
            return question(session, *args, **kw)

    @contextmanager
    def _session(self) -> Iterator[Session]:
        # The serving database sees the errors of DuckDB first: some say that it is lost.
        with duck.translated("answering"), self._serving.readers.reading() as cursor:
            session = Session(cursor, self._serving, self._seconds)
            with self._guard:
                self._running.add(session)
            try:
                yield session
            finally:
                with self._guard:
                    self._running.discard(session)

    def _watch(self) -> None:
        """Interrupt what is over its time, again and again until it ends."""
        while not self._ended.wait(_LOOK):
            with self._guard:
                late = [session for session in self._running if session.over]
                for session in late:  # inside the guard: afterwards the cursor may serve another question
                    session.interrupt()

    def close(self) -> None:
        """Drop what waits and end what runs; a second call does nothing."""
        with self._guard:
            for session in self._running:
                session.cancel()
        for pool in (self._pool, self._scans):
            pool.shutdown(wait=True, cancel_futures=True)
        self._ended.set()
        self._clock.join()
