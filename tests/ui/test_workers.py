"""The page Workers: every column is the API's, the bad one is seen at once, and each leads to its runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, numbers, query, rows, settled, table, unusable
from support import Server, record

pytestmark = pytest.mark.browser
WEEK = "/ui/workers?range=7d"
WINDOW = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
BAD = "worker-012"
NO_VALUE = "\N{EN DASH}"
HEADS = {"Worker": "owner", "Failed of finished": "rate", "Failed": "failed", "Runs": "runs", "Mean": "mean"} | {
    "vs before": "before",
    "Open": "open",
    "Lost": "lost",
    "Last seen": "seen",
}


def workers(server: Server) -> list[dict[str, Any]]:
    """What the API answers for the week, with what the page makes of it."""
    columns = server.client.get("/stats/owners", params=WINDOW).json()["columns"]
    found = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    for row in found:
        finished = row["runs"] - row["open"]
        row["rate"] = row["failed"] / finished if finished else None
        row["mean"], row["z"] = row["avg_seconds"], row["failure_z"]
        row["seen"] = row["last_seen"][:23].rstrip("Z")  # the page has milliseconds
        earlier = row["previous_avg_seconds"]
        row["before"] = row["mean"] / earlier if row["mean"] is not None and earlier else None
    return found


def ordered(found: list[dict[str, Any]], key: str, *, down: bool) -> list[str]:
    """The names in the order of a column: what has no value comes last, equal ones follow their names."""
    valued = sorted((row for row in found if row[key] is not None), key=lambda row: str(row["owner"]))
    valued.sort(key=lambda row: row[key], reverse=down)  # equal ones keep their order both ways
    return [row["owner"] for row in valued] + sorted(row["owner"] for row in found if row[key] is None)


def names(page: Page) -> list[str]:
    """The workers that are drawn, from the first one on."""
    drawn = rows(page)
    return [drawn[rank]["owner"] for rank in sorted(drawn)]


def test_the_numbers_are_those_of_the_api(open_page: Opened, history: Server) -> None:
    """Head and rows; the sums of all workers are the runs of the API that name one."""
    page = open_page(WEEK)
    settled(page)
    found = workers(history)
    head = numbers(page)
    assert head == {"total": len(found), "failed": sum(row["failed"] for row in found), "rows": len(found)}
    by_name = {row["owner"]: row for row in found}
    drawn = rows(page)
    assert len(drawn) > 20
    for cells in drawn.values():
        row = by_name[cells["owner"]]
        for key in ("failed", "runs", "open"):
            assert cells[key] == f"{row[key]:,}"
        assert cells["lost"].removeprefix("⚠ ") == str(row["lost"])
        assert (cells["z"] == NO_VALUE) == (row["z"] is None)
        if row["z"] is not None:
            assert cells["z"].split()[-1] == f"{row['z']:+.1f}".replace("-", "\N{MINUS SIGN}")
    answer = history.client.get("/runs", params={**WINDOW, "lease_owner": BAD, "status": "failed", "limit": "1"}).json()
    assert by_name[BAD]["failed"] == answer["total"]


def test_the_order_of_each_column_is_total(open_page: Opened, history: Server) -> None:
    """Both ways; the link of an order shows it again."""
    page = open_page(WEEK)
    settled(page)
    found = workers(history)
    first = names(page)
    assert first == ordered(found, "z", down=True)[: len(first)]
    for head, key in HEADS.items():
        button = page.get_by_role("columnheader", name=head, exact=True).get_by_role("button")
        for down in (key != "owner", key == "owner"):
            button.click()
            assert query(page) == f"?range=7d&sort={'-' if down else ''}{key}"
            expect(page.locator(f"th.{key}")).to_have_attribute("aria-sort", "descending" if down else "ascending")
            drawn = names(page)
            assert drawn == ordered(found, key, down=down)[: len(drawn)], (key, down)
    page.reload()
    settled(page)
    assert names(page) == drawn
    page.go_back()
    page.go_back()
    settled(page)
    assert query(page) == "?range=7d&sort=lost"


@pytest.fixture(scope="module")
def shift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Six workers with 60 runs each: 25 of those of BAD failed by an error of its own, and one of each other."""
    runs = []
    for number in range(360):
        owner, turn = f"worker-{10 + number % 6:03}", number // 6
        fails = turn % 60 < (25 if owner == BAD else 1)
        error = f"OSError: [Errno 28] No space left on device: '/tmp/{number}'" if owner == BAD else "ValueError: bad"
        at = f"2026-11-15T{turn // 6:02}:{10 * (turn % 6):02}:"
        times = {"started_at": f"{at}00Z", "finished_at": f"{at}0{2 + number % 5}Z"}
        runs.append(record(number, lease_owner=owner, success=not fails, error=error if fails else None, **times))
    with Server(tmp_path_factory.mktemp("shift") / "lake") as server:
        assert server.post(*runs).status_code == 200
        yield server


