"""For whoever operates the service: is it there, what does it say of itself, and the OpenAPI document."""

from __future__ import annotations

import asyncio
from importlib.metadata import version
from typing import Any, Final, Literal

import msgspec
from litestar import HttpMethod, Response, route
from msgspec.structs import replace

from runlake import times
from runlake.api import metrics
from runlake.api.answers import Answer, Req, as_json, service_of
from runlake.api.context import context_of
from runlake.api.routing import STARTING, get
from runlake.errors import NotReady, RunlakeError
from runlake.model import MAX_BATCH, MAX_NAMES, MAX_PAGE, MAX_VIEWS, About, Health, Limits, Ready
from runlake.query import filters, names
from runlake.settings import Settings

_VERSION: Final = version("runlake")


@get("/health", scope=None)
async def get_health(request: Req) -> Answer[Health]:
    """Is the process alive?

    200 as long as the process answers. For a liveness probe; it says nothing of the data.
    """
    return as_json(msgspec.json.encode(Health("ok")))


@get("/ready", failures=(STARTING,), scope=None)
async def get_ready(request: Req) -> Answer[Ready]:
    """Can it answer about the data?

    200 once the lake is attached and the serving database has caught up; until then 503 with the reason, if the request
    has a key or needs none. For a readiness probe.
    """
    known = context_of(request).scopes
    try:
        store = service_of(request).ready()
    except NotReady:
        if known:
            raise
        raise NotReady("the service is not ready yet") from None
    values = (store.serving.snapshot, store.stored.runs) if known else ()
    return as_json(msgspec.json.encode(Ready("ready", *values)))


@get("/about", scope=None)
async def get_about(request: Req) -> Answer[About]:
    """What is this?

    The version, whether a key is needed, what this request may do, how much there is, and what is bounded by what. With
    no key where one is needed, only `version` and `auth`.
    """
    service, known = service_of(request), context_of(request)
    auth: Literal["none", "key"] = "key" if known.key or not known.scopes else "none"
    if not known.scopes:
        return as_json(msgspec.json.encode(About(_VERSION, auth)))
    about = About(_VERSION, auth, list(known.scopes), ready=False, limits=_limits(service.settings))
    nothing = replace(about, snapshot=None, runs=None, oldest=None, newest=None)
    try:
        store = service.ready()
        span, _, snapshot = await service.run_query(request, names.span)
    except RunlakeError:  # it answers nevertheless
        return as_json(msgspec.json.encode(nothing))
    there = replace(about, ready=True, snapshot=snapshot, runs=store.stored.runs)
    return as_json(msgspec.json.encode(replace(there, oldest=span.oldest, newest=span.newest)))


def _limits(settings: Settings) -> Limits:
    return Limits(
        body_bytes=settings.body_bytes,
        body_seconds=settings.body_seconds,
        query_seconds=settings.query_seconds,
        batch_runs=MAX_BATCH,
        page_runs=MAX_PAGE,
        scan_days=filters.LONGEST_SCAN_US // times.DAY_US,
        window_days=filters.LONGEST_US // times.DAY_US,
        names=MAX_NAMES,
        views=MAX_VIEWS,
    )


@get("/metrics", media_type="text/plain")
async def get_metrics(request: Req) -> Answer[str]:
    """Metrics for Prometheus.

    Counters, histograms and gauges in the text format of Prometheus (`text/plain; version=0.0.4`); the handbook has a
    table of them. It answers also while the serving database is made, without what it does not know yet.
    """
    content: Any = service_of(request).metrics.text()
    return Response(content, media_type=metrics.MEDIA_TYPE)


@get("/schema", scope=None)
async def get_schema(request: Req) -> Answer[dict[str, Any]]:
    """This document.

    OpenAPI 3.1 as JSON. `/docs/api` shows it to people. Both work with no internet.
    """
    return as_json(await asyncio.to_thread(request.app.state.schema))


@route("/schema/openapi.json", http_method=(HttpMethod.GET, HttpMethod.HEAD), include_in_schema=False)
async def schema_file(request: Req) -> Response[bytes]:
    """GET /schema/openapi.json: the document, at the address where Litestar has it."""
    return as_json(await asyncio.to_thread(request.app.state.schema))


HANDLERS: Final = [get_health, get_ready, get_about, get_metrics, get_schema, schema_file]
