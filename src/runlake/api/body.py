"""Bodies of POST /runs: received within limits of bytes and time, unpacked, and decoded by their content type."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from litestar import Request
from litestar.exceptions import InternalServerException

from runlake.api import gzip_body
from runlake.api.context import context_of
from runlake.errors import Busy, TooLarge, TooSlow, Unsupported
from runlake.intake import Batch, Decoded, Tables, decode_json, decode_ndjson, stream
from runlake.settings import Settings

Req = Request[Any, Any, Any]
Decoder = Callable[[bytes], Batch | Decoded]
JSON: Final = "application/json"
SMALL: Final = 4096  # bytes
_THREADS: Final = 2  # few, because a body takes several times its size while it is decoded
_LOCAL: Final = threading.local()  # `tables`: a Tables owns a DuckDB instance, which one thread may use


class ByteBudget:
    """The bytes that all requests under way hold in bodies and batches; one thread uses it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.reserved = 0

    @contextmanager
    def reservation(self) -> Iterator[Reservation]:
        """A Reservation of no bytes yet, which is given back at the end of the block."""
        reservation = Reservation(self)
        try:
            yield reservation
        finally:
            self.reserved -= reservation.size


class Reservation:
    """The bytes of a ByteBudget that one request holds."""

    def __init__(self, budget: ByteBudget) -> None:
        self._budget = budget
        self.size = 0

    def extend_to(self, size: int) -> None:
        """Hold at least `size` bytes; raises Busy when the budget is spent, but never for the only request."""
        more = size - self.size
        if more <= 0:
            return
        is_alone = self._budget.reserved == self.size
        if not is_alone and self._budget.reserved + more > self._budget.size:
            raise Busy("too many bodies are under way")
        self._budget.reserved += more
        self.size = size


class BodyReader:
    """Reads and decodes the bodies of one service; owns their budget of bytes and the threads that decode them."""

    def __init__(self, settings: Settings) -> None:
        self.budget = ByteBudget(settings.bodies_bytes)
        self._limit = settings.body_bytes
        self._seconds = settings.body_seconds
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="runlake-decode")

    async def read(self, request: Req, reservation: Reservation) -> bytes:
        """The whole body, unpacked.

        Raises Unsupported or BadInput when it cannot be unpacked, TooLarge as soon as it exceeds the limit, packed or
        unpacked, Busy when the budget is spent, and TooSlow when it does not arrive in time.
        """
        is_packed = _is_packed(request)
        body = await self._received(request, reservation)
        return await self._unpacked(body, reservation) if is_packed else body

    async def json(self, request: Req) -> bytes:
        """The whole body of a request that takes JSON only; raises what `read` raises."""
        kind = (request.headers.get("content-type") or JSON).split(";")[0].strip().lower()
        if kind != JSON:
            raise Unsupported(f"Content-Type {kind} is not read here", hint=f"send {JSON}")
        with self.budget.reservation() as reservation:
            return await self.read(request, reservation)

    async def decode(self, decoder: Decoder, body: bytes) -> Batch | Decoded:
        """The runs of a body. A small one is decoded at once: to hand it to another thread would take longer."""
        if len(body) <= SMALL:
            return decoder(body)
        return await asyncio.get_running_loop().run_in_executor(self._pool, decoder, body)

    def close(self) -> None:
        """Drop what waits to be decoded, and let the threads end; a second call does nothing."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _received(self, request: Req, reservation: Reservation) -> bytes:
        """The body as it was sent."""
        declared = request.headers.get("content-length", "")
        if declared.isdigit() and int(declared) > self._limit:
            raise TooLarge(f"a body is at most {self._limit} bytes, not {declared}")
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._seconds):
                async for part in request.stream():
                    size += len(part)
                    if size > self._limit:
                        raise TooLarge(f"a body is at most {self._limit} bytes")
                    reservation.extend_to(size)
                    parts.append(part)
        except InternalServerException:  # Litestar raises it when the client disconnects
            context_of(request).disconnected = True
            raise TooSlow("the client went away") from None
        except TimeoutError:
            raise TooSlow(f"the body did not arrive within {self._seconds:g} seconds") from None
        return b"".join(parts)

    async def _unpacked(self, packed: bytes, reservation: Reservation) -> bytes:
        """The content of a gzip body. It is unpacked in pieces, so that a body over the limit never fills memory."""
        loop = asyncio.get_running_loop()
        pieces = gzip_body.pieces(packed)
        parts: list[bytes] = []
        size = 0
        while part := await loop.run_in_executor(self._pool, next, pieces, b""):
            size += len(part)
            if size > self._limit:
                raise TooLarge(f"a body is at most {self._limit} bytes, unpacked too")
            reservation.extend_to(len(packed) + size)
            parts.append(part)
        return b"".join(parts)


def _is_packed(request: Req) -> bool:
    """Whether the body is gzip; raises Unsupported for other encodings, and for gzip within gzip."""
    named = ",".join(request.headers.getall("content-encoding", [])).split(",")
    encodings = [name for word in named if (name := word.strip().lower()) not in ("", "identity")]
    if encodings and encodings not in (["gzip"], ["x-gzip"]):
        raise Unsupported(
            f"Content-Encoding {', '.join(encodings)} is not read here", hint="send the body as it is, or as gzip"
        )
    return bool(encodings)


def decoder_of(request: Req, limit: int) -> Decoder:
    """The decoder for the content type of a request, whose columns may take `limit` bytes; raises Unsupported.

    A request without a content type has no body, because the middleware refuses others: the decoder of JSON then
    reports that the body is missing.
    """
    kind = (request.headers.get("content-type") or "application/json").split(";")[0].strip().lower()
    if kind not in _BY_TYPE:
        raise Unsupported(f"Content-Type {kind} is not read here", hint=f"send one of {', '.join(_BY_TYPE)}")
    return partial(_BY_TYPE[kind], limit=limit)


def from_arrow(body: bytes, *, limit: int = Settings().body_bytes) -> Batch:
    """The Batch of an Arrow IPC stream; raises BadInput or TooLarge."""
    rows = stream.table(body, limit)
    tables: Tables | None = getattr(_LOCAL, "tables", None)
    if tables is None:
        tables = _LOCAL.tables = Tables()
    return tables.batch(rows)


def _from_text(decode: Callable[[bytes], Decoded], body: bytes, *, limit: int) -> Batch | Decoded:
    """The records of a small body, the columns of a larger one.

    Columns have a fixed price: the writer makes those of many small bodies at once, see intake.decoded.
    """
    decoded = decode(body)
    return decoded if len(body) <= SMALL else decoded.batch()


_BY_TYPE: Final[dict[str, Callable[..., Batch | Decoded]]] = {
    "application/json": partial(_from_text, decode_json),
    "application/x-ndjson": partial(_from_text, decode_ndjson),
    "application/vnd.apache.arrow.stream": from_arrow,
}
