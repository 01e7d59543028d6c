"""Names a request may be for, and pages that may send one, without a browser: every header a browser could send.

`test_in_a_browser.py` has a real browser try the same.
"""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from inprocess import assert_problem
from support import Server, environment, record

from runlake import access
from runlake.api.origin_policy import Authority, Origin, OriginPolicy
from runlake.errors import ForeignHost, ForeignOrigin
from runlake.paths import Paths
from runlake.settings import Settings

DASH: Final = "https://dash.example.com"
DEV: Final = "http://localhost:3000"
SETTINGS: Final = {
    "RUNLAKE_ALLOWED_HOSTS": "runs.example.com, RUNS.lan",
    "RUNLAKE_CORS_ORIGINS": f"{DASH}/,{DEV}, http://[::1]:3000",
    "RUNLAKE_CONNECTIONS": "20",
}
ROUTES: Final = ["/runs", "/stats/summary", "/health", "/ready", "/metrics", "/schema", "/docs", "/nope"]
NAMES: Final = [
    *["localhost", "LocalHost.", "127.0.0.1", "127.0.0.2", "[::1]", "192.0.2.7", "[2001:db8::1]"],
    *["runs.example.com", "Runs.Example.com.", "runs.lan"],
]
FOREIGN_NAMES: Final = [
    *["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "xlocalhost", "localhostx", "example.com"],
    *["evil.runs.lan", "127.0.0.1x", "[localhost]", "localhost@evil.example", "localhost:80:80", "localhost:x", ""],
    *["[::1", "::1", "evil.example:80#localhost", "localhost/x", "\xfflocalhost", "127.1.evil", "999.0.0.1", "a b"],
]
FOREIGN_ORIGINS: Final = [
    *["null", "http://evil.example", "https://evil.example", "http://localhost:3001", "https://localhost:3000"],
    *["https://dash.example.com:8443", "http://dash.example.com", "https://dash.example.com.evil.example", "", "x"],
    *["https://xdash.example.com", "file://", "about:blank", "https://dash.example.com, http://evil.example"],
    *["chrome-extension://abcdef", "https://user@dash.example.com", "https://dash.example.com/x", "http://[::1]:3001"],
]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service without keys that goes by two more names and allows three origins, with one run."""
    with Server(tmp_path_factory.mktemp("browsers") / "lake", env=environment(None, **SETTINGS)) as running:
        assert running.post(record(1)).status_code == 200
        yield running


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with the settings as shipped."""
    with Server(tmp_path_factory.mktemp("plain") / "lake") as running:
        yield running


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, str]]:
    """A service with the settings of `server` and one key, which has both scopes."""
    lake = tmp_path_factory.mktemp("locked") / "lake"
    server = Server(lake, env=environment(None, **SETTINGS)).wait_ready()
    _, token = access.create(Paths.of(lake), ("read", "write"))
    try:
        yield server, token
    finally:
        server.stop()


def varied(answer: httpx.Response) -> set[str]:
    return {word.strip() for word in answer.headers.get("vary", "").split(",")}


def readable(answer: httpx.Response, origin: str) -> bool:
    """Whether a browser shows the answer to a page of this origin, with the headers it needs."""
    assert "Origin" in varied(answer)
    assert "access-control-allow-credentials" not in answer.headers
    shown = {word.strip() for word in answer.headers.get("access-control-expose-headers", "").split(",")}
    wanted = {"ETag", "Link", "Retry-After", "Runlake-Snapshot", "Server-Timing", "X-Request-ID"}
    return answer.headers.get_list("access-control-allow-origin") == [origin] and shown == wanted


@pytest.mark.parametrize("port", ["", ":80", ":8000", ":65535"])
@pytest.mark.parametrize("name", NAMES)
def test_names_the_service_goes_by(server: Server, name: str, port: str) -> None:
    assert server.client.get("/runs", headers={"Host": name + port}).status_code == 200


