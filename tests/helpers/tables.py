"""The tables of the handbook that are made from the program: settings, commands, routes.

A table stands between `<!-- settings -->`, `<!-- commands -->`, `<!-- filters -->`, `<!-- methods -->` or
`<!-- route GET /runs -->` and `<!-- end -->`. `make docs` writes them.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from click.testing import CliRunner
from document import DOC

from runlake.cli.group import COMMANDS, commands, loaded
from runlake.client import calls
from runlake.client.routes import Route, Routes
from runlake.settings import markdown_table

_TABLE: Final = re.compile(
    r"^<!-- (settings|commands|filters|methods|route (GET|POST|PUT|DELETE) (/\S*)) -->\n.*?<!-- end -->$",
    re.MULTILINE | re.DOTALL,
)
# Every route that takes the filters takes all of them.
_FILTERED: Final = ("/runs", "/stats/histogram")
_DETAIL: Final[dict[str, Any]] = DOC["paths"]["/runs/{run_id}"]["get"]
_NULL: Final = {"type": "null"}
_KINDS: Final = {"integer": "whole number", "number": "number", "boolean": "boolean", "string": "text"}
_FORMATS: Final = {"uuid": "UUID", "date-time": "time", "date": "date"}


def with_tables(text: str) -> str:
    """The page with fresh tables."""
    return _TABLE.sub(lambda found: f"<!-- {found[1]} -->\n{_table(found)}\n<!-- end -->", text)


def routes() -> list[tuple[str, str]]:
    """Method and path of every route of the OpenAPI document."""
    return [(method.upper(), path) for path, operations in DOC["paths"].items() for method in operations]


def _table(found: re.Match[str]) -> str:
    if found[2]:
        return _route(DOC["paths"][found[3]][found[2].lower()])
    tables: dict[str, Callable[[], str]] = {
        "settings": markdown_table,
        "commands": _commands,
        "filters": _filters,
        "methods": _methods,
    }
    return tables[found[1]]()


def _commands() -> str:
    helps = []
    groups = {name: list(getattr(loaded(name), "commands", ())) for name in COMMANDS}
    for name in ([], *(path for top, inner in groups.items() for path in ([top], *([top, sub] for sub in inner)))):
        text = CliRunner().invoke(commands, [*name, "--help"], prog_name="runlake", terminal_width=100).output
        helps.append(f"## {' '.join(['runlake', *name])}\n\n```text\n{text}```")
    return "\n\n".join(helps)


def _methods() -> str:
    """The methods of the Python client, in the order of the class."""
    known = {op["operationId"]: (method, path) for path, ops in DOC["paths"].items() for method, op in ops.items()}
    rows = ["| method | route | answers |", "|---|---|---|"]
    for name in (name for name, found in vars(Routes).items() if isinstance(found, Route)):
        signature = inspect.signature(getattr(calls, name))
        takes = ", ".join(f"{one.name}: {one.annotation}" for one in signature.parameters.values())
        method, path = known[re.sub("_(.)", lambda letter: letter[1].upper(), name)]
        answers = str(signature.return_annotation).removeprefix("Call[").removesuffix("]")
        rows.append(f"| `{_cell(f'{name}({takes})')}` | `{method.upper()} {path}` | `{_cell(answers)}` |")
    return "\n".join(rows)


def _parameters(path: str) -> dict[str, Any]:
    found = DOC["paths"][path]["get"].get("parameters", [])
    return {parameter["name"]: parameter for parameter in found}


def _filter_names() -> list[str]:
    first, *others = (_parameters(path) for path in _FILTERED)
    return [name for name in first if all(name in other for other in others)]


def _filters() -> str:
    known = _parameters(_FILTERED[0])
    return _parameter_table([known[name] for name in _filter_names()])


def _route(operation: dict[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    parts = []
    names = {parameter["name"] for parameter in parameters}
    filters = _filter_names()
    if names.issuperset(filters):
        parameters = [parameter for parameter in parameters if parameter["name"] not in filters]
        parts.append(f"Parameters: all [filters](#filters){', and' if parameters else '.'}")
    if parameters:
        parts.append(_parameter_table(parameters))
    good = operation["responses"].get("200", {})
    content = good.get("content", {})
    kind = "application/json" if "application/json" in content else "text/event-stream"
    schema = content.get(kind, {}).get("schema", {})
    if schema and operation is not _DETAIL and _is_run(schema):
        parts.append("The answer is a [run](#get-runsrun_id), or null.")
    elif fields := list(_fields(schema)):
        rows = "\n".join(f"| `{name}` | {type_} | {meaning} |" for name, type_, meaning in fields)
        what = "the answer" if kind == "application/json" else "an event `runs`"
        parts.append(f"| field of {what} | type | meaning |\n|---|---|---|\n{rows}")
    statuses = sorted(operation["responses"], key=int)
    parts.append(f"Statuses: {', '.join(statuses)}.")
    return "\n\n".join(parts)


def _parameter_table(parameters: list[dict[str, Any]]) -> str:
    rows = ["| parameter | values | default | meaning |", "|---|---|---|---|"]
    for parameter in parameters:
        schema = parameter["schema"]
        default = f"`{_plain(schema['default'])}`" if "default" in schema else ""
        meaning = parameter.get("description") or schema.get("description", "")
        rows.append(f"| `{parameter['name']}` | {_values(schema)} | {default} | {_cell(meaning)} |")
    return "\n".join(rows)


def _plain(value: object) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _alternatives(schema: dict[str, Any]) -> list[dict[str, Any]]:
    """The schemas of which a value has to fit one, references followed."""
    if "$ref" in schema:
        found: Any = DOC
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return _alternatives(found)
    inner = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    if inner:
        return [leaf for part in inner for leaf in _alternatives(part)]
    kinds = schema.get("type")
    return [{**schema, "type": kind} for kind in kinds] if isinstance(kinds, list) else [schema]


def _values(schema: dict[str, Any]) -> str:
    """What a parameter may be, in words."""
    leaf = next(leaf for leaf in _alternatives(schema) if leaf.get("type") != "null")
    if leaf.get("type") == "array":
        most = f", at most {leaf['maxItems']}" if "maxItems" in leaf else ""
        return f"list of: {_values(leaf['items'])}; separated by commas{most}"
    if "enum" in leaf:
        return ", ".join(f"`{value}`" for value in leaf["enum"])
    if leaf.get("type") == "string" and "format" not in leaf:
        least = f"{leaf['minLength']} to " if "minLength" in leaf else "at most "
        return f"text, {least}{leaf['maxLength']:,} characters" if "maxLength" in leaf else "text"
    if "maximum" in leaf:
        return f"{_kind(leaf)}, {leaf['minimum']:,} to {leaf['maximum']:,.0f}"
    return _kind(leaf)


def _kind(leaf: dict[str, Any]) -> str:
    if "enum" in leaf or "const" in leaf:
        return "text"
    kind = leaf.get("type", "any JSON value")
    return _FORMATS.get(leaf.get("format", "")) or _KINDS.get(kind, kind)


def _fields(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, type and meaning of each field of an answer; those of objects inside follow with a dot."""
    for leaf in _alternatives(schema):
        for name, field in leaf.get("properties", {}).items():
            leaves = _alternatives(field)
            meaning = field.get("description") or next((p["description"] for p in leaves if "description" in p), "")
            yield f"{prefix}{name}", " or ".join(_shape(part) for part in leaves), _cell(meaning)
            for part in leaves:
                inner, brackets = (part["items"], "[]") if part.get("type") == "array" else (part, "")
                if not _is_run(inner):
                    yield from _fields(inner, f"{prefix}{name}{brackets}.")


def _shape(leaf: dict[str, Any]) -> str:
    if leaf.get("type") != "array":
        return _kind(leaf)
    if _is_run(leaf["items"]):
        return "list of [runs](#get-runsrun_id)"
    return f"list of {' or '.join(f'{_kind(part)}s' for part in _alternatives(leaf['items']) if part != _NULL)}"


def _is_run(schema: dict[str, Any]) -> bool:
    """The fields of a run stand in one table only."""
    answer = _DETAIL["responses"]["200"]["content"]["application/json"]
    return _alternatives(schema)[0] == _alternatives(answer["schema"])[0]
