"""Long questions answered in parts, as server-sent events, by a real server to clients of every kind."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from clients import connected, logged, rest, until
from inprocess import assert_problem
from paces import PACES
from support import Server, environment, record

from runlake import access
from runlake.paths import Paths

EVENTS: Final = {"Accept": "text/event-stream"}
WINDOW: Final = "start_time=2025-01-01&end_time=2025-01-29"
ROUTES: Final = ("/runs?limit=7", "/stats/histogram?width=1d", "/stats/durations?points=0", "/stats/durations?points=9")
DAYS: Final = 28
TEXT: Final = "slow, endless, broken or quick"


def failed(number: int, error: str = TEXT) -> dict[str, Any]:
    return record(number, success=False, error=error)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with three failures on each of 28 days, all in files."""
    env = environment(None, RUNLAKE_INLINE_ROWS="0", RUNLAKE_QUERY_SECONDS="600")
    with Server(tmp_path_factory.mktemp("events") / "lake", env=env, before=PACES) as running:
        assert running.post(*map(failed, range(3 * DAYS))).status_code == 200
        yield running


def large() -> list[dict[str, Any]]:
    """Three failures on each of the days, with 100 KB of error each."""
    return [failed(number, TEXT + "x" * 100_000) for number in range(3 * DAYS)]


def raw(path: str) -> bytes:
    """A request for events, after whose answer the connection ends."""
    head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n"
    return head.encode()


def address(route: str, error: str) -> str:
    return f"{route}&{WINDOW}&error={error}"


def events_of(text: str) -> list[tuple[str, str]]:
    """The name and the data of each event."""
    assert text.endswith("\n\n")
    found = []
    for block in text[:-2].split("\n\n"):
        event, data = block.split("\n")[-2:]
        assert event.startswith("event: ") and data.startswith("data: "), block
        found.append((event.removeprefix("event: "), data.removeprefix("data: ")))
    return found