def test_the_bad_worker_is_seen_at_once(open_page: Opened, shift: Server) -> None:
    """It stands first and in the head; marked, it shows its runs over time, what is different, and links to runs."""
    page = open_page("/ui/workers", server=shift)
    settled(page)
    expect(page.locator(".outstanding")).to_have_text(f"1 fails more than others: ✕ {BAD}")
    first = rows(page)[0]
    assert first["owner"] == BAD and "fails far more" in first["z"]
    page.locator(".outstanding button").click()
    settled(page)
    assert query(page) == f"?sel={BAD}"
    panel = page.get_by_role("complementary", name=f"Worker {BAD}")
    expect(panel).to_contain_text("25 of 60 finished runs failed (41.7 %), of all others 1.7 %")
    cells = [[int(cell) for cell in row[1:]] for row in table(page, "Its runs")]
    assert [sum(column) for column in zip(*cells, strict=True)] == [35, 25, 0]
    page.reload()
    settled(page)
    different = panel.locator(".different li").first
    expect(different).to_contain_text("No space left on device")
    expect(different).to_contain_text("only here")
    panel.get_by_role("link", name="Its failed runs").click()
    settled(page)
    assert numbers(page)["total"] == 25 and query(page) == f"?status=failed&lease_owner={BAD}"
    page.go_back()
    settled(page)
    different.get_by_role("link").click()
    settled(page)
    assert numbers(page)["total"] == 25
    page.go_back()
    settled(page)
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    assert query(page) == ""
    page.locator("td.owner a").first.click()
    settled(page)
    assert numbers(page)["total"] == 60


def test_workers_are_marked_by_keys_and_found_by_name(open_page: Opened, history: Server) -> None:
    """j marks the first, then the next one; a search keeps the order."""
    page = open_page(WEEK)
    settled(page)
    order = names(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    settled(page)
    assert query(page) == f"?range=7d&sel={order[1]}"
    expect(page.get_by_role("complementary")).to_have_accessible_name(f"Worker {order[1]}")
    page.keyboard.press("Escape")
    page.get_by_label("Find a worker").fill("ER-01")
    settled(page)
    assert sorted(names(page)) == sorted(row["owner"] for row in workers(history) if "er-01" in row["owner"])
    page.get_by_label("Find a worker").fill("nobody")
    expect(page.locator(".nothing")).to_contain_text("has “nobody” in its name")
    page.get_by_role("button", name="Show all workers").click()
    settled(page)
    assert names(page) == order


def test_what_does_not_count_is_said(open_page: Opened) -> None:
    """Filters; a window too long for the runs of one worker, from which a button leads to a shorter one."""
    page = open_page(f"/ui/workers?range=90d&status=failed&sel={BAD}")
    settled(page)
    expect(page.locator(".notes")).to_contain_text("Filters do not count here")
    expect(page.locator(".notes")).to_contain_text("The window before is not whole")
    assert page.locator("td.owner a").count() == 0
    page.get_by_role("button", name="Show the last 30 days").click()
    settled(page)
    assert query(page) == f"?range=30d&status=failed&sel={BAD}"
    expect(page.get_by_role("link", name="Its failed runs")).to_be_visible()


def test_leases_that_are_over_and_no_workers(open_page: Opened, tmp_path: Path) -> None:
    """A lost run is counted as open and as lost; runs without a worker are in no row."""
    times = {"started_at": "2026-11-15T11:00:00Z"}
    opened = {**times, "finished_at": None, "success": None}
    with Server(tmp_path / "lake") as server:
        assert server.post(record(1, lease_owner=None, **times, finished_at="2026-11-15T11:00:01Z")).status_code == 200
        page = open_page("/ui/workers", server=server)
        expect(page.locator(".nothing")).to_contain_text("names a worker (lease_owner)")
        lost = record(2, lease_owner="<b>east</b>", **opened, leased_until="2026-11-15T11:01:00Z")
        held = record(3, lease_owner="<b>east</b>", **opened, leased_until="2036-11-15T11:01:00Z")
        assert server.post(lost, held).status_code == 200
        page.clock.set_fixed_time("2026-11-15T12:00:33Z")
        expect(page.locator("td.owner")).to_have_text("<b>east</b>")
        cells = rows(page)[0]
        assert (cells["runs"], cells["open"], cells["lost"], cells["z"]) == ("2", "2", "⚠ 1", NO_VALUE)
        expect(page.locator(".head")).to_contain_text("2 open, 1 of them lost")


def test_everybody_can_use_it(open_page: Opened, shift: Server) -> None:
    """axe finds nothing with a worker marked, and nothing is wider than the screen."""
    page = open_page(f"/ui/workers?sel={BAD}", server=shift)
    settled(page)
    assert unusable(page) == []
