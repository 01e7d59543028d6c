"""A question on its way to a reading thread and back, and a client that may not wait for the answer."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Generic, Protocol, TypeVar

from runlake.errors import Timeout
from runlake.query.engine import Session

T = TypeVar("T")

_PATIENCE: Final = 0.2  # seconds before anybody looks whether the client is still there: most answers are faster
_AGAIN: Final = 0.05  # seconds between interrupts: the next statement of a question begins anew


class Caller(Protocol):
    """Who asked: tells when the client is gone, and is told that nobody waits any more."""

    async def left(self) -> None:
        """Returns when the client has gone."""

    def give_up(self) -> None:
        """The question was dropped for that."""


class Asked(Generic[T]):
    """A question that knows the session that runs it, so that it can be interrupted, and never its neighbour."""

    def __init__(self, question: Callable[[Session], T]) -> None:
        self._question = question
        self._guard = threading.Lock()
        self._session: Session | None = None

    def __call__(self, session: Session) -> T:
        """Answer; on a reading thread."""
        with self._guard:
            self._session = session
        try:
            return self._question(session)
        finally:
            with self._guard:
                self._session = None

    def hurry(self) -> None:
        """Interrupt the statement that runs, if one does."""
        with self._guard:
            if self._session is not None:
                self._session.cancel()

    async def answer(self, future: Future[T], caller: Caller) -> T:
        """The answer; when the client goes away the question is dropped and Timeout raised."""
        answer = asyncio.wrap_future(future)
        done, _ = await asyncio.wait((answer,), timeout=_PATIENCE)
        if not done:
            leaving = asyncio.ensure_future(caller.left())
            try:
                await asyncio.wait((answer, leaving), return_when=asyncio.FIRST_COMPLETED)
            finally:
                leaving.cancel()
            if not answer.done():
                caller.give_up()
                answer.cancel()
                await self._drop(future)
                raise Timeout("the client went away")
        return await answer

    async def _drop(self, future: Future[T]) -> None:
        """What waits never starts; what runs is interrupted until it ends."""
        while not (future.cancel() or future.done()):
            self.hurry()
            await asyncio.sleep(_AGAIN)
