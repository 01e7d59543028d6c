"""Views: a screen has a name, and everybody finds it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from screens import UNTIL, Opened, query, settled, unusable
from support import Server, runlake

from runlake import access
from runlake.paths import Paths

pytestmark = pytest.mark.browser
FAILED: Final = "?range=7d&tz=Asia/Kolkata&status=failed"
RUN: Final = {"task_id": "00000000-0000-0000-0000-000000000001", "started_at": "2026-11-15T11:00:00Z"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A service without views."""
    made = runlake("generate", "--runs", "300", "--days", "7", "--until", UNTIL, "--data", str(tmp_path / "lake"))
    assert made.returncode == 0, made.stderr
    with Server(tmp_path / "lake") as found:
        yield found


def menu(page: Page) -> None:
    """Opens the menu of views."""
    page.get_by_role("button", name="Views", exact=True).click()
    expect(page.locator(".views form")).to_be_visible()


def save(page: Page, name: str, word: str = "Save") -> None:
    """Gives a name to the screen."""
    page.get_by_label("Name of what is shown").fill(name)
    page.locator(".views").get_by_role("button", name=word, exact=True).click()


def names(page: Page) -> list[str]:
    """The views in the menu."""
    return page.locator(".views li a").all_inner_texts()


def test_a_view_is_found_by_another_browser(open_page: Opened, server: Server) -> None:
    """With the page, the window, the zone and the filters; what is marked is left out."""
    page = open_page(f"/ui/runs{FAILED}", server=server)
    settled(page)
    page.keyboard.press("j")
    assert "&sel=" in query(page)
    menu(page)
    expect(page.locator(".views")).to_contain_text("There are none yet")
    save(page, "Nachts & früh?")
    expect(page.locator(".views li")).to_have_count(1)
    stored = {"name": "Nachts & früh?", "query": f"{FAILED[1:]}&page=/ui/runs"}
    assert server.client.get("/views").json() == {"views": [stored]}
    other = open_page("/ui/tasks", server=server)
    menu(other)
    other.get_by_role("link", name="Nachts & früh?").click()
    settled(other)
    assert other.url == f"{server.url}/ui/runs{FAILED}"
    expect(other.locator(".views li")).to_have_count(0)
    menu(other)
    assert unusable(other) == []


def test_a_view_that_a_program_made_is_one_of_runs(open_page: Opened, server: Server) -> None:
    """Its query names no page; one that names a page elsewhere is one of runs, too."""
    for name, stored in {"a": "range=7d", "b": "?page=//example.com/ui&range=7d", "c": "page=/ui/tasks"}.items():
        assert server.client.put(f"/views/{name}", json={"query": stored}).status_code == 200
    page = open_page("/", server=server)
    menu(page)
    expect(page.locator(".views li")).to_have_count(3)
    links = page.locator(".views li a").evaluate_all("links => links.map(link => link.href)")
    assert links == [f"{server.url}{path}" for path in ("/ui/runs?range=7d", "/ui/runs?range=7d", "/ui/tasks")]


def test_a_view_is_replaced_and_forgotten(open_page: Opened, server: Server) -> None:
    """The button says that it replaces; what was forgotten can be brought back."""
    page = open_page("/ui/tasks?range=7d", server=server)
    menu(page)
    save(page, "fleet")
    expect(page.locator(".views li")).to_have_count(1)
    page.keyboard.press("Escape")
    page.goto(f"{server.url}/ui/tasks?range=30d")
    menu(page)
    save(page, "fleet", "Replace")
    expect(page.get_by_label("Name of what is shown")).to_have_value("")
    assert server.client.get("/views/fleet").json()["query"] == "range=30d&page=/ui/tasks"
    page.get_by_role("button", name="Forget the view fleet").click()
    expect(page.locator(".views li")).to_have_count(0)
    assert server.client.get("/views/fleet").status_code == 404
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".views li")).to_have_count(1)
    assert server.client.get("/views/fleet").json()["query"] == "range=30d&page=/ui/tasks"


def test_a_browser_begins_with_a_view(open_page: Opened, server: Server) -> None:
    """Where the address asks for nothing else; when the view is forgotten, with the Overview again."""
    page = open_page("/ui/workers?range=7d", server=server, expected=("404: ",))
    menu(page)
    save(page, "machines")
    page.get_by_role("button", name="Begin with the view machines").click()
    page.goto(server.url)
    settled(page)
    assert page.url == f"{server.url}/ui/workers?range=7d"
    page.get_by_role("link", name="Overview").click()
    settled(page)
    assert page.url == f"{server.url}/?range=7d"
    page.goto(f"{server.url}/?range=1h")
    settled(page)
    assert query(page) == "?range=1h"
    assert server.client.delete("/views/machines").status_code == 200
    page.goto(server.url)
    settled(page)
    assert page.evaluate("location.pathname + location.search") == "/"
    assert page.evaluate("localStorage.getItem('runlake.view')") == ""


def test_what_the_service_refuses_is_said(open_page: Opened, tmp_path: Path) -> None:
    """A key that reads may share views; what is too long stays typed, and a revoked key is asked for."""
    with Server(tmp_path / "lake") as server:
        paths = Paths.of(tmp_path / "lake")
        key, secret = access.create(paths, ("read",))
        page = open_page("/ui/runs", server=server, expected=("401: ", "400: "))
        page.get_by_label("Key", exact=True).fill(secret)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".nothing")).to_contain_text("There are no runs yet")
        menu(page)
        save(page, "mine")
        expect(page.locator(".views li")).to_have_count(1)
        page.goto(f"{server.url}/ui/tasks?q={'long' * 1100}")
        menu(page)
        save(page, "too long")
        expect(page.locator(".views [role=alert]")).to_contain_text("Bad Request: ")
        expect(page.get_by_label("Name of what is shown")).to_have_value("too long")
        assert names(page) == ["mine"]
        access.revoke(paths, key.id)
        page.get_by_role("button", name="Forget the view mine").click()
        expect(page.get_by_role("dialog", name="API key")).to_be_visible()
