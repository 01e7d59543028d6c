"""The application, and the server that runs it."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from typing import Any

import uvicorn
from litestar import Litestar
from litestar.config.compression import CompressionConfig
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from runlake.access import ApiKeyAuth
from runlake.api import openapi, problems
from runlake.api.middleware import RequestMiddleware
from runlake.api.origin_policy import OriginPolicy
from runlake.api.packing import Packing
from runlake.api.protocol import bounded
from runlake.api.routes import ROUTERS
from runlake.api.service import Service
from runlake.errors import RunlakeError
from runlake.paths import Paths
from runlake.store import Store

_LARGE = 4096  # bytes of an answer from which on it is sent compressed to who accepts that
DRAIN_SECONDS = 7  # for requests under way; after that the queued runs are written, within 10 seconds in all


@cache
def _schema() -> bytes:
    """The OpenAPI document. It takes a third of a second, so it is made when it is first asked for."""
    return openapi.document(ROUTERS)


def create_app(service: Service, *, keys_required: bool = False) -> RequestMiddleware:
    """The ASGI application over a service.

    It needs an API key as soon as one exists; with `keys_required` also before that.
    """
    auth = ApiKeyAuth(Paths.of(service.settings.data), required=keys_required)
    app = Litestar(
        route_handlers=ROUTERS,
        state=State({"service": service, "schema": _schema, "auth": auth}),
        openapi_config=None,  # Litestar's routes for the document would answer errors in a shape of their own
        logging_config=None,  # `serve` sets logging up; a library must not do it again
        compression_config=CompressionConfig(
            backend="gzip",
            minimum_size=_LARGE,
            gzip_compress_level=1,
            middleware_class=Packing,
        ),
        request_max_body_size=None,  # BodyReader has a limit of its own, with our error
        exception_handlers={
            RunlakeError: problems.handle,
            HTTPException: problems.handle,
            HTTPStatus.INTERNAL_SERVER_ERROR: problems.handle,
            Exception: problems.handle,
        },
    )
    return RequestMiddleware(app, auth, OriginPolicy(service.settings), service.metrics)


class _Server(uvicorn.Server):
    """A uvicorn server that calls `listening(url)` once it listens, and `stopping()` before it drains."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[str], None], stopping: Callable[[], None]) -> None:
        super().__init__(config)
        self._listening, self._stopping = listening, stopping

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            self._listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")

    async def shutdown(self, sockets: Any = None) -> None:
        self._stopping()
        await super().shutdown(sockets)


def _freeze_loaded() -> None:
    """Exempt all objects that are loaded by now from garbage collection: they stay, and to walk them takes time."""
    gc.collect()
    gc.freeze()


def _bind_error(host: str, port: int) -> str:
    """The reason why nothing can listen there, which uvicorn does not report."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return "the reason is gone by now"
    except OSError as exc:
        return exc.strerror or str(exc)


def serve(store: Store, host: str, port: int, listening: Callable[[str], None], *, keys_required: bool = False) -> None:
    """Serve a store until SIGTERM or SIGINT, then drain and close it. Raises RunlakeError when it cannot listen."""
    service = Service(store, _freeze_loaded)
    config = uvicorn.Config(
        create_app(service, keys_required=keys_required),
        host=host,
        port=port,
        http=bounded(store.settings),
        ws="none",
        timeout_keep_alive=store.settings.idle_seconds,
        proxy_headers=False,
        loop="uvloop",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    # uvicorn raises the signal again after it has drained: ignore that one.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        service.start()
        _Server(config, listening, service.streams.end).run()
    except SystemExit as exc:  # uvicorn raises it when it cannot listen
        raise RunlakeError(f"cannot listen on {host} port {port}: {_bind_error(host, port)}") from exc
    finally:
        service.stop()
        store.close()
