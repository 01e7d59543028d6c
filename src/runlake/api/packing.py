"""Gzip of answers, by Litestar, and `Vary`. Not packed are answers that are packed already, files, which are large and
often packed inside, and events, which must not wait in it for each other.
"""

from __future__ import annotations

from typing import Any, Final

from litestar.datastructures import MutableScopeHeaders
from litestar.middleware.compression import CompressionMiddleware
from litestar.types import Message, Receive, Scope, Send

from runlake.api import events

_AS_IT_IS: Final = ("content-encoding", "content-disposition")  # headers of answers that are not packed
_VARY: Final = "Accept-Encoding"


class Packing(CompressionMiddleware):
    """Packs answers for who accepts that."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; a cache hears of answers that are not packed, too, that others are."""

        async def send_varying(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableScopeHeaders.from_message(message)
                if _VARY not in headers.get("vary", ""):
                    headers.extend_header_value("vary", _VARY)
            await send(message)

        await super().__call__(scope, receive, send_varying)

    def create_compression_send_wrapper(self, send: Send, *args: Any, **options: Any) -> Send:
        """A `send` that packs."""
        packing = super().create_compression_send_wrapper(send, *args, **options)
        chosen: Send | None = None

        async def send_packed(message: Message) -> None:
            nonlocal chosen
            if chosen is None:
                headers = MutableScopeHeaders.from_message(message)
                is_events = headers.get("content-type", "").startswith(events.MEDIA_TYPE)
                chosen = send if is_events or any(name in headers for name in _AS_IT_IS) else packing
            await chosen(message)

        return send_packed
