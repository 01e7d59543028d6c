"""Exporting runs, as many as there are."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Final

from litestar import HttpMethod, Response

from runlake.api import attachments
from runlake.api.answers import Answer, Req, answer_with, service_of
from runlake.api.events import Shown
from runlake.api.routing import question
from runlake.errors import TooMany
from runlake.model import EXAMPLE_RUN, MEDIA_TYPES, ExportQuery
from runlake.query import export, filters
from runlake.query.export import Export

_OTHERS: Final = attachments.described({"csv": f"id,success\n{EXAMPLE_RUN},false\n"})


@question(
    "/export/runs",
    scans=True,
    failures=(TooMany("2 exports run already"),),
    headers=("Runlake-Total", "Content-Disposition"),
    media_type=MEDIA_TYPES["ndjson"],
    others=_OTHERS,
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
        service.exports.places.take(held)
        held.enter_context(service.ready().serving.readers.keeping())
        nothing: Shown[Export] = Shown(lambda _: None)
        scan, ages = export.is_scan(query), filters.ages(query)
        answered = await answer_with(request, partial(export.export, query=query), nothing, scan=scan, ages=ages)
        if isinstance(answered, Response):
            held.close()
            return answered
        found, made = answered
        headers = made.headers | {"Runlake-Total": str(found.total)}
        if request.method == HttpMethod.HEAD:
            held.close()
            return attachments.empty("runs", query.format, headers)
        pieces = service.exports.pieces(found, held)
        return await attachments.attachment(request, pieces, "runs", query.format, headers)
    except BaseException:
        held.close()
        raise


HANDLERS: Final = [export_runs]
