"""The routes: each handler decodes its parameters, calls the service, and encodes the answer."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable
from functools import partial
from typing import Any, Final, TypeVar

import msgspec
from litestar import HttpMethod, Request, Response, route
from litestar.params import FromPath
from msgspec import UNSET

from runlake import times
from runlake.api import body, docs, metrics, openapi, params
from runlake.api.service import Service
from runlake.model import (
    DurationsQuery,
    Health,
    HistogramQuery,
    NoQuery,
    Ready,
    RunsQuery,
    Stored,
    SummaryQuery,
    TaskStatsQuery,
)
from runlake.query import durations, filters, histogram, pages, queries, statistics
from runlake.query.engine import Session
from runlake.query.filters import NOW_US

T = TypeVar("T")
Req = Request[Any, Any, Any]
JSON: Final = "application/json"
_SCHEMA: Final = msgspec.json.encode(openapi.document())
_READ: Final = (HttpMethod.GET, HttpMethod.HEAD)


def _service(request: Req) -> Service:
    service: Service = request.app.state.service
    return service


def _json(content: bytes, headers: dict[str, str] | None = None) -> Response[bytes]:
    return Response(content, media_type=JSON, headers=headers, status_code=200)


async def _answer(
    request: Req,
    question: Callable[[Session], T],
    body: Callable[[T], object] = lambda answer: answer,
    *,
    scan: bool = False,
    ages: bool | None = False,
) -> tuple[T, Response[bytes]] | Response[bytes]:
    """What every question about runs answers with: its JSON, the snapshot, how long it took, and a tag; 304 without a
    query when the client has the answer of the newest snapshot.

    ages    whether the answer changes with time: never (False), in steps (True), or always (None), and then has no tag
    """
    service = _service(request)
    # Taken before the answer: a tag may be of an older step than its answer, and then says too early that it changed.
    step = times.now() // NOW_US if ages else 0
    if ages is not None and (unchanged := _unchanged(request, _etag(request, service.tag(), step))):
        return unchanged
    started = time.perf_counter()
    answer, content, snapshot = await service.run_query(request, question, body, scan=scan)
    headers = {
        "Runlake-Snapshot": str(snapshot),
        "Server-Timing": f"query;dur={(time.perf_counter() - started) * 1000:.2f}",
    }
    if ages is not None:
        headers["ETag"] = _etag(request, service.tag_of(snapshot), step)
    return answer, _json(content, headers)


def _etag(request: Req, tag: str, step: int) -> str:
    """The tag of an answer: of its snapshot, of what was asked for and in which encoding, and of a step of time."""
    packed = "gzip" in request.headers.get("accept-encoding", "")
    asked = f"{request.url.path}?{request.scope['query_string'].decode('latin-1')}#{step}#{packed}"
    return f'"{tag}-{hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()}"'


def _unchanged(request: Req, tag: str) -> Response[bytes] | None:
    parts = request.headers.get("if-none-match", "").split(",")
    # Apache's mod_deflate appends -gzip to the tag of an answer that it compresses, and does not remove it again.
    known = {re.sub('-gzip"$', '"', part.strip().removeprefix("W/")) for part in parts}
    is_there = not request.path_params  # `*` stands for anything that is there, and a run may not be
    return (
        Response(b"", status_code=304, headers={"ETag": tag}) if tag in known or ("*" in known and is_there) else None
    )


def _only(answered: tuple[T, Response[bytes]] | Response[bytes]) -> Response[bytes]:
    return answered[1] if isinstance(answered, tuple) else answered


@route("/runs", http_method=_READ)
async def list_runs(request: Req) -> Response[bytes]:
    """GET /runs."""
    raw = request.scope["query_string"]
    query = params.parse(raw, RunsQuery)
    answered = await _answer(
        request,
        partial(pages.find, query=query),
        lambda found: found.page,
        scan=pages.is_scan(query),
        ages=filters.ages(query),
    )
    if isinstance(answered, Response):
        return answered
    found, response = answered
    if links := _links(found, by_offset=b"offset=" in raw):
        targets = {rel: params.with_parameters(raw, **changed) for rel, changed in links.items()}
        response.headers["Link"] = ", ".join(f'<{request.url.path}?{to}>; rel="{rel}"' for rel, to in targets.items())
    return response


def _links(found: pages.Found, *, by_offset: bool) -> dict[str, dict[str, object]]:
    """The parameters of the page after one, and by cursor of the one before, in the style of the request."""
    page = found.page
    if by_offset:
        return {"next": {"limit": page.limit, "offset": page.offset + page.limit}} if page.has_more else {}
    cursors = {"next": found.next, "prev": found.previous}
    return {rel: {"limit": page.limit, "cursor": token} for rel, token in cursors.items() if token}


@route("/runs", http_method=[HttpMethod.POST], status_code=200)
async def append_runs(request: Req) -> Response[bytes]:
    """POST /runs."""
    params.parse(request.scope["query_string"], NoQuery)
    service = _service(request)
    decoder = body.decoder_of(request, service.settings.body_bytes)
    service.ready()
    with service.bodies.budget.reservation() as reservation:
        content = await service.bodies.read(request, reservation)
        batch = await service.bodies.decode(decoder, content)
        del content  # the batch may wait for its commit, and the body is not needed for that
        reservation.extend_to(batch.nbytes)
        counts = await service.append(batch)
    ids = batch.ids
    return _json(msgspec.json.encode(Stored(len(ids), counts.stored, counts.duplicates, counts.stale, ids)))


@route("/runs", http_method=HttpMethod.OPTIONS, status_code=204)
async def runs_methods() -> Response[None]:
    """OPTIONS /runs. Litestar makes the answer for the first handler of a path only, and so would leave POST out."""
    return Response(None, headers={"Allow": "GET, HEAD, OPTIONS, POST"})


@route("/runs/{run_id:str}", http_method=_READ)
async def get_run(request: Req, run_id: FromPath[str]) -> Response[bytes]:
    """GET /runs/{run_id}."""
    params.parse(request.scope["query_string"], NoQuery)
    found = params.path_uuid("run_id", run_id)
    return _only(await _answer(request, partial(queries.detail, run_id=found)))


@route(["/task/{task_id:str}/latest", "/runs/task/{task_id:str}/latest"], http_method=_READ)
async def latest_run(request: Req, task_id: FromPath[str]) -> Response[bytes]:
    """GET /task/{task_id}/latest."""
    params.parse(request.scope["query_string"], NoQuery)
    task = params.path_uuid("task_id", task_id)
    return _only(await _answer(request, partial(queries.latest, task_id=task)))


@route(["/task/{task_id:str}/stats", "/runs/task/{task_id:str}/stats"], http_method=_READ)
async def task_stats(request: Req, task_id: FromPath[str]) -> Response[bytes]:
    """GET /task/{task_id}/stats."""
    query = params.parse(request.scope["query_string"], TaskStatsQuery)
    question = partial(statistics.task_stats, task_id=params.path_uuid("task_id", task_id), query=query)
    return _only(await _answer(request, question, ages=None if query.until is UNSET else False))


@route(["/stats/summary", "/runs/stats/summary"], http_method=_READ)
async def stats_summary(request: Req) -> Response[bytes]:
    """GET /stats/summary."""
    query = params.parse(request.scope["query_string"], SummaryQuery)
    question = partial(statistics.summary, query=query)
    return _only(await _answer(request, question, ages=None if query.until is UNSET else False))


@route("/stats/histogram", http_method=_READ)
async def stats_histogram(request: Req) -> Response[bytes]:
    """GET /stats/histogram."""
    query = params.parse(request.scope["query_string"], HistogramQuery)
    question = partial(histogram.histogram, query=query)
    return _only(await _answer(request, question, scan=histogram.is_scan(query), ages=filters.ages(query)))


@route("/stats/durations", http_method=_READ)
async def stats_durations(request: Req) -> Response[bytes]:
    """GET /stats/durations."""
    query = params.parse(request.scope["query_string"], DurationsQuery)
    question = partial(durations.durations, query=query)
    return _only(await _answer(request, question, scan=durations.is_scan(query), ages=filters.ages(query)))


@route("/health", http_method=_READ)
async def health(request: Req) -> Response[bytes]:
    """GET /health: the process answers."""
    params.parse(request.scope["query_string"], NoQuery)
    return _json(msgspec.json.encode(Health()))


@route("/ready", http_method=_READ)
async def ready(request: Req) -> Response[bytes]:
    """GET /ready: the lake is attached and the serving database has caught up."""
    params.parse(request.scope["query_string"], NoQuery)
    store = _service(request).ready()
    return _json(msgspec.json.encode(Ready(store.serving.snapshot, store.stored.runs)))


@route("/metrics", http_method=_READ)
async def show_metrics(request: Req) -> Response[bytes]:
    """GET /metrics: for Prometheus, also while the serving database is made."""
    params.parse(request.scope["query_string"], NoQuery)
    return Response(_service(request).metrics.text(), media_type=metrics.MEDIA_TYPE)


@route(["/schema", "/schema/openapi.json"], http_method=_READ)
async def schema() -> Response[bytes]:
    """GET /schema: the OpenAPI document."""
    return _json(_SCHEMA)


HANDLERS: Final = [
    runs_methods,  # the first handler of its path, see its docstring
    list_runs,
    append_runs,
    get_run,
    latest_run,
    task_stats,
    stats_summary,
    stats_histogram,
    stats_durations,
    health,
    ready,
    show_metrics,
    schema,
    docs.handbook,
    docs.api_browser,
]
