"""How many questions each page asks the API when it is opened; the handbook has the same numbers."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, Request
from screens import PATIENCE, Opened
from support import Server

pytestmark = pytest.mark.browser
WEEK: Final = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
PAGE: Final = Path(__file__).parents[2] / "docs" / "page.md"
ONCE: Final = {"/about", "/tasks/names", "/stream/runs"}  # asked once a visit, by no page


QUIET: Final = 500  # milliseconds without a further question: the page asks no more


@contextmanager
def heard(page: Page) -> Iterator[list[str]]:
    """The routes that a page asks meanwhile."""
    routes: list[str] = []

    def hear(request: Request) -> None:
        path = request.url.split("?")[0].split("/", 3)[3]
        if request.resource_type == "fetch" and f"/{path}" not in ONCE:
            routes.append(path)

    page.on("request", hear)
    yield routes
    page.remove_listener("request", hear)


def settle(page: Page, routes: list[str], at_least: int) -> None:
    """Waits until a page has asked so much, and then asks nothing for a while: slow machines take their time.

    Not `wait_for_load_state("networkidle")`: it holds for ever once it was reached, whatever the page asks later.
    """
    deadline = time.monotonic() + PATIENCE
    while len(routes) < at_least and time.monotonic() < deadline:
        page.wait_for_timeout(QUIET / 10)
    before = -1
    while before != len(routes):
        before = len(routes)
        page.wait_for_timeout(QUIET)


def asked(page: Page, url: str, at_least: int = 1) -> list[str]:
    """The routes that a page asks at first, on a screen of 1440 by 900."""
    with heard(page) as routes:
        page.goto(url)
        settle(page, routes, at_least)
    return routes


def test_each_page_asks_as_few_questions_as_the_handbook_says(open_page: Opened, history: Server) -> None:
    """More only when more comes into view, is marked, or is selected."""
    row = r"^\| (\w[\w ]*), `/[^|]*\| [^|]* \| (\d+) \|$"
    told = {name: int(n) for name, n in re.findall(row, PAGE.read_text(encoding="utf-8"), re.MULTILINE)}
    run = history.client.get("/runs", params={**WEEK, "status": "failed", "limit": "1"}).json()["items"][0]
    group = history.client.get("/errors", params=WEEK).json()["groups"][0]["id"]
    paths = {
        "Overview": "/",
        "Runs": "/ui/runs",
        "Run": f"/ui/runs/{run['id']}",
        "Tasks": "/ui/tasks",
        "Task": f"/ui/tasks/{run['task_id']}",
        "Errors": "/ui/errors",
        "Error group": f"/ui/errors/{group}",
        "Workers": "/ui/workers",
        "SQL": "/ui/sql",
    }
    page = open_page("/ui/no page")
    counts = {name: len(asked(page, f"{history.url}{path}?range=7d", told[name])) for name, path in paths.items()}
    assert counts == told
    page.evaluate("scrollTo(0, 0)")
    task = f"{history.url}{paths['Task']}?range=7d"
    first = asked(page, task, counts["Task"])
    with heard(page) as later:  # not so high that the list shows more than a page of runs while panels above it load
        page.set_viewport_size({"width": 1440, "height": 2400})
        settle(page, later, 7)
    assert len(first) == counts["Task"] and len(later) == 7, (first, later)


def test_a_page_that_is_left_asks_nothing(open_page: Opened, history: Server) -> None:
    """From a task to its runs of one worker: the page of the task would ask nine questions about these at once."""
    run = history.client.get("/runs", params={**WEEK, "status": "failed", "limit": "1"}).json()["items"][0]
    task = f"/ui/tasks/{run['task_id']}?range=7d"
    page = open_page(task, height=3000)
    link = page.locator("section[aria-label='Its workers'] li a").first
    link.wait_for()
    fresh = asked(page, f"{history.url}{link.get_attribute('href')}")
    asked(page, history.url + task)
    link.wait_for()
    with heard(page) as routes:
        link.click()
        page.wait_for_url("**/ui/runs?**")
        settle(page, routes, len(fresh))
    assert sorted(routes) == sorted(fresh)
