"""The OpenAPI document agrees with the Structs, with its own schemas and with itself."""

from __future__ import annotations

import json
import re
from importlib import resources
from typing import Any, Final

import msgspec
from document import DOC, FACTS, OPERATIONS, Documented, by_operation, nodes, resolved, shown
from litestar.testing import RequestFactory

from runlake import model
from runlake.api import problems
from runlake.errors import FieldError

SCHEMAS: Final[dict[str, Any]] = DOC["components"]["schemas"]
PATHS: Final = {
    "/runs",
    "/runs/{run_id}",
    "/task/{task_id}/latest",
    "/task/{task_id}/stats",
    "/stats/summary",
    "/stats/histogram",
    "/stats/durations",
    "/stats/tasks",
    "/stats/owners",
    "/stats/breakdown",
    "/errors",
    "/errors/{group}",
    "/runs/{run_id}/context",
    "/tasks/names",
    "/views",
    "/views/{name}",
    "/session",
    "/about",
    "/runs/task/{task_id}/latest",
    "/runs/task/{task_id}/stats",
    "/runs/stats/summary",
    "/export/runs",
    "/sql",
    "/sql/schema",
    "/stream/runs",
    "/health",
    "/ready",
    "/metrics",
    "/schema",
}
STREAM: Final = "/stream/runs"
READS: Final = {400, 401, 403, 405, 421, 500, 503}
CHANGES: Final = READS | {408, 412, 413, 415, 507}
ERRORS: Final = {
    "getBreakdown": READS | {429},
    "getErrors": READS | {429},
    "getErrorGroup": READS | {404, 429},
    "getRunContext": READS | {404},
    "getView": READS | {404},
    "putTaskNames": CHANGES,
    "putView": CHANGES,
    "deleteView": READS | {404, 412, 507},
    "createSession": READS - {503},
    "deleteSession": {400, 403, 405, 421, 500},
    "getAbout": {400, 403, 405, 421, 500},
    "getReady": {400, 403, 405, 421, 500, 503},
    "listRuns": READS | {429},
    "exportRuns": READS | {429},
    "runSql": READS | {408, 413, 415, 429},
    "getSqlSchema": READS - {503},
    "getHistogram": READS | {429},
    "getDurations": READS | {429},
    "appendRuns": {400, 401, 403, 405, 408, 409, 413, 415, 421, 500, 503, 507},
    "getRun": READS | {404},
    "getHealth": {400, 403, 405, 421, 500},
    "getMetrics": {400, 401, 403, 405, 421, 500},
    "getSchema": {400, 403, 405, 421, 500},
}
# Names that mean something else in TypeScript; a generated client would hide them.
BUILT_IN: Final = {
    "Array", "Awaited", "Capitalize", "Date", "Error", "Exclude", "Extract", "Function", "InstanceType", "Map",
    "NonNullable", "Object", "Omit", "Parameters", "Partial", "Pick", "Promise", "Readonly", "Record", "Request",
    "Required", "Response", "ReturnType", "Set", "String", "Symbol", "Uppercase",
}  # fmt: skip


def test_it_is_openapi_3_1_as_json() -> None:
    assert re.fullmatch(r"3\.1\.\d+", DOC["openapi"])
    assert json.loads(json.dumps(DOC, allow_nan=False)) == DOC


def test_every_route_is_there() -> None:
    assert DOC["paths"].keys() == PATHS
    changes = {("post", "/runs"), ("put", "/tasks/names"), ("put", "/views/{name}"), ("delete", "/views/{name}")}
    sessions = {("post", "/session"), ("delete", "/session")}
    reads = {("get", path) for path in PATHS - {"/session", "/sql"}}
    assert {(op.method, op.path) for op in OPERATIONS} == changes | sessions | reads | {("post", "/sql")}
    assert {tag for op in OPERATIONS for tag in op.entry["tags"]} == {tag["name"] for tag in DOC["tags"]}


