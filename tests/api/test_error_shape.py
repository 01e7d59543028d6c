"""There is one error shape: RFC 9457 problem details, `application/problem+json`, for whatever goes wrong.

Members: type, title, status (the HTTP status), detail, instance (the path); for bad input also errors, a list of
{field, message}. Bad input is 400, never 422; 405 carries Allow, 503 carries Retry-After. No trace and no path
of the server's files leaves the process.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any, Final

import pytest
from inprocess import Client, assert_problem, serving
from support import record

from runlake import errors
from runlake.api import problems
from runlake.settings import Settings

JSON: Final = {"Content-Type": "application/json"}
UNKNOWN: Final = str(uuid.UUID(int=2**127))


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An application that takes bodies of up to 2,000 bytes, with one run."""
    with serving(Settings(data=str(tmp_path_factory.mktemp("errors") / "lake"), body_bytes=2_000)) as ready:
        assert ready.post("/runs", json={"runs": [record(1)]}).status_code == 200
        yield ready


BAD_QUERIES: Final = {
    "limit=0": ["limit"],
    "limit=201": ["limit"],
    "limit=-1": ["limit"],
    "limit=ten": ["limit"],
    "limit=1.5": ["limit"],
    "limit=+5": ["limit"],
    "limit=1e2": ["limit"],
    "limit=": ["limit"],
    "limit": ["limit"],
    "limit=1&limit=1": ["limit"],
    "offset=-1": ["offset"],
    "offset=9007199254740992": ["offset"],
    "offset=99999999999999999999999": ["offset"],
    "task_id=x": ["task_id"],
    "task_id=": ["task_id"],
    f"task_id={{{UNKNOWN}}}": ["task_id"],
    f"task_id=urn:uuid:{UNKNOWN}": ["task_id"],
    "success=yes": ["success"],
    "success=2": ["success"],
    "success=null": ["success"],
    "include_errors=": ["include_errors"],
    "start_time=yesterday": ["start_time"],
    "start_time=1736580000": ["start_time"],
    "start_time=2025-02-30": ["start_time"],
    "start_time=1969-12-31": ["start_time"],
    "end_time=10000-01-01": ["end_time"],
    "end_time=9999-12-31T23:59:59-00:01": ["end_time"],
    "end_time=2025-01-01T24:00": ["end_time"],
    "start_time=2025-01-02&end_time=2025-01-01": ["start_time"],
    "sucess=true": ["sucess"],
    "Limit=1": ["Limit"],
    "limit=1;offset=2": ["limit"],
    "limit=0&offset=x&nope=1": ["offset", "nope"],
    "%ff=1": ["query"],
    "task_id=%ff": ["query"],
}
BAD_PATHS: Final = {
    "/runs/7": ["run_id"],
    f"/runs/{UNKNOWN}x": ["run_id"],
    "/runs/%FF": ["run_id"],
    "/runs/..%5C": ["run_id"],
    f"/runs/{UNKNOWN}?x=1": ["x"],
    "/task/7/latest": ["task_id"],
    f"/task/{UNKNOWN}/latest?days=1": ["days"],
    "/runs/task/7/stats": ["task_id"],
    f"/task/{UNKNOWN}/stats?days=0": ["days"],
    f"/task/{UNKNOWN}/stats?days=3651": ["days"],
    f"/task/{UNKNOWN}/stats?until=": ["until"],
    "/stats/summary?days=x": ["days"],
    "/stats/summary?until=now": ["until"],
    "/stats/summary?limit=1": ["limit"],
    "/runs/stats/summary?days=7&days=7": ["days"],
    "/health?verbose=1": ["verbose"],
}


@pytest.mark.parametrize("path", [*(f"/runs?{query}" for query in BAD_QUERIES), *BAD_PATHS])
def test_bad_parameters(client: Client, path: str) -> None:
    """400, and the parameter is named."""
    assert_problem(client.get(path), 400, *(BAD_PATHS.get(path) or BAD_QUERIES[path.removeprefix("/runs?")]))


