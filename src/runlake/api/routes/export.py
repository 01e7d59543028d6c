"""Exporting runs, as many as there are."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import ExitStack, aclosing
from functools import partial
from typing import Final, cast

from litestar import HttpMethod, Response
from litestar.openapi.spec import OpenAPIMediaType, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.response import Stream

from runlake.api.answers import Answer, Req, answer_with, service_of
from runlake.api.context import context_of
from runlake.api.events import Shown
from runlake.api.routing import question
from runlake.errors import TooMany
from runlake.model import EXAMPLE_RUN, ExportQuery, Form
from runlake.query import export, filters
from runlake.query.export import Export

_NDJSON: Final = "application/x-ndjson"
_TYPES: Final[dict[Form, str]] = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
    "ndjson": _NDJSON,
}
_BINARY: Final = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
_OTHERS: Final = {
    _TYPES["parquet"]: _BINARY,
    _TYPES["arrow"]: _BINARY,
    "text/csv": OpenAPIMediaType(Schema(type=OpenAPIType.STRING), example=f"id,success\n{EXAMPLE_RUN},false\n"),
}


@question(
    "/export/runs",
    scans=True,
    failures=(TooMany("2 exports run already"),),
    headers=("Runlake-Total", "Content-Disposition"),
    media_type=_NDJSON,
    others=_OTHERS,
    packed=False,
)
async def export_runs(request: Req, query: ExportQuery) -> Answer[str]:
    """Export runs.

    All runs that match, of one snapshot, as many as there are: as one Parquet file, as an Arrow stream, as CSV with a
    header, or as one JSON object a line. The service sends them as fast as the client takes them, and needs no more
    memory for many. `Runlake-Total` is their exact number.

    - The filters are those of `GET /runs`, and so are the columns; `fields` leaves others out. Runs that are in no
      file yet come first; then the days, the newest first, each in any order.
    - Each format can be imported again as it is: all duplicates. CSV has nothing for null and `""` for the empty text.
    - An export that fails half-way breaks the connection: it never ends as if it were whole.
    - 429 when too many exports run. A client that takes nothing for a minute is dropped.
    """
    service, held = service_of(request), ExitStack()
    try:
        service.exports.take(held)
        held.enter_context(service.ready().serving.readers.keeping())
        nothing: Shown[Export] = Shown(lambda _: None)
        scan, ages = export.is_scan(query), filters.ages(query)
        answered = await answer_with(request, partial(export.export, query=query), nothing, scan=scan, ages=ages)
        if isinstance(answered, Response):
            held.close()
            return answered
        found, made = answered
        if request.method == HttpMethod.HEAD:
            held.close()
            body: AsyncIterator[bytes] | Iterator[bytes] = iter(())
        else:
            pieces = service.exports.pieces(found, held)
            # What cannot begin is refused, and no broken answer.
            body = _whole(request, await anext(pieces, b""), pieces)
    except BaseException:
        held.close()
        raise
    headers = made.headers | {
        "Runlake-Total": str(found.total),
        "Content-Type": _TYPES[query.format],
        "Content-Disposition": f'attachment; filename="runs.{query.format}"',
    }
    return cast("Answer[str]", Stream(body, headers=headers))


async def _whole(request: Req, first: bytes, pieces: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    context = context_of(request)
    context.disconnected = True  # unless it comes to the end
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece
    context.disconnected = False


HANDLERS: Final = [export_runs]
