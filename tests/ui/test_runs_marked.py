"""The page Runs: its drawer, what is different about a selection, any rank of its list, and many tabs at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page, expect
from screens import NOW, Opened, numbers, query, settled, until, unusable
from support import Server, record

pytestmark = pytest.mark.browser
WEEK = "/ui/runs?range=7d"
WINDOW = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
BURST = {"start_time": "2026-11-12T12:00:00Z", "end_time": "2026-11-12T18:00:00Z"}  # an incident: one task fails
SELECTED = f"{WEEK}&brush={BURST['start_time']}..{BURST['end_time']}"


def drawer(page: Page, run: str) -> None:
    """Wait until the drawer shows a run."""
    expect(page.locator(".drawer .record")).to_contain_text(run)
    expect(page.locator(".drawer .stale")).to_have_count(0)


def test_everybody_can_use_it(open_page: Opened, history: Server) -> None:
    """axe finds nothing with a selection and the drawer open, and nothing is wider than the screen."""
    run = history.client.get("/runs", params={**BURST, "limit": "1", "status": "failed"}).json()["items"][0]["id"]
    page = open_page(f"{SELECTED}&status=failed&sel={run}")
    settled(page)
    drawer(page, run)
    expect(page.locator(".difference tbody tr").first).to_be_visible()
    assert unusable(page) == []


def test_other_lists_have_the_drawer_too(open_page: Opened, history: Server) -> None:
    """Those of a task and of a group of errors."""
    failed = {**WINDOW, "limit": "1", "status": "failed"}
    task = history.client.get("/runs", params=failed).json()["items"][0]["task_id"]
    group = history.client.get("/errors", params=WINDOW).json()["groups"][0]["id"]
    for path in (f"/ui/tasks/{task}", f"/ui/errors/{group}"):
        page = open_page(f"{path}?range=7d", height=3000)
        page.locator("table.list td.started a").first.wait_for()
        page.keyboard.press("j")
        run = page.locator("tr[aria-current] td.started a").get_attribute("href") or ""
        drawer(page, run.split("?")[0].rpartition("/")[2])
        page.keyboard.press("Escape")
        expect(page.locator(".drawer")).to_have_count(0)
        assert query(page) == "?range=7d"


def test_the_drawer_follows_the_mark(open_page: Opened, history: Server) -> None:
    """j and k go on, the link shows the same run, Enter opens its page, and Escape closes the drawer first."""
    items = history.client.get("/runs", params={**WINDOW, "limit": "3", "fields": "id"}).json()["items"]
    first, second, _ = [item["id"] for item in items]
    page = open_page(WEEK)
    settled(page)
    page.keyboard.press("j")
    drawer(page, first)
    page.keyboard.press("j")
    drawer(page, second)
    assert query(page) == f"?range=7d&sel={second}"
    page.keyboard.press("k")
    drawer(page, first)
    page.reload()
    drawer(page, first)
    page.keyboard.press("Enter")
    expect(page.locator("main > .run .record")).to_contain_text(first)
    page.go_back()
    drawer(page, first)
    page.keyboard.press("Escape")
    expect(page.locator(".drawer")).to_have_count(0)
    assert query(page) == "?range=7d"


def test_what_is_different_is_what_the_api_says(open_page: Opened, history: Server) -> None:
    """Shares and counts; a value leads to its runs within the selection."""
    page = open_page(f"{SELECTED}&status=failed")
    settled(page)
    found = history.client.get("/stats/breakdown", params={**BURST, "status": "failed", "against": "rest"}).json()
    part = page.locator(".difference")
    expect(part).to_contain_text(f"{found['selected']} selected runs, {found['baseline']:,} others")
    top = max(found["by"]["task"], key=lambda share: share["selected_share"])
    first = part.locator("tbody tr").first
    cells = [" ".join(text.split()) for text in first.locator("td").all_inner_texts()]
    names = history.client.get("/tasks/names").json()["names"]
    assert cells == [
        "task",
        names[top["value"]]["name"],
        f"{top['selected_share'] * 100:.1f} %",
        f"{top['baseline_share'] * 100:.1f} %",
        f"{top['lift']:.1f}\u00d7",
    ]
    first.get_by_role("link").click()
    settled(page)
    assert numbers(page)["total"] == numbers(page)["rows"] == top["selected"]
    assert query(page).startswith(f"?range=7d&task_id={top['value']}&status=failed&brush={BURST['start_time']}..")


def test_the_selection_is_compared_with_what_one_wants(open_page: Opened, history: Server) -> None:
    """A selection of times alone leaves out no other run, so it is compared with the whole window."""
    page = open_page(SELECTED)
    settled(page)
    parts = {"window": f"{WINDOW['start_time']},{WINDOW['end_time']}", "previous": "previous"}
    words = {"window": "in the whole window", "previous": "just before"}
    choice = page.locator(".difference select")
    expect(choice).to_have_value("window")
    for against, parameter in parts.items():
        choice.select_option(against)
        found = history.client.get("/stats/breakdown", params={**BURST, "against": parameter}).json()
        told = f"{found['selected']} selected runs, {found['baseline']:,} {words[against]}"
        expect(page.locator(".difference")).to_contain_text(told)
    assert query(page).endswith("&against=previous")
    page.get_by_role("button", name="Remove the selection").click()
    expect(page.locator(".difference")).to_have_count(0)


# Whether a row of the list is there, and about where it should be among all.
NEAR: Final = """([at, total, share]) => {
    const row = document.querySelectorAll('table.list tbody:not(.space) tr')[at];
    const rank = row && row.getAttribute('aria-rowindex') - 2;
    return row && !document.querySelector('table.list tr.coming') && Math.abs(rank / total - share) < 0.02;
}"""


def test_any_rank_is_a_scroll_away(open_page: Opened, history: Server) -> None:
    """The last of many, one in the middle, and the first again: each is the run of the API."""
    page = open_page("/ui/runs?range=14d")
    settled(page)
    total = numbers(page)["total"]
    window = {"start_time": "2026-11-01T12:00:10Z", "end_time": WINDOW["end_time"]}
    assert total > 15_000
    for share in (1, 0.5, 0):
        at = 2 if share else 0
        page.evaluate("share => scrollTo(0, share * document.body.scrollHeight)", share)
        until(page, NEAR, [at, total, share])
        row = page.locator("table.list tbody:not(.space) tr").nth(at)
        rank = int(row.get_attribute("aria-rowindex") or 0) - 2
        link = row.locator("td.started a").get_attribute("href") or ""
        answer = history.client.get("/runs", params={**window, "limit": "1", "offset": str(rank)}).json()
        assert link == f"/ui/runs/{answer['items'][0]['id']}?range=14d"


def test_eight_tabs_at_once(open_page: Opened, history: Server) -> None:
    """None waits for another one, and all show the same numbers."""
    first = open_page(WEEK)
    tabs = [first, *(first.context.new_page() for _ in range(7))]
    for page in tabs[1:]:
        page.clock.set_fixed_time(NOW)
        page.goto(history.url + WEEK, wait_until="commit")
    for page in tabs:
        settled(page)
    assert len({tuple(numbers(page).items()) for page in tabs}) == 1


def test_keys_go_from_failed_row_to_failed_row(open_page: Opened, tmp_path: Path) -> None:
    """In the order of the list, over pages of it that were never seen, also among runs of the same microsecond."""
    runs = []
    for number in range(600):
        started = datetime(2026, 11, 15, 11, microsecond=1, tzinfo=UTC) + timedelta(seconds=number // 7)
        finished = started + timedelta(seconds=number // 11, microseconds=3)
        fails = number in (0, 3, 4, 290, 599)
        times = {"started_at": started.isoformat(), "finished_at": finished.isoformat()}
        runs.append(record(number, success=not fails, error="E: x" if fails else None, **times))
    with Server(tmp_path / "lake") as server:
        assert server.client.post("/runs", json={"runs": runs}).status_code == 200
        page = open_page("/ui/runs", server=server)
        for order in ("started", "duration"):
            failures = failed(server, order)
            page.goto(f"{server.url}/ui/runs{'' if order == 'started' else '?order=duration'}")
            settled(page)
            for rank, run in failures:
                visit(page, "n", rank, run)
            page.keyboard.press("n")
            expect(page.locator(".said")).to_have_text("No failed run further down")
            for rank, run in failures[-2::-1]:
                visit(page, "p", rank, run)
            page.keyboard.press("p")
            expect(page.locator(".said")).to_have_text("No failed run further up")
            page.reload()  # the link marks the row: the keys go on from it
            settled(page)
            visit(page, "n", *failures[1])


def failed(server: Server, order: str) -> list[tuple[int, str]]:
    """Rank and id of each failed run of the last day, in the order of a list."""
    asked = {"order": order, "start_time": "2026-11-14T12:00:10Z", "end_time": "2026-11-15T12:00:10Z", "limit": "200"}
    pages = [server.client.get("/runs", params=asked | {"offset": str(at)}).json() for at in (0, 200, 400)]
    listed = [run for page in pages for run in page["items"]]
    return [(rank, run["id"]) for rank, run in enumerate(listed) if run["success"] is False]


def visit(page: Page, key: str, rank: int, run: str) -> None:
    """A key marks the row of a run, which comes into sight."""
    page.keyboard.press(key)
    marked = page.locator(f"table.list tr[aria-current][aria-rowindex='{rank + 2}'] td.started a")
    expect(marked).to_have_attribute("href", re.compile(f"/ui/runs/{run}"))
    expect(marked).to_be_in_viewport()
