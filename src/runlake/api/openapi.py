"""The OpenAPI document: Litestar makes it from the routes, and this file adds what Litestar cannot see.

Parameters, which Structs decode; the headers of answers; further types of a body; prose of `openapi.toml`; examples.
Those of answers lie in `examples/`, a file for each operation; those of errors are made as the service makes errors.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from importlib.resources import files
from typing import Any, Final, cast

import msgspec
from litestar import Litestar
from litestar._openapi.schema_generation import SchemaCreator
from litestar._openapi.schema_generation.plugins.struct import StructSchemaPlugin
from litestar.exceptions import MethodNotAllowedException
from litestar.openapi import OpenAPIConfig, ResponseSpec, spec
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import OpenAPIHeader, OpenAPIMediaType, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.plugins import OpenAPISchemaPlugin
from litestar.typing import FieldDefinition
from msgspec import Raw, Struct

from runlake import access
from runlake.api import events, params, problems
from runlake.api.origin_policy import foreign_host, foreign_origin
from runlake.errors import BadInput, RunlakeError
from runlake.model import Instant, NoQuery, Problem

OLDER: Final = "UnderRuns"  # the end of the operationId at an older address
_FILES: Final = files("runlake.api")


class _Prose(Struct, frozen=True, forbid_unknown_fields=True):
    """What `openapi.toml` holds: a header has a description and an example."""

    key: str
    older: str
    unchanged: str
    events: str
    tags: dict[str, str]
    errors: dict[int, str]
    headers: dict[str, tuple[str, str]]


_PROSE: Final = msgspec.toml.decode(_FILES.joinpath("openapi.toml").read_bytes(), type=_Prose)


class Example(Struct, frozen=True):
    """An example of examples/: a request line, the body that goes with it, and the answer if it has a body."""

    summary: str
    request: str
    answer: Raw = Raw()
    body: Raw = Raw()


def examples(name: str) -> dict[str, Example]:
    """The examples of an operation by their names."""
    content = _FILES.joinpath("examples", f"{name}.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, Example])


class Body(Struct, frozen=True):
    """The body of a request: the Struct of its JSON, words about it, and the types it may have besides JSON."""

    kind: type[Struct]
    description: str
    others: Mapping[str, OpenAPIMediaType] = {}


class Operation(Struct, frozen=True, kw_only=True):
    """Facts about a route that Litestar cannot know; `good` and `headers` are of a good answer, `parts` says that it is
    also answered as events.
    """

    name: str
    good: HTTPStatus = HTTPStatus.OK
    paths: Sequence[str]
    query: type[Struct] = NoQuery
    ids: type[Struct] = NoQuery  # the parameters of the path
    scope: access.Scope | None = "read"
    failures: tuple[RunlakeError, ...] = ()
    headers: tuple[str, ...] = ()
    parts: bool = False
    others: Mapping[str, OpenAPIMediaType] = {}  # further types of a good answer
    body: Body | None = None

    def __deepcopy__(self, _: object) -> Operation:
        """Litestar copies handlers; nothing here ever changes, and errors cannot be copied."""
        return self

    @property
    def all_failures(self) -> tuple[Exception, ...]:
        """One error of each kind that this route, or the middleware before it, may raise."""
        foreign = (foreign_host("runs.example.com"), foreign_origin("https://dash.example.com"))
        keys = (access.key_missing(), access.key_unknown(), access.scope_missing(self.scope)) if self.scope else ()
        wrong_method = MethodNotAllowedException(headers={"Allow": ""})
        return (*self._bad_input(), *self.failures, *keys, *foreign, wrong_method, Exception())

    def _bad_input(self) -> Iterator[BadInput]:
        wrong = dict.fromkeys(self.ids.__struct_fields__, "7")
        for call in (partial(params.parse, b"verbose=1", self.query), partial(params.of_path, wrong, self.ids)):
            try:
                call()
            except BadInput as exc:
                yield exc

    def responses(self) -> dict[int, ResponseSpec]:
        """Each error, and 304, for Litestar."""
        codes = sorted({problems.problem("", exc).status.value for exc in self.all_failures})
        found = {code: ResponseSpec(Problem, False, _PROSE.errors[code], problems.MEDIA_TYPE) for code in codes}
        if "ETag" in self.headers and self.body is None:
            found[304] = ResponseSpec(None, description=_PROSE.unchanged)
        return found


def documented(operation: Operation, **found: Any) -> spec.Operation:
    """The operation as Litestar makes it, completed: bound to a route's facts this is its `operation_class`."""
    made = spec.Operation(**found)
    older = str(made.operation_id).endswith(OLDER)
    first, path = (path.replace(":str}", "}") for path in (operation.paths[0], operation.paths[-1 if older else 0]))
    if older:
        made.summary = f"{made.summary} (older address)"
        made.description = f"{made.description}\n\n{_PROSE.older.format(first)}"
    in_path = list(_parameters("path", operation.ids))
    made.parameters = [*in_path, *_parameters("query", operation.query)]
    responses, shown = cast("Any", made.responses), examples(operation.name)
    good = responses[str(operation.good.value)]
    if operation.good == HTTPStatus.NO_CONTENT:
        good.content = {}  # Litestar has null there, as JSON
    for content in good.content.values():
        content.examples = {
            name: spec.Example(summary=one.summary, description=f"`{one.request}`", value=one.answer)
            for name, one in shown.items()
        }
    good.headers = {name: _header(name, _PROSE.headers[name][1]) for name in operation.headers}
    good.content |= operation.others
    if operation.parts:
        good.content[events.MEDIA_TYPE] = _events(next(iter(shown.values())))
    for exc in operation.all_failures:
        problem = problems.problem(path.format(**{one.name: one.example for one in in_path}), exc)
        _add_error(responses, problem, str(getattr(exc, "code", "other")))
    if operation.body is not None:
        body: Any = made.request_body
        body.description = operation.body.description
        body.content["application/json"].example = next(iter(shown.values())).body
        body.content |= operation.body.others
    return made


