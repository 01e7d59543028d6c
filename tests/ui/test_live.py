"""Live: nothing that one looks at moves, what is new is counted, and all goes on after the service was killed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from screens import NOW, Opened, numbers, rows, settled, until
from support import Server, record

pytestmark = pytest.mark.browser
TASKS: Final = [f"00000000-0000-0000-0000-{n:012}" for n in range(7)]
ROWS: Final = """() => [...document.querySelectorAll('table.list tbody:not(.space) tr')].map(
    row => [row.getBoundingClientRect().top, row.innerText])"""


def failed(number: int, second: int, **fields: Any) -> dict[str, Any]:
    """A failed run that starts so many seconds after 12:00; one of three errors, one of seven tasks and workers."""
    at = f"2026-11-15T{11 + second // 3600}:{second // 60 % 60:02}:{second % 60:02}Z"
    told = {"error": f"ValueError: kind {'abc'[number % 3]}", "lease_owner": f"worker-{number % 7}"}
    times = {"started_at": at, "finished_at": at, "success": False, "task_id": TASKS[number % 7]}
    return record(number, **told | times | fields)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with 2,000 failed runs of an hour; tests add some that the window of a page reaches later."""
    with Server(tmp_path_factory.mktemp("live") / "lake") as found:
        assert found.post(*(failed(n, n * 3600 // 2000) for n in range(2000))).status_code == 200
        yield found


def later(server: Server, page: Page, number: int, seconds: int, **filters: str) -> int:
    """A run starts after the window of the page, whose clock goes on; return how many have started since."""
    page.clock.set_fixed_time(NOW.timestamp() + seconds)
    assert server.post(failed(number, 3600 + seconds - 5)).status_code == 200
    end = f"2026-11-15T12:00:{NOW.second + seconds}Z"
    window = {"start_time": "2026-11-15T12:00:10Z", "end_time": end, "limit": "1", **filters}
    return int(server.client.get("/runs", params=window).json()["total"])


GROUP: Final = "/ui/errors/{group}"


@pytest.mark.parametrize("path", ["/ui/runs", "/ui/errors", "/ui/workers", GROUP])
def test_a_list_that_is_pointed_at_stays(open_page: Opened, server: Server, path: str) -> None:
    """No row moves, a line says how many runs are new, and they come when the pointer leaves."""
    number = 3000 + 3 * ["/ui/runs", "/ui/errors", "/ui/workers", GROUP].index(path)
    window = {"start_time": "2026-11-15T11:00:00Z", "end_time": "2026-11-15T12:00:00Z"}
    groups = server.client.get("/errors", params=window).json()["groups"]
    group = next(one["id"] for one in groups if one["message"] == "kind a")
    page = open_page(f"{path.format(group=group)}?range=1h", server=server, height=1200)
    settled(page)
    page.locator("table.list tbody:not(.space) tr").nth(1).scroll_into_view_if_needed()
    page.locator("table.list tbody:not(.space) tr").nth(1).hover()
    before = page.evaluate(ROWS)
    total = numbers(page)["total"]
    news = later(server, page, number, 20, **({"error_group": group} if path == GROUP else {}))
    newer = page.locator(".newer")
    expect(newer).to_be_visible()
    words = "new failed run" if path == "/ui/errors" else "new run"
    expect(newer).to_have_text(f"{news} {words}{'s' if news > 1 else ''} ↑")
    assert page.evaluate(ROWS) == before and numbers(page)["total"] == total
    page.mouse.move(5, 5)
    expect(newer).to_have_count(0)
    settled(page)
    assert page.evaluate(ROWS) != before


@pytest.mark.parametrize("path", ["/ui/errors", "/ui/workers"])
def test_a_marked_row_stays_where_it_is(open_page: Opened, server: Server, path: str) -> None:
    """Until the mark is taken away, or the new runs are asked for."""
    page = open_page(f"{path}?range=1h", server=server)
    settled(page)
    page.keyboard.press("j")
    settled(page)
    before = rows(page)
    later(server, page, 3100 + len(path), 30)
    expect(page.locator(".newer")).to_be_visible()
    assert rows(page) == before
    page.locator(".newer").click()
    settled(page)
    assert page.locator("tr[aria-current]").count() == 0 and rows(page) != before


def test_inserts_while_one_scrolls_shift_nothing(open_page: Opened, server: Server) -> None:
    """Every rank keeps its run while new runs come in, also where its page is loaded only then."""
    page = open_page("/ui/runs?range=1h", server=server)
    settled(page)
    window = {"start_time": "2026-11-15T11:00:10Z", "end_time": "2026-11-15T12:00:10Z", "fields": "id"}
    total = numbers(page)["total"]
    answers = [
        server.client.get("/runs", params={**window, "offset": str(n), "limit": "200"}) for n in range(0, total, 200)
    ]
    ids = [item["id"] for answer in answers for item in answer.json()["items"]]
    drawn = """[...document.querySelectorAll('table.list tbody:not(.space) tr:not(.coming)')].map(
        row => [row.ariaRowIndex - 2, row.querySelector('td.started a').pathname.split('/').at(-1)])"""
    for step in range(8):
        page.mouse.wheel(0, 4000)
        until(page, f"scrollY > {3000 * (step + 1)}")
        later(server, page, 3200 + step, 20)
        settled(page)
        shown = page.evaluate(drawn)
        assert len(shown) > 10 and all(ids[rank] == run for rank, run in shown)


# Numbers that a reader sees at a time, whenever they change: the total of the head, of the list and of the foot, and
# the failures of the head and of the title.
WATCH: Final = """() => {
    const number = text => Number(text?.replace(/[^0-9]/g, ''));
    const look = () => {
        const head = document.querySelector('.head'), list = document.querySelector('table.list');
        const seen = [head.querySelector('[data-total]').dataset.total, list.ariaRowCount - 1,
            document.querySelector('.foot b').innerText, head.querySelector('[data-failed]').dataset.failed,
            document.title.split(' ')[0]].map(text => number(String(text)));
        if (String(seen) !== String(window.seen.at(-1))) window.seen.push(seen);
        requestAnimationFrame(look);
    };
    window.seen = [];
    look();
}"""


def test_all_numbers_are_of_one_snapshot_while_runs_come_in(open_page: Opened, tmp_path: Path) -> None:
    """What one sees at a time fits, and the window goes on once a second at most, however many commits there are."""
    with Server(tmp_path / "lake") as server:
        assert server.post(failed(0, 3000)).status_code == 200
        page = open_page("/ui/runs?range=1h", server=server)
        settled(page)
        page.evaluate(WATCH)
        asked: set[str] = set()  # one address for each window
        page.on("request", lambda request: asked.add(request.url))
        began = time.monotonic()
        for number in range(1, 201):
            assert server.post(failed(number, 3000 + number)).status_code == 200
            page.wait_for_timeout(10)
        most = time.monotonic() - began + 1
        expect(page.locator("table.list")).to_have_attribute("aria-rowcount", "202")
        settled(page)
        seen = page.evaluate("seen")
        assert len([url for url in asked if "/stats/durations" in url]) <= most and len(seen) > 3
        assert [numbers for numbers in seen if len(set(numbers)) > 1] == []


def test_live_goes_on_after_the_service_was_killed(open_page: Opened, tmp_path: Path) -> None:
    """What was there stays meanwhile; a run that is stored after the new start slides in by itself."""
    with Server(tmp_path / "lake") as server:
        assert server.post(failed(1, 3000), failed(2, 3001)).status_code == 200
        port = urlsplit(server.url).port
        page = open_page("/ui/runs?range=1h", server=server, expected=("503: ",))
        settled(page)
        assert numbers(page)["rows"] == 2
        server.stop(signal.SIGKILL)
        page.clock.set_fixed_time(NOW.timestamp() + 10)
        expect(page.locator(".outage")).to_contain_text("No connection to the service")
        assert numbers(page)["rows"] == 2
        with Server(tmp_path / "lake", "--port", str(port)) as again:
            expect(page.locator(".outage")).to_have_count(0)
            assert again.post(failed(3, 3612)).status_code == 200
            page.clock.set_fixed_time(NOW.timestamp() + 20)
            expect(page.locator("table.list")).to_have_attribute("aria-rowcount", "4")
            expect(page.locator(".foot")).to_contain_text("3 runs, exact")
