"""The examples of the OpenAPI document match their schemas, the Structs and each other."""

from __future__ import annotations

import json
import re
import uuid
from datetime import UTC, date, datetime
from typing import Any, Final, TypeVar

import msgspec
import pytest
from document import DOC, Documented, by_operation, nodes, resolved, shown

from runlake import model
from runlake.api.openapi import examples
from runlake.columns import NAMES
from runlake.intake import decode_json, decode_ndjson

WORDS: Final = {"type", "title", "description", "examples", "default"}
OFFSET: Final = re.compile(r"(?:Z|[+-]\d\d:\d\d)$")
TYPES: Final[dict[str, type | tuple[type, ...]]] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
    "null": type(None),
}
FORMATS: Final[dict[str, Any]] = {
    "uuid": uuid.UUID,
    "date-time": lambda text: datetime.fromisoformat(text).astimezone(UTC),
    "date": date.fromisoformat,
}


SENT: Final[dict[str, Any]] = msgspec.json.decode(examples("appendRuns")["stored"].body)
T = TypeVar("T")


def read(operation: str, name: str, kind: type[T]) -> T:
    """The answer of an example."""
    return msgspec.json.decode(examples(operation)[name].answer, type=kind)


def faults(schema: dict[str, Any], value: Any, at: str = "$") -> list[str]:
    """Why a value does not match a schema; knows the keywords this document uses and no others."""
    if "type" in schema and not _is(schema["type"], value):
        return [f"{at}: {value!r} is no {schema['type']}"]  # the other keywords would not fit it
    found: list[str] = []
    for keyword, rule in schema.items():
        if keyword not in WORDS:
            found += [f"{at}: {fault}" for fault in KEYWORDS[keyword](schema, rule, value)]
    return found


def _is(kind: str, value: Any) -> bool:
    return isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _format(_: Any, rule: str, value: Any) -> list[str]:
    try:
        FORMATS[rule](value)
    except ValueError:
        return [f"{value!r} is no {rule}"]
    return _fails(rule == "date-time" and not OFFSET.search(value), f"{value!r} has no offset")


def _properties(schema: Any, rule: dict[str, Any], value: Any) -> list[str]:
    found = [f for name, part in rule.items() if name in value for f in faults(part, value[name], name)]
    if schema.get("additionalProperties") is False:
        found += [f"unknown {name}" for name in value.keys() - rule.keys()]
    return found


def _others(schema: Any, rule: Any, value: dict[str, Any]) -> list[str]:
    """The faults of members that `properties` does not name, where a schema says what they are."""
    if not isinstance(rule, dict):
        return []
    known = schema.get("properties", {})
    return [f for name, part in value.items() if name not in known for f in faults(rule, part, name)]


def _any_of(_: Any, rule: list[Any], value: Any) -> list[str]:
    tried = [faults(part, value) for part in rule]
    return [] if [] in tried else [fault for found in tried for fault in found]


def _fails(bad: bool, why: str) -> list[str]:
    return [why] if bad else []


def _one_of(_: Any, rule: list[Any], value: Any) -> list[str]:
    tried = [faults(part, value) for part in rule]
    found = [fault for faults in tried for fault in faults]
    return {0: found or ["fits none"], 1: []}.get(tried.count([]), [f"{value!r} fits more than one"])


KEYWORDS: Final[dict[str, Any]] = {
    "$ref": lambda _, rule, value: faults(resolved(rule), value),
    "format": _format,
    "properties": _properties,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "allOf": lambda _, rule, value: [f for part in rule for f in faults(part, value)],
    "const": lambda _, rule, value: _fails(value != rule, f"{value!r} is not {rule}"),
    "additionalProperties": _others,
    "maxProperties": lambda _, rule, value: _fails(len(value) > rule, "too many"),
    "pattern": lambda _, rule, value: _fails(not re.search(rule, value), f"{value!r} does not match {rule}"),
    "required": lambda _, rule, value: [f"no {name}" for name in rule if name not in value],
    "items": lambda _, rule, value: [f for i, v in enumerate(value) for f in faults(rule, v, str(i))],
    "enum": lambda _, rule, value: _fails(value not in rule, f"{value!r} is none of {rule}"),
    "minimum": lambda _, rule, value: _fails(value < rule, f"{value} < {rule}"),
    "exclusiveMinimum": lambda _, rule, value: _fails(value <= rule, f"{value} <= {rule}"),
    "maximum": lambda _, rule, value: _fails(value > rule, f"{value} > {rule}"),
    "minLength": lambda _, rule, value: _fails(isinstance(value, str) and len(value) < rule, "too short"),
    "maxLength": lambda _, rule, value: _fails(isinstance(value, str) and len(value) > rule, "too long"),
    "minItems": lambda _, rule, value: _fails(len(value) < rule, "too few"),
    "maxItems": lambda _, rule, value: _fails(len(value) > rule, "too many"),
}


