"""ui/src/api.ts: the Structs of the API and its routes as TypeScript.

`python tests/helpers/typescript.py` writes it; a test fails when it is stale.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from typing import Any, Final, get_args

import msgspec
from litestar.handlers import HTTPRouteHandler
from msgspec import NODEFAULT, inspect
from support import HERE

from runlake import model
from runlake.api.openapi import Operation
from runlake.api.routes import ROUTERS
from runlake.errors import FieldError

TARGET: Final = HERE.parent / "ui/src/api.ts"
_HEAD: Final = """\
// Made by tests/helpers/typescript.py from the Structs of src/runlake/model: do not edit.

/** A time in ISO 8601, of UTC, with at most six digits of a second. */
export type Timestamp = string;
export type Uuid = string;
/** A day of UTC, as in 2025-01-31. */
export type Day = string;
"""
_WORDS: Final[dict[type[inspect.Type], str]] = {
    inspect.AnyType: "unknown",
    inspect.BoolType: "boolean",
    inspect.CustomType: "Timestamp",  # Instant is the only one
    inspect.DateTimeType: "Timestamp",
    inspect.DateType: "Day",
    inspect.FloatType: "number",
    inspect.IntType: "number",
    inspect.NoneType: "null",
    inspect.RawType: "unknown",
    inspect.StrType: "string",
    inspect.UUIDType: "Uuid",
}


def document() -> str:
    """The whole file."""
    found = [kind for kind in (*vars(model).values(), FieldError) if isinstance(kind, type)]
    structs = [kind for kind in found if issubclass(kind, msgspec.Struct) and kind is not model.NoQuery]
    return "\n".join([_HEAD, *map(_interface, structs), _routes()])


def _interface(kind: type[msgspec.Struct]) -> str:
    info = inspect.type_info(kind)
    assert isinstance(info, inspect.StructType)
    optional = partial(_may_be_left_out, query=kind.__name__.endswith("Query"))
    lines = [
        f"  {_doc(field.type)}{field.encode_name}{'?' if optional(field) else ''}: {_type(field.type)};"
        for field in info.fields
    ]
    return "\n".join([f"export interface {kind.__name__} {{", *lines, "}", ""])


def _may_be_left_out(field: inspect.Field, *, query: bool) -> bool:
    """In an answer, what msgspec leaves out; in a query, what has a default."""
    unset = field.default is NODEFAULT and field.default_factory is NODEFAULT  # so msgspec shows UNSET
    return not field.required and (query or unset)


def _doc(kind: Any) -> str:
    text = (getattr(kind, "extra_json_schema", None) or {}).get("description", "")
    return f"/** {text} */\n  " if text else ""


def _type(kind: Any) -> str:
    match kind:
        case inspect.Metadata():
            text = _type(kind.type)
        case inspect.UnionType():
            text = " | ".join(dict.fromkeys(map(_type, kind.types)))
        case inspect.ListType():
            item = _type(kind.item_type)
            text = f"({item})[]" if " | " in item else f"{item}[]"
        case inspect.DictType():
            text = f"Record<{_type(kind.key_type)}, {_type(kind.value_type)}>"
            text = f"Partial<{text}>" if isinstance(kind.key_type, inspect.LiteralType) else text
        case inspect.LiteralType():
            text = " | ".join(json.dumps(value) for value in kind.values)
        case inspect.StructType():
            text = kind.cls.__name__
        case _:
            text = _WORDS[type(kind)]
    return text


def _routes() -> str:
    """What each GET route takes and answers, by its newest address; of those that answer JSON."""
    lines: list[str] = []
    for router in ROUTERS:
        for route in router.routes:
            for handler in getattr(route, "route_handlers", []):
                if isinstance(handler, HTTPRouteHandler) and "GET" in handler.http_methods:
                    lines += _route(handler, handler.opt.get("operation"))
    body = "\n".join(dict.fromkeys(lines))
    return f"/** What GET of a route takes and answers. */\nexport interface Routes {{\n{body}\n}}\n"


def _route(handler: HTTPRouteHandler, operation: Operation | None) -> Iterator[str]:
    if operation is None:
        return
    (answer,) = get_args(handler.fn.__annotations__["return"])
    path = re.sub(r":\w+}", "}", operation.paths[0])
    query = "Record<string, never>" if operation.query is model.NoQuery else operation.query.__name__
    yield f'  "{path}": {{ query: {query}; answer: {_type(inspect.type_info(answer))} }};'


if __name__ == "__main__":
    TARGET.write_text(document(), encoding="utf-8")
