"""What all screens share: addresses, theme, keys, palette, live, zone, and that everybody can use it."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import expect
from screens import NOW, Opened, numbers, query, settled, until, unusable, violations
from support import Server, record

from runlake import access
from runlake.paths import Paths

pytestmark = pytest.mark.browser
WEEK = "/ui/runs?range=7d"
YEAR = {"start_time": "2025-11-15T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
STATES = {
    "selected": f"{WEEK}&brush=2026-11-10T00:00:00Z..2026-11-11T00:00:00Z..1..100",
    "dots": "/ui/runs?range=3h",
}


@pytest.mark.parametrize("state", STATES)
def test_everybody_can_use_it(open_page: Opened, state: str) -> None:
    """axe finds nothing, and nothing is wider than the screen."""
    page = open_page(STATES[state])
    settled(page)
    assert unusable(page) == []


def test_a_link_shows_the_same_state_and_stays_the_same(open_page: Opened) -> None:
    """Also after a reload, and after Back and Forward."""
    link = (
        "/ui/runs?start_time=2026-11-10T00:00:00Z&end_time=2026-11-12T00:00:00Z&tz=Asia/Kolkata"
        "&status=failed&brush=2026-11-10T06:00:00Z..2026-11-11T00:00:00Z&order=duration"
    )
    page = open_page(link)
    settled(page)
    first = numbers(page)
    rows = page.locator("table.list tbody").all_inner_texts()
    assert f"/ui/runs{query(page)}" == link
    page.reload()
    settled(page)
    assert numbers(page) == first and page.locator("table.list tbody").all_inner_texts() == rows
    page.keyboard.press("F")
    settled(page)
    assert numbers(page) != first and "status" not in query(page)
    page.go_back()
    settled(page)
    assert numbers(page) == first and f"/ui/runs{query(page)}" == link
    page.go_forward()
    settled(page)
    assert "status" not in query(page)


def test_the_focus_follows_the_page(open_page: Opened, history: Server) -> None:
    """To its heading, by links, keys and Back, but not while one stays; the title of the window counts failures."""
    page = open_page(WEEK)
    settled(page)
    assert page.evaluate("document.activeElement === document.body")
    expect(page).to_have_title(f"({numbers(page)['failed']} \u2715) Runs \u2013 runlake")
    page.keyboard.press("F")
    page.keyboard.press("F")
    settled(page)
    assert page.evaluate("document.activeElement === document.body")
    heading = page.get_by_role("heading", level=1)
    page.get_by_role("link", name="Workers").press("Enter")
    expect(heading).to_be_focused()
    expect(heading).to_have_text("Workers")
    expect(page).to_have_title("Workers \u2013 runlake")
    page.keyboard.press("g")
    page.keyboard.press("o")
    expect(heading).to_have_text("Overview")
    expect(heading).to_be_focused()
    page.go_back()
    expect(heading).to_have_text("Workers")
    expect(heading).to_be_focused()
    task = history.client.get("/tasks/names").json()["names"].popitem()
    page.keyboard.press("/")
    page.keyboard.type(task[1]["name"])
    page.keyboard.press("Enter")
    expect(heading).to_have_text(task[1]["name"])
    expect(heading).to_be_focused()
    assert page.evaluate("scrollY") == 0


def test_relative_ranges_stay_relative(open_page: Opened) -> None:
    """Later, the same link shows what is new; a link to another page takes window and filters along."""
    page = open_page("/ui/runs?status=failed")
    settled(page)
    before = numbers(page)
    page.get_by_role("link", name="Tasks").click()
    assert page.evaluate("location.pathname + location.search") == "/ui/tasks?status=failed"
    page.keyboard.press("g")
    page.keyboard.press("r")
    settled(page)
    assert numbers(page) == before
    page.keyboard.press("-")
    settled(page)
    assert query(page) == "?range=2d&status=failed" and numbers(page)["total"] > before["total"]
    page.get_by_role("button", name="Window of time: Last 2 days").click()
    page.get_by_label("Type a range").fill("2026-11-10..2026-11-11")
    page.keyboard.press("Enter")
    settled(page)
    assert query(page) == "?start_time=2026-11-10T00:00:00Z&end_time=2026-11-12T00:00:00Z&status=failed"


def test_the_theme_is_the_chosen_one(open_page: Opened) -> None:
    """As the system has it at first; a choice outlasts a reload, and pictures follow it."""
    page = open_page(WEEK, color_scheme="dark")
    settled(page)
    background = "getComputedStyle(document.body).backgroundColor"
    picture = "document.querySelector('canvas').toDataURL()"
    dark = page.evaluate(picture)
    assert page.evaluate(background) == "rgb(14, 17, 22)"
    page.keyboard.press("t")
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    until(page, f"{picture} !== '{dark}'")
    page.reload()
    settled(page)
    assert page.evaluate(background) == "rgb(255, 255, 255)"
    page.keyboard.press("t")
    assert page.evaluate(background) == "rgb(14, 17, 22)"


def test_rows_are_reached_by_keys(open_page: Opened) -> None:
    """j marks, Enter opens the run, Back leads to the same row; the help lists it."""
    page = open_page(WEEK)
    settled(page)
    for _ in range(3):
        page.keyboard.press("j")
    marked = page.locator("table.list tr[aria-current]")
    expect(marked).to_have_attribute("aria-rowindex", "4")
    name = marked.locator("td.task").inner_text()
    address = page.url
    page.keyboard.press("Enter")
    expect(page.locator("h2").last).to_have_text("Record")
    expect(page.locator(".run .head")).to_contain_text(name)
    page.go_back()
    settled(page)
    assert page.url == address
    expect(marked).to_have_attribute("aria-rowindex", "4")
    page.keyboard.press("?")
    for words in ("Next row", "Zoom to what is selected", "Copy the question as curl"):
        expect(page.get_by_role("dialog")).to_contain_text(words)
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_palette_finds_tasks_and_runs(open_page: Opened, history: Server) -> None:
    """By name, and by a pasted id."""
    page = open_page(WEEK)
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("orders_lo")
    expect(page.get_by_role("option")).to_have_count(1)
    page.keyboard.press("Enter")
    named = history.client.get("/tasks/names").json()["names"]
    task = next(key for key, value in named.items() if value["name"] == "orders_load")
    assert page.evaluate("location.pathname") == f"/ui/tasks/{task}"
    run = history.client.get("/runs?limit=1").json()["items"][0]["id"]
    page.keyboard.press("Control+k")
    page.keyboard.type(run.upper())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ui/runs/{run}*")
    expect(page.locator(".record")).to_contain_text(run)


@pytest.mark.parametrize(("length", "dashes"), [(4, True), (8, True), (14, True), (16, False), (35, True)])
def test_the_palette_finds_tasks_by_first_digits(open_page: Opened, history: Server, length: int, dashes: bool) -> None:
    """Most tasks have no name. Dashes may be left out; a name that has one of these ids is shown."""
    ids = history.client.get("/stats/tasks", params=YEAR).json()["columns"]["task_id"]
    named = history.client.get("/tasks/names").json()["names"]
    task = next(one for one in ids if one not in named)
    typed = task[:length] if dashes else task.replace("-", "")[:length]
    page = open_page(WEEK)
    settled(page)
    page.keyboard.press("Control+k")
    page.keyboard.type(typed.upper())
    option = page.get_by_role("option").first
    expect(option).to_contain_text(task)
    expect(page.get_by_role("option")).to_have_count(sum(one.startswith(task[:length]) for one in ids))
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ui/tasks/{task}*")
    page.keyboard.press("Control+k")
    page.keyboard.type(next(iter(named))[:8])
    expect(page.get_by_role("option").first).to_contain_text(next(iter(named.values()))["name"])
    page.keyboard.press("Control+a")
    page.keyboard.type("0000000")
    expect(page.get_by_role("dialog")).to_contain_text("Nothing has this name.")


def test_new_runs_appear_by_themselves(open_page: Opened, tmp_path: Path) -> None:
    """At the top of the list they slide in; further down a button says how many there are."""
    start = time.strftime("%Y-%m-%dT%H:%M:", time.gmtime(NOW.timestamp()))
    runs = [record(n, started_at=f"{start}{n % 5:02}Z", finished_at=f"{start}{n % 5:02}Z") for n in range(300)]
    late = [record(1000 + n, started_at=f"{start}{21 + n}Z", finished_at=f"{start}{21 + n}Z") for n in range(3)]
    with Server(tmp_path / "lake") as server:
        assert server.post(*runs).status_code == 200
        page = open_page("/ui/runs?range=1h", server=server)
        settled(page)
        assert numbers(page)["rows"] == 300
        page.clock.set_fixed_time(NOW.timestamp() + 20)
        assert server.post(late[0]).status_code == 200
        expect(page.locator("table.list")).to_have_attribute("aria-rowcount", "302")
        page.mouse.wheel(0, 1200)
        until(page, "scrollY > 200")
        page.clock.set_fixed_time(NOW.timestamp() + 30)
        assert server.post(*late[1:]).status_code == 200
        newer = page.get_by_role("button", name="2 new runs")
        expect(newer).to_be_visible()
        assert numbers(page)["rows"] == 301
        newer.click()
        expect(page.locator("table.list")).to_have_attribute("aria-rowcount", "304")


def test_a_service_that_is_gone_is_waited_for(open_page: Opened, tmp_path: Path) -> None:
    """What was there stays; once the service is back, the screen is that of the newest address."""
    with Server(tmp_path / "lake") as server:
        port = urlsplit(server.url).port
        page = open_page("/ui/runs?range=7d", server=server, expected=("503: ",))
        expect(page.locator(".nothing")).to_contain_text("There are no runs yet")
        assert server.post(record(1)).status_code == 200
        page.reload()
        expect(page.locator(".nothing")).to_contain_text("No run started in")
        server.stop()
        page.keyboard.press("F")
        outage = page.locator(".outage")
        expect(outage).to_contain_text("No connection to the service since 12:00:13")
        assert page.locator(".trouble").count() == 0
        with Server(tmp_path / "lake", "--port", str(port)):
            page.evaluate("document.querySelector('.outage button')?.click()")  # it may have looked by itself
            expect(outage).to_have_count(0)
            expect(page.locator(".nothing")).to_contain_text("matches these filters")
            assert query(page) == "?range=7d&status=failed"


def test_a_proxy_without_a_service_is_waited_for(open_page: Opened) -> None:
    """It answers, but with nothing of ours."""
    page = open_page(WEEK, expected=("502: ",))
    settled(page)
    page.route(lambda url: "/ui/" not in url, lambda route: route.fulfill(status=502, body="<html>Bad Gateway"))
    page.keyboard.press("F")
    outage = page.locator(".outage")
    expect(outage).to_contain_text("No connection to the service")
    assert page.locator(".trouble").count() == 0
    page.unroute_all()
    expect(outage).to_have_count(0)
    settled(page)
    assert query(page) == "?range=7d&status=failed"


def test_the_zone_is_that_of_every_label(open_page: Opened) -> None:
    """Nepal is 5 h 45 m ahead of UTC."""
    page = open_page(f"{WEEK}&tz=Asia/Kathmandu")
    settled(page)
    cell = page.locator("td.started time").first
    started = datetime.fromisoformat(cell.get_attribute("datetime") or "")
    assert cell.inner_text() == started.astimezone(ZoneInfo("Asia/Kathmandu")).strftime("%b %d, %H:%M:%S")
    assert page.locator(".times").first.inner_text().startswith("Nov 9")
    page.keyboard.press("u")
    settled(page)
    assert query(page) == "?range=7d"
    assert cell.inner_text() == started.strftime("%b %d, %H:%M:%S")


def test_text_becomes_neither_html_nor_code(open_page: Opened) -> None:
    """The browser refuses it, and the watch of these tests hears of that."""
    page = open_page(WEEK, expected=("TrustedHTML", "TrustedScript", "Content Security Policy"))
    settled(page)
    script = "document.createElement('script').textContent = 'window.ran = 1'"
    for attempt in ("document.body.innerHTML = '<b>bold</b>'", script):
        refused = f"() => {{ try {{ {attempt}; return ''; }} catch (error) {{ return error.name; }} }}"
        assert page.evaluate(refused) == "TypeError", attempt
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('style'), {textContent: 'h1 {top: 9px}'}))"
    )
    assert page.evaluate("getComputedStyle(document.querySelector('h1')).top") != "9px"


def test_a_key_is_asked_for(open_page: Opened, tmp_path: Path) -> None:
    """Where there are keys, and this browser has given none, or a wrong one, or one that was revoked meanwhile."""
    with Server(tmp_path / "lake") as server:
        key, secret = access.create(Paths.of(tmp_path / "lake"), ("read",))
        page = open_page("/ui/runs", server=server, expected=("401: ",))
        expect(page.get_by_role("dialog", name="API key")).to_be_visible()
        expect(page.get_by_label("Key", exact=True)).to_be_focused()
        assert violations(page) == []
        for text in ("no key", secret):
            page.get_by_label("Key", exact=True).fill(text)
            page.get_by_role("button", name="Sign in").click()
            if text != secret:
                expect(page.get_by_role("alert")).to_be_visible()
        expect(page.locator(".nothing")).to_contain_text("There are no runs yet")
        expect(page.locator(".nothing pre")).to_contain_text("$RUNLAKE_KEY")
        assert secret not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
        access.revoke(Paths.of(tmp_path / "lake"), key.id)
        page.reload()
        expect(page.get_by_role("dialog", name="API key")).to_be_visible()


@pytest.mark.parametrize(
    "asked", ["", "range=7d&status=failed", "range=yesterday&tz=Asia/Kolkata", "range=since+06:00"]
)
def test_a_frozen_link_has_the_times_of_the_screen(open_page: Opened, asked: str) -> None:
    """It shows the same a day later; a window between two times needs none."""
    page = open_page(f"/ui/runs?{asked}", permissions=["clipboard-read", "clipboard-write"])
    settled(page)
    shown = numbers(page)
    page.get_by_role("button", name="Copy this screen").click()
    page.get_by_role("button", name="Frozen link", exact=True).click()
    expect(page.locator(".said")).to_have_text("Frozen link copied")
    link = str(page.evaluate("navigator.clipboard.readText()"))
    assert "range=" not in link and "start_time=2026-11-" in link
    page.clock.set_fixed_time(NOW + timedelta(days=1))
    page.goto(link)
    settled(page)
    assert numbers(page) == shown and shown["total"] > 10
    page.get_by_role("button", name="Copy this screen").click()
    expect(page.get_by_role("button", name="Link", exact=True)).to_be_visible()
    expect(page.get_by_role("button", name="Frozen link", exact=True)).to_have_count(0)
