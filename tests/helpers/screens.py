"""What the browser tests of the page read off a screen."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, Final

from axe_playwright_python.base import AXE_SCRIPT
from driver import driver, windowless
from playwright.sync_api import Browser, Page, expect

UNTIL: Final = "2026-11-15T12:00:00Z"  # where the history ends
NOW: Final = datetime.fromisoformat(UNTIL) + timedelta(seconds=13)  # the browser's clock; the page floors it to 10 s
SHAPE: Final = ["--runs", "20000", "--days", "14", "--tasks", "60", "--seed", "7", "--incidents", "--until", UNTIL]
PATIENCE: Final = 30  # seconds that a page may take to come to what a test waits for: machines of tests are busy
Opened = Callable[..., Page]  # `open_page` of conftest.py
FLAGS: Final = [
    *["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"],
    "--disable-sync",
]
# Rows that the foot of the page covers in part are reached by scrolling: their size is not what is left of them.
AXE: Final = """async rules => {
  const foot = document.querySelector('.foot')?.getBoundingClientRect().top ?? innerHeight;
  const covered = node => document.querySelector(node.target[0]).getBoundingClientRect().bottom > foot;
  const { violations } = await axe.run({runOnly: rules});
  return violations.filter(({id, nodes}) => id !== 'target-size' || !nodes.every(covered));
}"""
COLOURS: Final = ["color-contrast", "link-in-text-block"]
RULES: Final = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextmanager
def launched() -> Iterator[Browser]:
    """Debian's chromium."""
    expect.set_options(timeout=PATIENCE * 1000)
    browser = driver().chromium.launch(executable_path=windowless(), args=FLAGS)
    yield browser
    browser.close()


def violations(page: Page, rules: list[str] = RULES) -> list[str]:
    """What axe finds wrong with the page as it is, one line each with the first element."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: list[dict[str, Any]] = page.evaluate(AXE, rules)
    return [f"{v['id']}: {v['nodes'][0]['target']} {v['nodes'][0]['failureSummary']}" for v in found]


# What is not as it should be on a screen that shows its answers; nothing when it is.
UNSETTLED: Final = """() => [
    ...(document.querySelector('.head [data-total]')?.checkVisibility() ? [] : ['no figures']),
    ...[...document.querySelectorAll('.stale, .waiting, tr.coming')].map(element => element.outerHTML.slice(0, 200)),
]"""


def settled(page: Page) -> None:
    """Return when the screen shows its answers, and nothing waits for others."""
    deadline = time.monotonic() + PATIENCE
    while found := page.evaluate(UNSETTLED):
        assert time.monotonic() < deadline, found
        page.wait_for_timeout(10)


def table(page: Page, title: str) -> list[list[str]]:
    """The rows of the table behind a picture, which comes a moment after it is asked for."""
    page.get_by_label(f"{title} as a table").click()
    rows = page.locator(f"section.scroll[aria-label='{title}'] tbody tr")
    rows.first.wait_for()
    return [text.split("\t") for text in rows.all_inner_texts()]


def until(page: Page, condition: str, argument: Any = None) -> None:
    """Return when a condition in JavaScript holds. `wait_for_function` would need `unsafe-eval`."""
    deadline = time.monotonic() + PATIENCE
    while not page.evaluate(condition, argument):
        assert time.monotonic() < deadline, condition
        page.wait_for_timeout(20)


def numbers(page: Page) -> dict[str, int]:
    """The total and the failures of the head, and the rows of the list, as a reader is told."""
    head = page.locator(".head")
    return {
        "total": int(head.locator("[data-total]").get_attribute("data-total") or -1),
        "failed": int(head.locator("[data-failed]").get_attribute("data-failed") or -1),
        "rows": int(page.locator("table.list").get_attribute("aria-rowcount") or 0) - 1,
    }


def query(page: Page) -> str:
    """The query string of the address."""
    return str(page.evaluate("location.search"))


def rows(page: Page) -> dict[int, dict[str, str]]:
    """The rows of the list that are drawn, by rank: the text of each cell by the key of its column."""
    read = """() => [...document.querySelectorAll('table.list tbody:not(.space) tr')].map(row => [
        row.getAttribute('aria-rowindex') - 2,
        Object.fromEntries([...row.cells].map(cell => [cell.classList[0], cell.innerText.trim()]))])"""
    return dict(page.evaluate(read))


# Width and media of a screen, and the rules that it is held to: only those of colours differ between colours.
MEDIA: Final[tuple[tuple[int, dict[str, Any], list[str]], ...]] = (
    (1440, {"color_scheme": "light"}, RULES),
    (1440, {"color_scheme": "dark"}, COLOURS),
    (1440, {"color_scheme": "dark", "forced_colors": "active"}, COLOURS),
    (320, {"color_scheme": "light"}, RULES),
)


def unusable(page: Page, media: tuple[tuple[int, dict[str, Any], list[str]], ...] = MEDIA) -> list[str]:
    """What axe finds on a wide screen in light, dark and forced colours, and on a narrow one; and what is too wide."""
    found: list[str] = []
    for width, shown, rules in media:
        page.set_viewport_size({"width": width, "height": 600})
        page.emulate_media(reduced_motion="reduce", **({"forced_colors": "none"} | shown))
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        found += [f"{shown} {width}: {violation}" for violation in violations(page, rules)]
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"{width}: something is wider")
    return found
