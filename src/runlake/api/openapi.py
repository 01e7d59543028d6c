"""The OpenAPI document: Litestar makes it from the routes, and this file adds what Litestar cannot see.

Parameters, which Structs decode; the headers of answers; further types of a body; examples. Those of answers lie in
`examples/`, a file for each operation; those of errors are made as the service makes errors.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
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

from runlake.access import Scope
from runlake.api import openapi_text as text
from runlake.api import params, problems
from runlake.errors import BadInput, Forbidden, RunlakeError
from runlake.model import EXAMPLE_RUN, EXAMPLE_TASK, Instant, NoQuery, Problem

OLDER: Final = "UnderRuns"  # the end of the operationId at an older address


class Example(Struct, frozen=True):
    """An example of examples/: a request line, the body that goes with it, and the answer."""

    summary: str
    request: str
    answer: Raw
    body: Raw = Raw()


def examples(name: str) -> dict[str, Example]:
    """The examples of an operation by their names."""
    content = files("runlake.api").joinpath("examples", f"{name}.json").read_bytes()
    return msgspec.json.decode(content, type=dict[str, Example])


class Body(Struct, frozen=True):
    """The body of a request: the Struct of its JSON, words about it, and the types it may have besides JSON."""

    kind: type[Struct]
    description: str
    others: Mapping[str, OpenAPIMediaType] = {}


class Operation(Struct, frozen=True, kw_only=True):
    """Facts about a route that Litestar cannot know: the types of ids and query, who may ask, and what may go wrong.

    `headers` are those of a good answer.
    """

    name: str
    paths: Sequence[str]
    query: type[Struct] = NoQuery
    ids: Mapping[str, Any] = {}
    scope: Scope | None = "read"
    failures: tuple[RunlakeError, ...] = ()
    headers: tuple[str, ...] = ()
    body: Body | None = None

    def __deepcopy__(self, _: object) -> Operation:
        """Litestar copies handlers; nothing here ever changes, and errors cannot be copied."""
        return self

    @property
    def tagged(self) -> bool:
        """Whether it answers about runs, of a snapshot, with a tag."""
        return "ETag" in self.headers

    @property
    def all_failures(self) -> tuple[Exception, ...]:
        """One error of each kind that this route, or the middleware before it, may raise."""
        keys = () if self.scope is None else (*text.NO_KEY, Forbidden(text.SCOPE.format(self.scope), scope=self.scope))
        allow = "GET, HEAD, OPTIONS, POST" if self.paths[0] == "/runs" else "GET, HEAD, OPTIONS"
        return (
            *self._bad_input(),
            *self.failures,
            *text.FOREIGN,
            *keys,
            MethodNotAllowedException(headers={"Allow": allow}),
            Exception(),
        )

    def _bad_input(self) -> Iterator[BadInput]:
        wrong: list[Callable[[], object]] = [lambda: params.parse(b"verbose=1", self.query)]
        wrong += [partial(params.path_uuid, name, "7") for name in self.ids]
        for call in wrong:
            try:
                call()
            except BadInput as exc:
                yield exc

    def responses(self) -> dict[int, ResponseSpec]:
        """Each error, and 304, for Litestar."""
        codes = sorted({problems.problem("", exc).status.value for exc in self.all_failures})
        found = {code: ResponseSpec(Problem, False, text.ERRORS[code], problems.MEDIA_TYPE) for code in codes}
        return found | ({304: ResponseSpec(None, description=text.UNCHANGED)} if self.tagged else {})

    @property
    def documented(self) -> type[spec.Operation]:
        """The `operation_class` for Litestar, which calls it with all that it found out."""
        return cast("type[spec.Operation]", partial(_documented, self))


def _documented(operation: Operation, **found: Any) -> spec.Operation:
    """The operation as Litestar made it, completed."""
    made = spec.Operation(**found)
    older = str(made.operation_id).endswith(OLDER)
    path = operation.paths[-1 if older else 0].replace(":str}", "}")
    if older:
        made.summary = f"{made.summary} (older address)"
        made.description = f"{made.description}\n\n{text.OLDER.format(operation.paths[0].replace(':str}', '}'))}"
    made.parameters = [*_parameters("path", operation.ids), *_query_parameters(operation.query)]
    responses: Any = made.responses
    shown = examples(operation.name)
    (content,) = responses["200"].content.values()
    content.examples = {
        name: spec.Example(summary=one.summary, description=f"`{one.request}`", value=one.answer)
        for name, one in shown.items()
    }
    responses["200"].headers = {name: _header(name, text.HEADERS[name][1]) for name in operation.headers}
    _add_errors(responses, operation, path)
    if operation.body is not None:
        body: Any = made.request_body
        body.description = operation.body.description
        body.content["application/json"].example = next(iter(shown.values())).body
        body.content |= operation.body.others
    return made


def _add_errors(responses: Any, operation: Operation, path: str) -> None:
    """An example of each error, and the headers it comes with."""
    asked = path.format(run_id=EXAMPLE_RUN, task_id=EXAMPLE_TASK)
    for exc in operation.all_failures:
        problem = problems.problem(asked, exc)
        response = responses[str(problem.status.value)]
        (content,) = response.content.values()
        content.examples = content.examples or {}
        name = f"{getattr(exc, 'code', 'other')}-{len(content.examples) + 1}"
        content.examples[name] = spec.Example(value=Raw(problem.content))
        new = {name: _header(name, value) for name, value in problem.headers.items()}
        response.headers = new | (response.headers or {})


def _header(name: str, example: object) -> OpenAPIHeader:
    return OpenAPIHeader(Schema(type=OpenAPIType.STRING), description=text.HEADERS[name][0], example=example)


def _query_parameters(query: type[Struct]) -> Iterator[spec.Parameter]:
    fields = {field.name: field for field in msgspec.structs.fields(query)}
    for parameter in _parameters("query", {name: field.type for name, field in fields.items()}):
        schema: Any = parameter.schema
        # Swagger UI fills the form with `example`: a filter there would make the first try find nothing.
        if (default := fields[parameter.name].default) is not msgspec.UNSET:
            schema["default"] = parameter.example = default
            schema.pop("examples", None)
        if schema.get("type") == "array":  # values with commas between them
            parameter.style, parameter.explode = "form", False
        yield parameter


def _parameters(place: str, kinds: Mapping[str, Any]) -> Iterator[spec.Parameter]:
    """Parameters by name and type; description and, in a path, example stand beside the schema, not in it."""
    for name, kind in kinds.items():
        schema = msgspec.json.schema(kind, schema_hook=lambda _: {"type": "string", "format": "date-time"})
        parameter = spec.Parameter(name, place, cast("Schema", schema), schema.pop("description"))
        if place == "path":
            parameter.required, parameter.example = True, schema.pop("examples")[0]
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


def document(handlers: Sequence[Any]) -> bytes:
    """The document of these handlers, as JSON. HEAD stands nowhere in it: it works as GET, everywhere."""
    config = OpenAPIConfig(
        "runlake: the Runs API",
        version("runlake"),
        description=text.INFO,
        tags=[spec.Tag(name, words) for name, words in text.TAGS.items()],
        components=spec.Components(security_schemes={"key": spec.SecurityScheme("http", text.KEY, scheme="bearer")}),
        path="/unused",  # Litestar's own routes for the document; this application serves nothing
        render_plugins=[JsonRenderPlugin()],
    )
    app = Litestar(handlers, openapi_config=config, plugins=[_Schemas()], logging_config=None)
    made = app.openapi_schema
    for item in (made.paths or {}).values():
        item.head = None
    return msgspec.json.encode(made.to_schema())