def _events(example: Example) -> OpenAPIMediaType:
    """The answer of an example as events; it needs no scan."""
    last = events.done(1, msgspec.json.format(bytes(example.answer), indent=-1))
    return OpenAPIMediaType(
        Schema(type=OpenAPIType.STRING, description=_PROSE.events),
        examples={"done": spec.Example(summary=example.summary, value=last.encode().decode())},
    )


def _add_error(responses: Any, problem: problems.Refusal, name: str) -> None:
    """An example of an error, and the headers it comes with."""
    response = responses[str(problem.status.value)]
    (content,) = response.content.values()
    content.examples = content.examples or {}
    content.examples[f"{name}-{len(content.examples) + 1}"] = spec.Example(value=Raw(problem.content))
    response.headers = {n: _header(n, v) for n, v in problem.headers.items()} | (response.headers or {})


def _header(name: str, example: object) -> OpenAPIHeader:
    return OpenAPIHeader(Schema(type=OpenAPIType.STRING), description=_PROSE.headers[name][0], example=example)


def _parameters(place: str, kind: type[Struct]) -> Iterator[spec.Parameter]:
    """The fields of a Struct as parameters; the description stands beside the schema, not in it."""
    for field in msgspec.structs.fields(kind):
        schema = msgspec.json.schema(field.type, schema_hook=lambda _: {"type": "string", "format": "date-time"})
        parameter = spec.Parameter(field.name, place, cast("Schema", schema), schema.pop("description"))
        parameter.required = field.required
        # Swagger UI fills the form with `example`: a filter there would make the first try find nothing.
        if field.required:
            parameter.example = schema.pop("examples")[0]
        elif field.default is not msgspec.UNSET:
            schema["default"] = parameter.example = field.default
            schema.pop("examples", None)
        if schema.get("type") == "array":  # values with commas between them
            parameter.style, parameter.explode = "form", False
        yield parameter


class _Schemas(OpenAPISchemaPlugin):
    """Schemas of Structs as Litestar makes them, with their description, and closed where unknown fields are errors."""

    def is_plugin_supported_field(self, field_definition: FieldDefinition) -> bool:
        return not field_definition.is_union and field_definition.is_subclass_of((Struct, Instant))

    def to_openapi_schema(self, field_definition: FieldDefinition, schema_creator: SchemaCreator) -> Schema:
        kind = field_definition.annotation
        if kind is Instant:
            return Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.DATE_TIME)
        schema = StructSchemaPlugin().to_openapi_schema(field_definition, schema_creator)
        schema.description = kind.__doc__
        schema.additional_properties = False if kind.__struct_config__.forbid_unknown_fields else None
        return schema


def _is_older(item: spec.PathItem) -> bool:
    return item.get is not None and str(item.get.operation_id).endswith(OLDER)


def document(handlers: Sequence[Any]) -> bytes:
    """The document of these handlers, as JSON. HEAD stands nowhere in it: it works as GET, everywhere."""
    config = OpenAPIConfig(
        "runlake: the Runs API",
        version("runlake"),
        description=_FILES.joinpath("openapi.md").read_text(encoding="utf-8"),
        tags=[spec.Tag(name, words) for name, words in _PROSE.tags.items()],
        components=spec.Components(security_schemes={"key": spec.SecurityScheme("http", _PROSE.key, scheme="bearer")}),
        path="/unused",  # Litestar's own routes for the document; this application serves nothing
        render_plugins=[JsonRenderPlugin()],
    )
    app = Litestar(handlers, openapi_config=config, plugins=[_Schemas()], logging_config=None)
    made = app.openapi_schema
    # Litestar keeps the addresses of a handler in a set; older ones come last.
    made.paths = dict(sorted((made.paths or {}).items(), key=lambda item: (_is_older(item[1]), item[0])))
    for item in made.paths.values():
        item.head = None
        found: dict[str, Any] = {m: op for m in ("GET", "POST", "PUT", "DELETE") if (op := getattr(item, m.lower()))}
        methods = ", ".join(sorted({*found, "OPTIONS", *(("HEAD",) if "GET" in found else ())}))
        for operation in found.values():
            operation.responses["405"].headers["Allow"].example = methods
    return msgspec.json.encode(made.to_schema())
