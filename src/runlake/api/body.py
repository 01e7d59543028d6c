"""Bodies of POST /runs: bounded reading, then one decoder per content type."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pyarrow as pa
from litestar import Request

from runlake.errors import BadInput, TooLarge, Unsupported
from runlake.intake import Batch, Tables, from_json, from_ndjson
from runlake.model import MAX_BATCH

DECODERS: Final = ThreadPoolExecutor(2, thread_name_prefix="runlake-decode")
_LOCAL: Final = threading.local()


async def read(request: Request[Any, Any, Any], limit: int) -> bytes:
    """The whole body; raises TooLarge as soon as it is longer than `limit` bytes."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(f"a body is at most {limit} bytes, not {declared}")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLarge(f"a body is at most {limit} bytes")
        parts.append(part)
    return b"".join(parts)


def decoder(request: Request[Any, Any, Any]) -> Callable[[bytes], Batch]:
    """The function that makes a Batch of this request's body; raises Unsupported."""
    kind = request.headers.get("content-type", "application/json").split(";")[0].strip().lower()
    encoding = request.headers.get("content-encoding", "identity").lower()
    if kind not in _BY_TYPE or encoding != "identity":
        wrong = f"Content-Type {kind}" if kind not in _BY_TYPE else f"Content-Encoding {encoding}"
        raise Unsupported(f"{wrong} is not read here", hint=f"send one of {', '.join(_BY_TYPE)}")
    return _BY_TYPE[kind]


def from_arrow(body: bytes) -> Batch:
    """A Batch from an Arrow IPC stream; raises BadInput."""
    try:
        with pa.ipc.open_stream(body) as stream:
            batches, rows = [], 0
            for part in stream:
                rows += part.num_rows
                if rows > MAX_BATCH:
                    raise BadInput.of("runs", f"a batch holds 1 to {MAX_BATCH} records, not {rows} or more")
                # A stream may lie about lengths and hold invalid UTF-8; nothing may look at it before this.
                part.validate(full=True)
                batches.append(part)
            table = pa.Table.from_batches(batches, schema=stream.schema)
    except (pa.ArrowException, OSError, ValueError) as exc:
        raise BadInput.of("body", f"not an Arrow IPC stream: {' '.join(str(exc).split())}") from None
    tables: Tables | None = getattr(_LOCAL, "tables", None)
    if tables is None:
        tables = _LOCAL.tables = Tables()
    return tables.batch(table)


_BY_TYPE: Final[dict[str, Callable[[bytes], Batch]]] = {
    "application/json": from_json,
    "application/x-ndjson": from_ndjson,
    "application/vnd.apache.arrow.stream": from_arrow,
}
