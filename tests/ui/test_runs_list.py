"""The list of the page Runs: queued runs above it."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, query, settled, unusable
from support import Server, record

pytestmark = pytest.mark.browser
TASKS = [str(uuid.UUID(int=number)) for number in (101, 102)]
QUEUED = 60  # the page lists 50 of them


def idof(number: int) -> str:
    """The id of the run of a number."""
    return str(uuid.UUID(int=number))


def queued(number: int) -> dict[str, Any]:
    """A run that waits since so many minutes after ten."""
    fields = {"started_at": None, "finished_at": None, "success": None, "created_at": f"2026-11-15T10:{number:02}:00Z"}
    return record(1000 + number, task_id=TASKS[number % 2], **fields)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with the runs of these tests, which only read it."""
    with Server(tmp_path_factory.mktemp("list") / "lake") as found:
        times = {"started_at": "2026-11-15T09:00:00Z", "finished_at": "2026-11-15T09:00:04Z"}
        runs = [record(number, task_id=TASKS[0], **times) for number in range(3)]
        runs += [queued(number) for number in range(QUEUED)]
        assert found.client.post("/runs", json={"runs": runs}).status_code == 200
        yield found


def waiting(page: Page) -> list[str]:
    """The ids of the queued runs that are listed, from the top."""
    return [str(row.get_attribute("data-run")) for row in page.locator(".strip tbody tr").all()]


def test_queued_runs_stand_above_the_list(open_page: Opened, server: Server) -> None:
    """How many, the one that waits for longest, and a list of them; a window does not matter to them."""
    page = open_page("/ui/runs?range=1h", server=server)
    settled(page)
    strip = page.locator(".strip")
    expect(strip).to_contain_text("60 queued runs")
    expect(strip).to_contain_text("waiting for 2 h")
    assert waiting(page) == []
    strip.get_by_role("button", name="List").click()
    expect(strip).to_contain_text("The oldest 50 of 60.")
    assert waiting(page) == [idof(1000 + number) for number in range(50)]
    assert query(page) == "?range=1h&queued=open"
    page.reload()
    expect(strip.locator("tbody tr")).to_have_count(50)
    assert unusable(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    strip.locator("tbody a").nth(1).click()
    expect(page.locator("main > .run .record")).to_contain_text(idof(1000))


def test_only_filters_that_queued_runs_match_show_them(open_page: Opened, server: Server) -> None:
    """Of one task, its own; of failed runs none; the status queued lists them at once."""
    page = open_page(f"/ui/runs?task_id={TASKS[1]}", server=server)
    settled(page)
    expect(page.locator(".strip")).to_contain_text("30 queued runs")
    page.goto(f"{server.url}/ui/runs?status=failed,running")
    expect(page.locator(".nothing")).to_be_visible()
    expect(page.locator(".strip")).to_have_count(0)
    page.goto(f"{server.url}/ui/runs?status=queued&task_id={TASKS[1]}")
    expect(page.locator(".strip tbody tr")).to_have_count(30)
    assert waiting(page) == [idof(1000 + number) for number in range(1, QUEUED, 2)]
    expect(page.locator(".nothing")).to_contain_text("no window has them")
    page.goto(f"{server.url}/ui/runs?attempt_min=1")  # the API cannot list these without a window
    expect(page.locator(".strip")).to_contain_text("60 queued runs")
    expect(page.locator(".strip")).to_contain_text("choose one task")