@pytest.mark.parametrize("name", FOREIGN_NAMES)
def test_names_it_does_not_go_by(server: Server, name: str) -> None:
    """421 whatever is asked for, and the answer says what to do."""
    for path, port in itertools.product(ROUTES, ("", ":8000")):
        with connected(server) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: {name}{port}\r\nConnection: close\r\n\r\n".encode("latin-1"))
            answer = b"".join(iter(lambda: raw.recv(65_536), b""))
        assert answer.startswith(b"HTTP/1.1 421 "), (path, answer)
        assert b"RUNLAKE_ALLOWED_HOSTS" in answer and b'"urn:runlake:foreign-host"' in answer
    posted = server.client.post("/runs", json={"runs": [record(9)]}, headers={"Host": "evil.example"})
    body = assert_problem(posted, 421)
    assert "evil.example" in body["detail"]
    assert server.client.get("/runs").json()["total"] == 1


def connected(server: Server) -> socket.socket:
    where = urlsplit(server.url)
    return socket.create_connection((where.hostname, where.port or 0), timeout=30)


def test_a_request_without_a_name_is_let_in(server: Server) -> None:
    """An old client or a probe; a browser always names the host. With two names, both count."""
    cases = {"": b"200", "Host: localhost\r\nHost: evil.example\r\n": b"421", f"Origin: {server.url}\r\n": b"403"}
    for head, expected in cases.items():
        with connected(server) as raw:
            raw.sendall(f"GET /runs HTTP/1.0\r\n{head}\r\n".encode())
            assert raw.recv(65_536).split(b" ")[1] == expected, head


def test_the_name_given_to_host_is_one(tmp_path: Path) -> None:
    """As an option and as a setting; other machines ask for it by that name."""
    for args, env in ((("--host", "localhost"), {}), ((), {"RUNLAKE_HOST": "127.0.0.1"})):
        with Server(tmp_path / "lake", *args, env=environment(None, **env)) as server:
            assert server.client.get("/runs", headers={"Host": "localhost:8000"}).status_code == 200
            assert server.client.get("/runs", headers={"Host": "runs.example.com"}).status_code == 421
    named = OriginPolicy(Settings(host="Runs.Internal"))
    named.check_host(request(host="runs.internal:8000"))
    with pytest.raises(ForeignHost):
        named.check_host(request(host="runs.internal.evil.example"))


def test_with_keys_any_name_will_do(locked: tuple[Server, str]) -> None:
    """A page of a name that leads here has no key to send."""
    server, token = locked
    for name in ("evil.example", "runs.example.com", "localhost"):
        assert_problem(server.client.get("/runs", headers={"Host": name}), 401)
        good = {"Host": name, "Authorization": f"Bearer {token}"}
        assert server.client.get("/runs", headers=good).status_code == 200
        rebound = good | {"Origin": f"http://{name}:8000", "Host": f"{name}:8000"}
        assert server.client.get("/runs", headers=rebound).status_code == 200
        assert_problem(server.client.get("/runs", headers=rebound | {"Origin": "http://evil.example:81"}), 403)


@pytest.mark.parametrize("origin", FOREIGN_ORIGINS)
def test_a_foreign_page_gets_403(server: Server, plain: Server, origin: str) -> None:
    """Whatever it asks, and nothing is stored; no header lets it read why."""
    for each, path in itertools.product((server, plain), ROUTES):
        for method in ("GET", "HEAD", "POST", "OPTIONS", "DELETE"):
            sent = [(b"origin", origin.encode("latin-1")), (b"access-control-request-method", b"POST")]
            answer = each.client.request(method, path, headers=sent)
            assert answer.status_code == 403, (method, path)
            assert not [name for name in answer.headers if name.startswith("access-control-")]
    body = assert_problem(server.client.get("/runs", headers={"Origin": origin or "null"}), 403)
    assert body["type"] == "urn:runlake:foreign-origin"
    assert "RUNLAKE_CORS_ORIGINS" in body["detail"] and "Host" in body["detail"]
    refused = plain.client.post("/runs", json={"runs": [record(2)]}, headers={"Origin": origin})
    assert refused.status_code == 403
    assert "www-authenticate" not in refused.headers
    assert plain.client.get("/runs").json()["total"] == 0


