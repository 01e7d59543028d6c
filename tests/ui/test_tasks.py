"""The page Tasks: the whole fleet in one table, with the numbers and the order of the API."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, query, settled, unusable
from support import Server, record

pytestmark = pytest.mark.browser
WEEK = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
TALL = 2400  # CSS pixels: all 60 tasks are in the document
ROWS = """rows => rows.map(row => ({
    id: row.querySelector('td.task a').title,
    ...Object.fromEntries([...row.cells].map(cell => [cell.classList[0], cell.innerText.trim()])),
}))"""


def rows(page: Page) -> list[dict[str, str]]:
    """The cells of all rows by the keys of their columns, with the task's id."""
    settled(page)
    found: list[dict[str, str]] = page.locator("table.list tbody:not(.space) tr").evaluate_all(ROWS)
    return found


def fleet(server: Server, **parameters: str) -> list[dict[str, Any]]:
    """The tasks of the API, each with its figures."""
    columns = server.client.get("/stats/tasks", params={**WEEK, **parameters}).json()["columns"]
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def number(text: str) -> float:
    """The number of a cell: `▲ 1,204` is 1204."""
    return float(re.sub(r"[^\d.]", "", text))


def test_every_row_is_that_of_the_api(open_page: Opened, history: Server) -> None:
    """All tasks in the order of who needs attention, each with its figures; the counts of the head are of them."""
    page = open_page("/ui/tasks?range=7d", height=TALL)
    shown, wanted = rows(page), fleet(history)
    assert [row["id"] for row in shown] == [task["task_id"] for task in wanted]
    for row, task in zip(shown, wanted, strict=True):
        assert number(row["runs"]) == task["runs"] and number(row["failed"]) == task["failed"]
        assert row["task"] == (task["name"] or task["task_id"][:8])
        if task["success_rate"] is not None:
            assert number(row["success"]) == pytest.approx(100 * task["success_rate"], abs=0.05)
        assert (row["p95"] == "\u2013") == (task["p95_seconds"] is None)
    total = history.client.get("/runs", params={**WEEK, "limit": 1}).json()["total"]
    assert sum(number(row["runs"]) for row in shown) == total
    failing = [task for task in wanted if task["streak"] <= -1]
    silent = [task for task in wanted if (task["silent_seconds"] or 0) > 2 * (task["longest_gap_seconds"] or 1e12)]
    flaky = [task for task in wanted if task["runs"] - task["open"] >= 10 <= 100 * task["flips"] / (task["runs"] - 1)]
    for state, tasks in (("failing", failing), ("silent", silent), ("flaky", flaky)):
        button = page.locator(f".head button:has-text('{state}')")
        assert int(button.get_attribute("data-state") or -1) == len(tasks) > 0, state
        assert sum(state in row["attention"] for row in shown) == len(tasks)


def test_every_column_sorts_all_tasks(open_page: Opened, history: Server) -> None:
    """Once the greatest first, twice the least; equal ones by id. The address has the order."""
    page = open_page("/ui/tasks?range=7d", height=TALL)
    rows(page)
    tasks = fleet(history, sort="task_id", order="asc")
    for head, measure in (("Failed", "failed"), ("p95", "p95_seconds"), ("Last run", "last_run")):
        page.get_by_role("columnheader", name=head).get_by_role("button").click()
        known = [task for task in tasks if task[measure] is not None]
        unknown = [task["task_id"] for task in tasks if task[measure] is None]
        wanted = [task["task_id"] for task in sorted(known, key=lambda task: task[measure], reverse=True)] + unknown
        assert [row["id"] for row in rows(page)] == wanted
        page.get_by_role("columnheader", name=head).get_by_role("button").click()
        assert query(page).endswith(f"&order=asc&sort={ {'Failed': 'failed', 'p95': 'p95', 'Last run': 'last'}[head] }")
        wanted = [task["task_id"] for task in sorted(known, key=lambda task: task[measure])] + unknown
        assert [row["id"] for row in rows(page)] == wanted


def test_a_link_shows_the_same_tasks(open_page: Opened) -> None:
    """State, words and order are in the address; it stays after a reload and after Back."""
    page = open_page("/ui/tasks?range=7d", height=TALL)
    every = rows(page)
    page.locator(".head button:has-text('flaky')").click()
    page.get_by_label("Find tasks by name").fill("LOAD")
    page.get_by_role("columnheader", name="Runs").get_by_role("button").click()
    found = rows(page)
    assert query(page) == "?range=7d&sort=runs&state=flaky&q=LOAD"
    assert 0 < len(found) < len(every)
    assert all("flaky" in row["attention"] and "load" in row["task"] for row in found)
    page.reload()
    assert rows(page) == found
    page.get_by_role("link", name="Runs", exact=True).click()
    settled(page)
    assert query(page) == "?range=7d"
    page.go_back()
    assert rows(page) == found
    page.get_by_label("Find tasks by name").fill("no such task")
    expect(page.locator(".nothing")).to_contain_text("None of 60 tasks is flaky and has “no such task” in its name")
    page.get_by_role("button", name="All tasks").click()
    assert len(rows(page)) == len(every)


def test_a_task_is_opened_by_keys(open_page: Opened) -> None:
    """j marks the first row, Enter opens its task."""
    page = open_page("/ui/tasks?range=7d")
    first = rows(page)[0]
    page.keyboard.press("j")
    assert query(page) == f"?range=7d&sel={first['id']}"
    page.keyboard.press("Escape")
    assert query(page) == "?range=7d"
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/ui/tasks/{first['id']}?range=7d")
    expect(page.locator(".task-head .title")).to_contain_text(first["task"])


def test_twenty_thousand_tasks_scroll(open_page: Opened, tmp_path: Path) -> None:
    """More than an answer of the API has; the last one is reached, and each has its percentiles."""
    runs = [
        record(n, task_id=str(uuid.UUID(int=1 << 90 | n)), started_at=f"2026-11-15T11:{1 + n % 50:02}:00Z",
               finished_at="2026-11-15T11:59:59Z", success=n % 100 > 0)
        for n in range(20_000)
    ]  # fmt: skip
    with Server(tmp_path / "lake") as server:
        for part in (runs[:10_000], runs[10_000:]):
            assert server.post(*part).status_code == 200
        page = open_page("/ui/tasks?range=1h", server=server)
        expect(page.locator("table.list")).to_have_attribute("aria-rowcount", "20001")
        settled(page)
        assert page.locator(".head button:has-text('failing')").get_attribute("data-state") == "200"
        assert page.locator("table.list tbody:not(.space) tr.failed").count() > 20
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        last = page.locator("table.list tr[aria-rowindex='20001']")
        expect(last.locator("td.task a")).to_have_attribute("title", runs[-1]["task_id"])
        heights = page.locator("tbody:not(.space) tr").evaluate_all("rows => rows.map(row => row.offsetHeight)")
        assert set(heights) == {30}  # what the scrollbar reckons with
        expect(last.locator("td.p95")).not_to_have_text("\u2013")


def test_everybody_can_use_it(open_page: Opened) -> None:
    """axe finds nothing in another order, with filters that the page says do not apply; nothing is too wide."""
    page = open_page("/ui/tasks?range=7d&status=failed&sort=p95&sel=x")
    settled(page)
    assert unusable(page) == []
