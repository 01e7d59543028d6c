"""Answers in parts, as server-sent events: `part` while the question is under way, then `done`, or `error`.

The data of a part is `{"done", "of", "since"}` with the members of the answer to what has been read so far; that of
`done` is the whole answer with `done` and `of`; that of `error` is the problem. Where pages follow, the id of `done` is
the cursor of the next one: the headers are gone when it is known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Any, Final, Generic, TypeVar

import msgspec
from litestar import HttpMethod, Request, Response
from litestar.response import ServerSentEvent, ServerSentEventMessage
from msgspec import Struct

from runlake import times
from runlake.api import problems
from runlake.api.context import context_of
from runlake.api.service import Service
from runlake.errors import Busy
from runlake.query.engine import Session
from runlake.query.parts import Part

MEDIA_TYPE: Final = "text/event-stream"
_HEADERS: Final = {"Cache-Control": "no-store", "Content-Type": f"{MEDIA_TYPE}; charset=utf-8"}
_PAUSE: Final = 0.25  # seconds between two parts, at least

T = TypeVar("T")
Req = Request[Any, Any, Any]
Running = asyncio.Future[tuple[T, bytes, int]]


class Shown(Struct, Generic[T], frozen=True):
    """What an answer shows of what a question found: its body and, where pages follow, the cursor of the next one."""

    body: Callable[[T], object]
    following: Callable[[T], str | None] = lambda _: None


def wanted(request: Req) -> bool:
    """Whether the client would rather have events than JSON."""
    return request.accept.best_match(["application/json", MEDIA_TYPE]) == MEDIA_TYPE


async def begin(
    request: Req,
    service: Service,
    question: Callable[[Session], T],
    shown: Shown[T],
    *,
    scan: bool,
) -> tuple[int, Response[Any]]:
    """The snapshot and the events of an answer, once the first one is there.

    Raises what the question raises before. It is cancelled when the client disconnects, as others are.
    """
    parts = Parts(request, shown)
    running = asyncio.ensure_future(service.run_query(request, parts.reporting(question), shown.body, scan=scan))
    await parts.first(running)
    return parts.snapshot, ServerSentEvent(parts.events(running), headers=dict(_HEADERS))


class Parts(Generic[T]):
    """The newest part of an answer that has not been sent: a client that is slow misses those before it.

    A reading thread reports parts; all else is for the event loop.
    """

    def __init__(self, request: Req, shown: Shown[T]) -> None:
        self._request, self._shown = request, shown
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._newest: ServerSentEventMessage | None = None
        self._due = 0.0
        self._of = 1
        self.snapshot = -1

    def reporting(self, question: Callable[[Session], T]) -> Callable[[Session], T]:
        """The question, such that its parts are taken here."""

        def asked(session: Session) -> T:
            self.snapshot = session.state.snapshot
            session.report = self._report
            return question(session)

        return asked

    def _report(self, part: Part, answer: Callable[[], Any]) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due, self._of = now + _PAUSE, part.of
        facts = {"done": part.done, "of": part.of, "since": times.to_datetime(part.since)}
        made = _message("part", _with(facts, msgspec.json.encode(self._shown.body(answer()))))
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._put, made)

    def _put(self, made: ServerSentEventMessage) -> None:
        self._newest = made
        self._changed.set()

    async def first(self, running: Running[T]) -> None:
        """Return when there is an event. Raises what the question raises before; HEAD waits for its end."""
        running.add_done_callback(self._end)
        if self._request.method == HttpMethod.HEAD:
            await asyncio.wait((running,))
        await self._changed.wait()
        if running.done():
            running.result()

    def _end(self, running: Running[T]) -> None:
        if not running.cancelled():
            running.exception()  # or asyncio says that nobody looked at it, where the client is gone
        self._changed.set()

    async def events(self, running: Running[T]) -> AsyncIterator[ServerSentEventMessage]:
        """All events, to the last one."""
        context = context_of(self._request)
        context.disconnected = True  # unless it comes to the end
        while self._newest is not None or not running.done():
            if self._newest is None:
                self._changed.clear()
                await self._changed.wait()
            else:
                made, self._newest = self._newest, None
                yield made
        yield self._last(running)
        context.disconnected = False

    def _last(self, running: Running[T]) -> ServerSentEventMessage:
        exc = Busy("the service is shutting down") if running.cancelled() else running.exception()
        if isinstance(exc, Exception):
            request = self._request
            made = problems.answer(request.method, request.url.path, exc, context_of(request).id)
            return _message("error", made.content)
        found, body, _ = running.result()
        return done(self._of, body, self._shown.following(found))


def done(of: int, body: bytes, following: str | None = None) -> ServerSentEventMessage:
    """The last event of an answer, and the cursor of the page that follows."""
    return _message("done", _with({"done": of, "of": of}, body), following)


def _with(facts: dict[str, object], body: bytes) -> bytes:
    """The JSON object `body` with further members at its beginning."""
    return msgspec.json.encode(facts)[:-1] + b"," + body[1:]


def _message(event: str, data: bytes, following: str | None = None) -> ServerSentEventMessage:
    return ServerSentEventMessage(data.decode(), event=event, id=following, sep="\n")
