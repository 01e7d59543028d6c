"""The page Overview: what is wrong, and the way from there to a run of it."""

from __future__ import annotations

import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, query, settled, violations
from support import Server, record

pytestmark = pytest.mark.browser
WEEK = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
DAYS = {"start_time": "2026-11-10T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
HOUR = {"start_time": "2026-11-15T11:00:10Z", "end_time": "2026-11-15T12:00:10Z"}


def asked(server: Server, route: str, **parameters: object) -> Any:
    """The answer of the API."""
    answer = server.client.get(route, params={key: str(value) for key, value in parameters.items()})
    assert answer.status_code == 200, answer.text
    return answer.json()


def shown(page: Page, selector: str, attribute: str) -> list[str | None]:
    """An attribute of all elements."""
    settled(page)
    return [found.get_attribute(attribute) for found in page.locator(selector).all()]


def test_its_numbers_are_those_of_the_api(open_page: Opened, history: Server) -> None:
    """Runs of the window, what is open now, errors, and the worker that stands out."""
    page = open_page("/?range=5d")
    total = asked(history, "/runs", **DAYS, limit=1)["total"]
    assert shown(page, ".head [data-total]", "data-total") == [str(total)]
    before = {"start_time": "2026-11-05T12:00:10Z", "end_time": DAYS["start_time"], "limit": 1}
    then, bad = (asked(history, "/runs", **before, **more)["total"] for more in ({}, {"status": "failed"}))
    failures = asked(history, "/runs", **DAYS, limit=1, status="failed")["total"] - bad
    compared = f"{abs(total - then) / then * 100:.1f}"
    expect(page.locator(".head")).to_contain_text(re.compile(rf"against the 5 d before: runs .{compared}\d? % "))
    expect(page.locator(".head")).to_contain_text(f"failures {failures:+} ".replace("-", "\N{MINUS SIGN}"))
    opened = [str(asked(history, "/runs", status=name, limit=1)["total"]) for name in ("running", "queued", "lost")]
    assert shown(page, "[data-open]", "data-open") == opened
    errors = asked(history, "/errors", **DAYS)
    groups, total = errors["groups"], errors["total_groups"]
    assert total == len(groups) > 6
    groups.sort(key=lambda group: (not group["is_new"], group["previous_runs"] - group["runs"], -group["runs"]))
    assert shown(page, "[data-group]", "data-group") == [group["id"] for group in groups[:6]]
    new = [group for group in groups if group["is_new"]]
    assert new and page.locator("[data-group] .new").count() == min(6, len(new))
    going = asked(history, "/errors", **HOUR)["total_groups"]
    expect(page.locator("[data-going]")).to_have_text(f" \N{MIDDLE DOT} {going} in the last hour")
    expect(page.locator("section[aria-labelledby=errors]")).to_contain_text(f"All {total} errors")
    owners = asked(history, "/stats/owners", **DAYS)["columns"]
    figures = zip(owners["owner"], owners["failure_z"], owners["failed"], strict=True)
    far = sorted(((z, name) for name, z, failures in figures if (z or 0) >= 4 and failures >= 5), reverse=True)
    names = [name for _, name in far[:3]]
    assert shown(page, "[data-worker]", "data-worker") == names
    expect(page.locator("[data-verdict]")).to_contain_text(f"{names[0]} fails")


def test_durations_are_asked_for_when_they_come_into_view(open_page: Opened, history: Server) -> None:
    """They stand below what says whether something is wrong."""
    page = open_page("/?range=7d")
    settled(page)
    assert page.locator("canvas[aria-label^=Durations]").count() == 0
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    expect(page.locator("canvas[aria-label^=Durations]")).to_be_in_viewport()
    timed = asked(history, "/stats/durations", **WEEK)["timed"]
    expect(page.locator("figcaption", has_text="Durations")).to_contain_text(f"{timed:,}")
    expect(page.locator(".head [data-p95]")).to_have_count(1)


def test_each_task_that_needs_attention_says_why(open_page: Opened, history: Server) -> None:
    """Those that fail are those of the API, and each state is there that any task has."""
    page = open_page("/?range=7d")
    settled(page)
    tasks = asked(history, "/stats/tasks", **WEEK)["columns"]
    streaks = dict(zip(tasks["task_id"], tasks["streak"], strict=True))
    lines = page.locator("[data-task]")
    assert 0 < lines.count() <= 10
    words = ""
    for line in lines.all():
        why = line.locator(".state").first.inner_text()
        words += why
        task = line.get_attribute("data-task") or ""
        if "failing" in why:
            assert why == f"✕ failing \u00d7{-streaks[task]}"
        else:
            assert streaks[task] >= 0
    assert all(state in words for state in ("failing", "silent", "flaky"))
    page.locator("[data-verdict] .state.failing a").click()
    settled(page)
    assert query(page) == "?range=7d&state=failing"


def test_a_newcomer_finds_the_newest_failed_run(open_page: Opened, history: Server) -> None:
    """By links alone: from the first task that needs attention over its page; the window goes along."""
    page = open_page("/?range=7d")
    settled(page)
    first = page.locator("[data-task]").first
    task = first.get_attribute("data-task") or ""
    name = first.get_by_role("link").first.inner_text()
    first.get_by_role("link").first.click()
    expect(page.locator(".task-head .title")).to_contain_text(name)
    page.get_by_role("link", name="Newest failed run").click()
    expect(page.locator("main .outcome.failed").first).to_be_visible()
    run = asked(history, "/runs", task_id=task, status="failed", limit=1)["items"][0]["id"]
    assert page.evaluate("location.pathname + location.search") == f"/ui/runs/{run}?range=7d"
    page.go_back()
    page.go_back()
    settled(page)
    assert page.evaluate("location.pathname + location.search") == "/?range=7d"


def test_a_selected_time_leads_to_its_runs(open_page: Opened) -> None:
    """By keys; the runs are those that were selected. A reload shows the same."""
    page = open_page("/?range=7d")
    settled(page)
    page.locator("canvas").first.focus()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    total = shown(page, ".head [data-total]", "data-total")
    expect(page.locator(".difference")).to_be_visible()
    page.reload()
    assert shown(page, ".head [data-total]", "data-total") == total
    page.get_by_role("link", name="Show the selected runs").click()
    expect(page.locator("table.list")).to_be_visible()
    assert shown(page, ".head [data-total]", "data-total") == total
    assert query(page) == "?range=7d&brush=2026-11-08T13:00:00Z..2026-11-08T16:00:00Z"


def test_what_the_filters_do_not_reach_is_said(open_page: Opened, history: Server) -> None:
    """And a question that is refused leaves the other panels alone."""
    page = open_page("/?range=90d&lease_owner=worker-001", expected=("400: ",))
    expect(page.locator(".trouble").first).to_contain_text("31 days")
    expect(page.locator("[data-task]")).not_to_have_count(0)
    expect(page.locator(".counts a").nth(1)).to_have_attribute("href", re.compile("queued=open$"))
    expect(page.locator(".note")).to_contain_text("Tasks, workers and “Now” are of all runs")


def test_a_lake_without_runs_is_well(open_page: Opened, tmp_path: Path) -> None:
    """Nothing is missing, nothing is wrong."""
    with Server(tmp_path / "lake") as server:
        page = open_page("/", server=server)
        settled(page)
        expect(page.locator("[data-verdict]")).to_contain_text("No task is failing")
        expect(page.locator(".nothing")).to_contain_text("There are no runs yet. This stores one:")
        assert violations(page) == []


def test_many_open_runs_are_counted_by_the_service(open_page: Opened, tmp_path: Path) -> None:
    """More than a list has: as many are running, queued and lost, the oldest is named, with filters as without."""
    task = str(uuid.UUID(int=7))
    ends = {"finished_at": None, "success": None, "created_at": "2026-11-15T09:00:00Z"}
    times = {"started_at": "2026-11-15T09:30:00Z", **ends}
    runs = [record(n, **times, leased_until="2126-11-15T11:00:00Z") for n in range(120)]
    runs += [record(n, **times, leased_until="2026-11-15T10:00:00Z") for n in range(120, 220)]
    runs += [record(n, started_at=None, **ends) for n in range(220, 250)]
    runs.append(record(250, **{**times, "started_at": "2026-10-01T00:00:00Z"}, task_id=task))
    with Server(tmp_path / "lake") as server:
        assert server.client.post("/runs", json={"runs": runs}).status_code == 200
        for filters in ("", "?status=failed"):
            page = open_page(f"/{filters}", server=server)
            expect(page.locator("[data-open]").first).to_have_attribute("data-open", "121")
            assert shown(page, "[data-open]", "data-open") == ["121", "30", "100"]
            expect(page.locator("section[aria-labelledby=now]")).to_contain_text(f"Open for longest: {task[:8]}")
