"""Bodies of POST /runs: reading bounded in bytes and in time, unpacking, then one decoder per content type."""

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

from runlake.api import unpack
from runlake.api.client import Client
from runlake.errors import Busy, TooLarge, TooSlow, Unsupported
from runlake.intake import Batch, Decoded, Tables, decode_json, decode_ndjson, stream
from runlake.settings import Settings

# As many as decode at the same time: what a body becomes on the way takes several times its size.
DECODERS: Final = ThreadPoolExecutor(2, thread_name_prefix="runlake-decode")
SMALL: Final = 4096  # bytes
_LOCAL: Final = threading.local()


class Room:
    """How many bytes of bodies and batches are under way, and may be; used by one thread."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.taken = 0

    @contextmanager
    def share(self) -> Iterator[Share]:
        """A part of the room for one request, given back at the end."""
        share = Share(self)
        try:
            yield share
        finally:
            self.taken -= share.size


class Share:
    """What one request holds of the room, in bytes."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold at least so many bytes; raises Busy when others leave no room. Who is alone always has it."""
        change = size - self.size
        if change <= 0:
            return
        alone = self._room.taken == self.size
        if not alone and self._room.taken + change > self._room.size:
            raise Busy("too many bodies are under way")
        self._room.taken += change
        self.size = size


async def read(request: Request[Any, Any, Any], settings: Settings, share: Share) -> bytes:
    """The whole body, unpacked.

    Raises Unsupported or BadInput when it cannot be unpacked, TooLarge as soon as it is longer than it may be, packed
    or not, Busy when others take the room, and TooSlow when it does not arrive in time.
    """
    is_packed = _is_packed(request)
    sent = await _received(request, settings, share)
    return await _unpacked(sent, settings.body_bytes, share) if is_packed else sent


def _is_packed(request: Request[Any, Any, Any]) -> bool:
    """Whether the body is gzip; raises Unsupported for other encodings, gzip twice included."""
    named = ",".join(request.headers.getall("content-encoding", [])).split(",")
    encodings = [name for word in named if (name := word.strip().lower()) not in ("", "identity")]
    if encodings and encodings not in (["gzip"], ["x-gzip"]):
        raise Unsupported(
            f"Content-Encoding {', '.join(encodings)} is not read here", hint="send the body as it is, or as gzip"
        )
    return bool(encodings)


async def _unpacked(packed: bytes, limit: int, share: Share) -> bytes:
    """The content of a gzip body, step by step on a decoding thread; what is unpacked counts with what came."""
    loop = asyncio.get_running_loop()
    rest = unpack.pieces(packed)
    parts: list[bytes] = []
    size = 0
    while part := await loop.run_in_executor(DECODERS, next, rest, b""):
        size += len(part)
        if size > limit:
            raise TooLarge(f"a body is at most {limit} bytes, unpacked too")
        share.grow(len(packed) + size)
        parts.append(part)
    return b"".join(parts)


async def _received(request: Request[Any, Any, Any], settings: Settings, share: Share) -> bytes:
    limit = settings.body_bytes
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"a body is at most {limit} bytes, not {declared}")
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(settings.body_seconds):
            async for part in request.stream():
                size += len(part)
                if size > limit:
                    raise TooLarge(f"a body is at most {limit} bytes")
                share.grow(size)
                parts.append(part)
    except InternalServerException:  # how Litestar says that the client is gone
        Client(request).give_up()
        raise TooSlow("the client went away") from None
    except TimeoutError:
        raise TooSlow(f"the body did not arrive within {settings.body_seconds:g} seconds") from None
    return b"".join(parts)


def decoder(request: Request[Any, Any, Any], limit: int) -> Callable[[bytes], Batch | Decoded]:
    """The function that decodes this request's body, of at most `limit` bytes in columns; raises Unsupported.

    A request without a type has no body, as the door has seen; the decoder of JSON says what is missing.
    """
    kind = (request.headers.get("content-type") or "application/json").split(";")[0].strip().lower()
    if kind not in _BY_TYPE:
        raise Unsupported(f"Content-Type {kind} is not read here", hint=f"send one of {', '.join(_BY_TYPE)}")
    return partial(_BY_TYPE[kind], limit=limit)


def from_arrow(body: bytes, *, limit: int = Settings().body_bytes) -> Batch:
    """A Batch from an Arrow IPC stream; raises BadInput or TooLarge."""
    rows = stream.table(body, limit)
    tables: Tables | None = getattr(_LOCAL, "tables", None)
    if tables is None:
        tables = _LOCAL.tables = Tables()
    return tables.batch(rows)


def _records(decode: Callable[[bytes], Decoded], body: bytes, *, limit: int) -> Batch | Decoded:
    """Of a small body the records: the columns are made later, for a whole group and by the writer."""
    decoded = decode(body)
    return decoded if len(body) <= SMALL else decoded.batch()


_BY_TYPE: Final[dict[str, Callable[..., Batch | Decoded]]] = {
    "application/json": partial(_records, decode_json),
    "application/x-ndjson": partial(_records, decode_ndjson),
    "application/vnd.apache.arrow.stream": from_arrow,
}
