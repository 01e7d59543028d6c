"""Questions that the service reads run by run: the page shows what is found as it is found."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Final

import pytest
from clients import until as served
from paces import PACES
from playwright.sync_api import Page, expect
from screens import Opened, numbers, settled, unusable
from support import Server, environment, record

pytestmark = pytest.mark.browser
DAYS: Final = 8
EACH: Final = 3  # failures of a day
RANGE: Final = "start_time=2025-01-01T00:00:00Z&end_time=2025-01-09T00:00:00Z"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with failures on each of the days, all in files, which looks for them at the pace of a test."""
    text = "slow, endless, broken or quick"
    failures = [
        record(day * EACH + n, started_at=f"2025-01-{day:02}T08:00:0{n}Z", success=False, error=text)
        for day in range(1, DAYS + 1)
        for n in range(EACH)
    ]
    for run in failures:
        run["finished_at"] = run["started_at"].replace("T08", "T09")
    env = environment(None, RUNLAKE_INLINE_ROWS="0", RUNLAKE_QUERY_SECONDS="600")
    with Server(tmp_path_factory.mktemp("scans") / "lake", env=env, before=PACES) as running:
        assert running.post(*failures).status_code == 200
        yield running


ALL: Final = dict.fromkeys(("total", "failed", "rows"), DAYS * EACH)
# What is being read, how many days of it are, the runs of the head and the rows of the list.
SO_FAR: Final = """() => {
    const [far, list] = [document.querySelector('.how-far'), document.querySelector('table.list')];
    const total = document.querySelector('.head [data-total]')?.dataset.total;
    return far && [far.innerText.split(':')[0], Number(far.dataset.done), Number(total), list.ariaRowCount - 1];
}"""


def under_way(server: Server, questions: int) -> None:
    """Wait until the service reads for so many questions, or lets them wait."""
    served(server, "queries_under_way", questions)


def test_numbers_grow_while_the_window_is_read(open_page: Opened, server: Server) -> None:
    """Each part is exact for its days, and says so; the last one is the answer."""
    page = open_page(f"/ui/runs?{RANGE}&error=slow", server=server)
    far = page.locator(".how-far")
    expect(far).to_contain_text(re.compile(rf"Runs over time: \d of {DAYS} days read, all runs since Jan \d, 00:00:00"))
    expect(page.locator(".head")).to_contain_text("so far")
    expect(page.locator(".foot")).not_to_contain_text("exact")
    seen: dict[str, set[tuple[int, int]]] = defaultdict(set)
    while page.locator("tr.coming, .charts .waiting, .how-far").count():
        found = page.evaluate(SO_FAR)
        if found:
            name, days, total, rows = found
            seen[name].add((days, rows if name == "List of runs" else total))
        page.wait_for_timeout(30)
    assert seen.keys() == {"Runs over time", "Durations", "List of runs"}
    assert len(seen["Runs over time"]) > 1
    for name in ("Runs over time", "List of runs"):
        assert all(runs == days * EACH for days, runs in seen[name]), seen
    settled(page)
    assert numbers(page) == ALL
    expect(page.locator(".head")).not_to_contain_text("so far")
    expect(page.locator(".foot")).to_contain_text(f"{DAYS * EACH} runs, exact")


def rows_so_far(page: Page, days: int) -> None:
    """Wait until the list shows the runs of so many days, and says so."""
    expect(page.locator(".how-far")).to_contain_text(f"List of runs: {days} of {DAYS} days read")
    expect(page.locator("table.list")).to_have_attribute("aria-rowcount", str(days * EACH + 1))


def test_another_filter_ends_what_is_read(open_page: Opened, server: Server) -> None:
    """So does Stop, which leaves what was found; the service has nothing to do any more."""
    page = open_page(f"/ui/runs?{RANGE}&error=endless", server=server)
    rows_so_far(page, 1)
    under_way(server, 1)
    assert unusable(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_label("Remove the filter error contains: endless").click()
    under_way(server, 0)
    settled(page)
    expect(page.locator(".how-far")).to_have_count(0)
    assert numbers(page) == ALL
    page.go_back()
    rows_so_far(page, 1)
    page.get_by_role("button", name="Stop").click()
    under_way(server, 0)
    rows_so_far(page, 1)
    page.get_by_role("button", name="Read all").click()
    under_way(server, 1)


def test_what_came_stays_when_the_rest_fails(open_page: Opened, server: Server) -> None:
    """With the problem beside it."""
    page = open_page(f"/ui/runs?{RANGE}&error=broken", server=server)
    expect(page.locator(".trouble")).to_contain_text("List of runs: Internal Server Error")
    rows_so_far(page, 1)
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
