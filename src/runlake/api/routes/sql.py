"""SQL of analysts over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from typing import Final, cast

import msgspec
from litestar import HttpMethod

from runlake.api import attachments, sql_queries
from runlake.api.answers import JSON, Answer, Req, as_json, service_of
from runlake.api.cancellation import while_connected
from runlake.api.openapi import Body
from runlake.api.routing import BODIES, STARTING, get, write
from runlake.api.sql_queries import Query
from runlake.errors import BadInput, Busy, TooLong, TooMany
from runlake.inspect import schema
from runlake.inspect.query_process import HINT
from runlake.intake.bodies import decoded
from runlake.model import MEDIA_TYPES, Form, SqlAnswer, SqlQuery, SqlSchema

_FORMS: Final = {kind: form for form, kind in MEDIA_TYPES.items()}
_FAILURES: Final = (
    BadInput.of("query", 'Binder Error: Referenced column "sucess" not found in FROM clause!'),
    TooMany(f"{sql_queries.MOST} queries run already"),
    TooLong("the query took longer than 30 s", hint=HINT),
    Busy("the service commits faster than its catalog can be read"),
    STARTING,
    *BODIES,
)


@write(
    HttpMethod.POST,
    "/sql",
    body=Body(SqlQuery, "A query and its limits."),
    failures=_FAILURES,
    headers=("Runlake-Snapshot",),
    scope="read",
    others=attachments.described(
        {"csv": "success,runs\r\ntrue,48211\r\n", "ndjson": '{"success":true,"runs":48211}\n'}
    ),
)
async def run_sql(request: Req) -> Answer[SqlAnswer]:
    """Ask in SQL.

    One SELECT over the relations `runs`, `finished_runs`, `open_runs` and `task_names`, with all that DuckDB has for
    reading: `GET /sql/schema` has their columns, the macros, and queries to begin with. It reads the newest snapshot,
    in a process of its own that can read the files of the lake and nothing else, and that ends at its limits of time
    and memory. Texts of queries are not logged. A key of scope `read` is enough.

    - As JSON, the answer has at most `limit` rows and 64 MiB; `truncated` says whether there are more.
    - With `Accept` of Parquet, Arrow, CSV or NDJSON it is the whole result as a file, sent while it is computed. When
      the query fails, or its time is over, half-way, the connection breaks: the file never ends as if it were whole.
    - A query that is wrong is a 400 with DuckDB's words; a line of it is named where it has several. So is one that
      needs more memory than `RUNLAKE_SQL_MEMORY` and may not, or cannot, spill the rest.
    - 429 while two others run.
    """
    service, form = service_of(request), _form(request)
    asked = decoded(await service.bodies.json(request), SqlQuery, 'expected {"query": "SELECT …"}')
    async with AsyncExitStack() as held:
        service.sql_places.take(held)
        held.enter_context(service.ready().serving.readers.keeping())
        query = await while_connected(
            request, held.enter_async_context(sql_queries.begun(service.settings, asked, form))
        )
        headers = {"Runlake-Snapshot": str(query.snapshot)}
        if form is None:
            return as_json(await while_connected(request, _body(query)), headers)
        pieces = _pieces(query, held.pop_all())
        return cast("Answer[SqlAnswer]", await attachments.attachment(request, pieces, "result", form, headers))


def _form(request: Req) -> Form | None:
    """The form that the client would rather have than JSON; None for JSON."""
    return _FORMS.get(request.accept.best_match([JSON, *_FORMS]) or JSON)


async def _body(query: Query) -> bytes:
    return b"".join([piece async for piece in query.pieces()])


async def _pieces(query: Query, held: AsyncExitStack) -> AsyncGenerator[bytes]:
    async with held:
        async for piece in query.pieces():
            yield piece


@get("/sql/schema")
async def get_sql_schema(request: Req) -> Answer[SqlSchema]:
    """What a query may name.

    The relations with their columns, the macros, and queries to begin with.
    """
    return as_json(msgspec.json.encode(await asyncio.to_thread(schema.schema)))


HANDLERS: Final = [run_sql, get_sql_schema]