def test_examples_match_their_schemas() -> None:
    seen = 0
    for node in nodes(DOC):
        if isinstance(node.get("schema"), dict):
            for value in shown(node):
                assert faults(node["schema"], value) == []
                seen += 1
        if isinstance(node.get("examples"), list):
            for value in node["examples"]:
                assert faults(node, value) == []
                seen += 1
        if "default" in node and "type" in node:
            assert faults(node, node["default"]) == []
    assert seen > 100


def test_the_check_of_examples_finds_faults() -> None:
    schema = {"$ref": "#/components/schemas/RunBatch"}
    record = SENT["runs"][0]
    assert faults(schema, {"runs": [record]}) == []
    for wrong in (
        {"task_id": "7"},
        {"attempt": 0},
        {"attempt": True},
        {"success": "yes"},
        {"started_at": "today"},
        {"lease_owner": "x" * 256},
        {"colour": "red"},
    ):
        assert faults(schema, {"runs": [{**record, **wrong}]}), wrong
    assert faults(schema, {"runs": [{}]})
    assert faults(schema, {"runs": []})


@by_operation
def test_examples_of_answers_decode(op: Documented) -> None:
    """As the Struct that the schema is of, and back into the same JSON; events in place of it hold the first one."""
    if op.path == "/session":
        assert op.good["content"] == {}
        return
    content, *_ = op.good["content"].values()
    events = [kind for name, kind in op.good["content"].items() if name == "text/event-stream"]
    schema = content["schema"]
    refs = [option["$ref"] for option in (schema, *schema.get("oneOf", [])) if "$ref" in option]
    kinds = [getattr(model, ref.rpartition("/")[2]) for ref in refs]
    assert bool(kinds) == (op.path not in ("/metrics", "/schema", "/export/runs"))
    for value in shown(content):
        if kinds and value is not None:
            read = msgspec.json.decode(msgspec.json.encode(value), type=kinds[0])
            assert msgspec.json.decode(msgspec.json.encode(read)) == value
    for text in [example for kind in events if kind is not content for example in shown(kind)]:
        event, data = text.rstrip("\n").split("\n")
        last = {"done": 1, "of": 1, **shown(content)[0]}
        assert (event, json.loads(data.removeprefix("data: "))) == ("event: done", last)


def test_examples_of_requests_are_read() -> None:
    content = DOC["paths"]["/runs"]["post"]["requestBody"]["content"]
    assert list(content) == ["application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"]
    as_json = decode_json(msgspec.json.encode(content["application/json"]["example"])).batch().rows
    as_lines = decode_ndjson(content["application/x-ndjson"]["example"].encode()).batch().rows
    assert as_json.drop_columns("id") == as_lines.drop_columns("id")
    stored = read("getRun", "finished", model.Run)
    assert bytes(stored.output) == b"null"
    assert as_json.slice(0, 1).to_pylist() == [{**{name: getattr(stored, name) for name in NAMES}, "output": None}]
    columns = content["application/vnd.apache.arrow.stream"]["schema"]["description"]
    assert re.findall(r"^\| `(\w+)`", columns, re.MULTILINE) == list(NAMES)


@pytest.mark.parametrize(
    ("operation", "name", "kind"),
    [("getTaskStats", "two_days", model.TaskStats), ("getSummary", "one_day", model.Summary)],
)
def test_example_figures_agree(operation: str, name: str, kind: type[model.TaskStats | model.Summary]) -> None:
    answer = read(operation, name, kind)
    finished = answer.successful_runs + answer.failed_runs
    assert answer.total_runs == finished + answer.open_runs > finished > answer.failed_runs > 0
    assert answer.success_rate == round(answer.successful_runs / finished, 9)
    assert answer.failure_rate == round(answer.failed_runs / finished, 9)
    assert (answer.window_end - answer.window_start).days == answer.period_days == len(answer.daily) - 1
    assert answer.daily[0].date == answer.window_start.date()
    assert answer.daily[-1].date == answer.window_end.date()


def test_examples_are_of_one_history() -> None:
    """The same run and the same task in all of them."""
    page = read("listRuns", "newest", model.RunPage)
    assert page.items[0] == read("getLatestRun", "open", model.Run)
    finished = read("getRun", "finished", model.Run)
    assert page.items[2] == msgspec.structs.replace(finished, error=None)  # lists leave errors out
    assert page.has_more
    assert str(page.items[2].id) == SENT["runs"][0]["id"] == model.EXAMPLE_RUN
    assert str(page.items[2].task_id) == model.EXAMPLE_TASK