def test_a_page_of_the_service_itself(server: Server) -> None:
    """Also behind a proxy that speaks TLS, and with the usual port of the scheme named or not."""
    own = [("127.0.0.1:8000", "http://127.0.0.1:8000"), ("localhost:8000", "http://LOCALHOST:8000")]
    own += [("runs.example.com", f"{scheme}://runs.example.com") for scheme in ("http", "https")]
    own += [("runs.lan:443", "https://runs.lan"), ("runs.lan", "https://runs.lan:443"), ("[::1]:80", "http://[::1]")]
    for host, origin in own:
        answer = server.client.get("/runs", headers={"Host": host, "Origin": origin})
        assert answer.status_code == 200, (host, origin)
        assert "access-control-allow-origin" not in answer.headers
    other = [("127.0.0.1:8000", "http://localhost:8000"), ("localhost:8000", "http://localhost:3001")]
    other += [
        ("runs.lan", "http://runs.lan:443"),
        ("runs.lan:8000", "https://runs.lan"),
        ("runs.lan", "ftp://runs.lan"),
    ]
    for host, origin in other:
        assert_problem(server.client.get("/runs", headers={"Host": host, "Origin": origin}), 403)


@pytest.mark.parametrize("origin", [DASH, DEV, "http://[::1]:3000"])
def test_an_allowed_page_can_read_every_answer(server: Server, origin: str) -> None:
    asked = {"Origin": origin}
    page = server.client.get("/runs?limit=1", headers=asked)
    assert page.status_code == 200 and readable(page, origin)
    unchanged = server.client.get("/runs?limit=1", headers=asked | {"If-None-Match": page.headers["etag"]})
    assert unchanged.status_code == 304 and readable(unchanged, origin)
    posted = server.client.post("/runs", json={"runs": [record(1)]}, headers=asked)
    assert posted.json()["duplicates"] == 1 and readable(posted, origin)
    for status, answer in {
        400: server.client.get("/runs?limt=1", headers=asked),
        404: server.client.get("/nope", headers=asked),
        405: server.client.delete("/runs", headers=asked),
        409: server.client.post("/runs", json={"runs": [record(1, attempt=2)]}, headers=asked),
        415: server.client.post("/runs", content=b"{}", headers=asked),
        421: server.client.get("/runs", headers=asked | {"Host": "evil.example"}),
    }.items():
        assert answer.status_code == status and readable(answer, origin), status
    assert server.client.options("/runs", headers=asked).headers["allow"]


def test_an_allowed_page_can_read_that_it_needs_a_key(locked: tuple[Server, str]) -> None:
    server, token = locked
    for headers, status in (
        ({}, 401),
        ({"Authorization": "Bearer x"}, 401),
        ({"Authorization": f"Bearer {token}"}, 200),
    ):
        answer = server.client.get("/runs", headers={"Origin": DASH} | headers)
        assert answer.status_code == status and readable(answer, DASH)
    post = {"Origin": DASH, "Authorization": f"Bearer {token}"}
    assert readable(server.client.post("/runs", json={"runs": [record(1)]}, headers=post), DASH)


def test_an_allowed_page_can_read_that_there_are_too_many(server: Server) -> None:
    """503, from before any route."""
    held = [connected(server) for _ in range(20)]
    try:
        answer = httpx.get(f"{server.url}/runs", headers={"Origin": DASH})
        assert answer.status_code == 503 and readable(answer, DASH)
        assert answer.headers["retry-after"] == "1"
    finally:
        for one in held:
            one.close()