def ask(server: Server, path: str, **headers: str) -> list[tuple[str, str]]:
    answer = server.client.get(path, headers=EVENTS | headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
    return events_of(answer.text)


@contextmanager
def listening(server: Server, path: str, name: str = "x") -> Iterator[tuple[httpx.Response, Iterator[str]]]:
    """An answer of which the first event has come, and its further lines."""
    headers = EVENTS | {"X-Request-ID": name}
    with httpx.stream("GET", f"{server.url}{path}", headers=headers, timeout=60) as answer:
        lines = answer.iter_lines()
        assert answer.status_code == 200, answer.read()
        assert next(lines) == "event: part"
        yield answer, lines


@pytest.mark.parametrize("route", ROUTES)
def test_parts_come_first_and_the_last_event_is_the_plain_answer(server: Server, route: str) -> None:
    """To the byte, after how much was read; a part says in its place from when on it is exact."""
    found = ask(server, address(route, "slow"))
    names = [name for name, _ in found]
    assert names == ["part"] * (len(found) - 1) + ["done"] and len(found) > 3
    plain = server.client.get(address(route, "quick"))
    of = json.loads(found[-1][1])["of"]
    assert found[-1][1].encode() == f'{{"done":{of},"of":{of},'.encode() + plain.content[1:]
    parts = [json.loads(data) for _, data in found[:-1]]
    assert all(list(part) == ["done", "of", "since", *plain.json()] for part in parts)
    dones, sinces = [part["done"] for part in parts], [part["since"] for part in parts]
    assert dones == sorted(set(dones)) and dones[-1] < of == DAYS
    assert sinces == sorted(set(sinces), reverse=True)
    assert sinces[0] == "2025-01-28T00:00:00Z"


@pytest.mark.parametrize("path", [address("/runs?limit=30", "quick"), "/runs?limit=30"])
def test_the_last_event_says_where_the_next_page_begins(server: Server, path: str) -> None:
    """By its id, also of a scan, until there are no more; parts have none. The pages are those of the list."""
    seen: list[str] = []
    following = path
    while following:
        blocks = server.client.get(following, headers=EVENTS).text[:-2].split("\n\n")
        assert not [block for block in blocks[:-1] if "id: " in block.splitlines()[0]]
        *ids, event, data = blocks[-1].split("\n")
        page = json.loads(data.removeprefix("data: "))
        assert event == "event: done" and len(ids) == page["has_more"]
        seen += [item["id"] for item in page["items"]]
        following = f"{path}&cursor={ids[0].removeprefix('id: ')}" if ids else ""
    assert seen == [item["id"] for item in server.client.get(path.replace("30", "200", 1)).json()["items"]]
    assert len(seen) == 3 * DAYS


def test_a_part_is_the_answer_of_a_shorter_window(server: Server) -> None:
    for name, data in ask(server, address("/runs?limit=9", "slow"))[:-1]:
        part = json.loads(data)
        shorter = f"/runs?limit=9&error=quick&start_time={part['since']}&end_time=2025-01-29"
        found = {key: part[key] for key in part if key not in ("done", "of", "since")}
        assert (name, found) == ("part", server.client.get(shorter).json())


def test_the_first_part_comes_while_the_question_goes_on(server: Server) -> None:
    with listening(server, address("/runs?limit=1", "endless")) as (_, lines):
        assert json.loads(next(lines).removeprefix("data: "))["done"] == 1
        until(server, "queries_under_way", 1)
    until(server, "queries_under_way", 0)


@pytest.mark.parametrize("path", ["/errors?limit=3", "/stats/breakdown?top=3"])
def test_questions_whose_pieces_do_not_add_up(server: Server, path: str) -> None:
    """A part is the answer to a window that begins later."""
    (name, data), *_, (last, whole) = ask(server, address(path, "quick"))
    part, plain = json.loads(data), server.client.get(address(path, "quick")).content
    assert (name, last, part.pop("since")) == ("part", "done", "2025-01-28T00:00:00Z")
    assert (part.pop("done"), part.pop("of"), whole.encode()) == (1, DAYS, b'{"done":28,"of":28,' + plain[1:])
    shorter = f"{path}&error=quick&start_time=2025-01-28&end_time=2025-01-29"
    assert part == server.client.get(shorter).json()


@pytest.mark.parametrize("path", ["/runs?limit=2", f"/stats/histogram?{WINDOW}", f"/stats/durations?{WINDOW}&points=3"])
def test_what_needs_no_scan_is_done_at_once(server: Server, path: str) -> None:
    ((name, data),) = ask(server, path)
    assert (name, data.encode()) == ("done", b'{"done":1,"of":1,' + server.client.get(path).content[1:])


def test_other_routes_answer_as_ever(server: Server) -> None:
    for path in ("/stats/summary", f"/runs/{record(1)['id']}", "/health", f"/stats/owners?{WINDOW}"):
        assert server.client.get(path, headers=EVENTS).headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("accept", "in_events"),
    [
        ("*/*", False),
        ("application/json, text/event-stream", False),
        ("text/html", False),
        ("", False),
        ("text/event-stream", True),
        ("text/event-stream, */*;q=0.1", True),
        ("application/json;q=0.5, text/event-stream", True),
    ],
)
def test_events_are_for_who_prefers_them(server: Server, accept: str, *, in_events: bool) -> None:
    answer = server.client.get("/runs?limit=1", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("text/event-stream" if in_events else "application/json")


def test_headers(server: Server) -> None:
    """Nothing is packed, and nothing is kept; HEAD has the same."""
    path = address("/runs?limit=200&include_errors=true", "quick")
    answer = server.client.get(path, headers=EVENTS | {"Accept-Encoding": "gzip"})
    assert len(answer.content) > 8192 and "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert {word.strip() for word in answer.headers["vary"].split(",")} == {"Accept", "Accept-Encoding"}
    assert {"etag", "runlake-snapshot", "server-timing"} <= answer.headers.keys()
    head = server.client.head(path, headers=EVENTS | {"Accept-Encoding": "gzip"})
    assert (head.status_code, head.content) == (200, b"")
    passing = {"date", "x-request-id", "server-timing", "transfer-encoding"}
    found = [{name: value for name, value in one.headers.items() if name not in passing} for one in (answer, head)]
    assert found[0] == found[1]


def test_a_tag_is_of_one_type(server: Server) -> None:
    path = address("/runs?limit=1", "quick")
    events, plain = (server.client.get(path, headers={"Accept": kind}) for kind in ("text/event-stream", "*/*"))
    tags = events.headers["etag"], plain.headers["etag"]
    assert tags[0] != tags[1]
    for kind, status in (("text/event-stream", 304), ("*/*", 200)):
        again = server.client.get(path, headers={"Accept": kind, "If-None-Match": tags[0]})
        assert (again.status_code, "Accept" in again.headers["vary"]) == (status, True)
        assert not again.content or status == 200


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/runs?error=quick", ["error"]),
        (f"/runs?{WINDOW}&error=quick&limit=0", ["limit"]),
        (f"/stats/histogram?{WINDOW}&error=quick&tz=Nowhere", ["tz"]),
        ("/stats/breakdown?start_time=2024-06-01&end_time=2025-02-01", ["start_time"]),
        ("/errors?start_time=2024-06-01&end_time=2025-02-01&error=quick", ["error"]),
    ],
)
def test_what_is_refused_is_no_event(server: Server, path: str, fields: list[str]) -> None:
    assert_problem(server.client.get(path, headers=EVENTS), 400, *fields)


def test_a_client_that_leaves_frees_the_lane(server: Server) -> None:
    """After a part, and while it waits for its turn."""
    with listening(server, address("/runs?limit=1", "endless"), "left"):
        with connected(server, raw(address("/runs?limit=1", "endless"))):
            until(server, "queries_under_way", 2)
        until(server, "queries_under_way", 1)
    until(server, "queries_under_way", 0)
    assert ask(server, address("/runs?limit=1", "quick"))[-1][0] == "done"
    logged(server, "id=left ", 1)


