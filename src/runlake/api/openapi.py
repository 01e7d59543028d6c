"""The OpenAPI document, derived from the Structs of `model`; only its prose and its examples are written by hand.

Not by Litestar: the handlers decode their query strings themselves, so it does not see them.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import msgspec
from msgspec import Struct, inspect

from runlake import access
from runlake.api import examples, problems
from runlake.api import openapi_text as text
from runlake.api.operations import OPERATIONS, Operation
from runlake.errors import RunlakeError, Unauthorized
from runlake.model import EXAMPLE_RUN, EXAMPLE_TASK, Instant, Problem, RunId, RunPage, TaskId

__all__ = ["OPERATIONS", "Operation", "document"]

REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_PATH: Final = {"run_id": (RunId, EXAMPLE_RUN), "task_id": (TaskId, EXAMPLE_TASK)}


def document() -> dict[str, Any]:
    """The OpenAPI document; a new one at each call, so the caller may change it."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "runlake: the Runs API",
            "version": version("runlake"),
            "description": text.INFO,
        },
        "tags": [{"name": name, "description": words} for name, words in text.TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": text.KEY}},
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    made: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "deprecated": False,
        "parameters": [*_path_parameters(operation), *_query_parameters(operation.query)],
        "responses": {"200": _answer(operation)},
        # Either a key with this scope or, for a service without keys, none. OpenAPI 3.1 allows scopes for type http.
        "security": [] if operation.scope is None else [{"key": [operation.scope]}, {}],
    }
    if operation.request is not None:
        made["requestBody"] = _request(operation.request)
    for code in operation.errors:
        made["responses"][str(code)] = _error(operation, code)
    if operation.is_about_runs:
        made["responses"]["304"] = {"description": "Nothing has changed since the answer whose ETag was sent back."}
    return made


def _path_parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in operation.path_params:
        kind, example = _PATH[name]
        yield _parameter(name, "path", msgspec.json.schema(kind)) | {"required": True, "example": example}


def _query_parameters(query: type[Struct]) -> Iterator[dict[str, Any]]:
    _, components = msgspec.json.schema_components([query], schema_hook=_hook, ref_template=REF)
    for name, schema in components[query.__name__]["properties"].items():
        parameter = _parameter(name, "query", schema)
        # Swagger UI fills the form with `example`: a filter there would make the first try find nothing.
        if "default" in schema:
            parameter["example"] = schema["default"]
        else:
            parameter["schema"]["examples"] = schema["examples"]
        if parameter["schema"].get("type") == "array":  # values with commas between them
            parameter |= {"style": "form", "explode": False}
        yield parameter


