"""For whoever operates the service: is it there, what does it say of itself, and the OpenAPI document."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from litestar import HttpMethod, Response, route

from runlake.api import metrics
from runlake.api.answers import Answer, Req, as_json, service_of
from runlake.api.routing import STARTING, get
from runlake.model import Health, Ready


@get("/health", scope=None)
async def get_health(request: Req) -> Answer[Health]:
    """Is the process alive?

    200 as long as the process answers. For a liveness probe; it says nothing of the data.
    """
    return as_json(msgspec.json.encode(Health("ok")))


@get("/ready", failures=(STARTING,))
async def get_ready(request: Req) -> Answer[Ready]:
    """Can it answer about the data?

    200 once the lake is attached and the serving database has caught up; until then 503 with the reason. For a
    readiness probe.
    """
    store = service_of(request).ready()
    return as_json(msgspec.json.encode(Ready(store.serving.snapshot, store.stored.runs, "ready")))


@get("/metrics", media_type="text/plain")
async def get_metrics(request: Req) -> Answer[str]:
    """Metrics for Prometheus.

    Counters, histograms and gauges in the text format of Prometheus (`text/plain; version=0.0.4`); the handbook has a
    table of them. It answers also while the serving database is made, without what it does not know yet.
    """
    content: Any = service_of(request).metrics.text()
    return Response(content, media_type=metrics.MEDIA_TYPE)


@get("/schema")
async def get_schema(request: Req) -> Answer[dict[str, Any]]:
    """This document.

    OpenAPI 3.1 as JSON. `/docs` shows it to people. Both work with no internet.
    """
    return as_json(await asyncio.to_thread(request.app.state.schema))


@route("/schema/openapi.json", http_method=(HttpMethod.GET, HttpMethod.HEAD), include_in_schema=False)
async def schema_file(request: Req) -> Response[bytes]:
    """GET /schema/openapi.json: the document, at the address where Litestar has it."""
    return as_json(await asyncio.to_thread(request.app.state.schema))


HANDLERS: Final = [get_health, get_ready, get_metrics, get_schema, schema_file]
