"""Following runs as they change."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import aclosing
from typing import Final, cast

from litestar import HttpMethod
from litestar.response import Stream

from runlake.api import events
from runlake.api.answers import Answer, Req, service_of
from runlake.api.context import context_of
from runlake.api.routing import STARTING, get
from runlake.errors import Busy
from runlake.model import Filter, RunChanges
from runlake.query import filters

_SNAPSHOT: Final = re.compile("[0-9]{1,18}")
_UNKNOWN: Final = -1  # a snapshot that was never here


@get(
    "/stream/runs",
    failures=(Busy("64 streams are open already", hint="try again later"), STARTING),
    media_type=events.MEDIA_TYPE,
)
async def stream_runs(request: Req, query: Filter) -> Answer[RunChanges]:
    """Follow runs.

    Server-sent events, at most four a second, without end. The schema is that of the data of an event `runs`: the runs
    that match and were stored or changed since the event before, each once, as it is now. The id of an event is its
    snapshot.

    - The first event comes at once: `runs` without any run. Who loads a list after it, and then puts the runs of
      further events, by their ids, in place of those it has, misses none.
    - `Last-Event-ID`, which a browser sends by itself, goes on after that snapshot: nothing is missed or told twice. If
      too much has changed since then, or the lake has changed while the service was away, the first event is `reset`.
      Its `snapshot` is the one from which on everything is told: load again what is shown. A client that is too slow
      gets one, too.
    - The filters are those of `GET /runs`, without bounds of the window. A run that has changed so that it does not
      match any more is not told; nor one that is `lost` because time goes by, nor one that retention drops.
    - A comment comes when there was nothing for 15 seconds. The stream ends when its key is revoked, or the service
      stops.
    - 503 when too many streams are open. A client that takes nothing for a minute is dropped.
    """
    service = service_of(request)
    service.ready()
    filters.of(query)  # raises what is wrong with it
    body: AsyncIterator[bytes] | Iterator[bytes] = iter(())
    if request.method != HttpMethod.HEAD:
        found = service.streams.events(query, _position(request), context_of(request).admit)
        body = _whole(await anext(found, b""), found)
    headers = {"Cache-Control": "no-store", "Content-Type": f"{events.MEDIA_TYPE}; charset=utf-8"}
    return cast("Answer[RunChanges]", Stream(body, headers=headers))


def _position(request: Req) -> int | None:
    """The snapshot after which to go on; None to begin now."""
    last = request.headers.get("last-event-id", "")
    if not last:
        return None
    return int(last) if _SNAPSHOT.fullmatch(last) else _UNKNOWN


async def _whole(first: bytes, found: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    async with aclosing(found):
        yield first
        async for told in found:
            yield told


HANDLERS: Final = [stream_runs]
