"""The middleware around the Litestar application: checks and logs every request, and counts it for the metrics.

It is an ASGI application of its own and no Litestar middleware, so that it also sees requests that no route matches.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from litestar import Litestar
from litestar.types import Message, Receive, Send

from runlake import log
from runlake.access import ApiKeyAuth, Scope
from runlake.api import browser_session, problems
from runlake.api.context import REQUEST_CONTEXT, RequestContext
from runlake.api.metrics import Metrics
from runlake.api.origin_policy import Headers, OriginPolicy
from runlake.errors import Busy, RunlakeError, Unsupported

Asgi = dict[str, Any]  # the ASGI scope of a request
OVER_LIMIT: Final = "runlake.over_limit"  # set in the ASGI scope of a connection over the limit
UNMATCHED: Final = "(none)"  # the route of requests that no route matches
_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_PARAMETER_TYPE: Final = re.compile(r":\w+}")  # in the template of a route, as in {run_id:str}
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS: Final = _READS | {"POST", "PUT", "PATCH", "DELETE"}
_ALWAYS: Final = frozenset({"/health", "/health/"})  # answered whatever happens
# No key is needed to read these, because they hold no data; some say more to whom has one.
_OPEN: Final = frozenset({"", "/ready", "/about", "/schema", "/schema/openapi.json", "/docs", "/ui"})
_OPEN_BELOW: Final = ("/docs/", "/ui/")
_SAY_MORE: Final = frozenset({"/ready", "/about"})
_ENTER: Final = ("POST", "/session")  # needs the key itself: a session that could renew itself would never end
_LEAVE: Final = ("DELETE", "/session")
_VIEWS: Final = "/views/"  # to change one, a key that reads is enough
_ASK: Final = ("POST", "/sql")  # changes nothing
_WITH_BODY: Final = frozenset({"POST", "PUT"})
_PREFIX: Final = secrets.token_hex(4)  # of the request ids of this process
_NUMBERS: Final = itertools.count()
_CLIENT_CLOSED: Final = 499  # as nginx counts requests whose client disconnected; never sent


class RequestMiddleware:
    """The ASGI application that the server calls."""

    def __init__(self, app: Litestar, auth: ApiKeyAuth, origins: OriginPolicy, metrics: Metrics) -> None:
        self._app = app
        self._auth = auth
        self._origins = origins
        self._metrics = metrics
        self._templates: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        context = RequestContext(_request_id(scope))
        scope[REQUEST_CONTEXT] = context
        extra = [
            (b"x-request-id", context.id.encode()),
            (b"x-content-type-options", b"nosniff"),
            *self._origins.cors_headers(scope),
        ]
        status, size = _CLIENT_CLOSED, 0  # while no answer has begun: the service may stop before
        self._metrics.requests_under_way += 1

        async def send_with_headers(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *extra]
            elif message["type"] == "http.response.body":
                size += len(message["body"])
            await send(message)

        try:
            try:
                preflight = self._check(scope, context)
            except RunlakeError as exc:
                await _refuse(scope, exc, send_with_headers)
            else:
                if preflight is None:
                    await self._app(scope, receive, send_with_headers)
                else:
                    await _send(send_with_headers, HTTPStatus.NO_CONTENT, preflight)
        finally:
            status = _CLIENT_CLOSED if context.disconnected else status
            self._record(scope, context, status, time.perf_counter() - started, size)

    def _check(self, scope: Asgi, context: RequestContext) -> Headers | None:
        """Check who sends a request, and that the service has room for it; a preflight needs no key.

        Returns the headers of the answer to a preflight, None for other requests. Raises ForeignHost, ForeignOrigin,
        Unauthorized, Forbidden, Unsupported, NotReady or Busy.
        """
        if self._auth.is_open():  # when keys exist, a foreign page has no key to send
            self._origins.check_host(scope)
        self._origins.check_origin(scope)
        preflight = self._origins.preflight(scope)
        if preflight is not None or scope["path"] in _ALWAYS:
            return preflight
        if scope.get(OVER_LIMIT):
            raise Busy("too many connections", hint="try again later")
        context.admit = partial(self._admit, scope, context)
        context.admit()
        if scope["method"] in _WITH_BODY:
            _check_type(scope)
        return None

    def _admit(self, scope: Asgi, context: RequestContext) -> None:
        """Check the key of a request once there are keys; raises as `authorize`."""
        if not self._auth.is_open():
            self._authorize(scope, context)

    def _authorize(self, scope: Asgi, context: RequestContext) -> None:
        """Check the key of a request where it needs one, or the session of its browser; raises as `authorize`."""
        credentials = [value for name, value in scope["headers"] if name == b"authorization"]
        method, path = scope["method"], scope["path"].rstrip("/")
        wanted = _wanted(method, path)
        may_be_session = not credentials and (method, path) != _ENTER and (wanted == "read" or path in _SAY_MORE)
        if may_be_session and (found := browser_session.key_of(scope, self._auth)):
            context.key, context.scopes = found.id, ("read",)
            return
        if wanted is None and not (path in _SAY_MORE and credentials):
            context.scopes = ()
            return
        key = self._auth.authorize(credentials, wanted)
        if key is not None:
            context.key, context.scopes = key.id, key.scopes

    def _record(self, scope: Asgi, context: RequestContext, status: int, seconds: float, size: int) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = self._route(scope)
        self._metrics.requests_under_way -= 1
        self._metrics.request(method, route, status, seconds)
        if log.LOGGER.isEnabledFor(logging.INFO):
            key = f" key={context.key}" if context.key else ""
            log.line(
                f"event=request id={context.id} method={method} route={route} status={status}"
                f" ms={seconds * 1000:.2f} bytes={size}{key}"
            )

    def _route(self, scope: Asgi) -> str:
        """The template of the matched route, or UNMATCHED: so the metrics have few label values."""
        template = scope.get("path_template")
        if template is None:
            return UNMATCHED
        shown = self._templates.get(template)
        if shown is None:
            shown = self._templates[template] = _PARAMETER_TYPE.sub("}", template)
        return shown


def _wanted(method: str, path: str) -> Scope | None:
    """The scope of the key that a request needs; None where it needs none, because there is no data."""
    reads = method in _READS
    if (reads and (path in _OPEN or path.startswith(_OPEN_BELOW))) or (method, path) == _LEAVE:
        return None
    return "read" if reads or path.startswith(_VIEWS) or (method, path) in (_ENTER, _ASK) else "write"


def _request_id(scope: Asgi) -> str:
    """The X-Request-ID that the client sent if it is short and plain, else a new id."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return f"{_PREFIX}{next(_NUMBERS) & 0xFFFFFFFF:08x}"


def _check_type(scope: Asgi) -> None:
    """Raise Unsupported for a body without a content type: every web page may make a browser send one."""
    headers = dict(scope["headers"])
    has_body = b"transfer-encoding" in headers or headers.get(b"content-length", b"0").strip(b"0 ")
    if has_body and not headers.get(b"content-type", b"").strip():
        raise Unsupported("a body needs a Content-Type", hint="for JSON send Content-Type: application/json")


async def _refuse(scope: Asgi, exc: RunlakeError, send: Send) -> None:
    made = problems.answer(scope["method"], scope["path"], exc)
    headers = [(k.lower().encode(), v.encode()) for k, v in made.headers.items()]
    headers += [
        (b"content-type", problems.MEDIA_TYPE.encode()),
        (b"content-length", str(len(made.content)).encode()),
    ]
    await _send(send, made.status, headers, made.content)


async def _send(send: Send, status: HTTPStatus, headers: Headers, content: bytes = b"") -> None:
    start: Any = {"type": "http.response.start", "status": status.value, "headers": headers}
    body: Any = {"type": "http.response.body", "body": content, "more_body": False}
    await send(start)
    await send(body)
