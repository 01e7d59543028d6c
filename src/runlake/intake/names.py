"""Names of tasks, as PUT /tasks/names and `runlake tasks` take them: JSON becomes a table."""

from __future__ import annotations

import uuid
from typing import Any, Final

import msgspec
import pyarrow as pa

from runlake.columns import NAMED
from runlake.errors import BadInput, FieldError
from runlake.intake.messages import AT, shown, syntax_error
from runlake.model import TaskName

_SHAPE: Final = 'expected {"names": {"<task>": {"name": "orders", "tags": ["etl"], "url": "https://…"}}}'


class _Body(msgspec.Struct, forbid_unknown_fields=True):
    names: dict[str, msgspec.Raw]


def decode(body: bytes, most: int | None = None) -> pa.Table:
    """The names of a JSON body, with the schema columns.NAMED; a null name removes one.

    Raises BadInput, which lists every wrong entry, also for more than `most` of them.
    """
    try:
        given = msgspec.json.decode(body, type=_Body).names
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        _, reason = syntax_error(body, str(exc))
        raise BadInput.of("body", reason, hint=_SHAPE) from None
    if most is not None and len(given) > most:
        raise BadInput.of("names", f"has {len(given)} entries, expected at most {most}")
    rows: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for key, raw in given.items():
        try:
            rows.append(_row(key, raw))
        except BadInput as exc:
            errors += exc.errors
    if errors:
        raise BadInput(errors)
    last = {row["task_id"]: row for row in rows}  # an id in two spellings is one task
    return pa.Table.from_pylist(list(last.values()), schema=NAMED)


def _row(key: str, raw: msgspec.Raw) -> dict[str, Any]:
    try:
        task = uuid.UUID(key)
    except ValueError:
        raise BadInput.of("names", f"expected the UUID of a task, not {shown(key)}") from None
    try:
        named = msgspec.json.decode(raw, type=TaskName | None)
    except msgspec.DecodeError as exc:
        at = AT.search(str(exc))
        message = str(exc)[: at.start()] if at else str(exc)
        field = ".".join(part for part in (f"names.{key}", at[1] if at else "") if part)
        raise BadInput.of(field, f"{message}, not {shown(msgspec.json.decode(raw))}") from None
    values = (None, None, None) if named is None else (named.name, named.tags, named.url)
    return {"task_id": task.bytes, **dict(zip(NAMED.names[1:], values, strict=True))}
