"""A real browser on pages that mean ill, and on pages that are allowed, against a real service.

`make test-browser`. What the browser is made to do stands in `attacks.py`.
"""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import httpx
import pytest
from attacks import ENDLESS, READING, SENDING, script
from driver import chromium, driver
from playwright.sync_api import BrowserContext, Page
from support import Server, environment, record, runlake

from runlake import access
from runlake.api.docs import PAGES
from runlake.paths import Paths

pytestmark = pytest.mark.browser
PATIENCE: Final = 120.0  # seconds
QUIET: Final = 1.0  # seconds after which nothing more comes
OUTPUT: Final = "geheim-4711"
# Names that lead to this machine, as a site can make its own do.
NAMES: Final = ("evil.example", "dash.example")
FLAGS: Final = [
    *["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"],
    *["--disable-component-update", "--disable-sync"],
    "--host-resolver-rules=" + ",".join(f"MAP {name} 127.0.0.1" for name in NAMES),
]
# The service as it was before it looked at what pages send.
UNGUARDED: Final = """
from runlake.api import middleware
from runlake.api.origin_policy import OriginPolicy
OriginPolicy.check_origin = OriginPolicy.check_host = lambda self, scope: None
middleware._check_type = lambda scope: None
"""


class _Blank(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        content = b"<!doctype html><title>a page</title><body></body>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[int]:
    """The port of a web site whose only page is blank, under every name that leads here."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Blank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """Debian's chromium with a new profile."""
    context = driver().chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"), executable_path=chromium(), headless=True, args=FLAGS
    )
    context.set_default_timeout(PATIENCE * 1000)
    yield context
    context.close()


@contextmanager
def serving(lake: Path, before: str = "", **settings: str) -> Iterator[Server]:
    """A service with one run, whose output is the secret."""
    env = environment(None, **{f"RUNLAKE_{name.upper()}": value for name, value in settings.items()})
    with Server(lake, env=env, before=before) as server:
        assert server.post(record(1, output=OUTPUT)).status_code == 200
        yield server


@contextmanager
def at(browser: BrowserContext, url: str) -> Iterator[Page]:
    """A page of this address, open."""
    page = browser.new_page()
    try:
        page.goto(url)
        yield page
    finally:
        page.close()


def attacked(page: Page, url: str) -> dict[str, str]:
    """Let the page try everything; what it could read. Attempt n of SENDING tries to store record 100 + n."""
    for number, (name, action) in enumerate(SENDING.items(), 100):
        assert page.evaluate(script(action), [url, record(number)]) != ENDLESS, name
    read = {name: page.evaluate(script(action), [url, None]) for name, action in READING.items()}
    assert ENDLESS not in read.values(), read
    return {name: text for name, text in read.items() if text}


def stored(server: Server, **headers: str) -> set[str]:
    """Which attempts were stored, by what the service answers now, and no run beside them and the first one."""
    names = {str(uuid.UUID(int=number)): name for number, name in enumerate(SENDING, 100)}
    answer = server.client.get("/runs?limit=200", headers=headers).json()
    ids = {item["id"] for item in answer["items"]}
    assert answer["total"] == len(ids) == 1 + len(ids & names.keys())
    return {names[run_id] for run_id in ids & names.keys()}


def logged(server: Server, method: str, status: int) -> int:
    return sum(f"method={method} " in line and f" status={status} " in line for line in server.log)