def test_too_many_are_refused_before_they_begin(server: Server) -> None:
    """One runs and eight wait; the next one hears of it in the shape of all errors."""
    with ExitStack() as clients:
        for _ in range(9):
            clients.enter_context(connected(server, raw(address("/runs?limit=1", "endless"))))
        until(server, "queries_under_way", 9)
        refused = server.client.get(address("/runs?limit=1", "quick"), headers=EVENTS)
        assert (refused.status_code, refused.headers["content-type"]) == (429, "application/problem+json")
        assert len(ask(server, "/runs?limit=1")) == 1  # needs no scan
        assert refusing(server) == documented(server)
    until(server, "queries_under_way", 0)


def documented(server: Server) -> set[str]:
    """The paths that may answer 429, by the OpenAPI document."""
    paths = server.client.get("/schema").json()["paths"]
    return {
        path for path, operations in paths.items() if "429" in operations.get("get", {"responses": ()})["responses"]
    }


def refusing(server: Server) -> set[str]:
    """The paths that answer 429 to whatever they may be asked."""
    found = set()
    for path, operations in server.client.get("/schema").json()["paths"].items():
        if "get" in operations:
            parameters = {one["name"]: one for one in operations["get"].get("parameters", [])}
            known = {name: one["example"] for name, one in parameters.items() if one["in"] == "path"}
            query = f"{WINDOW}&error=quick" if "error" in parameters else WINDOW if "start_time" in parameters else ""
            with server.client.stream("GET", f"{path.format(**known)}?{query}") as answer:  # one of them has no end
                found |= {path} if answer.status_code == 429 else set()
    return found


def test_an_error_after_the_start_is_the_last_event(server: Server) -> None:
    (first, _), (last, data) = ask(server, address("/runs?limit=1", "broken"), **{"X-Request-ID": "breaks"})
    problem = json.loads(data)
    assert (first, last) == ("part", "error")
    assert (problem["status"], problem["type"], problem["instance"]) == (500, "urn:runlake:internal", "/runs")
    assert "breaks" in problem["detail"] and "as the test wants it" not in data
    logged(server, "id=breaks", 1, "request failed")


def test_a_question_that_takes_too_long_says_how_far_it_came(tmp_path: Path) -> None:
    """In an event, as parts came before; and the lane is free again."""
    env = environment(None, RUNLAKE_INLINE_ROWS="0", RUNLAKE_QUERY_SECONDS="3")
    with Server(tmp_path / "lake", env=env, before=PACES) as server:
        assert server.post(*map(failed, range(DAYS))).status_code == 200
        *parts, (last, data) = ask(server, address("/runs?limit=1", "endless"))
        problem = json.loads(data)
        assert (last, problem["status"], problem["type"]) == ("error", 503, "urn:runlake:too-long")
        assert f"read back to {json.loads(parts[-1][1])['since'][:7]}" in problem["detail"]
        assert ask(server, address("/runs?limit=1", "quick"))[-1][0] == "done"


def test_a_slow_client_holds_nobody_up(tmp_path: Path) -> None:
    """It takes nothing while parts of megabytes are made: the question ends all the same, and what it has not taken is
    left out, but for the newest part and the end.
    """
    env = environment(None, RUNLAKE_INLINE_ROWS="0")
    path = address("/runs?limit=200&include_errors=true", "slow")
    with Server(tmp_path / "lake", env=env, before=PACES) as server:
        assert server.post(*large()).status_code == 200
        with connected(server, raw(path)) as slow:
            until(server, "queries_under_way", 1)
            until(server, "queries_under_way", 0)
            text = rest(slow)
        made = ask(server, path)
    assert text.count(b"event: done") == 1
    assert 0 < text.count(b"event: part") < len(made) - 1


def test_a_client_that_takes_nothing_is_dropped(tmp_path: Path) -> None:
    env = environment(None, RUNLAKE_INLINE_ROWS="0")
    path = address("/runs?limit=200&include_errors=true", "slow")
    impatient = "from runlake.api import protocol\nprotocol.STALL_SECONDS = 1.0\n"
    with Server(tmp_path / "lake", env=env, before=PACES + impatient) as server:
        assert server.post(*large()).status_code == 200
        with connected(server, raw(path)) as lazy:
            until(server, "queries_under_way", 1)
            until(server, "requests_under_way", 1)  # the one that asks for this number
            assert b"event: done" not in rest(lazy)


def test_a_key_is_needed_as_for_other_answers(tmp_path: Path) -> None:
    with Server(tmp_path / "lake") as server:
        _, token = access.create(Paths.of(server.data), ("read",), "test")
        assert_problem(server.client.get("/runs", headers=EVENTS), 401)
        headers = EVENTS | {"Authorization": f"Bearer {token}"}
        assert events_of(server.client.get("/runs", headers=headers).text)[0][0] == "done"


def test_the_service_ends_while_it_answers(tmp_path: Path) -> None:
    env = environment(None, RUNLAKE_INLINE_ROWS="0", RUNLAKE_QUERY_SECONDS="600")
    server = Server(tmp_path / "lake", env=env, before=PACES).wait_ready()
    assert server.post(*map(failed, range(DAYS))).status_code == 200
    with listening(server, address("/runs?limit=1", "endless")):
        started = time.monotonic()
        assert server.stop() == 0
    assert time.monotonic() - started < 30
    assert not [line for line in server.log if "Traceback" in line], server.log
