"""Queries on reading threads that are cancelled when their client disconnects."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any, Final, Generic, TypeVar

from litestar import Request

from runlake.api.context import context_of
from runlake.errors import Timeout
from runlake.query.engine import Session

T = TypeVar("T")

UNWATCHED: Final = 0.2  # seconds before the connection is watched: most queries are faster than that
_CANCEL_PAUSE: Final = 0.05  # seconds between two cancels: a statement that has not started yet ignores an interrupt


class CancellableQuery(Generic[T]):
    """A query that knows the session it runs in, so that `cancel` reaches this query and no other."""

    def __init__(self, query: Callable[[Session], T]) -> None:
        self._query = query
        self._guard = threading.Lock()
        self._session: Session | None = None

    def __call__(self, session: Session) -> T:
        """Run the query; a reading thread calls this."""
        with self._guard:
            self._session = session
        try:
            return self._query(session)
        finally:
            with self._guard:
                self._session = None

    def cancel(self) -> None:
        """Interrupt the query if it runs."""
        with self._guard:
            if self._session is not None:
                self._session.cancel()

    async def result(self, future: Future[T], request: Request[Any, Any, Any], unwatched: float = UNWATCHED) -> T:
        """Wait for the result of the query; raises Timeout when the client disconnects first, which is seen after
        `unwatched` seconds.
        """
        result = asyncio.wrap_future(future)
        done, _ = await asyncio.wait((result,), timeout=unwatched)
        if not done and not await _is_done(result, request):
            result.cancel()
            await self._cancel_until_done(future)
            raise Timeout("the client went away")
        return await result

    async def _cancel_until_done(self, future: Future[T]) -> None:
        """Take a waiting query out of the queue, or interrupt a running one until it has ended."""
        while not (future.cancel() or future.done()):
            self.cancel()
            await asyncio.sleep(_CANCEL_PAUSE)


async def while_connected(request: Request[Any, Any, Any], work: Coroutine[Any, Any, T]) -> T:
    """Wait for the result of `work`; when the client disconnects first, `work` is cancelled. Raises Timeout then."""
    task = asyncio.ensure_future(work)
    try:
        if await _is_done(task, request):
            return task.result()
    finally:
        task.cancel()
    await asyncio.wait((task,))
    raise Timeout("the client went away")


async def _is_done(result: asyncio.Future[Any], request: Request[Any, Any, Any]) -> bool:
    """Wait until there is a result, or the client has disconnected: then it is False."""
    disconnect = asyncio.ensure_future(_disconnect(request))
    try:
        await asyncio.wait((result, disconnect), return_when=asyncio.FIRST_COMPLETED)
    finally:
        disconnect.cancel()
    context_of(request).disconnected = not result.done()
    return result.done()


async def _disconnect(request: Request[Any, Any, Any]) -> None:
    """Return when the client has disconnected."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
