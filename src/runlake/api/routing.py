"""The decorators of handlers: `get`, `question` and `write`.

A handler takes the request and, by name, the parameters of its path, and as `query` the Struct of its query string.
All that is decoded here, by one set of rules; a handler that takes no `query` has no parameters. The name of the
function is the operationId, the first line of its docstring the summary and the rest the description, and the
annotation of its answer the schema. Its examples lie in `examples/`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial, wraps
from http import HTTPStatus
from inspect import cleandoc
from typing import Any, Final, cast, get_args, get_type_hints

from litestar import HttpMethod, Response, route
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import spec
from litestar.types.internal_types import PathParameterDefinition
from msgspec import Struct, defstruct

from runlake.access import Scope
from runlake.api import params
from runlake.api.answers import JSON, Req
from runlake.api.openapi import OLDER, Body, Operation, documented
from runlake.errors import Busy, NotReady, RunlakeError, Timeout, TooLarge, TooLong, TooMany, TooSlow, Unsupported
from runlake.model import NoQuery

Handler = Callable[..., Awaitable[Any]]
STARTING: Final = NotReady("the serving database is being made: 120 of 365 files")
_READING: Final = (Busy("too many queries wait"), STARTING, Timeout("query page: interrupted at its time limit"))
TOO_LONG: Final = TooLong("the window is too long to read within the time limit")  # outside the lane of scans
# Of a small JSON body.
BODIES: Final = (
    TooSlow("the body did not arrive within 60 seconds"),
    TooLarge("a body is at most 67108864 bytes"),
    Unsupported("Content-Type text/csv is not read here", hint="send application/json"),
)
_SCANNING: Final = (
    TooMany("too many scans wait"),
    TooLong("the window is too long to read within the time limit; it was read back to 2025-01-04T00:00:00Z"),
)
_READS: Final = (HttpMethod.GET, HttpMethod.HEAD)
_TAGGED: Final = ("ETag", "Runlake-Snapshot", "Server-Timing")


def get(
    *paths: str,
    failures: Sequence[RunlakeError] = (),
    headers: Sequence[str] = (),
    scope: Scope | None = "read",
    media_type: str = JSON,
    description: str = "",
) -> Callable[[Handler], HTTPRouteHandler]:
    """A handler of GET and HEAD, at several addresses if there are older ones, with the errors it may raise."""
    return partial(
        _route,
        _READS,
        paths,
        failures=tuple(failures),
        headers=tuple(headers),
        scope=scope,
        media_type=media_type,
        description=description,
    )


def question(
    *paths: str,
    scans: bool = False,
    parts: bool = False,
    failures: Sequence[RunlakeError] = (),
    headers: Sequence[str] = (),
    description: str = "",
    **facts: Any,
) -> Callable[[Handler], HTTPRouteHandler]:
    """A handler of GET that answers about runs, with a tag; `scans` when it may wait in the lane of scans, `parts`
    when it also answers in parts, as events. `facts` are further ones of its answers: media_type and others.
    """
    known = (*failures, *_READING, *(_SCANNING if scans else ()))
    headers = (*_TAGGED, *headers)
    return partial(
        _route, _READS, paths, failures=known, headers=headers, parts=parts, description=description, **facts
    )


def write(
    method: HttpMethod,
    path: str,
    *,
    body: Body | None = None,
    description: str = "",
    **facts: Any,
) -> Callable[[Handler], HTTPRouteHandler]:
    """A handler of POST, PUT or DELETE, which reads the body itself; `facts` are failures, headers and scope."""
    return partial(_route, (method,), (path,), body=body, description=description, **({"scope": "write"} | facts))


def options(*handlers: HTTPRouteHandler) -> HTTPRouteHandler:
    """The handler of OPTIONS for a path that several handlers share; Litestar's own would know the first one only."""
    methods = sorted({"OPTIONS", *(method for handler in handlers for method in handler.http_methods)})

    async def allowed_methods() -> Response[None]:
        return Response(None, headers={"Allow": ", ".join(methods)})

    paths = sorted(handlers[0].paths)
    return route(paths, http_method=HttpMethod.OPTIONS, status_code=204, include_in_schema=False)(allowed_methods)


def _route(
    methods: Sequence[HttpMethod],
    paths: Sequence[str],
    handler: Handler,
    *,
    media_type: str = JSON,
    description: str = "",
    **facts: Any,
) -> HTTPRouteHandler:
    hints = get_type_hints(handler, include_extras=True)
    answer = hints.pop("return")
    ids = [(name, kind) for name, kind in hints.items() if name not in ("request", "query")]
    first, *words = handler.__name__.split("_")
    operation = Operation(
        name=first + "".join(word.title() for word in words),
        paths=paths,
        query=hints.get("query", NoQuery),
        good=HTTPStatus.NO_CONTENT if get_args(answer) == (type(None),) else HTTPStatus.OK,
        ids=defstruct(f"{handler.__name__}_ids", ids, frozen=True),
        **facts,
    )
    summary, _, rest = cleandoc(handler.__doc__ or "").partition("\n")
    return route(
        list(paths),
        http_method=list(methods),
        status_code=operation.good,
        media_type=media_type,
        dependencies={"documented_body": _documented_body(operation.body.kind)} if operation.body else None,
        operation_class=cast("type[spec.Operation]", partial(documented, operation)),
        operation_id=partial(_operation_id, operation),
        summary=summary.rstrip("."),
        description=rest.strip() + description,
        response_description=_response_description(answer) or summary,
        responses=operation.responses(),
        security=[{"key": [operation.scope]}, {}] if operation.scope else None,
        opt={"operation": operation},
    )(_decoding(handler, operation, answer, takes_query="query" in hints))


def _decoding(handler: Handler, operation: Operation, answer: Any, *, takes_query: bool) -> Handler:
    """The handler as Litestar calls it: it decodes the query string and the ids. Raises BadInput."""

    names = operation.ids.__struct_fields__

    @wraps(handler)
    async def decoding(request: Req) -> Any:
        given: dict[str, object] = {}
        query = params.parse(request.scope["query_string"], operation.query)
        if takes_query:
            given["query"] = query
        if names:
            ids = params.of_path(request.path_params, operation.ids)
            given |= {name: getattr(ids, name) for name in names}
        return await handler(request, **given)

    del decoding.__wrapped__
    decoding.__annotations__ = {"request": Req, "return": answer}
    return decoding


def _operation_id(
    operation: Operation, _: HTTPRouteHandler, method: str, components: list[str | PathParameterDefinition]
) -> str:
    older = len(operation.paths) > 1 and components[0] == "runs"
    return operation.name + (OLDER if older else "") + ("Head" if method == HttpMethod.HEAD else "")


def _documented_body(kind: type[Struct]) -> Provide:
    """Tells Litestar's document what the body holds; no handler takes this, so Litestar never decodes a body."""

    def documented_body(data: object) -> None:
        """Never called."""

    documented_body.__annotations__["data"] = kind
    return Provide(documented_body, sync_to_thread=False)


def _response_description(answer: Any) -> str:
    """The docstring of the Struct that an answer holds; empty where it holds none."""
    (kind,) = get_args(answer)
    options = get_args(kind) or (kind,)
    words = (
        cleandoc(options[0].__doc__ or "") if isinstance(options[0], type) and issubclass(options[0], Struct) else ""
    )
    return words + (" Null when there is none." if words and type(None) in options else "")
