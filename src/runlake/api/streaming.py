"""Streams of changed runs. A few times a second one thread reads for all of them what is new, once for each filter.

A stream is told what changed after its position, a snapshot. One whose client is slow stays where it is, and is told
more at once later; one that is too far behind begins anew, and its client hears of it.
"""

from __future__ import annotations

import asyncio
import time
from asyncio import Future
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import msgspec
from litestar.response import ServerSentEventMessage
from msgspec import Struct

from runlake.errors import Busy, RunlakeError
from runlake.log import LOGGER
from runlake.model import Filter, StreamReset
from runlake.query import filters
from runlake.query.changed import ChangedRuns, nothing

COMMENT_SECONDS: Final = 15.0
_PAUSE: Final = 0.25  # seconds between two events of a stream, at least
_REST: Final = 6  # times as long as a round ran: streams have a seventh of a processor at most


class Stream:
    """One stream. `position` is the snapshot up to which everything was told; None when it has not begun anywhere."""

    def __init__(self, query: Filter, position: int | None) -> None:
        self.query, self.name = query, filters.fingerprint(query)
        self.position = position
        self.has_begun = False
        self._waiter: Future[bytes | None] | None = None
        self._told_at = time.monotonic()

    async def next(self) -> bytes | None:
        """The next event or comment; None when the stream ends."""
        self._waiter = asyncio.get_running_loop().create_future()
        return await self._waiter

    @property
    def waits(self) -> bool:
        """Whether its client has taken all that was told."""
        return self._waiter is not None and not self._waiter.done()

    @property
    def is_silent(self) -> bool:
        """Whether nothing was told for long."""
        return time.monotonic() - self._told_at >= COMMENT_SECONDS

    def tell(self, told: bytes | None, position: int | None) -> None:
        """Tell what changed up to a position, or with None the end."""
        if self._waiter is not None and not self._waiter.done():
            self.position, self.has_begun, self._told_at = position, True, time.monotonic()
            self._waiter.set_result(told)


class _Told(Struct, frozen=True):
    """The events of a batch by the names of filters, without those that have none; None to begin anew."""

    snapshot: int
    events: Mapping[bytes, bytes] | None


class Streams:
    """The streams of a service, at most so many at once. All but `_read` is for the event loop."""

    def __init__(self, most: int, runs: ChangedRuns) -> None:
        self._most, self._runs = most, runs
        self._open: set[Stream] = set()
        self._pump: asyncio.Task[None] | None = None
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="runlake-stream")
        self._ran = 0.0  # seconds that the thread ran in this round
        self._ended = False

    @property
    def open(self) -> int:
        """How many there are; any thread may ask."""
        return len(self._open)

    async def events(self, query: Filter, position: int | None, admit: Callable[[], None]) -> AsyncGenerator[bytes]:
        """The events of a stream, the first one within a moment, until the service ends or `admit` raises an error: it
        is asked before each. Raises Busy instead of the first one.
        """
        if self._ended:
            raise Busy("the service is shutting down", hint="try again later")
        if len(self._open) >= self._most:
            raise Busy(f"{self._most} streams are open already", hint="try again later")
        stream = Stream(query, position)
        self._open.add(stream)
        try:
            if self._pump is None or self._pump.done():
                self._pump = asyncio.create_task(self._tell_all())
            while not self._ended and (told := await stream.next()) is not None:
                admit()
                yield told
        except RunlakeError:  # its key does not count any more
            return
        finally:
            self._open.discard(stream)

    async def _tell_all(self) -> None:
        """Tell streams what they wait for, as long as there are any."""
        while self._open:
            began, self._ran = time.monotonic(), 0.0
            await self._round()
            await asyncio.sleep(max(began + _PAUSE - time.monotonic(), _REST * self._ran))

    async def _round(self) -> None:
        waiting = [stream for stream in self._open if stream.waits]
        by_position: dict[int, list[Stream]] = {}
        for stream in waiting:
            if stream.position is None:
                snapshot = self._runs.snapshot
                stream.tell(event(snapshot, "runs", nothing(snapshot)), snapshot)
            elif stream.position != self._runs.snapshot or not stream.has_begun:
                by_position.setdefault(stream.position, []).append(stream)
        loop = asyncio.get_running_loop()
        for position, streams in by_position.items():
            queries = {stream.name: stream.query for stream in streams}
            _tell(streams, await loop.run_in_executor(self._pool, self._read, position, queries))
        for stream in waiting:
            if stream.is_silent:  # the id lets it go on here, also where nothing matches for long
                comment = ServerSentEventMessage(None, id=stream.position, comment="", sep="\n")
                stream.tell(comment.encode(), stream.position)

    def _read(self, position: int, queries: Mapping[bytes, Filter]) -> _Told:
        began = time.thread_time()
        try:
            batch = self._runs.read(position, queries)
        except Exception as exc:  # noqa: BLE001 - all streams would wait for ever; who begins anew misses nothing
            LOGGER.error("reading changed runs failed: %s", exc, exc_info=exc)
            return _Told(self._runs.snapshot, None)
        finally:
            self._ran += time.thread_time() - began
        if batch.found is None:
            return _Told(batch.snapshot, None)
        matching = {name: found for name, found in batch.found.items() if found.items}
        return _Told(batch.snapshot, {name: event(batch.snapshot, "runs", found) for name, found in matching.items()})

    def end(self) -> None:
        """End all streams, and begin no other; a second call does nothing."""
        self._ended = True
        for stream in self._open:
            stream.tell(None, stream.position)

    def close(self) -> None:
        """End the thread; a second call does nothing."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def event(snapshot: int, name: str, data: Struct) -> bytes:
    """An event whose id is a snapshot."""
    return ServerSentEventMessage(msgspec.json.encode(data), event=name, id=snapshot, sep="\n").encode()


def _tell(streams: Iterable[Stream], told: _Told) -> None:
    """Tell streams of one position what they wait for; those for which nothing matches just go on."""
    for stream in streams:
        if told.events is None:
            stream.tell(event(told.snapshot, "reset", StreamReset(told.snapshot)), told.snapshot)
        elif found := told.events.get(stream.name):
            stream.tell(found, told.snapshot)
        elif not stream.has_begun:
            stream.tell(event(told.snapshot, "runs", nothing(told.snapshot)), told.snapshot)
        else:
            stream.position = told.snapshot
