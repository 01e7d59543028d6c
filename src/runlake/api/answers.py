"""Answers: their JSON, and for those about runs the snapshot, a tag, and 304 when the client has the answer already."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from typing import Any, Final, TypeVar

from litestar import Request, Response

from runlake import times
from runlake.api import events, tags
from runlake.api.events import Shown
from runlake.api.service import Service
from runlake.query.engine import Session
from runlake.query.filters import NOW_US

T = TypeVar("T")
Req = Request[Any, Any, Any]
Answer = Response  # Answer[RunPage] is the annotation of a handler that answers with a RunPage, as JSON bytes
JSON: Final = "application/json"


def service_of(request: Req) -> Service:
    """The service that a request is for."""
    service: Service = request.app.state.service
    return service


def as_json(content: bytes, headers: dict[str, str] | None = None) -> Answer[Any]:
    """An answer with this JSON."""
    return Response(content, media_type=JSON, headers=headers, status_code=200)


async def answer(
    request: Req,
    question: Callable[[Session], object],
    *,
    scan: bool = False,
    ages: bool | None = False,
) -> Answer[Any]:
    """The answer to a question about runs; 304 without a query when the client has the answer of the newest snapshot.

    scan    whether the question waits in the lane of scans
    ages    whether the answer changes with time: never (False), in steps (True), or always (None), and then has no tag
    """
    found = await answer_with(request, question, Shown(lambda body: body), scan=scan, ages=ages)
    return found if isinstance(found, Response) else found[1]


async def answer_with(
    request: Req,
    question: Callable[[Session], T],
    shown: Shown[T],
    *,
    scan: bool = False,
    ages: bool | None = False,
) -> tuple[T, Answer[Any]] | Answer[Any]:
    """As `answer`, for a question that finds more than the body of its answer: it comes along, but not with a 304, nor
    with events.
    """
    service = service_of(request)
    in_parts = request.route_handler.opt["operation"].parts
    kind = events.MEDIA_TYPE if in_parts and events.wanted(request) else JSON
    headers = {"Vary": "Accept"} if in_parts else {}
    # Taken before the answer: a tag may be of an older step than its answer, and then says too early that it changed.
    step = times.now() // NOW_US if ages else 0
    if ages is not None and (unchanged := _unchanged(request, _etag(request, service.tag(), step, kind), headers)):
        return unchanged
    started = time.perf_counter()
    found: tuple[T] | tuple[()]
    if kind == JSON:
        answered, content, snapshot = await service.run_query(request, question, shown.body, scan=scan)
        found, made = (answered,), as_json(content)
    else:
        snapshot, made = await events.begin(request, service, question, shown, scan=scan)
        found = ()
    headers["Runlake-Snapshot"] = str(snapshot)
    headers["Server-Timing"] = f"query;dur={(time.perf_counter() - started) * 1000:.2f}"
    if ages is not None:
        headers["ETag"] = _etag(request, service.tag_of(snapshot), step, kind)
    made.headers.update(headers)
    return (found[0], made) if found else made


def _etag(request: Req, tag: str, step: int, kind: str) -> str:
    """The tag of an answer: of its snapshot, of what was asked for, of its type and encoding, and of a step of time."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    asked = f"{request.url.path}?{request.scope['query_string'].decode('latin-1')}#{step}#{kind}#{packed}"
    return f'"{tag}-{hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()}"'


def _unchanged(request: Req, tag: str, headers: dict[str, str]) -> Response[bytes] | None:
    known = tags.known(request)
    is_there = not request.path_params  # any answer will do where there is one, and a run may not be there
    if tag in known or (is_there and tags.ANY in known):
        return Response(b"", status_code=304, headers={"ETag": tag, **headers})
    return None
