"""The rules of the contract hold for every route of the OpenAPI document; a new route is tried as it appears there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode

import golden
import httpx
import msgspec
import pytest
from document import DOC, OPERATIONS, Documented, shown
from inprocess import assert_problem
from support import Server

from runlake.api.openapi import examples

GETS: Final = [op for op in OPERATIONS if op.method == "get"]
by_operation = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)
by_get = pytest.mark.parametrize("op", GETS, ids=lambda op: op.name)
NO_BODY: Final[dict[str, Any]] = {}
JSON_BODY: Final[dict[str, Any]] = {"json": {}}
# Headers that are other ones each time; and one that is of the bytes of a body, which HEAD has not.
PASSING: Final = {"date", "x-request-id", "server-timing", "transfer-encoding"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server with the runs of the golden answers."""
    with Server(tmp_path_factory.mktemp("routes") / "lake") as server:
        assert server.post(*golden.runs()).json()["stored"] == len(golden.runs())
        golden.name_things(server.client)
        yield server.client


def target(op: Documented) -> tuple[str, list[tuple[str, str]]]:
    """Path and parameters of the operation's first example."""
    first = next(iter(examples(op.facts.name).values()))
    path, _, query = first.request.split(" ")[1].partition("?")
    older = "/runs" if op.path.startswith("/runs/") and not path.startswith("/runs/") else ""
    return older + path, parse_qsl(query)


def send(
    client: httpx.Client, op: Documented, path: str, query: list[tuple[str, str]], **options: Any
) -> httpx.Response:
    """Ask an operation, with the body of its example if it has one."""
    content = op.entry.get("requestBody", {}).get("content", {}).get("application/json")
    body = {"json": content["example"]} if content else {}
    return asked(client, op.method.upper(), f"{path}?{urlencode(query, safe=':,')}", **body, **options)


def asked(client: httpx.Client, method: str, url: str, **options: Any) -> httpx.Response:
    """The whole answer; of events, which have no end, the first one."""
    with client.stream(method, url, **options) as answer:
        if not answer.headers.get("content-type", "").startswith("text/event-stream"):
            answer.read()
            return answer
        found = httpx.Response(answer.status_code, content=next(answer.iter_bytes(), b""), request=answer.request)
        found.headers = answer.headers
        return found


def parameters(op: Documented) -> dict[str, str]:
    """A value for each parameter of its query string, by name; for an operation without any, one that it has not."""
    found = {}
    for parameter in op.entry["parameters"]:
        if parameter["in"] == "query":
            value = parameter.get("example", parameter["schema"].get("examples", [None])[0])
            found[parameter["name"]] = ",".join(value) if isinstance(value, list) else str(value)
    return found or {"verbose": "1"}


@by_operation
def test_the_example_is_answered(client: httpx.Client, op: Documented) -> None:
    answer = send(client, op, *target(op))
    assert answer.status_code == op.facts.good, answer.text
    kind = next(iter(op.good["content"]), "")
    assert answer.headers.get("content-type", "").startswith(kind)
    optional = {"link"} | ({"set-cookie"} if op.method == "post" else set())
    assert {name.lower() for name in op.good.get("headers", {})} - optional <= answer.headers.keys()


@by_operation
def test_an_unknown_parameter_is_refused(client: httpx.Client, op: Documented) -> None:
    path, query = target(op)
    for name in ("nosuch", "Limit", "task-id"):
        answer = send(client, op, path, [*query, (name, "1")])
        assert_problem(answer, 400, name)
        known = [p["name"] for p in op.entry["parameters"] if p["in"] == "query"]
        assert answer.json()["errors"][0]["message"].endswith(f"known are {', '.join(known) or 'none'}")


@by_operation
def test_an_empty_parameter_is_refused(client: httpx.Client, op: Documented) -> None:
    path, query = target(op)
    for name in parameters(op):
        others = [(key, value) for key, value in query if key != name]
        assert_problem(send(client, op, path, [*others, (name, "")]), 400, name)


