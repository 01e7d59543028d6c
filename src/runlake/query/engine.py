"""Connections and time limits: queries run on a few threads of our own, each with its own cursor."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

import duckdb
import pyarrow as pa

from runlake import duck, statements, times
from runlake.columns import select_list
from runlake.errors import Busy
from runlake.index.index import Index
from runlake.index.view import View
from runlake.paths import Paths
from runlake.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

_TICK: Final = 0.05  # seconds between interrupts: one is lost when its query has not started yet
RANKED: Final = 20  # tasks in the two rankings of a summary, at most
_QUERIES: Final = (
    "cut_units",
    "page",
    "detail",
    "memory",
    "latest",
    "latest_day",
    "task_stats",
    "streak",
    "summary",
    "task_p95",
)
_DAILY: Final = statements.load("runlake.query", "sql/daily.sql").strip()
_PERCENTILES: Final = statements.load("runlake.query", "sql/percentiles.sql").strip()
SQL: Final = {
    name: statements.load("runlake.query", f"sql/{name}.sql")
    .replace("{select}", select_list())
    .replace("{daily}", _DAILY)
    .replace("{percentiles}", _PERCENTILES)
    .replace("{tasks}", ", ".join(f"$task_{i}" for i in range(RANKED)))
    for name in _QUERIES
}

_UNITS: Final = statements.load("runlake.query", "sql/units.sql")
SQL["hours"] = _UNITS.format(counts="hours", unit=times.HOUR_US, of_task="")
SQL["days_of_task"] = _UNITS.format(counts="cells", unit=times.DAY_US, of_task="AND task_id = $task_id")


class Session:
    """One thread's cursor; runs the named statements of `sql/` under a time limit."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, empty: str, seconds: float) -> None:
        self._cursor = cursor
        self._empty = empty
        self._seconds = seconds
        self._guard = threading.Lock()
        self._deadline: float | None = None

    def run(self, name: str, view: View, parameters: Mapping[str, Any]) -> pa.Table:
        """The rows of `sql/<name>.sql` over the files among its parameters and the View's rows in memory.

        Raises Timeout after the time limit, LakeDamaged when a file cannot be read.
        """
        bound = {"snapshot": view.snapshot, **parameters}
        bound |= {key: [self._empty] for key, value in bound.items() if value == []}
        with self._guard:
            self._deadline = time.monotonic() + self._seconds
        try:
            with duck.translated(f"query {name}"):
                return self._cursor.execute(SQL[name], bound).to_arrow_table()
        finally:
            with self._guard:
                self._deadline = None

    def hurry(self) -> None:
        """End the running query at the watchdog's next look."""
        with self._guard:
            if self._deadline is not None:
                self._deadline = 0.0

    def interrupt_if_late(self) -> None:
        """Interrupt the running query if its time is over; harmless when none runs."""
        with self._guard:
            if self._deadline is not None and time.monotonic() > self._deadline:
                self._cursor.interrupt()


class Engine:
    """Runs functions of `queries` on reading threads, each with the newest View."""

    def __init__(self, index: Index, settings: Settings) -> None:
        self._index = index
        self._settings = settings
        self._local = threading.local()
        self._sessions: list[Session] = []
        self._meter: duckdb.DuckDBPyConnection | None = None
        self._waiting = threading.BoundedSemaphore(settings.read_threads + settings.read_queue)
        self._pool = ThreadPoolExecutor(settings.read_threads, thread_name_prefix="runlake-read")
        self._ended = threading.Event()
        self._watch = threading.Thread(target=self._watchdog, name="runlake-watchdog", daemon=True)
        self._watch.start()

    def submit(self, question: Callable[Concatenate[Session, View, P], T], *args: P.args, **kw: P.kwargs) -> Future[T]:
        """Answer a question on a reading thread; raises Busy when too many wait."""
        if not self._waiting.acquire(blocking=False):
            raise Busy("too many queries wait", hint="try again later")
        future = self._pool.submit(lambda: question(self._session(), self._index.view, *args, **kw))
        future.add_done_callback(lambda _: self._waiting.release())
        return future

    def memory(self) -> int:
        """Bytes that the reading DuckDB holds; quick, and never waits for a query. For one thread at a time."""
        if self._meter is None:
            self._meter = self._index.memory.cursor()
        with duck.translated("memory"):
            return int(self._meter.execute(SQL["memory"]).fetchall()[0][0])

    def _session(self) -> Session:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = Session(
                self._index.memory.cursor(),
                str(Paths.of(self._settings.data).empty),
                self._settings.query_seconds,
            )
            self._sessions.append(session)
        return session

    def _watchdog(self) -> None:
        while not self._ended.wait(_TICK):
            for session in tuple(self._sessions):
                session.interrupt_if_late()

    def close(self) -> None:
        """Drop what waits and interrupt what runs; a second call does nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for session in tuple(self._sessions):
            session.hurry()
        self._pool.shutdown(wait=True)
        self._ended.set()
        self._watch.join()