@pytest.mark.parametrize("path", ["/runs", f"/runs/{record(1)['id']}", "/nope"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE"])
def test_preflights(server: Server, locked: tuple[Server, str], method: str, path: str) -> None:
    """Without a key, as browsers send none; every header may follow."""
    for each, origin in itertools.product((server, locked[0]), (DASH, DEV)):
        asked = {"Origin": origin, "Access-Control-Request-Method": method}
        answer = each.client.options(
            path, headers=asked | {"Access-Control-Request-Headers": "authorization,content-type"}
        )
        assert (answer.status_code, answer.content) == (204, b"")
        assert readable(answer, origin)
        assert method in answer.headers["access-control-allow-methods"].split(", ")
        assert answer.headers["access-control-allow-headers"] == "authorization,content-type"
        assert int(answer.headers["access-control-max-age"]) > 60
        assert "access-control-allow-headers" not in each.client.options(path, headers=asked).headers
        refused = each.client.options(path, headers=asked | {"Origin": "http://evil.example"})
        assert_problem(refused, 403)


def test_no_headers_of_cors_where_nothing_is_allowed(plain: Server) -> None:
    answer = plain.client.get("/runs", headers={"Origin": plain.url})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control-")]
    assert varied(answer) == {"Accept", "Accept-Encoding"}


def test_caches_are_told(server: Server) -> None:
    """An answer without CORS headers may not be kept for a page that needs them."""
    for headers in ({}, {"Origin": server.url}):
        answer = server.client.get("/runs", headers=headers)
        assert (
            varied(answer) == {"Accept", "Accept-Encoding", "Origin"}
            and "access-control-allow-origin" not in answer.headers
        )


@pytest.mark.parametrize("headers", [{}, {"Content-Type": ""}])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_body_without_a_type_is_refused(plain: Server, method: str, headers: dict[str, str]) -> None:
    """A browser sends such a one for any page, without asking first."""
    body = b'{"runs":[{"task_id":"550e8400-e29b-41d4-a716-446655440000"}]}'
    for content in (body, iter([body])):
        answer = plain.client.request(method, "/runs", content=content, headers=headers)
        problem = assert_problem(answer, 415)
        assert "Content-Type: application/json" in problem["detail"]
    assert plain.client.get("/runs").json()["total"] == 0


def test_a_post_without_a_body_needs_no_type(plain: Server) -> None:
    """It is told what is missing."""
    for headers in ({}, {"Content-Length": "0"}):
        problem = assert_problem(plain.client.post("/runs", headers=headers), 400, "body")
        assert '{"runs"' in problem["detail"]
    assert_problem(plain.client.post("/stats/summary"), 405)


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"])
@pytest.mark.parametrize("tail", ["", "; application/json", ", application/json", ";charset=application/json"])
def test_types_any_page_may_send_are_refused(plain: Server, kind: str, tail: str) -> None:
    body = b'{"runs":[{"task_id":"550e8400-e29b-41d4-a716-446655440000"}]}'
    answer = plain.client.post("/runs", content=body, headers={"Content-Type": kind + tail})
    assert "application/json, application/x-ndjson" in assert_problem(answer, 415)["detail"]
    assert plain.client.get("/runs").json()["total"] == 0


def request(**headers: str) -> dict[str, Any]:
    """The ASGI scope of a GET with these headers."""
    return {"method": "GET", "headers": [(name.encode(), text.encode("latin-1")) for name, text in headers.items()]}


@given(st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30))
def test_any_text_as_a_name_or_an_origin(text: str) -> None:
    """It is refused, or one of ours: nothing else, and no other error."""
    browsers = OriginPolicy(Settings(cors_origins=DASH))
    try:
        browsers.check_host(request(host=text))
    except ForeignHost as exc:
        assert len(exc.detail) < 200
    else:
        place = Authority.of(text.strip())
        assert place is not None and (place.host == "localhost" or place.is_address)
    with pytest.raises(ForeignOrigin):
        browsers.check_origin(request(host="localhost", origin=f"{text}//"))


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(["a", "b.c", "[::1]", "127.0.0.1"]),
    st.sampled_from([None, 80, 443, 8000]),
    st.sampled_from(["a", "A.", "b.c", "[::1]", "127.0.0.1"]),
    st.sampled_from([None, 80, 443, 8000]),
)
def test_a_page_is_ours_when_host_and_port_are(
    scheme: str, name: str, port: int | None, host: str, host_port: int | None
) -> None:
    usual = {"http": 80, "https": 443}[scheme]
    origin = Origin.of(f"{scheme}://{name}" + (f":{port}" if port else ""))
    assert origin is not None
    expected = host.lower().removesuffix(".") == name and (port or usual) == (host_port or usual)
    assert origin.is_of(Authority.of(host + (f":{host_port}" if host_port else ""))) == expected
