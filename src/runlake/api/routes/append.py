"""Appending runs."""

from __future__ import annotations

from typing import Final

import msgspec
from litestar import HttpMethod
from litestar.openapi.spec import OpenAPIMediaType, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType

from runlake.api import body
from runlake.api.answers import Answer, Req, as_json, service_of
from runlake.api.openapi import Body, examples
from runlake.api.routing import STARTING, write
from runlake.columns import COLUMNS
from runlake.errors import BadInput, Busy, Clash, Conflict, DiskFull, TooLarge, TooSlow, Unsupported
from runlake.model import EXAMPLE_RUN, MAX_DEPTH, MAX_RECORD_BYTES, RunBatch, Stored

_ACCEPTED: Final = {
    "UUID": "UUID, 16-byte binary, or text",
    "TIMESTAMPTZ": "timestamp of any unit (without a zone: UTC), date, or ISO 8601 text",
    "VARCHAR": "text",
    "BOOLEAN": "boolean, or text",
    "INTEGER": "any integer type, or text",
}
_ABSENT: Final = {
    "id": "a UUIDv7 is minted",
    "task_id": "an error: it is required",
    "attempt": "1",
    "created_at": "`started_at`, else `finished_at`, else the time of receipt",
}


def _arrow_columns() -> str:
    """The columns of an Arrow body as a Markdown table, from the schema runs are stored in."""
    rows = ["| column | type | absent or null |", "|---|---|---|"]
    for column in COLUMNS:
        accepted = "JSON text" if column.name == "output" else _ACCEPTED[column.sql]
        rows.append(f"| `{column.name}` | {accepted} | {_ABSENT.get(column.name, 'null')} |")
    return "\n".join(rows)


_JSON: Final = "One object with the records in `runs`; a bare record or array is a 400."
_NDJSON: Final = "One `RunRecord` as a JSON object on each line; blank lines do not count."
_ARROW: Final = f"""\
An Arrow IPC stream, one row a run, with columns named as the fields of `RunRecord`, in any order. Only `task_id` is
required; a column by any other name is an error.

{_arrow_columns()}
"""
_WORDS: Final = f"""

- Records apply in order, as if each had been posted alone. A record replaces the whole stored **open** run of its
  `id`: fields left out take their defaults, nothing is merged. With `finished_at` and `success` set it finishes the
  run, and a finished run never changes.
- **Safe to repeat.** A record equal to what is stored counts as `duplicates`; an open record for a run that has
  finished arrives late and counts as `stale`. `received` = `stored` + `duplicates` + `stale`. So give each run an
  `id`: a record without one is a new run each time.
- A finished run sent again with other content is a 409; its `errors` name index and id of every such record.
- A bad record is a 400 that names its index and field, such as `runs[17].attempt`. After 400, 409, 413, 415, 503 and
  507 nothing of the batch is stored.
- A record is at most {MAX_RECORD_BYTES:,} bytes; its `output` nests at most {MAX_DEPTH} levels. `finished_at` before
  `started_at` is an error, and so is an unknown field.

Three types of body are read, each also with `Content-Encoding: gzip`; a body without `Content-Type` is a 415:

- `application/json`: {_JSON}
- `application/x-ndjson`: {_NDJSON}
- `application/vnd.apache.arrow.stream`: {_ARROW}"""
_SENT: Final = msgspec.json.decode(examples("appendRuns")["stored"].body)["runs"]
_LINES: Final = "\n".join(msgspec.json.encode(record).decode() for record in _SENT)
_BODY: Final = Body(
    RunBatch,
    "The runs, in one of three types, as they are or with `Content-Encoding: gzip`. Several gzip members are one body; "
    "the limits are for what is unpacked.",
    {
        "application/x-ndjson": OpenAPIMediaType(Schema(type=OpenAPIType.STRING, description=_NDJSON), example=_LINES),
        "application/vnd.apache.arrow.stream": OpenAPIMediaType(
            Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY, description=_ARROW)
        ),
    },
)
_FAILURES: Final = (
    BadInput.of("runs[17].attempt", "Expected `int` >= 1"),
    Conflict([Clash(0, EXAMPLE_RUN), Clash(5, "0194545f-2870-7b3c-9d2e-4f5a6b7c8d9e")]),
    TooSlow("the body did not arrive within 60 seconds"),
    TooLarge("a body is at most 67108864 bytes"),
    Unsupported(
        "Content-Type text/csv is not read here",
        hint="send one of application/json, application/x-ndjson, application/vnd.apache.arrow.stream",
    ),
    Busy("too many runs wait to be written"),
    STARTING,
    DiskFull("commit: the disk is full"),
)


@write(HttpMethod.POST, "/runs", body=_BODY, failures=_FAILURES, description=_WORDS)
async def append_runs(request: Req) -> Answer[Stored]:
    """Append runs, or finish open ones.

    Stores 1 to 10,000 runs, at most 64 MiB, in one transaction: all of them or none. The answer comes once the batch
    is durable and visible to every later read.
    """
    service = service_of(request)
    decoder = body.decoder_of(request, service.settings.body_bytes)
    service.ready()
    with service.bodies.budget.reservation() as reservation:
        content = await service.bodies.read(request, reservation)
        batch = await service.bodies.decode(decoder, content)
        del content  # the batch may wait for its commit, and the body is not needed for that
        reservation.extend_to(batch.nbytes)
        counts = await service.append(batch)
    ids = batch.ids
    return as_json(msgspec.json.encode(Stored(len(ids), counts.stored, counts.duplicates, counts.stale, ids)))


HANDLERS: Final = [append_runs]
