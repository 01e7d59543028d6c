"""The application, and the server that runs it."""

from __future__ import annotations

import gc
import signal
import socket
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import uvicorn
from litestar import Litestar
from litestar.datastructures import State
from litestar.exceptions import HTTPException

from runlake.access import Guard
from runlake.api import problems
from runlake.api.browsers import Browsers
from runlake.api.door import Door
from runlake.api.protocol import bounded
from runlake.api.routes import HANDLERS
from runlake.api.service import Service
from runlake.errors import RunlakeError
from runlake.paths import Paths
from runlake.store import Store

DRAIN_SECONDS = 7  # for what is under way; what is queued then is written, within 10 seconds in all


def create_app(service: Service, *, keys_required: bool = False) -> Door:
    """The ASGI application over a service; keys count as soon as there is one, with `keys_required` before that."""
    app = Litestar(
        route_handlers=HANDLERS,
        state=State({"service": service}),
        openapi_config=None,
        logging_config=None,  # `serve` sets logging up; a library must not do it again
        request_max_body_size=None,  # body.read has its own limit, and says so in our words
        exception_handlers={
            RunlakeError: problems.handle,
            HTTPException: problems.handle,
            HTTPStatus.INTERNAL_SERVER_ERROR: problems.handle,
            Exception: problems.handle,
        },
    )
    guard = Guard(Paths.of(service.settings.data), required=keys_required)
    return Door(app, guard, Browsers(service.settings), service.metrics)


class _Server(uvicorn.Server):
    """Tells where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, listening: Callable[[str], None]) -> None:
        super().__init__(config)
        self._listening = listening

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        for server in self.servers:
            host, port = server.sockets[0].getsockname()[:2]
            self._listening(f"http://{f'[{host}]' if ':' in host else host}:{port}")


def _settle() -> None:
    """What is loaded by now stays: Python's collector need not look through all of it every few hundred requests."""
    gc.collect()
    gc.freeze()


def _why(host: str, port: int) -> str:
    """Why nothing can listen there; uvicorn keeps it to itself."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return "the reason is gone by now"
    except OSError as exc:
        return exc.strerror or str(exc)


def serve(store: Store, host: str, port: int, listening: Callable[[str], None], *, keys_required: bool = False) -> None:
    """Serve a store until SIGTERM or SIGINT; then drain, close it and return. Raises RunlakeError if it cannot."""
    service = Service(store, _settle)
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
    # uvicorn raises the signal again once it has drained; by then it has nothing left to say.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)
    try:
        service.start()
        _Server(config, listening).run()
    except SystemExit as exc:  # uvicorn's way to say that it cannot listen
        raise RunlakeError(f"cannot listen on {host} port {port}: {_why(host, port)}") from exc
    finally:
        service.stop()
        store.close()
