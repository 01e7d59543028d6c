"""The Overview for a wall, and what it says to who comes back."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from playwright.sync_api import expect
from screens import NOW, Opened, query, settled, unusable
from support import Server

pytestmark = pytest.mark.browser
LEFT = NOW - timedelta(hours=5)
SINCE = {"start_time": "2026-11-15T07:00:13Z", "end_time": "2026-11-15T12:00:10Z"}


def test_a_wall_shows_the_overview_alone(open_page: Opened, history: Server) -> None:
    """Nothing around it, in larger type; it goes on with the time though Live is off; v leads in and out."""
    page = open_page("/health")
    page.clock.install(time=NOW)  # it goes on from there
    page.goto(f"{history.url}/?range=7d")
    settled(page)
    page.keyboard.press("l")
    expect(page.get_by_role("button", name="Live")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("v")
    expect(page.get_by_role("banner")).to_contain_text("Last 7 days")
    expect(page.get_by_role("banner")).to_contain_text(re.compile(r"as of 12:00:[12]\d UTC"))
    assert query(page) == "?range=7d&tv=1"
    expect(page.get_by_role("navigation")).to_have_count(0)
    expect(page.locator(".foot")).to_be_hidden()
    wide = page.locator("h2").first.bounding_box()
    page.clock.fast_forward(31_000)
    expect(page.get_by_role("banner")).to_contain_text(re.compile(r"as of 12:00:[45]\d UTC"))
    page.reload()
    settled(page)
    assert unusable(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("v")
    expect(page.get_by_role("navigation")).to_have_count(1)
    usual = page.locator("h2").first.bounding_box()
    assert wide and usual and wide["height"] > 1.2 * usual["height"]
    assert query(page) == "?range=7d"


def test_who_comes_back_reads_what_happened_since(open_page: Opened, history: Server) -> None:
    """Runs and failures since the last look, and ways to them; who was away for a minute reads nothing."""
    page = open_page("/")
    settled(page)
    expect(page.locator("[data-since]")).to_have_count(0)
    assert page.evaluate("localStorage.getItem('runlake.looked')") == str(int(NOW.timestamp() * 1000))
    page.evaluate("at => localStorage.setItem('runlake.looked', at)", str(int(LEFT.timestamp() * 1000)))
    page.reload()
    line = page.locator("[data-since]")
    total = history.client.get("/runs", params={**SINCE, "limit": 1}).json()["total"]
    failed = history.client.get("/runs", params={**SINCE, "limit": 1, "status": "failed"}).json()["total"]
    expect(line).to_contain_text(f"Since you last looked, 5 h ago: {total:,} runs, {failed:,} failed runs")
    settled(page)
    assert unusable(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    line.get_by_role("link", name="failed").click()
    settled(page)
    expect(page.locator("table.list")).to_have_attribute("aria-rowcount", str(failed + 1))
    page.go_back()
    line.get_by_role("button").click()
    expect(line).to_have_count(0)
    page.reload()
    settled(page)
    expect(line).to_have_count(0)
