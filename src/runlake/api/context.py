"""The context of a request: what the middleware knows of it, for the handlers below."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Request
from msgspec import Struct

from runlake.access import SCOPES, Scope

REQUEST_CONTEXT: Final = "runlake.context"  # the key of the RequestContext in the ASGI scope


class RequestContext(Struct, eq=False):
    """The id of a request, the id of the API key it came with, what it may do, and whether its client left before the
    answer. A request that needs no key may do anything. `admit` checks its key again, and raises as at its beginning.
    """

    id: str
    key: str | None = None
    scopes: tuple[Scope, ...] = SCOPES
    disconnected: bool = False
    admit: Callable[[], None] = lambda: None


def context_of(request: Request[Any, Any, Any]) -> RequestContext:
    """The RequestContext that the middleware attached; an empty one where no middleware ran."""
    found: RequestContext | None = request.scope.get(REQUEST_CONTEXT)  # type: ignore[assignment]
    return found or RequestContext("")
