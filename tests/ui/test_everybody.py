"""Everybody can use each page: whole, while it loads, empty, and when each question is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

import pytest
from playwright.sync_api import Page, Route, expect
from screens import MEDIA, Opened, settled, unusable
from support import Server

pytestmark = pytest.mark.browser
WEEK: Final = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
NOTHING: Final = "start_time=2020-01-01T00:00:00Z&end_time=2020-01-02T00:00:00Z"  # before the history
REFUSED: Final = {"type": "about:blank", "title": "Internal Server Error", "detail": "a part is broken", "status": 500}
OTHER: Final = MEDIA[1:]  # the narrow screen is light
Path = Callable[[Server], str]


def run(server: Server) -> str:
    """A failed run."""
    items = server.client.get("/runs", params={**WEEK, "status": "failed", "limit": "1"}).json()["items"]
    return f"/ui/runs/{items[0]['id']}"


def task(server: Server) -> str:
    """The task that fails most in a row."""
    columns = server.client.get("/stats/tasks", params=WEEK).json()["columns"]
    return f"/ui/tasks/{columns['task_id'][columns['streak'].index(min(columns['streak']))]}"


def group(server: Server) -> str:
    """A group of errors with a trace."""
    groups = server.client.get("/errors", params=WEEK).json()["groups"]
    return f"/ui/errors/{next(one['id'] for one in groups if one['frame'])}"


PAGES: Final[dict[str, Path]] = {
    "overview": lambda _: "/",
    "runs": lambda _: "/ui/runs",
    "run": run,
    "tasks": lambda _: "/ui/tasks",
    "task": task,
    "errors": lambda _: "/ui/errors",
    "error group": group,
    "workers": lambda _: "/ui/workers",
}


def asks(page: Page, answer: Callable[[Route], None] | None) -> None:
    """Answer the questions to the API in this way; None leaves them to the service."""
    page.unroute("**/*")
    if answer:
        page.route(lambda url: "/ui/" not in url, lambda route: answered(route, answer))


def answered(route: Route, answer: Callable[[Route], None]) -> None:
    """Only what scripts ask for; the page itself comes from the service."""
    if route.request.resource_type == "fetch":
        answer(route)
    else:
        route.continue_()


def refuse(route: Route) -> None:
    """A problem, as the API words them."""
    route.fulfill(status=500, content_type="application/problem+json", body=json.dumps(REFUSED))


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_use_it(open_page: Opened, history: Server, name: str) -> None:
    """axe finds nothing in light, dark and forced colours, nor on a narrow screen, where nothing is wider than it."""
    path = PAGES[name](history)
    page = open_page(f"{path}?range=7d", height=3000, expected=("500: ", "404: "))
    if name == "run":
        expect(page.locator(".neighbours")).to_be_visible()
    else:
        settled(page)
    assert unusable(page) == []
    missing = path.replace(path[-4:], "0000") if name in {"run", "error group"} else path
    page.goto(f"{history.url}{missing}?{NOTHING}&q=nothing")
    expect(page.locator(".nothing, .note").first).to_be_visible()
    assert unusable(page, OTHER) == []
    held: list[Route] = []
    asks(page, held.append)
    page.goto(f"{history.url}{path}?range=7d")
    expect(page.locator(".skeleton, .waiting, tr.coming, [aria-busy=true]").first).to_be_visible()
    assert unusable(page, OTHER) == []
    for route in held:
        route.abort()
    asks(page, refuse)
    page.goto(f"{history.url}{path}?range=7d")
    expect(page.locator(".trouble").first).to_contain_text("a part is broken")
    assert unusable(page, OTHER) == []