@by_operation
def test_a_repeated_parameter_is_refused(client: httpx.Client, op: Documented) -> None:
    """Also when both are the same; and one that is unknown is refused each time."""
    path, query = target(op)
    for name, value in parameters(op).items():
        others = [(key, given) for key, given in query if key != name]
        refused = [name] * (2 if name == "verbose" else 1)
        assert_problem(send(client, op, path, [*others, (name, value), (name, value)]), 400, *refused)


@by_operation
def test_an_id_that_is_none_is_refused(client: httpx.Client, op: Documented) -> None:
    _, query = target(op)
    ids = {p["name"]: p["example"] for p in op.entry["parameters"] if p["schema"].get("format") == "uuid"}
    for name, good in ids.items():
        for wrong in ("7", "x" * 200, f"{good}x"):
            assert_problem(send(client, op, op.path.format(**ids | {name: wrong}), query), 400, name)


@by_get
def test_head_is_get_without_a_body(client: httpx.Client, op: Documented) -> None:
    """As GET before it or after it: an answer that depends on now changes every ten seconds."""
    path, query = target(op)
    passing = PASSING | ({"content-length"} if op.path == "/metrics" else set())

    def lasting(response: httpx.Response) -> list[tuple[str, str]]:
        return [item for item in response.headers.items() if item[0] not in passing]

    for more, status in ((query, 200), ([*query, ("nosuch", "1")], 400)):
        url = f"{path}?{urlencode(more)}"
        before, head, after = (asked(client, method, url) for method in ("GET", "HEAD", "GET"))
        assert (before.status_code, head.status_code, head.content) == (status, status, b"")
        assert lasting(head) in (lasting(before), lasting(after))


@by_operation
def test_other_methods_are_refused(client: httpx.Client, op: Documented) -> None:
    """Allow names those that the document has for the path, in the 405, in its example, and for OPTIONS."""
    path, query = target(op)
    known = {method.upper() for method in DOC["paths"][op.path]}
    allowed = known | {"OPTIONS"} | ({"HEAD"} if "GET" in known else set())
    for method in {"POST", "PUT", "PATCH", "DELETE"} - known:
        for body in NO_BODY, JSON_BODY:
            answer = client.request(method, f"{path}?{urlencode(query)}", **body)
            assert_problem(answer, 405)
            assert set(answer.headers["allow"].split(", ")) == allowed
    documented = op.entry["responses"]["405"]["headers"]["Allow"]["example"]
    asked = client.request("OPTIONS", path)
    assert (asked.status_code, asked.content) == (204, b"")
    assert set(asked.headers["allow"].split(", ")) == set(documented.split(", ")) == allowed


@by_get
def test_a_trailing_slash_is_ignored(client: httpx.Client, op: Documented) -> None:
    path, query = target(op)
    bare, slashed = send(client, op, path, query), send(client, op, f"{path}/", query)
    assert slashed.status_code == 200
    if op.path != "/metrics":  # it counts these requests
        assert slashed.content == bare.content


@by_get
def test_a_tag_saves_the_answer_where_that_is_documented(client: httpx.Client, op: Documented) -> None:
    path, query = target(op)
    answer = send(client, op, path, query)
    assert ("etag" in answer.headers) == ("304" in op.entry["responses"])
    if "etag" in answer.headers:
        tag = answer.headers["etag"]
        again = send(client, op, path, query, headers={"If-None-Match": tag})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert send(client, op, path, query, headers={"If-None-Match": '"other"'}).content == answer.content


@by_operation
def test_an_error_that_anyone_can_make_is_an_example(client: httpx.Client, op: Documented) -> None:
    """An unknown parameter: the document shows the very answer."""
    path, _ = target(op)
    answer = send(client, op, path, [("verbose", "1")])
    problem = msgspec.json.decode(answer.content)
    documented = shown(op.entry["responses"]["400"]["content"]["application/problem+json"])
    if path == op.path.format(**{p["name"]: p["example"] for p in op.entry["parameters"] if p["in"] == "path"}):
        assert problem in documented
    assert problem["errors"] in [other["errors"] for other in documented]
