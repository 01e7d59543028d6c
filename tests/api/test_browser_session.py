"""A browser's session in place of a key: what makes one, what it opens, what ends it, and what it never opens."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from clocks import NOTICED_SECONDS, faked
from document import OPERATIONS, Documented, by_operation
from inprocess import assert_problem
from locks import OPEN_ROUTES, READ_ROUTES, bearer
from support import Server, environment, record

from runlake import access
from runlake.api.openapi import examples
from runlake.paths import Paths

DASH: Final = "https://dash.example.com"
WEEK: Final = 7 * 24 * 3600
PATIENCE: Final = 60.0  # seconds for an answer
PATHS: Final = ("/docs", "/runs")  # without a key, and with one
READING: Final[tuple[access.Scope, ...]] = ("read",)


class Locked:
    """A service with keys of each kind."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.paths = Paths.of(server.data)
        self.port = urlsplit(server.url).port
        self.name = f"runlake-{self.port}"
        self.key, self.token = access.create(self.paths, READING)
        self.writing = access.create(self.paths, ("write",))[1]
        self.both = access.create(self.paths, ("read", "write"))[1]
        self.cookie = self.value(self.token)

    def ask(self, method: str, path: str, cookie: str | None = None, **headers: str) -> httpx.Response:
        """A request as a browser sends it; `cookie` is the value of the session."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if cookie is not None:
            sent["Cookie"] = f"other=1; {self.name}={cookie}; theme=dark"
        # A client of its own: it would keep the cookies it gets.
        return httpx.request(method, f"{self.server.url}{path}", headers=sent, timeout=PATIENCE)

    def value(self, token: str) -> str:
        """The value of a new session."""
        answer = self.ask("POST", "/session", **bearer(token))
        assert answer.status_code == 204, answer.text
        return answer.cookies[self.name]

    def status(self, cookie: str, **headers: str) -> int:
        return self.ask("GET", "/runs", cookie, **headers).status_code


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Locked]:
    """A service with keys, one run, and pages of an origin that it allows."""
    env = environment(None, RUNLAKE_CORS_ORIGINS=f"{DASH},http://127.0.0.1:3000")
    with Server(tmp_path_factory.mktemp("sessions") / "lake", env=env) as server:
        assert server.post(record(1)).status_code == 200
        yield Locked(server)


def attributes(answer: httpx.Response) -> tuple[str, str, set[str]]:
    """Name, value and attributes of the only cookie of an answer, in lower case."""
    (header,) = answer.headers.get_list("set-cookie")
    first, *others = (part.strip() for part in header.split(";"))
    name, _, value = first.partition("=")
    return name, value, {other.lower() for other in others}


def test_a_key_that_reads_gets_a_session(locked: Locked) -> None:
    """The cookie has the attributes that keep it from scripts and from other sites, and holds nothing of the key."""
    answer = locked.ask("POST", "/session", **bearer(locked.token))
    assert (answer.status_code, answer.content) == (204, b"")
    name, value, found = attributes(answer)
    assert name == locked.name
    assert found == {"httponly", "samesite=strict", "path=/", f"max-age={WEEK}"}
    assert locked.token.split("_")[2] not in value and locked.key.hash not in value
    number, expiry, _ = value.split(".")
    now = parsedate_to_datetime(answer.headers["date"]).timestamp()
    assert number == locked.key.id and abs(int(expiry) - now - WEEK) < 60
    page = locked.ask("GET", "/runs", value)
    assert (page.status_code, page.json()["total"]) == (200, 1)
    both = locked.ask("GET", "/about", locked.value(locked.both)).json()
    assert (both["scopes"], both["auth"]) == (["read"], "key")


def test_behind_tls_the_cookie_is_secure(locked: Locked) -> None:
    """The browser says so by the origin of its page, or the proxy by its header."""
    own = f"127.0.0.1:{locked.port}"
    for headers, secure in (
        ({"Origin": f"https://{own}"}, True),
        ({"X-Forwarded-Proto": "https"}, True),
        ({"X-Forwarded-Proto": "HTTPS, http"}, True),
        ({"Origin": f"http://{own}"}, False),
        ({"X-Forwarded-Proto": "http"}, False),
        ({}, False),
    ):
        for method in ("POST", "DELETE"):
            answer = locked.ask(method, "/session", **headers, **bearer(locked.token))
            assert ("secure" in attributes(answer)[2]) == secure, (method, headers)


def test_other_keys_get_none(locked: Locked) -> None:
    """Nor does a session get another one: it would never end."""
    for headers, status in (({}, 401), (bearer(f"{locked.token}0"), 401), (bearer(locked.writing), 403)):
        answer = locked.ask("POST", "/session", **headers)
        assert_problem(answer, status)
        assert "set-cookie" not in answer.headers
    own = f"http://127.0.0.1:{locked.port}"
    assert_problem(locked.ask("POST", "/session", locked.cookie, Origin=own), 401)
    assert_problem(httpx.post(f"{locked.server.url}/session?days=30", headers=bearer(locked.token)), 400, "days")


def test_to_leave_needs_no_key(locked: Locked) -> None:
    """Whatever the cookie was; the answer is the same."""
    for cookie in (locked.cookie, "rubbish", None):
        answer = locked.ask("DELETE", "/session", cookie)
        assert (answer.status_code, answer.content) == (204, b"")
        assert attributes(answer) == (locked.name, '""', {"httponly", "samesite=strict", "path=/", "max-age=0"})
    assert_problem(locked.ask("DELETE", "/session", Origin="http://evil.example"), 403)


def test_a_client_that_keeps_cookies_comes_and_goes(locked: Locked) -> None:
    with httpx.Client(base_url=locked.server.url) as browser:
        assert browser.get("/runs").status_code == 401
        assert browser.post("/session", headers=bearer(locked.token)).status_code == 204
        assert browser.get("/runs").json()["total"] == browser.get("/runs/").json()["total"] == 1
        tag = browser.get("/runs").headers["etag"]
        assert browser.get("/runs", headers={"If-None-Match": tag}).status_code == 304
        assert browser.delete("/session").status_code == 204
        assert not browser.cookies
        assert browser.get("/runs", headers={"If-None-Match": tag}).status_code == 401


def test_every_route_that_reads_takes_it(locked: Locked) -> None:
    """HEAD too; a route that is not there or takes no GET says so, and open ones need none."""
    for path in READ_ROUTES:
        assert locked.ask("GET", path, locked.cookie).status_code == 200, path
        assert locked.ask("HEAD", path, locked.cookie).status_code == 200, path
        assert locked.ask("GET", path, "rubbish").status_code == 401, path
    for path in OPEN_ROUTES:
        for cookie in (locked.cookie, "rubbish"):
            assert locked.ask("GET", path, cookie).status_code == 200, path
    assert_problem(locked.ask("GET", "/nope", locked.cookie), 404)
    for path in ("/session", "/session/"):
        assert_problem(locked.ask("GET", path, locked.cookie), 405)
        assert_problem(locked.ask("GET", path), 401)


def test_a_session_that_does_not_count_is_none_to_open_routes(locked: Locked) -> None:
    """A browser sends its old cookie with everything: the page must load, and be told that a key is needed."""
    assert locked.ask("GET", "/about", locked.cookie).json().keys() > {"version", "auth"}
    assert locked.ask("GET", "/ready", locked.cookie).json().keys() > {"status"}
    for headers in ({"cookie": "rubbish"}, {"cookie": locked.cookie, "Sec_Fetch_Site": "same-site"}):
        assert locked.ask("GET", "/about", **headers).json().keys() == {"version", "auth"}
        assert locked.ask("GET", "/ready", **headers).json() == {"status": "ready"}


def forged(locked: Locked) -> Iterator[str]:
    """Values that are near a good one."""
    number, expiry, mark = locked.cookie.split(".")
    other, _ = access.create(locked.paths, READING)
    yield from (f"{number}.{int(expiry) + 1}.{mark}", f"{other.id}.{expiry}.{mark}", f"{'0' * 12}.{expiry}.{mark}")
    yield from (f"{number}.{expiry}.{mark[:-1]}{'0' if mark[-1] != '0' else '1'}", f"{number}.{expiry}.{'0' * 64}")
    yield from (locked.cookie[:-1], f"{locked.cookie}0", locked.cookie.upper(), f'"{locked.cookie}"', locked.token)
    yield from (f"{number}.0{expiry}.{mark}", f"{number}.+{expiry}.{mark}", f"{number}.{expiry}", f"{number}..{mark}")
    yield from ("", ".", "..", "é" * 10, f"{number}.{'9' * 5000}.{mark}", f"{number}.{expiry}.{locked.key.hash}")


def test_a_forged_value_opens_nothing(locked: Locked) -> None:
    for value in forged(locked):
        header = f"{locked.name}={value}".encode()
        answer = httpx.get(f"{locked.server.url}/runs", headers=[(b"cookie", header)])
        assert_problem(answer, 401)
    assert locked.status(locked.cookie) == 200


@pytest.mark.parametrize("cut", range(0, 88, 5))
def test_a_cut_value_opens_nothing(locked: Locked, cut: int) -> None:
    assert locked.status(locked.cookie[:cut]) == locked.status(locked.cookie[cut + 1 :]) == 401


def test_only_the_cookie_of_its_port_counts(locked: Locked) -> None:
    """Browsers send cookies to every port of a name. Where another program set one of ours, any that is good counts."""
    url, good = locked.server.url, locked.cookie
    for header, status in (
        (f"runlake-{(locked.port or 0) + 1}={good}", 401),
        (f"runlake={good}", 401),
        (f"xrunlake-{locked.port}={good}", 401),
        (f"{locked.name.upper()}={good}", 401),
        (f"x={locked.name}={good}", 401),
        (f"{locked.name}={good}", 200),
        (f'broken; =; "; {locked.name} = {good} ;', 200),
        (f"{locked.name}=rubbish; {locked.name}={good}", 200),
    ):
        assert httpx.get(f"{url}/runs", headers={"Cookie": header}).status_code == status, header
    twice = [("Cookie", "a=1"), ("Cookie", f"{locked.name}={good}")]
    assert httpx.get(f"{url}/runs", headers=twice).status_code == 200


def test_the_port_is_the_one_the_browser_asked(locked: Locked) -> None:
    """Another one than ours behind a proxy, or where a container is reached by another port."""
    for host, port in (("runs.lan:8443", 8443), ("[::1]:81", 81), ("runs.lan", locked.port)):
        asked = {"Host": host, **bearer(locked.token)}
        answer = httpx.post(f"{locked.server.url}/session", headers=asked)
        name, value, _ = attributes(answer)
        assert name == f"runlake-{port}"
        sent = {"Host": host, "Cookie": f"{name}={value}"}
        assert httpx.get(f"{locked.server.url}/runs", headers=sent).status_code == 200
        assert httpx.get(f"{locked.server.url}/runs", headers=sent | {"Host": "runs.lan:5"}).status_code == 401


def test_a_key_in_the_header_is_what_counts(locked: Locked) -> None:
    """A wrong one is not made good by a session, and one that writes still writes."""
    assert_problem(locked.ask("GET", "/runs", locked.cookie, Authorization="Bearer x"), 401)
    assert_problem(locked.ask("GET", "/runs", locked.cookie, **bearer(locked.writing)), 403)
    body = {"runs": [record(1)]}
    headers = {"Cookie": f"{locked.name}={locked.cookie}", **bearer(locked.writing)}
    assert httpx.post(f"{locked.server.url}/runs", json=body, headers=headers).json()["duplicates"] == 1


def changing(locked: Locked) -> dict[str, tuple[str, str, Any]]:
    view = {"query": "range=24h"}
    return {
        "runs": ("POST", "/runs", {"runs": [record(2)]}),
        "names": ("PUT", "/tasks/names", {"names": {record(1)["task_id"]: {"name": "nightly"}}}),
        "view": ("PUT", "/views/mine", view),
        "no view": ("DELETE", "/views/mine", None),
    }


@pytest.mark.parametrize("what", ["runs", "names"])
def test_it_never_writes_runs_or_names(locked: Locked, what: str) -> None:
    """Also not that of a key with both scopes; it is as if there were none."""
    method, path, body = changing(locked)[what]
    for cookie in (locked.cookie, locked.value(locked.both)):
        for site in ({}, {"Sec-Fetch-Site": "same-origin"}):
            headers = {"Cookie": f"{locked.name}={cookie}", "Origin": locked.server.url, **site}
            answer = httpx.request(method, f"{locked.server.url}{path}", json=body, headers=headers)
            assert_problem(answer, 401)
            assert answer.headers["www-authenticate"] == 'Bearer realm="runlake"'
    assert locked.ask("GET", "/runs", locked.cookie).json()["total"] == 1
    assert locked.ask("GET", "/tasks/names", locked.cookie).json() == {"names": {}}


def test_to_change_a_view_the_page_has_to_be_of_the_service(locked: Locked) -> None:
    """By an Origin that is equal; each browser sends one with these methods."""
    other = f"http://127.0.0.1:{(locked.port or 0) + 1}"
    for origin, status in (
        (None, 401),
        ("null", 403),
        (other, 403),
        ("http://evil.example", 403),
        (DASH, 401),
        (locked.server.url, 200),
        (locked.server.url.replace("http:", "https:"), 200),
    ):
        for what in ("view", "no view"):
            method, path, body = changing(locked)[what]
            headers = {"Cookie": f"{locked.name}={locked.cookie}"} | ({"Origin": origin} if origin else {})
            answer = httpx.request(method, f"{locked.server.url}{path}", json=body, headers=headers)
            assert answer.status_code == status, (what, origin, answer.text)
    cookie = {"Cookie": f"{locked.name}={locked.cookie}"}
    twice = [*cookie.items(), ("Origin", locked.server.url), ("Origin", locked.server.url)]
    assert httpx.put(f"{locked.server.url}/views/mine", json={"query": "x"}, headers=twice).status_code == 401
    assert httpx.options(f"{locked.server.url}/runs", headers=cookie).status_code == 401


@pytest.mark.parametrize(
    ("site", "status"), [("same-origin", 200), ("none", 200), ("same-site", 401), ("cross-site", 401), ("x", 401)]
)
def test_pages_of_other_origins_have_no_session(locked: Locked, site: str, status: int) -> None:
    """Another port of this machine is the same site, to which a browser sends the cookie all the same. `none` is what
    the user did: an address typed in, a bookmark."""
    assert locked.status(locked.cookie, Sec_Fetch_Site=site) == status
    assert locked.status(locked.cookie, Sec_Fetch_Site=site, Origin=locked.server.url) == status
    for mode, dest in (("navigate", "document"), ("navigate", "iframe"), ("no-cors", "image"), ("cors", "empty")):
        asked = {"Sec_Fetch_Site": site, "Sec_Fetch_Mode": mode, "Sec_Fetch_Dest": dest}
        assert locked.status(locked.cookie, **asked) == status


def test_a_page_that_is_allowed_needs_its_own_key(locked: Locked) -> None:
    """CORS is for keys in the header; a browser shows no answer that a cookie opened to another origin."""
    for origin in (DASH, "http://127.0.0.1:3000"):
        assert_problem(locked.ask("GET", "/runs", locked.cookie, Origin=origin), 401)
        assert locked.ask("GET", "/runs", locked.cookie, Origin=origin, **bearer(locked.token)).status_code == 200
    assert locked.status(locked.cookie, Origin=locked.server.url) == 200
    assert locked.status(locked.cookie, Origin="http://evil.example") == 403


def test_it_ends_with_its_key(locked: Locked) -> None:
    """From the next request on; other sessions go on."""
    key, token = access.create(locked.paths, READING)
    cookie = locked.value(token)
    assert locked.status(cookie) == 200
    access.revoke(locked.paths, key.id)
    assert locked.status(cookie) == 401
    assert locked.status(locked.cookie) == 200


def test_it_needs_no_state_and_no_other_lake_takes_it(locked: Locked, tmp_path: Path) -> None:
    """A restart ends none. A service of another lake takes none, nor one whose key has the same id."""
    lake = tmp_path / "lake"
    key, token = access.create(Paths.of(lake), READING)
    with_key = bearer(token)
    server = Server(lake).wait_listening()
    try:
        value = attributes(httpx.post(f"{server.url}/session", headers=with_key))[1]
    finally:
        server.stop()
    again = Server(lake).wait_listening()
    try:
        port = urlsplit(again.url).port
        answer = httpx.get(f"{again.url}/tasks/names", headers={"Cookie": f"runlake-{port}={value}"})
        assert answer.status_code in (200, 503)  # it may not be loaded yet
        taken = httpx.get(f"{again.url}/runs", headers={"Cookie": f"runlake-{port}={locked.cookie}"})
        assert taken.status_code == 401
    finally:
        again.stop()
    assert locked.status(value) == 401
    keys = locked.paths.keys.read_bytes()
    locked.paths.keys.write_bytes(keys.replace(locked.key.id.encode(), key.id.encode()))
    assert locked.status(value) == 401
    locked.paths.keys.write_bytes(keys)
    assert locked.status(locked.cookie) == 200


def test_it_ends_after_a_week(tmp_path: Path) -> None:
    """By the clock of the service, whatever the browser thinks."""
    lake, clock = tmp_path / "lake", tmp_path / "clock"
    clock.write_text("+0")
    _, token = access.create(Paths.of(lake), READING)
    server = Server(lake, env=environment(None, **faked(clock))).wait_listening()
    try:
        value = attributes(httpx.post(f"{server.url}/session", headers=bearer(token)))[1]
        sent = {"Cookie": f"runlake-{urlsplit(server.url).port}={value}"}
        for offset, is_good in (("+0", True), (f"+{WEEK - 60}", True), (f"+{WEEK + 1}", False), ("+400d", False)):
            clock.write_text(offset)
            time.sleep(NOTICED_SECONDS)
            statuses = [httpx.get(f"{server.url}{path}", headers=sent, timeout=PATIENCE).status_code for path in PATHS]
            assert (statuses[0], statuses[1] != 401) == (200, is_good), offset
    finally:
        server.stop()


def test_keys_that_cannot_be_read_end_none_and_open_nothing(locked: Locked) -> None:
    """503 until they can; what needs no key is answered."""
    keys = locked.paths.keys.read_bytes()
    locked.paths.keys.write_bytes(b"{")
    try:
        assert_problem(locked.ask("GET", "/runs", locked.cookie), 503)
        assert_problem(locked.ask("POST", "/session", **bearer(locked.token)), 503)
        assert locked.ask("GET", "/about", locked.cookie).json().keys() == {"version", "auth"}
        assert locked.ask("DELETE", "/session", locked.cookie).status_code == 204
    finally:
        locked.paths.keys.write_bytes(keys)
    assert locked.status(locked.cookie) == 200


def test_without_keys_there_is_nothing_to_open(tmp_path: Path) -> None:
    """A page that signs in works as well; it gets no cookie, and one that it has does no harm."""
    with Server(tmp_path / "lake") as server:
        for headers in ({}, bearer("x"), {"Cookie": f"runlake-{urlsplit(server.url).port}=rubbish"}):
            answer = server.client.post("/session", headers=headers)
            assert (answer.status_code, answer.content) == (204, b"")
            assert "set-cookie" not in answer.headers
            assert server.client.get("/runs", headers=headers).status_code == 200
            assert server.client.delete("/session", headers=headers).status_code == 204


@by_operation
def test_the_document_says_what_it_opens(locked: Locked, op: Documented) -> None:
    """Every operation, as the document shows it, with the cookie in place of a key and from a page of the service."""
    first = next(iter(examples(op.facts.name).values()))
    content = op.entry.get("requestBody", {}).get("content", {}).get("application/json")
    body = {"json": content["example"]} if content else {}
    headers = {"Cookie": f"{locked.name}={locked.cookie}", "Origin": locked.server.url}
    path = first.request.split(" ")[1]
    if op.path.startswith("/runs/") and not path.startswith("/runs/"):
        path = f"/runs{path}"
    with httpx.stream(op.method.upper(), f"{locked.server.url}{path}", headers=headers, **body) as answer:
        needs_key = op.name in ("appendRuns", "putTaskNames", "createSession")
        assert (answer.status_code == 401) == needs_key
        if not needs_key:
            assert answer.status_code in (200, 204, 404)


def test_no_session_is_in_any_log(locked: Locked) -> None:
    """The id of its key is, as of requests with the key itself."""
    asked = locked.ask("GET", f"/runs/{record(1)['id']}", locked.cookie, X_Request_ID="mine-1")
    assert asked.status_code == 200
    locked.ask("GET", f"/runs?cookie={locked.cookie}", f"{locked.cookie[:-3]}abc")
    locked.ask("DELETE", "/session", locked.cookie)
    deadline = time.monotonic() + 10
    while not (lines := [line for line in locked.server.log if "id=mine-1 " in line]):
        assert time.monotonic() < deadline
    assert f"key={locked.key.id}" in lines[0]
    text = "".join(locked.server.log)
    assert len(OPERATIONS) > 20 and "route=/session " in text
    assert locked.cookie.split(".")[2][:40] not in text
    assert not re.search(r"[0-9a-f]{64}", text)