def test_names_of_operations_are_stable() -> None:
    """Generated clients have methods by these names."""
    older = {"getLatestRunUnderRuns", "getTaskStatsUnderRuns", "getSummaryUnderRuns"}
    statistics = {"getTaskStats", "getSummary", "getHistogram", "getDurations", "getTasks", "getOwners", "getBreakdown"}
    service = {"getHealth", "getReady", "getMetrics", "getSchema", "getAbout"}
    runs = {"listRuns", "appendRuns", "getRun", "getLatestRun", "getRunContext", "exportRuns", "streamRuns"}
    errors = {"getErrors", "getErrorGroup"}
    names = {"getTaskNames", "putTaskNames", "getViews", "getView", "putView", "deleteView"}
    sessions = {"createSession", "deleteSession"}
    sql = {"runSql", "getSqlSchema"}
    known = runs | statistics | errors | names | sessions | sql | service | older
    assert sorted(op.name for op in OPERATIONS) == sorted(known)


def test_no_name_of_a_schema_is_built_into_typescript() -> None:
    assert not SCHEMAS.keys() & BUILT_IN


def errors(op: Documented) -> set[int]:
    """The statuses of all errors it may answer with."""
    return ERRORS.get(op.name, READS)


@by_operation
def test_an_operation_is_documented(op: Documented) -> None:
    entry = op.entry
    assert entry["summary"]
    assert len(entry["description"]) > 60
    assert entry["deprecated"] is False
    is_tagged = op.method == "get" and not {"service", "sql"} & set(entry["tags"]) and op.path != STREAM
    unchanged = {304} if is_tagged else set()
    assert {int(code) for code in entry["responses"]} == {op.facts.good, *unchanged, *errors(op)}
    assert {"ETag", "Runlake-Snapshot"} <= op.good.get("headers", {}).keys() or not unchanged
    for code, response in entry["responses"].items():
        assert response["description"].strip()
        if code in ("204", "304"):  # they have no body
            continue
        readable = [kind for kind in response["content"].values() if kind["schema"].get("format") != "binary"]
        assert readable and all(map(shown, readable))


@by_operation
def test_an_answer_has_its_media_type(op: Documented) -> None:
    """JSON, or nothing, but for what Prometheus reads, exports and a stream; and events, where an answer may come in
    parts.
    """
    kinds = list(op.good["content"])
    in_parts = op.name in ("listRuns", "getHistogram", "getDurations", "getErrors", "getBreakdown")
    events = ["text/event-stream"] if in_parts else []
    if op.path == "/session":
        assert kinds == []
        return
    arrow, parquet = "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"
    if op.path == "/export/runs":
        assert kinds == ["application/x-ndjson", parquet, arrow, "text/csv"]
        return
    if op.path == "/sql":
        assert kinds == ["application/json", parquet, arrow, "text/csv", "application/x-ndjson"]
        return
    others = {"/metrics": "text/plain", STREAM: "text/event-stream"}
    assert kinds == [others.get(op.path, "application/json"), *events]


@by_operation
def test_errors_are_problems(op: Documented) -> None:
    for code in errors(op):
        response = op.entry["responses"][str(code)]
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        assert {problem["status"] for problem in shown(content)} == {code}
        assert ("Retry-After" in response.get("headers", {})) == (code in (429, 503))
        challenged = code == 401 or (code == 403 and op.facts.scope is not None)
        assert ("WWW-Authenticate" in response.get("headers", {})) == challenged


@by_operation
def test_an_error_example_is_what_the_service_answers(op: Documented) -> None:
    in_path = {p["name"]: p["example"] for p in op.entry.get("parameters", []) if p["in"] == "path"}
    path = op.path.format(**in_path)
    request = RequestFactory().get(path)
    for failure in (*op.facts.all_failures, ValueError("unexpected")):
        answer = problems.handle(request, failure)
        content = op.entry["responses"][str(answer.status_code)]["content"][problems.MEDIA_TYPE]
        assert msgspec.json.decode(answer.content) in shown(content)


@by_operation
def test_an_operation_says_which_key_it_needs(op: Documented) -> None:
    """None at all for those that hold no data; a service without keys takes requests without one."""
    assert "security" not in DOC
    assert DOC["components"]["securitySchemes"]["key"]["scheme"] == "bearer"
    wanted = "write" if op.name in ("appendRuns", "putTaskNames") else "read"
    is_open = op.path in ("/health", "/ready", "/about", "/schema") or op.name == "deleteSession"
    assert op.entry.get("security", []) == ([] if is_open else [{"key": [wanted]}, {}])


