"""The door: every request passes it first and last. Who may in, under which id, how long it took, what is logged.

An ASGI application around the other one, so that it also sees what no route takes.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from http import HTTPStatus
from typing import Any, Final

from litestar import Litestar
from litestar.types import Message, Receive, Send

from runlake import log
from runlake.access import Guard, Scope
from runlake.api import problems
from runlake.api.browsers import Browsers, Headers
from runlake.api.client import VISIT, Visit
from runlake.api.metrics import Metrics
from runlake.errors import Busy, RunlakeError, Unsupported

Asgi = dict[str, Any]  # the ASGI scope of a request
CROWDED: Final = "runlake.crowded"  # in the ASGI scope of a connection that is one too many
UNMATCHED: Final = "(none)"
_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_TYPED: Final = re.compile(r":\w+}")
_READS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_METHODS: Final = _READS | {"POST", "PUT", "PATCH", "DELETE"}
_OPEN: Final = frozenset({"/health", "/health/"})
_WITH_BODY: Final = frozenset({"POST", "PUT"})
_PREFIX: Final = secrets.token_hex(4)  # of this process
_NUMBERS: Final = itertools.count()
_GONE: Final = 499  # what others call a client that did not wait; never sent, only counted


class Door:
    """The application as the server calls it."""

    def __init__(self, app: Litestar, guard: Guard, browsers: Browsers, metrics: Metrics) -> None:
        self._app = app
        self._guard = guard
        self._browsers = browsers
        self._metrics = metrics
        self._templates: dict[str, str] = {}

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Serve one request, or the lifespan."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        visit = Visit(_request_id(scope))
        scope[VISIT] = visit
        marks = [
            (b"x-request-id", visit.id.encode()),
            (b"x-content-type-options", b"nosniff"),
            *self._browsers.marks(scope),
        ]
        status, size = _GONE, 0  # until an answer begins: a stop of the service may come first
        self._metrics.under_way += 1

        async def marked(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *marks]
            elif message["type"] == "http.response.body":
                size += len(message["body"])
            await send(message)

        try:
            try:
                preflight = self._admit(scope, visit)
            except RunlakeError as exc:
                await _refuse(scope, exc, marked)
            else:
                if preflight is None:
                    await self._app(scope, receive, marked)
                else:
                    await _send(marked, HTTPStatus.NO_CONTENT, preflight)
        finally:
            self._record(scope, visit, _GONE if visit.gone else status, time.perf_counter() - started, size)

    def _admit(self, scope: Asgi, visit: Visit) -> Headers | None:
        """Let a request in; the headers of its whole answer when it is a preflight, which needs no key.

        Raises ForeignHost, ForeignOrigin, Unauthorized, Forbidden, Unsupported, NotReady or Busy.
        """
        is_open = self._guard.is_open()
        if is_open:  # a page of a name that leads here would have no key to send
            self._browsers.check_host(scope)
        self._browsers.check_origin(scope)
        preflight = self._browsers.preflight(scope)
        if preflight is not None or scope["path"] in _OPEN:
            return preflight
        if scope.get(CROWDED):
            raise Busy("too many connections", hint="try again later")
        if not is_open:
            wanted: Scope = "read" if scope["method"] in _READS else "write"
            credentials = [value for name, value in scope["headers"] if name == b"authorization"]
            visit.key = self._guard.admit(credentials, wanted)
        if scope["method"] in _WITH_BODY:
            _check_type(scope)
        return None

    def _record(self, scope: Asgi, visit: Visit, status: int, seconds: float, size: int) -> None:
        method = scope["method"] if scope["method"] in _METHODS else "other"
        route = self._route(scope)
        self._metrics.under_way -= 1
        self._metrics.request(method, route, status, seconds)
        if log.LOGGER.isEnabledFor(logging.INFO):
            key = f" key={visit.key}" if visit.key else ""
            log.line(
                f"event=request id={visit.id} method={method} route={route} status={status}"
                f" ms={seconds * 1000:.2f} bytes={size}{key}"
            )

    def _route(self, scope: Asgi) -> str:
        """The template of the route, which bounds the number of names; UNMATCHED for all other paths."""
        template = scope.get("path_template")
        if template is None:
            return UNMATCHED
        shown = self._templates.get(template)
        if shown is None:
            shown = self._templates[template] = _TYPED.sub("}", template)
        return shown


def _request_id(scope: Asgi) -> str:
    """The caller's X-Request-ID if it is a harmless one, else a new one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _ID.fullmatch(value):
            return str(value, "ascii")
    return f"{_PREFIX}{next(_NUMBERS) & 0xFFFFFFFF:08x}"


def _check_type(scope: Asgi) -> None:
    """Raises Unsupported for a body that does not say what it is: any web page may have a browser send such a one."""
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
