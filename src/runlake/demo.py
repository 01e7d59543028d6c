"""The demo: a history of made-up tasks, and a thread that goes on with it as a client of the service.

It goes on from the newest run: as fast as it can up to now, then as time passes. A run is sent when it is queued, when
it starts and when it ends, as a worker would do.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import msgspec
import pyarrow.compute as pc
from msgspec import Raw

from runlake import generate, times
from runlake.model import MAX_BATCH

SEED: Final = 7
TASKS: Final = 200
DAYS: Final = 30
TICK_SECONDS: Final = 1.0  # between two requests
_AHEAD_US: Final = times.DAY_US // 4  # runs are made for so long at once: as long as the task that fails has failed
_LEAD: Final = timedelta(seconds=10)  # a run is queued at most so long before it starts
_LEASE: Final = timedelta(minutes=1)  # that a run still has when it ends, as if its worker had renewed it
_PAUSE: Final = timedelta(seconds=2)  # between the ends of two runs that were open before
_TIMEOUT: Final = 10.0  # of a request, in seconds
_AGAIN: Final = frozenset({429, 503, 507})  # statuses after which the same request may succeed

_Run = dict[str, Any]


class _Refused(Exception):
    """The service does not take runs of the demo; the text says why."""


def runs_since(since: int, per_day: int) -> Iterator[_Run]:
    """Runs later than `since` (µs) in the order of their run times, without end; incidents go on in them."""
    while True:
        until = max(since, times.now()) + _AHEAD_US
        days = -(-(until - since) // times.DAY_US)
        tables = generate.history(
            runs=per_day * days,
            days=days,
            tasks=TASKS,
            seed=SEED,
            until=until,
            batch_rows=5_000,
            incidents=True,
            draw=(since,),
        )
        for table in tables:
            run_at = pc.coalesce(table["started_at"], table["created_at"])
            yield from table.filter(pc.greater(run_at, times.to_datetime(since))).to_pylist()
        since = until


def moments(run: _Run) -> Iterator[tuple[datetime, _Run]]:
    """When a run is sent, and as what: queued, running, finished, as far as it comes."""
    finished = run | {"output": Raw((run["output"] or "null").encode())}
    running = run | {"finished_at": None, "success": None, "error": None, "output": None}
    if run["finished_at"]:
        running["leased_until"] = run["finished_at"] + _LEASE
    yield run["created_at"], running | {"started_at": None, "lease_owner": None, "leased_until": None}
    if run["started_at"]:
        yield run["started_at"], running
    if run["finished_at"]:
        yield run["finished_at"], finished


class Demo:
    """Goes on with the history of the service at `url`, in a thread; `say` gets a line when it cannot."""

    def __init__(self, url: str, per_day: int, say: Callable[[str], None]) -> None:
        self._url = url
        self._per_day = per_day
        self._say = say
        self._open = build_opener(ProxyHandler({})).open  # the service is on this machine
        self._stopped = threading.Event()
        self._numbers = itertools.count()  # of what is to be sent: records cannot be compared
        self._coming: list[tuple[datetime, int, _Run]] = []  # a heap
        self._thread = threading.Thread(target=self._run, name="runlake-demo", daemon=True)

    def start(self) -> None:
        """Begin, once the service is ready."""
        self._thread.start()

    def stop(self) -> None:
        """End; what the service did not answer yet is lost."""
        self._stopped.set()
        self._thread.join(_TIMEOUT)

    def _run(self) -> None:
        try:
            while not self._stopped.wait(TICK_SECONDS):
                if self._ask("/ready") is not None:
                    self._go_on()
        except _Refused as exc:
            self._say(f"no runs are added: {exc}")

    def _go_on(self) -> None:
        """Send runs until the service ends or stops this; raises _Refused."""
        about, names = self._ask("/about"), self._ask("/tasks/names")
        left_open = self._ask("/runs?status=queued,running&limit=200")
        if about is None or names is None or left_open is None:
            return
        ours = generate.names(TASKS, SEED)["task_id"].to_pylist()
        if not {str(task) for task in ours} <= names["names"].keys():
            raise _Refused("this lake was not made by the demo")
        since = max(times.parse(about["newest"] or "1970-01-01"), times.now() - DAYS * times.DAY_US)
        ends = times.to_datetime(times.now())
        for run in left_open["items"]:
            ends += _PAUSE
            self._expect((ends, _ended(run, ends)))
        runs = runs_since(since, self._per_day)
        following = next(runs)
        while not self._stopped.is_set():
            now = times.to_datetime(times.now())
            while (is_soon := _run_at(following) <= now + _LEAD) and len(self._coming) < 3 * MAX_BATCH:
                self._expect(*moments(following))
                following = next(runs)
            if not self._send(now) or not is_soon:
                self._stopped.wait(TICK_SECONDS)

    def _expect(self, *sent: tuple[datetime, _Run]) -> None:
        for when, record in sent:
            heapq.heappush(self._coming, (when, next(self._numbers), record))

    def _send(self, now: datetime) -> bool:
        """Send what is due, at most one batch, a run once with its last state; whether the service took it."""
        due: dict[str, tuple[datetime, int, _Run]] = {}
        while self._coming and self._coming[0][0] <= now and len(due) < MAX_BATCH:
            moment = heapq.heappop(self._coming)
            due[moment[2]["id"]] = moment
        if due and self._ask("/runs", {"runs": [run for _, _, run in due.values()]}) is None:
            for moment in due.values():
                heapq.heappush(self._coming, moment)
            return False
        return True

    def _ask(self, path: str, body: object = None) -> Any:
        """The answer to a GET, or to a POST of the body; None when it may come later. Raises _Refused."""
        content = None if body is None else msgspec.json.encode(body)
        request = Request(f"{self._url}{path}", content, {"Content-Type": "application/json"})  # noqa: S310 - http
        try:
            with self._open(request, timeout=_TIMEOUT) as answer:
                return msgspec.json.decode(answer.read())
        except HTTPError as exc:
            if exc.code in _AGAIN:
                return None
            raise _Refused(msgspec.json.decode(exc.read())["detail"]) from None
        except OSError:  # it ends, or is too busy
            return None


def _run_at(run: _Run) -> datetime:
    found: datetime = run["started_at"] or run["created_at"]
    return found


def _ended(run: _Run, ends: datetime) -> _Run:
    """The end of a run that was open before the demo began: nobody else would end it."""
    started = {} if run["started_at"] else {"started_at": ends - _PAUSE, "lease_owner": "worker-000"}
    return run | started | {"finished_at": ends, "success": True}
