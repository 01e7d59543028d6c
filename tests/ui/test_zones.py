"""Clocks: borders of days, labels and ticks are those of the zone, on the days on which a clock changes as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Page
from screens import Opened, query, settled, table
from support import Server, record

pytestmark = pytest.mark.browser
TASK: Final = "00000000-0000-0000-0000-000000000007"
ZONES: Final = ["UTC", "Asia/Kolkata", "Europe/Vienna", "Pacific/Apia"]
OLD_NAMES: Final = {"Asia/Kolkata": "Asia/Calcutta"}  # as browsers call them
CHANGES: Final = ["2026-03-29", "2026-10-25"]  # of the clock in Vienna
QUARTER: Final = timedelta(minutes=15)
# Apia went over the date line: it had no 30 December 2011.
STARTS: Final = [
    datetime.fromisoformat(f"{day}T00:00:00Z") + n * QUARTER
    for day in ("2011-12-28", "2026-03-27", "2026-10-23")
    for n in range(5 * 96)
]
TICKS: Final = """() => [...document.querySelectorAll('.times')[0].querySelectorAll('span')].map(
    span => [parseFloat(span.style.left) / 100, span.innerText])"""
WEEKDAYS: Final = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service with a run every quarter of an hour around these days."""
    ends = [f"{at + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}" for at in STARTS]
    runs = [
        record(n, task_id=TASK, started_at=f"{at:%Y-%m-%dT%H:%M:%SZ}", finished_at=end)
        for n, (at, end) in enumerate(zip(STARTS, ends, strict=True))
    ]
    with Server(tmp_path_factory.mktemp("zones") / "lake") as found:
        assert found.post(*runs).status_code == 200
        yield found


def local(at: datetime, zone: str) -> str:
    """A time as the page writes it: with its offset where the clock shows it twice."""
    wall = at.astimezone(ZoneInfo(zone))
    twice = wall.replace(fold=0).utcoffset() != wall.replace(fold=1).utcoffset()
    return f"{wall:%b} {wall.day}, {wall:%H:%M}" + (f" {wall.isoformat()[-6:]}" if twice else "")


def bars(page: Page) -> dict[str, int]:
    """The runs of each bar by where it begins."""
    rows = table(page, "Runs over time")
    found = {row[0]: sum(int(cell) for cell in row[1:]) for row in rows}
    assert len(found) == len(rows)  # no two have one name
    return found


def ticks_are_right(page: Page, start: datetime, end: datetime, zone: str) -> None:
    """Each label stands at its time, to the part of a pixel that the browser keeps."""
    labels = page.evaluate(TICKS)
    assert len(labels) >= 2
    for share, text in labels:
        wall = (start + share * (end - start) + timedelta(seconds=30)).astimezone(ZoneInfo(zone))
        midnight = wall.hour == 0 and wall.minute == 0
        assert text == (f"{wall:%b} {wall.day}" if midnight else f"{wall:%H:%M}")


@pytest.mark.parametrize("zone", ZONES)
def test_a_day_is_one_of_the_zone(open_page: Opened, server: Server, zone: str) -> None:
    """As it is typed, with its 23, 24 or 25 hours; the zone is that of the browser, which `u` chooses."""
    page = open_page("/ui/runs?range=365d", server=server, timezone_id=zone)
    settled(page)
    if zone != "UTC":
        page.keyboard.press("u")
        assert query(page) == f"?range=365d&tz={OLD_NAMES.get(zone, zone)}"
    for day in CHANGES:
        start = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone))
        end = (start + timedelta(days=1)).astimezone(UTC)  # wall time: the next midnight
        start = start.astimezone(UTC)
        page.locator("button.window").click()
        page.get_by_label("Type a range").fill(day)
        page.keyboard.press("Enter")
        settled(page)
        assert f"start_time={start:%Y-%m-%dT%H:%M:%SZ}&end_time={end:%Y-%m-%dT%H:%M:%SZ}" in query(page)
        wanted = [local(start + n * QUARTER, zone) for n in range((end - start) // QUARTER)]
        assert bars(page) == dict.fromkeys(wanted, 1)
        ticks_are_right(page, start, end, zone)
        page.reload()
        settled(page)


@pytest.mark.parametrize("zone", ZONES)
def test_bars_of_days_begin_at_midnight_of_the_zone(open_page: Opened, server: Server, zone: str) -> None:
    """Over the change of the clock, and where a day was left out; each has the runs of its day."""
    page = open_page("/ui/no page", server=server)
    for first, last in (("2026-01-10", "2026-05-10"), ("2026-07-20", "2026-11-10"), ("2011-11-01", "2012-02-01")):
        start, end = (datetime.fromisoformat(f"{day}T00:00:00Z") for day in (first, last))
        page.goto(f"{server.url}/ui/runs?start_time={first}T00:00:00Z&end_time={last}T00:00:00Z&tz={zone}")
        settled(page)
        shown = bars(page)
        assert {name[-5:] for name in shown} == {"00:00"}
        walls = [at.astimezone(ZoneInfo(zone)) for at in STARTS if start <= at < end]
        wanted = Counter(f"{wall:%b} {wall.day}, 00:00" for wall in walls)
        assert {name: runs for name, runs in shown.items() if runs} == wanted
        ticks_are_right(page, start, end, zone)


@pytest.mark.parametrize("zone", [*ZONES[1:], "Asia/Kathmandu"])
def test_hours_of_the_week_are_those_of_the_zone(open_page: Opened, server: Server, zone: str) -> None:
    """Whole hours of UTC; where a zone is half an hour off, they begin at half past."""
    window = "start_time=2026-10-23T00:00:00Z&end_time=2026-10-28T00:00:00Z"
    page = open_page(f"/ui/tasks/{TASK}?{window}&tz={zone}", server=server, height=3000)
    settled(page)
    shown = {row[0]: int(row[1]) for row in table(page, "Hours of the week")}
    hours = [at.replace(minute=0).astimezone(ZoneInfo(zone)) for at in STARTS if at.year == 2026 and at.month == 10]
    wanted = Counter(f"{WEEKDAYS[wall.weekday()]} {wall:%H:%M}" for wall in hours)
    assert len(shown) == 7 * 24 and {name: runs for name, runs in shown.items() if runs} == wanted
