"""The page Runs: what it shows is what the API answers, on all ways to a state."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from screens import UNTIL, Opened, numbers, query, rows, settled, table, until
from support import Server, runlake

pytestmark = pytest.mark.browser
FRAMES = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"  # the list has followed
# The ranks and the ids of the rows that are drawn, at one moment.
DRAWN = """[...document.querySelectorAll('table.list tbody:not(.space) tr:not(.coming)')].map(
    row => [row.ariaRowIndex - 2, row.querySelector('td.started a').pathname.split('/').at(-1)])"""
# The list has followed a scrollbar however far: the rows that are drawn are in sight.
FOLLOWED = """() => {
    const rows = document.querySelectorAll('table.list tbody:not(.space) tr'), last = rows[rows.length - 1];
    return rows[0].getBoundingClientRect().top < innerHeight && last.getBoundingClientRect().bottom > innerHeight / 2;
}"""
WEEK = "/ui/runs?range=7d"


def asked(server: Server, **parameters: object) -> int:
    """How many runs the API has for these parameters."""
    answer = server.client.get("/runs", params={"limit": 1, **{key: str(value) for key, value in parameters.items()}})
    total: int = answer.json()["total"]
    return total


def figures(page: Page) -> list[int]:
    """The sums of the columns of the histogram, as its table has them: success, failed, open."""
    cells = [[int(text.replace(",", "")) for text in row[1:]] for row in table(page, "Runs over time")]
    return [sum(column) for column in zip(*cells, strict=True)]


def test_all_numbers_of_the_screen_are_one(open_page: Opened, history: Server) -> None:
    """Head, histogram, density, list, footer and API."""
    page = open_page("/ui/runs?range=7d&status=failed,running,lost")
    settled(page)
    shown = numbers(page)
    window = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
    assert shown["total"] == shown["rows"] == asked(history, **window, status="failed,running,lost") > 100
    assert shown["failed"] == asked(history, **window, status="failed")
    success, failed, opened = figures(page)
    assert (success, failed, failed + opened) == (0, shown["failed"], shown["total"])
    density = history.client.get("/stats/durations", params={**window, "status": "failed,running,lost"}).json()
    note = page.locator("figcaption").nth(1).inner_text()
    assert f"{density['timed']:,} " in note and density["timed"] + density["open"] == shown["total"]
    expect(page.locator(".foot")).to_contain_text(f"{shown['total']:,} runs, exact · snapshot")


def test_the_scrollbar_is_over_all_rows(open_page: Opened, history: Server) -> None:
    """Every row is there once, in the order of the API, down to the last one."""
    page = open_page("/ui/runs?range=7d&status=failed")
    settled(page)
    total = numbers(page)["total"]
    seen: dict[int, str] = {}
    while len(seen) < total:
        before = len(seen)
        seen |= dict(page.evaluate(DRAWN))
        page.evaluate("scrollBy(0, innerHeight / 2)")
        page.evaluate(FRAMES)
        settled(page)
        assert len(seen) > before or page.evaluate("scrollY + innerHeight < document.body.scrollHeight - 1")
    window = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z", "status": "failed"}
    ids: list[str] = []
    while len(ids) < total:
        parameters = {**window, "limit": "200", "offset": str(len(ids)), "fields": "id"}
        ids += [item["id"] for item in history.client.get("/runs", params=parameters).json()["items"]]
    assert [seen[rank] for rank in range(total)] == ids


def test_a_jump_to_the_end_shows_the_oldest_run(open_page: Opened, history: Server) -> None:
    """Of a list that is longer than what is loaded."""
    page = open_page("/ui/runs?range=14d")
    settled(page)
    total = numbers(page)["total"]
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    last = page.locator(f"table.list tr[aria-rowindex='{total + 1}'] td.started a")
    window = {"start_time": "2026-11-01T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
    answer = history.client.get("/runs", params={**window, "limit": "1", "offset": str(total - 1)}).json()
    expect(last).to_have_attribute("href", f"/ui/runs/{answer['items'][0]['id']}?range=14d")


def first_seen(page: Page) -> str:
    """The run of the first row below the head of the list."""
    read = """() => {
        const edge = document.querySelector('table.list th').getBoundingClientRect().bottom;
        const rows = [...document.querySelectorAll('table.list tbody:not(.space) tr:not(.coming)')];
        const seen = rows.find(row => row.getBoundingClientRect().top >= edge - 1);
        return seen ? seen.querySelector('td.started a').pathname.split('/').at(-1) : '';
    }"""
    return str(page.evaluate(read))


def test_a_click_on_a_bar_leads_to_its_runs(open_page: Opened, history: Server) -> None:
    """And Enter at a bar. The first row is the newest run of it; nothing is selected, and no address changes."""
    page = open_page(WEEK)
    settled(page)
    chart = page.locator("canvas").first
    box = chart.bounding_box()
    assert box is not None
    for hour, key in ((40, False), (3, True)):
        end = datetime(2026, 11, 8, 13, tzinfo=UTC) + timedelta(hours=hour)
        before = {"start_time": "2026-11-08T12:00:10Z", "end_time": end.isoformat(), "limit": "1", "fields": "id"}
        newest = history.client.get("/runs", params=before).json()["items"][0]["id"]
        page.evaluate("scrollTo(0, 0)")
        if key:
            chart.focus()
            for _ in range(hour + 1):
                page.keyboard.press("ArrowRight")
            page.keyboard.press("Enter")
        else:
            page.mouse.click(box["x"] + box["width"] * (hour + 0.5) / (7 * 24), box["y"] + 60)
        page.evaluate(FRAMES)
        settled(page)
        assert first_seen(page) == newest
        assert query(page) == "?range=7d"


def test_bursts_of_failures_are_marked(open_page: Opened, history: Server) -> None:
    """At their begin, in the picture and in words; what no chance explains, and nothing else."""
    page = open_page(WEEK)
    settled(page)
    expect(page.locator("figcaption").first).to_contain_text("\u25b2: a burst of failures begins")
    asked = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z", "width": "1h"}
    series = history.client.get("/stats/histogram", params=asked).json()["series"]
    failed = next(one["runs"] for one in series if one["key"] == "failed")
    incident = failed.index(max(failed))
    page.locator("canvas").first.focus()
    told = {}
    for at in range(len(failed) - 1, incident - 2, -1):
        page.keyboard.press("ArrowLeft")
        told[at] = page.locator(".plot [role=status]").first.inner_text()
    assert f", {failed[incident]} failed" in told[incident]
    assert [at for at, text in told.items() if "a burst of failures begins" in text] == [incident]
    page.goto(f"{history.url}{WEEK}&status=failed")  # all of them failed: none is a burst
    settled(page)
    expect(page.locator("figcaption").first).not_to_contain_text("burst")


def test_a_double_click_zooms_to_what_is_selected(open_page: Opened) -> None:
    """Though its first click alone would take the selection away."""
    page = open_page(f"{WEEK}&brush=2026-11-10T00:00:00Z..2026-11-11T00:00:00Z")
    settled(page)
    page.locator("canvas").first.dblclick()
    settled(page)
    assert query(page) == "?start_time=2026-11-10T00:00:00Z&end_time=2026-11-11T00:00:00Z"
    page.locator("canvas").first.dblclick()
    assert query(page) == "?start_time=2026-11-10T00:00:00Z&end_time=2026-11-11T00:00:00Z"


def test_a_value_of_the_list_becomes_a_filter(open_page: Opened) -> None:
    """By an Alt-click on its cell, also on a link."""
    page = open_page(WEEK)
    settled(page)
    worker = page.locator("td.worker").first
    name = worker.inner_text()
    worker.click(modifiers=["Alt"])
    settled(page)
    assert query(page) == f"?range=7d&lease_owner={name}"
    assert {row["worker"] for row in rows(page).values()} == {name}
    task = page.locator("td.task a").first
    of_task = (task.get_attribute("href") or "").split("?")[0].rpartition("/")[2]
    task.click(modifiers=["Alt"])
    settled(page)
    assert query(page) == f"?range=7d&task_id={of_task}&lease_owner={name}"


def test_a_brush_filters_everything(open_page: Opened, history: Server) -> None:
    """By mouse and by keys: the same address, the same numbers; Escape takes it away, Enter zooms."""
    page = open_page(WEEK)
    settled(page)
    whole = numbers(page)["total"]
    chart = page.locator("canvas").first
    box = chart.bounding_box()
    assert box is not None
    hours = 7 * 24
    # From within the third hour to within the eighth one; the first bar is the rest of an hour.
    page.mouse.move(box["x"] + box["width"] * 2.5 / hours, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 7.5 / hours, box["y"] + 52, steps=3)
    page.mouse.up()
    settled(page)
    by_mouse = query(page)
    assert by_mouse == "?range=7d&brush=2026-11-08T14:00:00Z..2026-11-08T20:00:00Z"
    selected = numbers(page)
    window = {"start_time": "2026-11-08T14:00:00Z", "end_time": "2026-11-08T20:00:00Z"}
    assert selected["total"] == selected["rows"] == asked(history, **window) < whole
    assert selected["failed"] == asked(history, **window, status="failed")
    durations = history.client.get("/stats/durations", params={**window, "columns": 1, "points": 0}).json()
    told = page.locator(".head [data-p95]")
    assert [float(told.get_attribute("data-p95") or 0)] == durations["p95_seconds"]
    expect(told).to_have_attribute("title", "Within 1 %")
    page.get_by_label("Remove the selection").click()
    settled(page)
    assert numbers(page)["total"] == whole
    chart.focus()
    for key in [*["ArrowRight"] * 3, *["Shift+ArrowRight"] * 5]:
        page.keyboard.press(key)
    assert query(page) == by_mouse
    settled(page)
    assert numbers(page) == selected
    page.keyboard.press("Enter")
    settled(page)
    assert query(page) == "?start_time=2026-11-08T14:00:00Z&end_time=2026-11-08T20:00:00Z"
    assert numbers(page) == selected
    page.go_back()
    page.keyboard.press("Escape")
    settled(page)
    assert query(page) == WEEK.removeprefix("/ui/runs")


def test_a_brush_over_durations_counts_as_the_list_does(open_page: Opened, history: Server) -> None:
    """The borders of the rows belong to one row each."""
    page = open_page(WEEK)
    settled(page)
    box = page.locator("canvas").nth(1).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.3)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.6, steps=3)
    page.mouse.up()
    settled(page)
    shown = numbers(page)
    start, end, low, high = query(page).split("brush=")[1].split("..")
    least, most = float(low), float(high) - 1e-6
    window = {"start_time": start, "end_time": end}
    between = asked(history, **window, duration_min=least, duration_max=f"{most:.6f}")
    assert shown["total"] == shown["rows"] == between > 0
    longer = asked(history, **window, duration_min=f"{most + 1e-6:.6f}")
    shorter = asked(history, **window, duration_max=f"{least - 1e-6:.6f}") if least else 0
    open_runs = asked(history, **window, status="running,lost")
    assert shown["total"] + longer + shorter + open_runs == asked(history, **window)


def test_nothing_matches(open_page: Opened) -> None:
    """An empty screen says of which window, and offers a way on."""
    page = open_page("/ui/runs?range=1h&lease_owner=nobody")
    expect(page.locator(".nothing")).to_contain_text(
        "No run of Nov 15, 11:00:10 \u2013 12:00:10 matches these filters."
    )
    page.get_by_role("button", name="Clear the filters").click()
    settled(page)
    assert numbers(page)["total"] > 0 and query(page) == "?range=1h"


def test_an_empty_list_leads_to_the_run_before(open_page: Opened, history: Server) -> None:
    """Where one matches, whatever the filters of rollups; else the page says that there is none."""
    empty = "start_time=2026-11-20T00:00:00Z&end_time=2026-11-20T02:00:00Z"
    newest = history.client.get("/runs?status=failed&limit=1").json()["items"][0]["started_at"]
    page = open_page(f"/ui/runs?{empty}&status=failed")
    expect(page.locator(".nothing")).to_contain_text("The last one before started")
    page.get_by_role("button", name="Show it").click()
    settled(page)
    assert page.locator("td.started time").first.get_attribute("datetime") == newest
    page.goto(f"{history.url}/ui/runs?{empty}&task_id=00000000-0000-0000-0000-000000000001")
    expect(page.locator(".nothing")).to_contain_text("Nor is there one before.")


def test_a_refused_question_says_why(open_page: Opened) -> None:
    """The problem of the API is shown where its answer would be, and the rest of the page lives."""
    page = open_page("/ui/runs?range=90d&lease_owner=worker-001", expected=("400: ",))
    alerts = page.locator(".trouble")
    expect(alerts.first).to_contain_text("Bad Request")
    expect(alerts.first).to_contain_text("31 days")
    expect(page.locator(".charts .waiting, .head .skeleton")).to_have_count(0)  # nothing more will come
    page.get_by_label("Remove the filter worker: worker-001").click()
    settled(page)
    expect(alerts).to_have_count(0)


@pytest.mark.long
def test_any_of_two_million_rows_is_reached(open_page: Opened, tmp_path: Path) -> None:
    """The first, those half-way and the last: each at its rank, as the API has it. A list so long stands for more rows
    than it has pixels for, and a turn of the wheel moves its rows as far as those of a short one.
    """
    shape = ["--runs", "2000000", "--days", "60", "--seed", "7", "--until", UNTIL]
    assert runlake("generate", *shape, "--data", str(tmp_path / "lake")).returncode == 0
    window = {"start_time": "2026-08-17T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
    with Server(tmp_path / "lake") as server:
        page = open_page("/ui/runs?range=90d", server=server)
        settled(page)
        total = numbers(page)["rows"]
        assert total == numbers(page)["total"] == asked(server, **window) > 1_990_000

        def seen() -> tuple[int, int]:
            """The first and the last rank that is drawn; each row in between has the run that the API has there."""
            until(page, FOLLOWED)
            settled(page)
            drawn = dict(page.evaluate(DRAWN))
            first, last = min(drawn), max(drawn)
            parameters = {**window, "limit": last - first + 1, "offset": first, "fields": "id"}
            items = server.client.get("/runs", params=parameters).json()["items"]
            assert [drawn[rank] for rank in range(first, last + 1)] == [item["id"] for item in items]
            return first, last

        assert seen()[0] == 0
        page.evaluate("""() => {
            const list = document.querySelector('table.list').getBoundingClientRect();
            scrollTo(0, scrollY + list.top + list.height / 2 - innerHeight / 2);
        }""")
        middle = seen()
        assert abs(sum(middle) / 2 - total / 2) < total / 1000
        page.evaluate("scrollBy(0, 1500)")
        assert seen()[0] - middle[0] in range(49, 52)
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        assert seen()[1] == total - 1
        page.evaluate("scrollTo(0, 0)")
        assert seen()[0] == 0
