"""Live in a browser with several tabs: one stream among them, and the same on all that are seen."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from clients import until as served
from playwright.sync_api import BrowserContext, Page, Request, expect
from screens import NOW, Opened, numbers, settled
from streams import following
from support import Server, environment, record

from runlake import access
from runlake.paths import Paths

pytestmark = pytest.mark.browser
TABS: Final = 8
STREAM: Final = "/stream/runs"
RUNS: Final = "/ui/runs?range=1h"
LATER: Final = NOW.timestamp() + 20  # when the runs of `new` are within the window
STEPS: Final = 12_000  # milliseconds in which a page without a stream asks again
# The browser hides no tab of a window that is not there, so the page is told that it is hidden, or seen.
SHOW: Final = """state => {
  Object.defineProperty(document, 'visibilityState', {configurable: true, get: () => state});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def new(number: int) -> dict[str, Any]:
    """A failed run that starts after the page was opened."""
    at = "2026-11-15T12:00:20Z"
    return record(number, started_at=at, finished_at=at, success=False, error="ValueError: broken")


def old(number: int) -> dict[str, Any]:
    """One that started half an hour before."""
    return new(number) | {"started_at": "2026-11-15T11:30:00Z"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A service with two runs of the last hour."""
    with Server(tmp_path / "lake") as found:
        assert found.post(old(0), old(1)).status_code == 200
        yield found


@contextmanager
def heard(context: BrowserContext) -> Iterator[list[Request]]:
    """What scripts of all tabs ask meanwhile."""
    requests: list[Request] = []

    def hear(request: Request) -> None:
        if request.resource_type == "fetch":
            requests.append(request)

    context.on("request", hear)
    yield requests
    context.remove_listener("request", hear)


def streams(requests: list[Request]) -> list[Request]:
    """Those that began a stream."""
    return [request for request in requests if urlsplit(request.url).path == STREAM]


def beside(page: Page) -> Page:
    """Another tab of the browser, with the same screen."""
    tab = page.context.new_page()
    tab.clock.set_fixed_time(NOW)
    tab.goto(page.url)
    return tab


def has(page: Page, runs: int) -> None:
    """The head, the list and the title are of so many runs."""
    expect(page.locator("table.list")).to_have_attribute("aria-rowcount", str(runs + 1))
    settled(page)
    assert numbers(page) == {"total": runs, "failed": runs, "rows": runs}
    expect(page).to_have_title(re.compile(rf"^\({runs} ✕\) Runs "))


def test_one_of_eight_tabs_has_the_stream(open_page: Opened, server: Server) -> None:
    """All load, all show a new run, and when the tab with the stream is closed another one has it."""
    page = open_page("/health", server=server)
    with heard(page.context) as requests:
        page.goto(server.url + RUNS)
        tabs = [page, *(beside(page) for _ in range(TABS - 1))]
        for tab in tabs:
            has(tab, 2)
            tab.clock.set_fixed_time(LATER)
        served(server, "streams", 1)
        assert len(streams(requests)) == 1
        assert server.post(new(2)).status_code == 200
        for tab in tabs:
            has(tab, 3)
        leader = streams(requests)[0].frame.page
        tabs.remove(leader)
        leader.close()
        assert server.post(new(3)).status_code == 200
        for tab in tabs:
            has(tab, 4)
        served(server, "streams", 1)
        first, second = streams(requests)
        assert first.frame.page is leader and second.frame.page in tabs


def test_a_hidden_tab_asks_nothing(open_page: Opened, server: Server) -> None:
    """A browser all of whose tabs are hidden has no stream; a tab that is seen again shows what came meanwhile."""
    page = open_page(RUNS, server=server)
    other = beside(page)
    for tab in (page, other):
        has(tab, 2)
        tab.clock.set_fixed_time(LATER)
    served(server, "streams", 1)
    page.evaluate(SHOW, "hidden")
    assert server.post(new(2)).status_code == 200
    has(other, 3)
    served(server, "streams", 1)
    other.evaluate(SHOW, "hidden")
    served(server, "streams", 0)
    with heard(page.context) as requests:
        assert server.post(new(3)).status_code == 200
        page.wait_for_timeout(STEPS)
        assert requests == []
        assert numbers(page)["rows"] == 2 and numbers(other)["rows"] == 3
        for tab in (page, other):
            tab.evaluate(SHOW, "visible")
            has(tab, 4)
        assert len(streams(requests)) == 1
    served(server, "streams", 1)


def test_a_tab_that_is_opened_hidden_is_brought_up_to_date(open_page: Opened, server: Server) -> None:
    """It has loaded before it is seen; what came in between is there then."""
    page = open_page("/health", server=server)
    page.add_init_script(f"({SHOW})('hidden')")
    page.goto(server.url + RUNS)
    has(page, 2)
    page.clock.set_fixed_time(LATER)
    assert server.post(new(2)).status_code == 200
    served(server, "streams", 0)
    page.evaluate(SHOW, "visible")
    has(page, 3)


def test_a_paused_page_has_no_stream(open_page: Opened, server: Server) -> None:
    """The browser remembers the pause; a window of the past has nothing to follow either."""
    page = open_page(RUNS, server=server)
    settled(page)
    served(server, "streams", 1)
    page.keyboard.press("l")
    served(server, "streams", 0)
    with heard(page.context) as requests:
        page.reload()
        settled(page)
        page.keyboard.press("l")
        served(server, "streams", 1)
        page.goto(f"{server.url}/ui/runs?range=yesterday")
        expect(page.locator("button.live")).to_be_disabled()
        served(server, "streams", 0)
        assert len(streams(requests)) == 1


def test_an_idle_page_asks_nothing(open_page: Opened, server: Server) -> None:
    """But the stream: the window goes on 10 seconds after the page was opened, and then every 30 seconds."""
    page = open_page("/health", server=server)
    page.clock.install(time=NOW)
    page.goto(server.url + RUNS)
    has(page, 2)
    served(server, "streams", 1)
    with heard(page.context) as requests:
        asked: list[list[str]] = []
        for seconds in (11, 20, 11):
            before = len(requests)
            page.clock.fast_forward(seconds * 1000)
            page.wait_for_timeout(500)
            settled(page)
            asked.append([request.url for request in requests[before:]])
    assert [len(urls) for urls in asked] == [4, 0, 4]
    assert "end_time=2026-11-15T12:00:20Z" in asked[0][0] and "end_time=2026-11-15T12:00:50Z" in asked[2][0]


def polls(page: Page, server: Server) -> None:
    """A new run is there without a stream, a few seconds later."""
    has(page, 2)
    page.clock.set_fixed_time(LATER)
    assert server.post(new(2)).status_code == 200
    expect(page.locator("table.list")).to_have_attribute("aria-rowcount", "4", timeout=STEPS)
    has(page, 3)


@pytest.mark.parametrize("why", ["no locks", "an old service"])
def test_without_a_stream_the_page_asks_every_ten_seconds(open_page: Opened, server: Server, why: str) -> None:
    """A browser has no locks where the page comes over plain HTTP from another machine."""
    page = open_page("/health", server=server, expected=("404: ",))
    if why == "no locks":
        page.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', {get: () => undefined})")
    else:
        page.route(f"**{STREAM}", lambda route: route.fulfill(status=404, json={"title": "Not Found", "status": 404}))
    with heard(page.context) as requests:
        page.goto(server.url + RUNS)
        polls(page, server)
        assert len(streams(requests)) == (why == "an old service")
    served(server, "streams", 0)


def test_a_service_with_too_many_streams_is_asked_again(open_page: Opened, tmp_path: Path) -> None:
    """The page asks every ten seconds meanwhile; nobody is told of a trouble."""
    with Server(tmp_path / "lake", env=environment(None, RUNLAKE_STREAMS="1")) as server:
        assert server.post(old(0), old(1)).status_code == 200
        with following(server) as events:
            next(events)
            page = open_page("/health", server=server, expected=("503: ",))
            page.goto(server.url + RUNS)
            polls(page, server)
            expect(page.locator(".trouble, .outage:not(:empty)")).to_have_count(0)
        with page.expect_response(lambda answer: answer.url.endswith(STREAM) and answer.ok, timeout=35_000):
            pass
        page.clock.set_fixed_time(LATER + 1)
        assert server.post(new(3)).status_code == 200
        has(page, 4)


def test_live_goes_on_in_all_tabs_after_the_service_was_killed(open_page: Opened, tmp_path: Path) -> None:
    """With one stream again, and without a run that was missed."""
    with Server(tmp_path / "lake") as server:
        assert server.post(old(0), old(1)).status_code == 200
        port = urlsplit(server.url).port
        page = open_page(RUNS, server=server, expected=("503: ",))
        tabs = [page, beside(page)]
        for tab in tabs:
            tab.clock.set_fixed_time(LATER)
        served(server, "streams", 1)
        server.stop(signal.SIGKILL)
        expect(page.locator(".outage")).to_contain_text("No connection to the service")
        with Server(tmp_path / "lake", "--port", str(port)) as again:
            assert again.post(new(2)).status_code == 200
            for tab in tabs:
                expect(tab.locator("table.list")).to_have_attribute("aria-rowcount", "4", timeout=15_000)
            served(again, "streams", 1)
            for tab in tabs:
                tab.clock.set_fixed_time(LATER + 1)
            assert again.post(new(3)).status_code == 200
            for tab in tabs:
                has(tab, 4)


def test_a_revoked_key_is_asked_for(open_page: Opened, tmp_path: Path) -> None:
    """The stream ends with the key, and the new one opens another."""
    with Server(tmp_path / "lake") as server:
        paths = Paths.of(tmp_path / "lake")
        key, secret = access.create(paths, ("read", "write"))
        page = open_page("/ui/runs", server=server, expected=("401: ",))
        prompt = page.get_by_label("Key", exact=True)
        prompt.fill(secret)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".nothing")).to_contain_text("There are no runs yet")
        with page.expect_response(lambda answer: answer.url.endswith(STREAM) and answer.status == 401):
            access.revoke(paths, key.id)
            _, other = access.create(paths, ("read", "write"))
            headers = {"Authorization": f"Bearer {other}"}
            assert server.client.post("/runs", json={"runs": [new(0)]}, headers=headers).status_code == 200
        expect(page.get_by_role("dialog", name="API key")).to_be_visible()
        prompt.fill(other)
        with page.expect_request(f"**{STREAM}"):
            page.get_by_role("button", name="Sign in").click()
        settled(page)