def _parameter(name: str, place: str, schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter; description and example stand beside its schema, not in it."""
    bare = {key: value for key, value in schema.items() if key not in ("description", "examples")}
    return {"name": name, "in": place, "description": schema["description"], "required": False, "schema": bare}


def _request(kind: type[Struct]) -> dict[str, Any]:
    lines = [msgspec.json.encode(record).decode() for record in examples.BATCH["runs"]]
    arrow = {"type": "string", "format": "binary", "description": text.ARROW_BODY}
    return {
        "required": True,
        "description": text.BODY,
        "content": {
            _JSON: {"schema": {"$ref": REF.format(name=kind.__name__)}, "example": examples.BATCH},
            "application/x-ndjson": {
                "schema": {"type": "string", "description": text.NDJSON_BODY},
                "example": "\n".join(lines),
            },
            "application/vnd.apache.arrow.stream": {"schema": arrow},
        },
    }


def _answer(operation: Operation) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "object" if operation.media_type == _JSON else "string"}
    if operation.response is not None:
        schema = {"$ref": REF.format(name=operation.response.__name__)}
    if operation.nullable:
        schema = {"anyOf": [schema, {"type": "null"}]}
    shown = {e.name: {"summary": e.summary, "value": _plain(e.value)} for e in operation.examples}
    answer: dict[str, Any] = {
        "description": _answer_text(operation),
        "content": {operation.media_type: {"schema": schema, "examples": shown}},
    }
    if operation.is_about_runs:
        answer["headers"] = {
            "ETag": _header(text.TAG, "string", examples.TAG),
            "Runlake-Snapshot": _header("The snapshot of the lake that was asked.", "string", "4813"),
            "Server-Timing": _header("Milliseconds of the question.", "string", "query;dur=7.31"),
        }
    if operation.response is RunPage:
        answer["headers"]["Link"] = _header(text.LINK, "string", examples.NEXT_LINK)
    return answer


def _answer_text(operation: Operation) -> str:
    if operation.response is None:
        return operation.summary + "."
    return (operation.response.__doc__ or "") + (" Null when there is none." if operation.nullable else "")


def _error(operation: Operation, code: int) -> dict[str, Any]:
    failures: list[RunlakeError | None] = [exc for exc in operation.all_failures if problems.status_of(exc) == code]
    found = {_example_name(exc): {"value": _plain(_problem(operation, code, exc))} for exc in failures or [None]}
    error: dict[str, Any] = {
        "description": text.ERRORS[code],
        "content": {problems.MEDIA_TYPE: {"schema": {"$ref": REF.format(name="Problem")}, "examples": found}},
    }
    if code == HTTPStatus.METHOD_NOT_ALLOWED:
        error["headers"] = {"Allow": _header("The methods the path takes.", "string", "GET, HEAD, OPTIONS")}
    if challenges := [words for exc in failures if exc is not None and (words := access.challenge(exc))]:
        error["headers"] = {"WWW-Authenticate": _header(text.CHALLENGES[code], "string", challenges[0])}
    if code in problems.LATER:
        wait = _header("Seconds to wait before the next try.", "integer", problems.RETRY_SECONDS)
        error["headers"] = {"Retry-After": wait}
    return error


def _header(description: str, kind: str, example: object) -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}, "example": example}


def _example_name(exc: RunlakeError | None) -> str:
    invalid = isinstance(exc, Unauthorized) and exc.invalid
    return "other" if exc is None else f"{exc.code}-key" if invalid else exc.code


def _problem(operation: Operation, code: int, exc: RunlakeError | None) -> Problem:
    """The problem that `problems.handle` makes of a failure; None stands for an error of Litestar or a bug."""
    path = operation.path.format(run_id=EXAMPLE_RUN, task_id=EXAMPLE_TASK)
    title = HTTPStatus(code).phrase
    if exc is not None:
        fields = getattr(exc, "errors", msgspec.UNSET)
        return Problem(f"urn:runlake:{exc.code}", title, code, exc.line(), path, fields)
    if code == HTTPStatus.INTERNAL_SERVER_ERROR:
        return Problem("urn:runlake:internal", title, code, text.INTERNAL, path)
    return Problem("about:blank", title, code, title, path)


def _plain(value: object) -> Any:
    """A value as JSON types: dict, list, str and so on."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _hook(kind: type) -> dict[str, Any]:
    if kind is not Instant:
        raise NotImplementedError(kind)
    return {"type": "string", "format": "date-time"}


def _schemas() -> dict[str, Any]:
    """The schemas of all bodies, completed with the descriptions and formats that msgspec leaves out."""
    bodies = [kind for op in OPERATIONS for kind in (op.request, op.response) if kind is not None]
    kinds = [*dict.fromkeys(bodies), Problem]
    _, components = msgspec.json.schema_components(kinds, schema_hook=_hook, ref_template=REF)
    for found in inspect.multi_type_info(kinds):
        for struct in _structs(found):
            _complete(components[struct.cls.__name__], struct)
    return dict(sorted(components.items()))


def _complete(schema: dict[str, Any], struct: inspect.StructType) -> None:
    for field in struct.fields:
        part = schema["properties"][field.encode_name]
        named = (f"{schema['title']}.{field.name}", field.name)
        note = next((text.FIELDS[name] for name in named if name in text.FIELDS), None)
        if note is not None and "description" not in part:
            part["description"] = note
        # msgspec says date-time only of datetimes that are declared to have a zone; all of ours are in UTC.
        if any(isinstance(inner, inspect.DateTimeType) for inner in _parts(field.type)):
            for option in part.get("anyOf", [part]):
                if option["type"] == "string":
                    option["format"] = "date-time"
    config = struct.cls.__struct_config__
    if not config.forbid_unknown_fields and not config.omit_defaults:
        # An answer has every field: the defaults of its Struct are for our code only.
        schema["required"] = list(schema["properties"])


def _parts(kind: inspect.Type) -> Iterator[inspect.Type]:
    """A type and the types it is composed of; the fields of a Struct are not entered."""
    yield kind
    inner: tuple[inspect.Type, ...] = ()
    if isinstance(kind, inspect.UnionType):
        inner = kind.types
    elif isinstance(kind, inspect.Metadata):
        inner = (kind.type,)
    elif isinstance(kind, inspect.ListType):
        inner = (kind.item_type,)
    for part in inner:
        yield from _parts(part)


def _structs(kind: inspect.Type) -> Iterator[inspect.StructType]:
    """Every Struct within a type, at any depth."""
    for part in _parts(kind):
        if isinstance(part, inspect.StructType):
            yield part
            for field in part.fields:
                yield from _structs(field.type)