def settle(server: Server) -> None:
    """Return when what pages sent without waiting has come: nothing is under way, and nothing more comes."""
    deadline, before, since = time.monotonic() + PATIENCE, len(server.log), time.monotonic()
    while time.monotonic() - since < QUIET:
        assert time.monotonic() < deadline
        time.sleep(0.02)
        if len(server.log) != before:
            before, since = len(server.log), time.monotonic()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service as shipped."""
    with serving(tmp_path_factory.mktemp("guarded") / "lake") as server:
        yield server


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "evil.example"])
def test_a_page_elsewhere_stores_and_reads_nothing(
    browser: BrowserContext, guarded: Server, site: int, name: str
) -> None:
    """Of another port of this machine, and of another site."""
    before = logged(guarded, "POST", 403)
    with at(browser, f"http://{name}:{site}/") as page:
        assert attacked(page, guarded.url) == {}
        assert attacked(page, guarded.url.replace("127.0.0.1", "localhost")) == {}
        settle(guarded)
    assert stored(guarded) == set()
    # Most of them did come, and were refused by the service, not by the browser.
    assert logged(guarded, "POST", 403) - before > len(SENDING)
    assert logged(guarded, "OPTIONS", 403) and logged(guarded, "GET", 403)
    count = runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(guarded.data))
    assert json.loads(count.stdout) == [{"n": 1}]


def test_the_same_page_would_store_runs_if_nobody_looked(browser: BrowserContext, site: int, tmp_path: Path) -> None:
    """The attacks are real: without the checks, bodies without a type are stored for any page."""
    with serving(tmp_path / "lake", UNGUARDED) as server, at(browser, f"http://evil.example:{site}/") as page:
        assert attacked(page, server.url) == {}
        settle(server)
        found = stored(server)
    assert {"fetch of a blob", "no-cors blob", "no-cors bytes", "beacon of a blob", "request of old"} <= found
    assert "sandboxed frame" in found
    assert not [name for name in found if name.startswith("form") or "text" in name]


def test_a_name_that_leads_here_reads_nothing(browser: BrowserContext, tmp_path: Path) -> None:
    """For the browser, the page is then of the service itself; unless the name is allowed, or nobody looks."""

    def tried(server: Server) -> tuple[dict[str, str], set[str]]:
        url = server.url.replace("127.0.0.1", "evil.example")
        with at(browser, f"{url}/health") as page:
            read = attacked(page, url)
            settle(server)
        return {name: text for name, text in read.items() if OUTPUT in text}, stored(server)

    with serving(tmp_path / "guarded") as server:
        assert tried(server) == ({}, set())
        assert logged(server, "POST", 421) > 10 and logged(server, "POST", 200) == 1
    with serving(tmp_path / "allowed", allowed_hosts="evil.example") as server:
        read, found = tried(server)
        assert {"fetch", "request of old", "frame", "worker"} <= read.keys()
        assert {"fetch", "beacon of a typed blob"} <= found
        assert not {"no-cors blob", "no-cors bytes", "form of text/plain"} & found
    with serving(tmp_path / "unguarded", UNGUARDED) as server:
        read, found = tried(server)
        assert {"fetch", "frame"} <= read.keys() and {"fetch", "no-cors blob"} <= found


# What an allowed page may do: read a page of runs and its headers, ask for it again, read problems, append.
ALLOWED: Final = """async ([url, record, key]) => {
    const headers = key ? {Authorization: 'Bearer ' + key} : {};
    const shown = async (path, options = {}) => {
        const answer = await fetch(url + path, {...options, headers: {...headers, ...options.headers}});
        const names = ['etag', 'x-request-id', 'link', 'content-type'];
        const found = Object.fromEntries(names.map(name => [name, answer.headers.get(name)]));
        return {status: answer.status, text: await answer.text(), ...found};
    };
    const json = {'Content-Type': 'application/json'};
    const body = JSON.stringify({runs: [record]});
    const packed = await new Response(
        new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))).arrayBuffer();
    const page = await shown('/runs?limit=1');
    return {
        page,
        again: await shown('/runs?limit=1', {cache: 'no-store', headers: {'If-None-Match': page.etag}}),
        problem: await shown('/runs?limt=1'),
        missing: await shown('/nope'),
        posted: await shown('/runs', {method: 'POST', headers: json, body}),
        packed: await shown('/runs', {method: 'POST', headers: {...json, 'Content-Encoding': 'gzip'}, body: packed}),
        clash: await shown('/runs', {method: 'POST', headers: json, body: body.replace('true', 'false')}),
        untyped: await shown('/runs', {method: 'POST', body: new Blob([body])}),
        unkeyed: await fetch(url + '/runs').then(async a => ({status: a.status, text: await a.text()})),
    };
}"""


@pytest.mark.parametrize("with_key", [False, True], ids=["without keys", "with a key"])
def test_an_allowed_page_reads_and_writes(browser: BrowserContext, site: int, tmp_path: Path, with_key: bool) -> None:
    """The answers, their headers and every problem; what its browser sends without asking is refused all the same."""
    origin = f"http://dash.example:{site}"
    with serving(tmp_path / "lake", cors_origins=f"https://other.example,{origin}") as server:
        token = access.create(Paths.of(tmp_path / "lake"), ("read", "write"))[1] if with_key else ""
        with at(browser, origin) as page:
            seen: dict[str, dict[str, Any]] = page.evaluate(ALLOWED, [server.url, record(100), token])
            statuses = {"page": 200, "again": 304, "problem": 400, "missing": 404, "posted": 200, "packed": 200}
            statuses |= {"clash": 409, "untyped": 415, "unkeyed": 401 if with_key else 200}
            assert {name: answer["status"] for name, answer in seen.items()} == statuses
            assert OUTPUT in seen["page"]["text"]
            assert seen["page"]["etag"] == seen["again"]["etag"] is not None
            assert all(answer["x-request-id"] for name, answer in seen.items() if name != "unkeyed")
            assert json.loads(seen["posted"]["text"])["stored"] == 1
            assert json.loads(seen["packed"]["text"])["duplicates"] == 1
            assert json.loads(seen["problem"]["text"])["errors"][0]["field"] == "limt"
            assert "a key is needed" in seen["unkeyed"]["text"] if with_key else OUTPUT in seen["unkeyed"]["text"]
            if not with_key:
                linked = page.evaluate(ALLOWED, [server.url, record(100), token])["page"]["link"]
                assert 'rel="next"' in linked
                read = attacked(page, server.url)
                assert {"fetch", "fetch of a problem", "request of old", "worker"} <= read.keys()
                settle(server)
                assert stored(server) == {"fetch"}
        with at(browser, f"http://evil.example:{site}/") as page:
            assert attacked(page, server.url) == {}
            settle(server)
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert httpx.get(f"{server.url}/runs", headers=headers).json()["total"] == 2


def test_a_name_that_leads_here_has_no_key(browser: BrowserContext, tmp_path: Path) -> None:
    """With keys any name will do, as a page has none."""
    with serving(tmp_path / "lake") as server:
        _, token = access.create(Paths.of(tmp_path / "lake"), ("read",))
        url = server.url.replace("127.0.0.1", "evil.example")
        with at(browser, f"{url}/health") as page:
            read = attacked(page, url)
            settle(server)
        assert not [name for name, text in read.items() if OUTPUT in text]
        assert "a key is needed" in read["fetch"]
        assert stored(server, Authorization=f"Bearer {token}") == set()


# What a page of the service does once it has a key: it trades the key for a cookie, which no script sees.
ENTERS: Final = """async key => {
    const status = async (path, options = {}) => (await fetch(path, options)).status;
    const json = {'Content-Type': 'application/json'};
    const before = await status('/runs');
    const entered = await status('/session', {method: 'POST', headers: {Authorization: 'Bearer ' + key}});
    const events = new EventSource('/runs');
    const opened = await new Promise(done => { events.onopen = () => done(true); events.onerror = () => done(false); });
    events.close();
    return {
        before, entered, opened, cookie: document.cookie,
        runs: await status('/runs'),
        view: await status('/views/mine', {method: 'PUT', headers: json, body: '{"query": "range=24h"}'}),
        posted: await status('/runs', {method: 'POST', headers: json, body: '{"runs": []}'}),
    };
}"""
# The service as if it did not look at which page asks.
TRUSTING: Final = """
from runlake.api import browser_session
browser_session._OWN_SITES = tuple([site] for site in ("same-origin", "same-site", "none"))
"""


@pytest.mark.parametrize("trusting", [False, True], ids=["as shipped", "without looking at the page"])
def test_a_page_enters_with_a_key_and_its_cookie_is_for_no_other(
    browser: BrowserContext, site: int, tmp_path: Path, trusting: bool
) -> None:
    """Its links work, and an address typed in. The browser sends the cookie for a page of another port, too: of the
    same site; the service does not count it. That page reads nothing in any case."""
    with serving(tmp_path / "lake", TRUSTING if trusting else "") as server:
        key, token = access.create(Paths.of(tmp_path / "lake"), ("read", "write"))
        with at(browser, f"{server.url}/health") as page:
            seen = page.evaluate(ENTERS, token)
            assert seen == {"before": 401, "entered": 204, "opened": True, "cookie": "", "runs": 200, "view": 200} | {
                "posted": 401
            }
            answer = page.goto(f"{server.url}/runs")
            assert answer is not None and answer.status == 200 and OUTPUT in page.content()
        with at(browser, f"http://127.0.0.1:{site}/") as page:
            let_in = sum(f"key={key.id}" in line for line in server.log)
            assert attacked(page, server.url) == {}
            settle(server)
            assert (sum(f"key={key.id}" in line for line in server.log) > let_in) == trusting
            with page.expect_navigation():
                page.evaluate("url => { location.href = url + '/runs'; }", server.url)
            assert (OUTPUT in page.content()) == trusting
        with at(browser, f"{server.url}/health") as page:
            leave = "async () => [(await fetch('/session', {method: 'DELETE'})).status, (await fetch('/runs')).status]"
            assert page.evaluate(leave) == [204, 401]
        assert stored(server, Authorization=f"Bearer {token}") == set()


def test_the_api_browser_works(browser: BrowserContext, guarded: Server) -> None:
    """By every name the service goes by; its own script may ask the service, and nothing of it is refused."""
    for name in ("127.0.0.1", "localhost"):
        url = guarded.url.replace("127.0.0.1", name)
        port = urlsplit(url).port
        with at(browser, f"http://{name}:{port}/docs/api") as page:
            page.wait_for_selector("text=Append runs, or finish open ones")
            post = script(f"{SENDING['fetch']}.then(answer => answer.text())")
            answer = page.evaluate(post, [url, record(1, output=OUTPUT)])
            assert json.loads(answer)["duplicates"] == 1


@pytest.mark.parametrize("width", [1280, 360])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_handbook_is_shown_as_it_is_meant(
    browser: BrowserContext, guarded: Server, scheme: Literal["light", "dark"], width: int
) -> None:
    """The style sheet counts, the browser refuses nothing, and no page is wider than the screen."""
    said: list[str] = []
    with at(browser, f"{guarded.url}/docs") as page:
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 900})
        page.on("console", lambda message: said.append(message.text))
        for name in PAGES:
            page.goto(f"{guarded.url}/docs/{name}")
            background = page.evaluate("getComputedStyle(document.body).backgroundColor")
            assert background == {"light": "rgb(255, 255, 255)", "dark": "rgb(21, 25, 30)"}[scheme]
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
            assert said == [], name


def test_the_handbook_is_read_with_the_keyboard(browser: BrowserContext, guarded: Server) -> None:
    """The first stop leads over the navigation to the text; a link leads to its place on another page."""
    with at(browser, f"{guarded.url}/docs") as page:
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.click("main >> text=HTTP API")
        page.click("nav >> text=GET /stats/histogram")
        assert urlsplit(page.url)[2:] == ("/docs/http-api", "", "get-statshistogram")
        assert page.evaluate("document.querySelector(':target').tagName") == "H2"