def test_older_addresses_say_so() -> None:
    for path in PATHS:
        if f"/runs{path}" in PATHS:
            old, new = DOC["paths"][f"/runs{path}"]["get"], DOC["paths"][path]["get"]
            assert f"`GET {path}`" in old["description"]
            assert "older clients" in old["description"]
            assert old["parameters"] == new["parameters"]
            assert old["responses"]["200"] == new["responses"]["200"]


@by_operation
def test_parameters_are_the_fields_of_the_query(op: Documented) -> None:
    entry = op.entry
    assert [p["name"] for p in entry["parameters"] if p["in"] == "path"] == list(op.facts.ids.__struct_fields__)
    assert re.findall(r"{([^}]+)}", op.path) == list(op.facts.ids.__struct_fields__)
    given = {p["name"]: p for p in entry["parameters"] if p["in"] == "query"}
    assert list(given) == list(op.facts.query.__struct_fields__)
    for field in msgspec.structs.fields(op.facts.query):
        schema = given[field.name]["schema"]
        assert schema.get("default", msgspec.UNSET) == field.default
        assert "example" in given[field.name] or schema["examples"]
    for parameter in entry["parameters"]:
        assert parameter["description"]
        assert parameter["required"] == (parameter["in"] == "path")
        if parameter["name"].endswith("_id"):
            assert parameter["schema"].get("items", parameter["schema"])["format"] == "uuid"


def test_limits_of_parameters() -> None:
    schemas = {p["name"]: p["schema"] for p in DOC["paths"]["/runs"]["get"]["parameters"]}
    assert schemas["limit"] == {"type": "integer", "minimum": 1, "maximum": 200, "default": 50}
    assert schemas["offset"] == {"type": "integer", "minimum": 0, "maximum": model.MAX_OFFSET, "default": 0}
    assert schemas["start_time"]["format"] == schemas["end_time"]["format"] == "date-time"


def test_no_filter_is_filled_in() -> None:
    """The page fills its form with `example`; a filter there would make the first try find nothing."""
    for node in nodes(DOC["paths"]):
        if node.get("in") == "query" and "example" in node:
            assert node["example"] == node["schema"]["default"]


def test_references_resolve_and_schemas_are_used() -> None:
    used = {node["$ref"] for node in nodes(DOC) if "$ref" in node}
    assert all(isinstance(resolved(ref), dict) for ref in used)
    assert used == {f"#/components/schemas/{name}" for name in SCHEMAS}


def test_schemas_and_properties_are_described() -> None:
    for name, schema in SCHEMAS.items():
        assert schema["description"] and schema["title"] == name
        for field, part in schema["properties"].items():
            assert part.get("description"), f"{name}.{field}"


def test_a_schema_has_the_fields_of_its_struct() -> None:
    for name, schema in SCHEMAS.items():
        struct = getattr(model, name, FieldError)
        assert list(schema["properties"]) == [field.encode_name for field in msgspec.structs.fields(struct)]
        assert (schema.get("additionalProperties") is False) == struct.__struct_config__.forbid_unknown_fields


def test_examples_are_of_operations() -> None:
    files = {file.name.removesuffix(".json") for file in resources.files("runlake.api").joinpath("examples").iterdir()}
    assert files == FACTS.keys()


def test_formats() -> None:
    def formats(name: str) -> set[str | None]:
        schema, field = name.split(".")
        part = SCHEMAS[schema]["properties"][field]
        part = part.get("items", part)
        return {option.get("format") for option in part.get("oneOf", [part]) if option["type"] != "null"}

    for name in ("Run.id", "Run.task_id", "RunRecord.id", "Stored.ids", "TaskStats.task_id", "TaskFigures.task_id"):
        assert formats(name) == {"uuid"}, name
    for name in (
        "Run.created_at",
        "Run.leased_until",
        "RunRecord.started_at",
        "Summary.window_end",
        "TaskStats.last_run",
    ):
        assert formats(name) == {"date-time"}, name
    assert formats("DailyFigures.date") == {"date"}


def test_answers_are_whole_and_requests_need_not_be() -> None:
    for name in SCHEMAS.keys() - {"Problem", "RunRecord", "Ready", "About", "TaskName", "TaskColumns", "SqlQuery"}:
        assert set(SCHEMAS[name]["required"]) == SCHEMAS[name]["properties"].keys()
    assert SCHEMAS["RunRecord"]["required"] == ["task_id"]
    assert "errors" not in SCHEMAS["Problem"]["required"]
