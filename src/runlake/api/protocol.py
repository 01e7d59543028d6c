"""uvicorn's HTTP protocol with limits that it does not have: on the time of a connection and the size of a head.

So a client that is slow, silent or gone holds a connection for a bounded time only. Bodies have limits of their own,
see `body`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from runlake.api import problems
from runlake.api.middleware import OVER_LIMIT
from runlake.errors import BadInput
from runlake.settings import Settings

HEAD_BYTES: Final = 65_536
HEAD_SECONDS: Final = 10.0  # for the head of a request, from its first byte or from the start of the connection
LINGER_SECONDS: Final = 5.0  # for the rest of a body that was answered early: a reset might destroy the answer
STALL_SECONDS: Final = 60.0  # in which a client has to receive some bytes of its answer
SPARE: Final = 100  # connections over the limit that are answered with 503; further ones are closed at once
CHUNK_BYTES: Final = 64  # of chunk framing that are allowed with each piece of a body


class Limits(msgspec.Struct, frozen=True):
    """The limits of a connection, and how many connections there may be."""

    connections: int
    head_bytes: int
    head_seconds: float
    linger_seconds: float
    stall_seconds: float


class Protocol(HttpToolsProtocol):
    """One connection; `limits` is set by `bounded`."""

    limits: Limits

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._slack = self.limits.head_bytes  # bytes that may still come outside of bodies
        self._fault = ""
        self._over_limit = False
        self._send_timer: asyncio.TimerHandle | None = None  # runs while the client has to send
        self._stall_timer: asyncio.TimerHandle | None = None  # runs while the client has to receive

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Accept the connection, or close it when there are far too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections + SPARE:
            transport.abort()
            return
        self._over_limit = len(self.connections) > self.limits.connections
        self._expect_bytes(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the timers."""
        self._expect_bytes(None)
        if self._stall_timer is not None:
            self._stall_timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse the bytes; a head, trailer or framing without end ends the connection."""
        self._slack -= len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._slack < 0:
            self.send_400_response(self._too_large())
        # No request is under way and no timer runs: these bytes begin a request.
        elif self._send_timer is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_bytes(self.limits.head_seconds)

    def on_headers_complete(self) -> None:
        """Hand the request over to the application, unless its head is too large."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.limits.head_bytes:
            self._fault = self._too_large()
            raise ValueError(self._fault)  # the parser stops, and data_received answers
        self._slack = self.limits.head_bytes
        self._expect_bytes(None)
        if self._over_limit:
            self.scope[OVER_LIMIT] = True  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; the application limits how large the whole body may be."""
        self._slack += len(body) + CHUNK_BYTES
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._over_limit:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """The answer is written: receive and drop the rest of the body, but not for ever."""
        has_more_body = self.cycle.more_body
        super().on_response_complete()
        if self.transport.is_closing():
            self._watch_stall()
        elif has_more_body:
            self._expect_bytes(self.limits.linger_seconds)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that was idle between two requests for too long."""
        super().timeout_keep_alive_handler()
        self._watch_stall()

    def _watch_stall(self) -> None:
        """Close the connection if the client stops receiving."""
        if self._stall_timer is None:
            self._check_progress(-1)

    def _too_large(self) -> str:
        return f"the head of a request is at most {self.limits.head_bytes} bytes"

    def send_400_response(self, msg: str) -> None:
        """Answer bytes that are no HTTP request with a problem, and close the connection."""
        if self.transport.is_closing():
            return
        made = problems.answer("", "", BadInput.of("request", self._fault or msg))
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
            f"content-length: {len(made.content)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + made.content)
        self.transport.close()
        self._watch_stall()

    def pause_writing(self) -> None:
        """The client does not receive as fast as we send: watch it."""
        super().pause_writing()
        self._watch_stall()

    def resume_writing(self) -> None:
        """The client has received enough: stop watching it."""
        super().resume_writing()
        if self._stall_timer is not None and not self.transport.is_closing():
            self._stall_timer.cancel()
            self._stall_timer = None

    def _check_progress(self, before: int) -> None:
        """Abort unless the client has received bytes since the buffer held `before`; then look again later."""
        left = self.transport.get_write_buffer_size()
        if left == before:
            self.transport.abort()
        else:
            self._stall_timer = self.loop.call_later(self.limits.stall_seconds, self._check_progress, left)

    def _expect_bytes(self, seconds: float | None) -> None:
        """Close the connection after `seconds`, unless this is called again before; None stops the timer."""
        if self._send_timer is not None:
            self._send_timer.cancel()
        self._send_timer = None if seconds is None else self.loop.call_later(seconds, self.transport.abort)


def bounded(settings: Settings) -> type[Protocol]:
    """The protocol class with the limits of these settings."""
    limits = Limits(settings.connections, HEAD_BYTES, HEAD_SECONDS, LINGER_SECONDS, STALL_SECONDS)
    return type("Bounded", (Protocol,), {"limits": limits})
