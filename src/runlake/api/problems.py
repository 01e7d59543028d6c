"""The map from errors to HTTP statuses, and every error answer: RFC 9457 problem details."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any, Final

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from msgspec import UNSET, Struct

from runlake import access, errors
from runlake.api.context import context_of
from runlake.log import LOGGER
from runlake.model import Problem

MEDIA_TYPE: Final = "application/problem+json"
RETRY_SECONDS: Final = 1
LATER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)  # with a Retry-After

STATUS: Final[dict[type[errors.RunlakeError], HTTPStatus]] = {
    errors.BadInput: HTTPStatus.BAD_REQUEST,
    errors.Unauthorized: HTTPStatus.UNAUTHORIZED,
    errors.Forbidden: HTTPStatus.FORBIDDEN,
    errors.ForeignOrigin: HTTPStatus.FORBIDDEN,
    errors.ForeignHost: HTTPStatus.MISDIRECTED_REQUEST,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Changed: HTTPStatus.PRECONDITION_FAILED,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.Unsupported: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.Busy: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Timeout: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooMany: HTTPStatus.TOO_MANY_REQUESTS,
    errors.DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.LakeError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ImportFailed: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.SqlError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UsageError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.Unreachable: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.UnknownAnswer: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.RunlakeError: HTTPStatus.INTERNAL_SERVER_ERROR,
}
_INTERNAL: Final = "something went wrong inside; the log of the service says what"


class Refusal(Struct, frozen=True):
    """A problem as it is sent: status, headers and the JSON body."""

    status: HTTPStatus
    headers: dict[str, str]
    content: bytes


def status_of(exc: errors.RunlakeError) -> HTTPStatus:
    """The HTTP status for an error: that of its class, or of the nearest parent in STATUS."""
    return next(STATUS[kind] for kind in type(exc).__mro__ if kind in STATUS)


def answer(method: str, path: str, exc: Exception, request_id: str = "") -> Refusal:
    """The answer to any exception. The trace of one that nobody expected goes to the log and never to the client."""
    made = problem(path, exc, request_id)
    if made.status == HTTPStatus.INTERNAL_SERVER_ERROR:
        values = {"method": method, "path": path, "id": request_id}
        LOGGER.log(logging.ERROR, "request failed", exc_info=exc, extra={"values": values})
    return made


def problem(path: str, exc: Exception, request_id: str = "") -> Refusal:
    """The problem that an exception becomes for a request of this path."""
    headers: dict[str, str] = {}
    found: list[errors.FieldError] | msgspec.UnsetType = UNSET
    if isinstance(exc, errors.RunlakeError):
        status = status_of(exc)
        code, detail = exc.code, exc.line()
        if exc.errors:
            found = list(exc.errors)
        if challenge := access.challenge(exc):
            headers["WWW-Authenticate"] = challenge
    elif isinstance(exc, HTTPException):
        status, code, detail = HTTPStatus(exc.status_code), "http", exc.detail
        headers |= exc.headers or {}
    else:
        status, code, detail = HTTPStatus.INTERNAL_SERVER_ERROR, "internal", _INTERNAL
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:
        detail = f"{_INTERNAL} of request {request_id}" if request_id else _INTERNAL
    if status in LATER:
        headers["Retry-After"] = str(RETRY_SECONDS)
    kind = "about:blank" if code == "http" else f"urn:runlake:{code}"
    return Refusal(
        status, headers, msgspec.json.encode(Problem(kind, status.phrase, status.value, detail, path, found))
    )


def handle(request: Request[Any, Any, Any], exc: Exception) -> Response[bytes]:
    """The Litestar response to an exception of a handler."""
    made = answer(request.method, request.url.path, exc, context_of(request).id)
    return Response(made.content, status_code=made.status, media_type=MEDIA_TYPE, headers=made.headers)
