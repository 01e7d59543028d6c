"""Every single key does what the help says, and the focus returns to where it was."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, query, settled, until

pytestmark = pytest.mark.browser
WEEK = "/ui/runs?range=7d"
CHROME = {"permissions": ["clipboard-read", "clipboard-write"], "timezone_id": "Asia/Tokyo"}


def press(page: Page, keys: str) -> str:
    """Press the keys of a shortcut; returns path and query afterwards."""
    for key in keys.split():
        page.keyboard.press(key)
    return str(page.evaluate("location.pathname + location.search"))


def opens_a_tab(page: Page, key: str) -> None:
    """A key opens the page of a run in another tab, and this one stays."""
    here = page.url
    with page.context.expect_page() as beside:
        press(page, key)
    expect(beside.value).to_have_url(re.compile(r"/ui/runs/[0-9a-f-]{36}\?"))
    beside.value.close()
    assert page.url == here


def marks_a_failure(page: Page, key: str) -> int:
    """A key marks another row, of a failed run; returns its rank."""
    before = query(page)
    press(page, key)
    until(page, "before => location.search !== before", before)
    marked = page.locator("table.list tr.failed[aria-current]")
    expect(marked).to_have_count(1)
    return int(marked.get_attribute("aria-rowindex") or 0) - 2


def test_every_shortcut_does_what_it_says(open_page: Opened) -> None:
    """All that the help of the page Runs lists; a new one fails here until it is tried."""
    page = open_page(WEEK, **CHROME)
    settled(page)
    tried = {"g o", "g r", "g t", "g e", "g w", "g q"}
    for keys, path in {
        "g t": "/ui/tasks",
        "g e": "/ui/errors",
        "g w": "/ui/workers",
        "g q": "/ui/sql",
        "g o": "/",
    }.items():
        assert press(page, keys) == f"{path}?range=7d"
    assert press(page, "g r") == WEEK
    settled(page)
    addresses = {
        "[": "?start_time=2026-11-01T12:00:10Z&end_time=2026-11-08T12:00:10Z",
        "]": "?start_time=2026-11-08T12:00:10Z&end_time=2026-11-15T12:00:10Z",
        "0": "",
        "-": "?range=2d",
        "F": "?range=2d&status=failed",
        "u": "?range=2d&tz=Asia/Tokyo&status=failed",
    }
    for keys, address in addresses.items():
        assert press(page, keys) == f"/ui/runs{address}", keys
    tried |= addresses.keys()
    page.goto(page.url.split("?")[0] + "?range=7d&brush=2026-11-12T12:00:00Z..2026-11-12T18:00:00Z")
    settled(page)
    assert press(page, "z") == "/ui/runs?start_time=2026-11-12T12:00:00Z&end_time=2026-11-12T18:00:00Z"
    settled(page)
    marked = page.locator("table.list tr[aria-current]")
    for keys, row in {"j j": "3", "k": "2"}.items():
        press(page, keys)
        expect(marked).to_have_attribute("aria-rowindex", row)
    assert "&marks=" in press(page, "x")
    press(page, "c")
    expect(page.locator(".said")).to_have_text("Mark two runs with x to compare them")
    assert "&marks=" not in press(page, "x")
    press(page, "Escape")
    expect(marked).to_have_count(0)
    assert marks_a_failure(page, "n") < marks_a_failure(page, "n") > marks_a_failure(page, "p")
    opens_a_tab(page, "o")
    assert press(page, "Enter").startswith("/ui/runs/")
    page.go_back()
    press(page, "0")
    settled(page)
    assert press(page, "v") == "/?tv=1"
    page.go_back()
    settled(page)
    live = page.locator("button.live")
    expect(live).to_have_attribute("aria-pressed", "true")
    press(page, "l")
    expect(live).to_have_attribute("aria-pressed", "false")
    press(page, "t")
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    for keys, name in {"y": "Link", "Y": "curl"}.items():
        press(page, keys)
        expect(page.locator(".said")).to_have_text(f"{name} copied")
    for keys, dialog in {"f": "Add a filter", "/": "Search", "?": "Keyboard shortcuts"}.items():
        press(page, keys)
        box = page.get_by_role("dialog", name=dialog)
        expect(box).to_be_visible()
        if keys != "?":
            press(page, "Escape")
            expect(box).to_have_count(0)
    terms = page.get_by_role("dialog").locator("dt").all()
    listed = {" ".join(term.locator("kbd").all_inner_texts()) for term in terms}
    tried |= {"z", "j", "k", "n", "p", "o", "x", "c", "v", "Escape", "Enter", "l", "t", "y", "Y", "f", "/", "?"}
    assert {keys for keys in listed if keys.isascii()} == tried  # others are keys of charts


@pytest.mark.parametrize(
    "name", ["Search pages, tasks and ids", "Keyboard shortcuts", "Time zone: UTC", "Add a filter"]
)
def test_the_focus_returns(open_page: Opened, name: str) -> None:
    """To the button that opened the box, when Escape closes it; single keys go on from there."""
    page = open_page("/ui/workers?range=7d")
    settled(page)
    button = page.get_by_role("button", name=name)
    button.focus()
    page.keyboard.press("Enter")
    box = page.locator("dialog[open], .popover:popover-open")
    expect(box).to_be_visible()
    until(page, "document.activeElement.closest('dialog, .popover') !== null")
    page.keyboard.press("Escape")
    expect(box).to_have_count(0)
    expect(button).to_be_focused()
    assert query(page) == "?range=7d"