BAD_RECORDS: Final[dict[str, dict[str, Any]]] = {
    "task_id": {"task_id": None},
    "id": {"id": "7"},
    "attempt": {"attempt": 2**31},
    "success": {"success": None},
    "finished_at": {"finished_at": "2024-01-01"},
    "started_at": {"started_at": 1_736_580_000},
    "created_at": {"created_at": "2025-13-01"},
    "leased_until": {"leased_until": "1969-12-31T23:59:59.999999Z"},
    "lease_owner": {"lease_owner": "x" * 256},
    "error": {"error": 5},
    "output": {"output": json.loads("[" * 101 + "]" * 101)},
    "duration": {"duration": 1},
}


@pytest.mark.parametrize("field", BAD_RECORDS)
def test_bad_records(client: Client, field: str) -> None:
    answer = client.post("/runs", json={"runs": [record(2), record(3, **BAD_RECORDS[field])]})
    assert_problem(answer, 400, f"runs[1].{field}")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'{"runs":[],"x":1}', b"\xff", b"[" * 1_500])
def test_bad_bodies(client: Client, body: bytes) -> None:
    assert_problem(client.post("/runs", content=body, headers=JSON), 400, "body")


def test_runs_that_are_no_list(client: Client) -> None:
    assert_problem(client.post("/runs", content=b'{"runs":{}}', headers=JSON), 400, "runs")


def test_empty_batch_and_bad_arrow(client: Client) -> None:
    assert_problem(client.post("/runs", json={"runs": []}), 400, "runs")
    for body in (b"", b"ARROW1", bytes(100)):
        kind = {"Content-Type": "application/vnd.apache.arrow.stream"}
        assert_problem(client.post("/runs", content=body, headers=kind), 400, "body")


@pytest.mark.parametrize(
    "path", [f"/runs/{UNKNOWN}", "/nope", "/runs/a/b", "/docs/../x", "/docs/nope", "/docs/api/nope.js", "/%00"]
)
def test_not_there(client: Client, path: str) -> None:
    assert_problem(client.get(path), 404)


@pytest.mark.parametrize(
    ("method", "path"),
    [("PUT", "/runs"), ("DELETE", f"/runs/{UNKNOWN}"), ("POST", "/stats/summary"), ("PATCH", "/health")],
)
def test_wrong_method(client: Client, method: str, path: str) -> None:
    answer = client.request(method, path)
    assert_problem(answer, 405)
    assert {"GET", "HEAD"} <= {word.strip() for word in answer.headers["allow"].split(",")}


def test_options(client: Client) -> None:
    """What a 405 allows, OPTIONS allows, too."""
    for path in ("/runs", f"/runs/{UNKNOWN}", "/stats/summary"):
        answer = client.request("OPTIONS", path)
        refused = client.request("PATCH", path)
        assert (answer.status_code, answer.content, refused.status_code) == (204, b"", 405)
        assert sorted(answer.headers["allow"].split(", ")) == sorted(refused.headers["allow"].split(", "))
    assert "POST" in client.request("OPTIONS", "/runs").headers["allow"]


def test_conflict_too_large_and_unsupported(client: Client) -> None:
    body = assert_problem(client.post("/runs", json={"runs": [record(1, attempt=2)]}), 409, "runs[0].id")
    assert "runs[0]" in body["detail"] and record(1)["id"] in body["detail"]
    assert_problem(client.post("/runs", content=b" " * 2_001, headers=JSON), 413)
    assert_problem(client.post("/runs", content=(b" " * 99 for _ in range(50)), headers=JSON), 413)
    assert_problem(client.post("/runs", content=b"a,b", headers={"Content-Type": "text/csv"}), 415)
    assert_problem(client.post("/runs", content=b"x", headers=JSON | {"Content-Encoding": "br"}), 415)


def every(kind: type[errors.RunlakeError]) -> set[type[errors.RunlakeError]]:
    """A class and all below it."""
    return {kind}.union(*(every(child) for child in kind.__subclasses__()))


@pytest.mark.parametrize("kind", sorted(every(errors.RunlakeError), key=str))
def test_every_error_has_a_status(kind: type[errors.RunlakeError]) -> None:
    """By itself or by the class above it, and never by the root alone; statuses are those of the contract."""
    mapped = next(parent for parent in kind.__mro__ if parent in problems.STATUS)
    assert mapped is not errors.RunlakeError or kind is errors.RunlakeError
    assert problems.STATUS[mapped] in {400, 401, 403, 404, 408, 409, 412, 413, 415, 421, 429, 500, 503, 507}
    assert kind.code
