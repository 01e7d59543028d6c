"""HTTP over one connection, with an end to patience: uvicorn's protocol, and limits it does not have.

Whoever is slow, silent or gone holds a connection for a bounded time only, and a request's head has a size. Bodies
have their own limits, in `body`.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

import msgspec
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from runlake.api import problems
from runlake.api.door import CROWDED
from runlake.errors import BadInput
from runlake.settings import Settings

HEAD_BYTES: Final = 65_536
HEAD_SECONDS: Final = 10.0  # for the head of a request, from its first byte or from the connection on
LINGER_SECONDS: Final = 5.0  # for the rest of a body that nobody reads: so the answer is not lost in a reset
STALL_SECONDS: Final = 30.0  # in which a client has to take some of its answer
SPARE: Final = 100  # connections over the limit that get a 503 and not just a closed door
CHUNK_BYTES: Final = 64  # of framing that a piece of a body may cost


class Limits(msgspec.Struct, frozen=True):
    """How long and how much; seconds, bytes and connections."""

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
        self._slack = self.limits.head_bytes  # bytes that may still come before a request, or more of its body
        self._fault = ""
        self._crowded = False
        self._patience: asyncio.TimerHandle | None = None  # while the client has to send
        self._stall: asyncio.TimerHandle | None = None  # while the client has to take

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """One more connection, or one too many."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.connections + SPARE:
            transport.abort()
            return
        self._crowded = len(self.connections) > self.limits.connections
        self._wait(self.limits.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """The end."""
        self._wait(None)
        if self._stall is not None:
            self._stall.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; endless heads, trailers and framing end the connection."""
        self._slack -= len(data)
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._slack < 0:
            self.send_400_response(self._too_large())
        # Nothing under way and no timer: bytes came that are no request yet.
        elif self._patience is None and (self.cycle is None or self.cycle.response_complete):
            self._wait(self.limits.head_seconds)

    def on_headers_complete(self) -> None:
        """The head is there: hand the request over."""
        size = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if size > self.limits.head_bytes:
            self._fault = self._too_large()
            raise ValueError(self._fault)  # the parser stops, and data_received answers
        self._slack = self.limits.head_bytes
        self._wait(None)
        if self._crowded:
            self.scope[CROWDED] = True  # type: ignore[typeddict-unknown-key]
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body; how much of them a request may have, the application decides."""
        self._slack += len(body) + CHUNK_BYTES
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._crowded:
            cycle.keep_alive = False
        super()._start_asgi_task(cycle, app)

    def on_response_complete(self) -> None:
        """The answer is written; a body that is still on its way is thrown away, for a while."""
        unread = self.cycle.more_body
        super().on_response_complete()
        if self.transport.is_closing():
            self._see_it_out()
        elif unread:
            self._wait(self.limits.linger_seconds)

    def timeout_keep_alive_handler(self) -> None:
        """Nothing came for a while."""
        super().timeout_keep_alive_handler()
        self._see_it_out()

    def _see_it_out(self) -> None:
        """A closing connection waits for its client to take the rest."""
        if self._stall is None:
            self._watch(-1)

    def _too_large(self) -> str:
        return f"the head of a request is at most {self.limits.head_bytes} bytes"

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP request, in the shape of all errors, and close."""
        if self.transport.is_closing():
            return
        made = problems.answer("", "", BadInput.of("request", self._fault or msg))
        head = (
            f"HTTP/1.1 400 Bad Request\r\ncontent-type: {problems.MEDIA_TYPE}\r\n"
            f"content-length: {len(made.content)}\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + made.content)
        self.transport.close()
        self._see_it_out()

    def pause_writing(self) -> None:
        """The client does not take what it asked for."""
        super().pause_writing()
        self._see_it_out()

    def resume_writing(self) -> None:
        """The client has taken it."""
        super().resume_writing()
        if self._stall is not None and not self.transport.is_closing():
            self._stall.cancel()
            self._stall = None

    def _watch(self, before: int) -> None:
        left = self.transport.get_write_buffer_size()
        if left == before:
            self.transport.abort()
        else:
            self._stall = self.loop.call_later(self.limits.stall_seconds, self._watch, left)

    def _wait(self, seconds: float | None) -> None:
        """Close the connection unless this is called again in time; None waits for nothing."""
        if self._patience is not None:
            self._patience.cancel()
        self._patience = None if seconds is None else self.loop.call_later(seconds, self._give_up)

    def _give_up(self) -> None:
        self.transport.abort()


def bounded(settings: Settings) -> type[Protocol]:
    """The protocol with the limits of these settings."""
    limits = Limits(settings.connections, HEAD_BYTES, HEAD_SECONDS, LINGER_SECONDS, STALL_SECONDS)
    return type("Bounded", (Protocol,), {"limits": limits})
