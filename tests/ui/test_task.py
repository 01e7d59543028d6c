"""The page of a task: its figures, its year, and all its runs."""

from __future__ import annotations

import re
import uuid
from collections import Counter
from typing import Any

import pytest
from playwright.sync_api import expect
from screens import Opened, numbers, query, settled, table, violations
from support import Server

pytestmark = pytest.mark.browser
TALL = 3000  # CSS pixels: all parts of the page are in view, so all are asked for
END = "2026-11-15T12:00:10Z"
WEEK = {"start_time": "2026-11-08T12:00:10Z", "end_time": END}


@pytest.fixture(scope="module")
def task(history: Server) -> str:
    """The task that fails most in a row."""
    columns = history.client.get("/stats/tasks", params=WEEK).json()["columns"]
    return str(columns["task_id"][columns["streak"].index(min(columns["streak"]))])


def asked(server: Server, route: str, **parameters: object) -> Any:
    """The answer of the API."""
    answer = server.client.get(route, params={key: str(value) for key, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_its_numbers_are_those_of_the_api(open_page: Opened, history: Server, task: str) -> None:
    """Head, list, state, last runs, year, and what its failures have in common."""
    page = open_page(f"/ui/tasks/{task}?range=7d", height=TALL)
    settled(page)
    shown = numbers(page)
    assert shown["total"] == shown["rows"] == asked(history, "/runs", **WEEK, task_id=task, limit=1)["total"] > 0
    assert shown["failed"] == asked(history, "/runs", **WEEK, task_id=task, status="failed", limit=1)["total"] > 0
    state = asked(history, "/stats/tasks", **WEEK, q=task)["columns"]
    expect(page.locator(".task-head .state.failing")).to_have_text(f"✕ failing \u00d7{-state['streak'][0]}")
    last = asked(history, "/runs", task_id=task, end_time=END, limit=20)["items"]
    squares = [link.get_attribute("href") or "" for link in page.locator(".square").all()]
    assert [link.split("?")[0].rpartition("/")[2] for link in squares] == [run["id"] for run in reversed(last)]
    year = asked(history, f"/task/{task}/stats", days=371, until=END)
    days = table(page, "A year by days")
    assert [(day[0], int(day[1].replace(",", "")), int(day[2])) for day in days] == [
        (day["date"], day["total_runs"], day["failed_runs"]) for day in year["daily"] if day["total_runs"]
    ]
    expect(page.locator(".distribution p")).to_contain_text(f"{100 * state['slower'][0]:.1f} %")


def test_pictures_and_counts_are_of_this_task(open_page: Opened, history: Server, task: str) -> None:
    """The hours of the week add up to its runs, the columns of the percentiles to its finished ones."""
    page = open_page(f"/ui/tasks/{task}?range=7d", height=TALL)
    settled(page)
    fortnight = asked(history, "/runs", task_id=task, start_time="2026-11-01T12:00:10Z", end_time=END, limit=1)
    hours = table(page, "Hours of the week")
    assert len(hours) == 7 * 24 and sum(int(row[1]) for row in hours) == fortnight["total"]
    answer = asked(history, "/stats/durations", **WEEK, task_id=task, columns=30, points=0)
    columns = table(page, "Percentiles")
    assert len(columns) == answer["columns"] and sum(int(row[1]) for row in columns) == answer["timed"]
    assert [row[2] == "\u2013" for row in columns] == [seconds is None for seconds in answer["p50_seconds"]]
    shares = [[float(re.sub(r"[^\d.]", "", cell)) for cell in row[2:5]] for row in table(page, "Durations of all runs")]
    now, failed, before = (sum(column) for column in zip(*shares, strict=True))
    assert now + failed == pytest.approx(100, abs=2) and before == pytest.approx(100, abs=2)


def test_its_workers_are_those_of_its_runs(open_page: Opened, history: Server, task: str) -> None:
    """The ten with most of them, each with its share, and how many runs are of others; a count leads to its runs."""
    page = open_page(f"/ui/tasks/{task}?range=7d", height=TALL)
    settled(page)
    found: list[dict[str, Any]] = []
    of_task = {**WEEK, "task_id": task, "fields": "lease_owner", "limit": 200}
    for offset in range(0, asked(history, "/runs", **of_task)["total"], 200):
        found += asked(history, "/runs", **of_task, offset=offset)["items"]
    counts = Counter(run["lease_owner"] for run in found)
    lines = page.locator("section[aria-label='Its workers'] li")
    told = {line.locator(".name").inner_text(): line.locator("a").inner_text() for line in lines.all()}
    assert len(told) == 10 and {name: int(n) for name, n in told.items()} == {name: counts[name] for name in told}
    assert sorted(counts[name] for name in told) == sorted(counts.values())[-10:]
    rest = len(found) - sum(counts[name] for name in told)
    expect(page.locator("section[aria-label='Its workers']")).to_contain_text(f"Other workers, or none: {rest} runs")
    first = lines.first.locator(".name").inner_text()
    lines.first.locator("a").click()
    settled(page)
    assert numbers(page)["total"] == counts[first]
    assert query(page) == f"?range=7d&task_id={task}&lease_owner={first}"


def test_a_link_shows_the_same_state(open_page: Opened, history: Server, task: str) -> None:
    """Also after a reload, and after Back. The list has runs of the task only, and no column for it."""
    link = f"/ui/tasks/{task}?range=7d&status=failed&brush=2026-11-15T06:00:00Z..2026-11-15T12:00:00Z&order=duration"
    page = open_page(link, height=TALL)
    settled(page)
    first = numbers(page)
    window = {"start_time": "2026-11-15T06:00:00Z", "end_time": "2026-11-15T12:00:00Z"}
    failed = asked(history, "/runs", **window, task_id=task, status="failed", limit=1)["total"]
    assert first["total"] == first["failed"] == failed > 0
    assert page.locator("td.task").count() == 0
    page.reload()
    settled(page)
    assert numbers(page) == first and page.evaluate("location.pathname + location.search") == link
    page.get_by_label("Remove the filter status: failed").click()
    settled(page)
    assert query(page) == "?range=7d&order=duration" and numbers(page)["total"] > first["total"]
    page.go_back()
    settled(page)
    assert numbers(page) == first


def test_a_day_of_the_year_becomes_the_window(open_page: Opened, history: Server, task: str) -> None:
    """By a click; it is a day of UTC."""
    page = open_page(f"/ui/tasks/{task}?range=7d", height=TALL)
    settled(page)
    page.locator(".weeks i").nth(-3).click()
    settled(page)
    assert query(page) == "?start_time=2026-11-13T00:00:00Z&end_time=2026-11-14T00:00:00Z"
    window = {"start_time": "2026-11-13T00:00:00Z", "end_time": "2026-11-14T00:00:00Z"}
    assert numbers(page)["total"] == asked(history, "/runs", **window, task_id=task, limit=1)["total"]


def test_keys_reach_each_day_of_the_year(open_page: Opened, history: Server, task: str) -> None:
    """Up and down by days, left and right by weeks, from today on; each is told, and Enter shows it."""
    page = open_page(f"/ui/tasks/{task}?range=7d", height=TALL)
    settled(page)
    days = page.locator(".weeks")
    assert days.evaluate("days => days.getAttribute('aria-label')").endswith("Arrow keys move, Enter shows a day.")
    days.focus()
    told = []
    for key in ("ArrowDown", "ArrowUp", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
        said = page.locator("figure.heat p[role=status]").inner_text()
        assert said == page.locator(".weeks i.here").get_attribute("title")
        told.append(said.split(":")[0])
    assert told == ["Nov 15", "Nov 14", "Nov 7", "Nov 8", "Nov 9", "Nov 15", "Nov 14"]
    page.keyboard.press("Enter")
    settled(page)
    assert query(page) == "?start_time=2026-11-14T00:00:00Z&end_time=2026-11-15T00:00:00Z"


def test_a_task_without_runs_says_so(open_page: Opened) -> None:
    """Its page is there, as an id may be pasted that never ran."""
    page = open_page(f"/ui/tasks/{uuid.UUID(int=7)}?range=7d", height=TALL)
    settled(page)
    expect(page.locator(".note")).to_contain_text("No run of this task is known")
    assert violations(page) == []
