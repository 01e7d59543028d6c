"""The examples of the OpenAPI document match their schemas, the Structs and each other."""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec
import pytest
from document import DOC, by_operation, nodes, resolved, shown

from runlake import model
from runlake.api import examples
from runlake.api.openapi import Operation
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


def _any_of(_: Any, rule: list[Any], value: Any) -> list[str]:
    tried = [faults(part, value) for part in rule]
    return [] if [] in tried else [fault for found in tried for fault in found]


def _fails(bad: bool, why: str) -> list[str]:
    return [why] if bad else []


KEYWORDS: Final[dict[str, Any]] = {
    "$ref": lambda _, rule, value: faults(resolved(rule), value),
    "format": _format,
    "properties": _properties,
    "anyOf": _any_of,
    "additionalProperties": lambda _s, rule, _v: _fails(rule is not False, "keyword not known here"),
    "required": lambda _, rule, value: [f"no {name}" for name in rule if name not in value],
    "items": lambda _, rule, value: [f for i, v in enumerate(value) for f in faults(rule, v, str(i))],
    "enum": lambda _, rule, value: _fails(value not in rule, f"{value!r} is none of {rule}"),
    "minimum": lambda _, rule, value: _fails(value < rule, f"{value} < {rule}"),
    "maximum": lambda _, rule, value: _fails(value > rule, f"{value} > {rule}"),
    "minLength": lambda _, rule, value: _fails(len(value) < rule, "too short"),
    "maxLength": lambda _, rule, value: _fails(len(value) > rule, "too long"),
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
    record = examples.FINISHED_RECORD
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
def test_examples_of_answers_decode(op: Operation) -> None:
    for example in op.examples:
        if op.response is not None and example.value is not None:
            assert type(example.value) is op.response
            body = msgspec.json.encode(example.value)
            assert msgspec.json.encode(msgspec.json.decode(body, type=op.response)) == body


def test_examples_of_requests_are_read() -> None:
    content = DOC["paths"]["/runs"]["post"]["requestBody"]["content"]
    assert list(content) == ["application/json", "application/x-ndjson", "application/vnd.apache.arrow.stream"]
    as_json = decode_json(msgspec.json.encode(content["application/json"]["example"])).batch().rows
    as_lines = decode_ndjson(content["application/x-ndjson"]["example"].encode()).batch().rows
    assert as_json.drop_columns("id") == as_lines.drop_columns("id")
    stored = examples.FINISHED
    assert as_json.slice(0, 1).to_pylist() == [
        {**{name: getattr(stored, name) for name in NAMES}, "output": bytes(stored.output).decode()}
    ]
    columns = content["application/vnd.apache.arrow.stream"]["schema"]["description"]
    assert re.findall(r"^\| `(\w+)`", columns, re.MULTILINE) == list(NAMES)


@pytest.mark.parametrize("answer", [examples.TASK_STATS, examples.SUMMARY], ids=["task", "summary"])
def test_example_figures_agree(answer: model.TaskStats | model.Summary) -> None:
    finished = answer.successful_runs + answer.failed_runs
    for name in ("total_runs", "successful_runs", "failed_runs", "open_runs"):
        assert sum(getattr(day, name) for day in answer.daily) == getattr(answer, name)
    assert answer.total_runs == finished + answer.open_runs
    assert answer.success_rate == answer.successful_runs / finished == answer.daily[-1].success_rate_7d
    assert answer.failure_rate == answer.failed_runs / finished
    assert answer.avg_execution_time_seconds == answer.daily[-1].avg_execution_time_seconds_7d
    assert (answer.window_end - answer.window_start).days == answer.period_days == len(answer.daily) - 1
    assert answer.daily[0].date == answer.window_start.date()
    assert answer.daily[-1].date == answer.window_end.date()


def test_example_ranking_agrees() -> None:
    tasks = examples.SUMMARY.slowest_tasks
    assert len(tasks) == examples.SUMMARY.total_tasks_executed
    assert sum(task.total_runs for task in tasks) == examples.SUMMARY.total_runs
    assert sum(task.failed_runs for task in tasks) == examples.SUMMARY.failed_runs
    assert examples.PAGE.total == examples.TASK_STATS.total_runs
