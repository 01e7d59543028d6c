"""The client of a request: whether it is still there."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from msgspec import Struct

VISIT: Final = "runlake.visit"  # the key of the request's Visit in its ASGI scope


class Visit(Struct, eq=False):
    """What is known of one request: its id, the key that opened, whether its client went away."""

    id: str
    key: str | None = None
    gone: bool = False


def visit(request: Request[Any, Any, Any]) -> Visit:
    """The Visit that the door made of a request."""
    found: Visit | None = request.scope.get(VISIT)  # type: ignore[assignment]
    return found or Visit("")


class Client:
    """Who asked a question; see asked.Caller."""

    def __init__(self, request: Request[Any, Any, Any]) -> None:
        self._request = request

    async def left(self) -> None:
        """Returns when the client has gone."""
        while (await self._request.receive())["type"] != "http.disconnect":
            pass

    def give_up(self) -> None:
        """Nobody waits for an answer."""
        visit(self._request).gone = True
