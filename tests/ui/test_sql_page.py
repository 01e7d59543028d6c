"""The SQL page: rows, pictures and files of a query, what is wrong with it, and queries of before."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa
import pytest
from playwright.sync_api import Page, Route, expect
from screens import Opened, settled, table, violations
from support import Server

pytestmark = pytest.mark.browser
BY_RESULT: Final = "SELECT success, count(*) AS runs FROM runs GROUP BY success ORDER BY runs DESC"


def write(page: Page, query: str) -> None:
    """Put a query into the editor in place of what is there."""
    page.locator(".sql-editor .cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.press("Backspace")
    page.keyboard.insert_text(query)


def ask(page: Page, query: str) -> None:
    """Write a query and run it by keys; returns when its rows are there."""
    write(page, query)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".sql-status")).to_contain_text("snapshot")


def cells(page: Page) -> list[list[str]]:
    """The rows that are drawn."""
    page.locator(".sql-grid tbody tr:not(.gap)").first.wait_for()
    rows = page.locator(".sql-grid tbody tr:not(.gap)").all_inner_texts()
    return [row.split("\t") for row in rows]


def test_a_query_is_answered_as_the_api_answers_it(open_page: Opened, history: Server) -> None:
    page = open_page("/ui/sql")
    ask(page, BY_RESULT)
    answer = history.client.post("/sql", json={"query": BY_RESULT}).json()
    shown = [[cell.lower() for cell in row] for row in cells(page)]
    assert shown == [[json.dumps(cell) for cell in row] for row in answer["rows"]]
    expect(page.locator(".sql-status")).to_contain_text(f"{len(answer['rows'])} rows")


def test_no_digit_is_lost(open_page: Opened) -> None:
    page = open_page("/ui/sql")
    ask(
        page,
        "SELECT 9007199254740993 AS big, 1.50::DECIMAL(9, 2) AS money, {'n': 12345678901234567890} AS inside, NULL",
    )
    assert cells(page) == [["9007199254740993", "1.50", '{"n":12345678901234567890}', "NULL"]]


def test_an_even_time_is_a_number_too(open_page: Opened) -> None:
    """One answer in a hundred takes milliseconds that JSON writes as 704.0, which JavaScript writes as 704."""

    def even(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=re.sub(r'"elapsed_ms":[\d.]+', '"elapsed_ms":704.0', answer.text()))

    page = open_page("/ui/sql")
    page.route("**/sql", even)
    ask(page, "SELECT 1.50::DECIMAL(9, 2) AS money")
    expect(page.locator(".sql-status")).to_contain_text("704 ms")
    assert cells(page) == [["1.50"]]


def test_all_rows_are_under_one_scrollbar(open_page: Opened) -> None:
    """Ten thousand of more, of which some are drawn; sorted as numbers."""
    page = open_page("/ui/sql")
    ask(page, "SELECT range AS n, -range AS minus FROM range(10001)")
    expect(page.locator(".sql-status")).to_contain_text("the first 10,000 rows")
    assert len(cells(page)) < 100
    page.locator(".sql-grid").evaluate("grid => grid.scrollTo(0, grid.scrollHeight)")
    expect(page.locator(".sql-grid tr[aria-rowindex='10001']")).to_contain_text("9999")
    page.locator(".sql-grid").evaluate("grid => grid.scrollTo(0, 0)")
    page.get_by_role("button", name="minus", exact=True).click()
    expect(page.locator(".sql-grid tr[aria-rowindex='2']")).to_contain_text("-9999")
    expect(page.locator(".sql-grid th[aria-sort='ascending']")).to_contain_text("minus")


def test_what_is_wrong_is_said_where_it_is(open_page: Opened) -> None:
    page = open_page("/ui/sql", expected=("400: ", "503: "))
    write(page, "SELECT 1\nFROM\nnothing")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("alert")).to_contain_text("line 3: ")
    expect(page.locator(".sql-editor .cm-wrong")).to_have_text("nothing")
    ask(page, "SELECT 1 AS one")
    expect(page.get_by_role("alert")).to_have_count(0)
    expect(page.locator(".sql-editor .cm-wrong")).to_have_count(0)


def test_a_query_is_stopped(open_page: Opened, history: Server) -> None:
    """Its process ends, too: two others run at once right after it."""
    page = open_page("/ui/sql")
    write(page, "SELECT count(*) FROM range(100000000000) a, range(1000) b")
    page.locator(".sql .primary").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("button", name="Stop")).to_have_count(0)
    history.until(lambda: history.client.post("/sql", json={"query": "SELECT 1"}).status_code == 200)
    ask(page, "SELECT 1 AS one")
    assert cells(page) == [["1"]]


@pytest.mark.parametrize("name", ["CSV", "Parquet", "Arrow", "NDJSON"])
def test_the_whole_result_is_saved(open_page: Opened, history: Server, tmp_path: Path, name: str) -> None:
    """As a file that DuckDB reads; more rows than are shown."""
    page = open_page("/ui/sql", accept_downloads=True)
    ask(page, "SELECT id, task_id, success FROM runs")
    with page.expect_download() as saved:
        page.get_by_role("button", name=f"Save all rows as {name}").click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    total = history.client.get("/runs", params={"limit": "1"}).json()["total"]
    readers = {"CSV": "read_csv", "Parquet": "read_parquet", "NDJSON": "read_ndjson"}
    with duckdb.connect() as con:
        if name == "Arrow":  # DuckDB reads what Arrow has read
            con.register("saved", pa.ipc.open_stream(file).read_all())
        source = "saved" if name == "Arrow" else f"{readers[name]}('{file}')"
        assert con.execute(f"SELECT count(DISTINCT id) FROM {source}").fetchall() == [(total,)]


def test_a_link_shows_the_query_and_nobody_is_told_it(open_page: Opened) -> None:
    """It is in the fragment; a reload has it, and so has the history, also in another tab."""
    page = open_page("/ui/sql")
    query = "SELECT 'Zürich, \\' AS place, count(*) AS runs\nFROM runs"
    ask(page, query)
    page.wait_for_url("**/ui/sql#q=*")
    assert "SELECT" not in page.url
    page.reload()
    expect(page.locator(".sql-editor .cm-content")).to_contain_text("Zürich")
    page.goto(page.url.partition("#")[0] + "?again=1")
    page.locator(".sql-aside button", has_text="Zürich").click()
    page.locator(".sql-editor .cm-content").press("Control+Enter")
    expect(page.locator(".sql-grid")).to_contain_text("Zürich, \\")


def test_typing_is_no_shortcut(open_page: Opened) -> None:
    """Letters in the editor stay letters; Tab leaves it."""
    page = open_page("/ui/sql")
    write(page, "")
    page.locator(".sql-editor .cm-content").press_sequentially("g r t ?")
    assert page.evaluate("location.pathname") == "/ui/sql"
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.locator(".sql .primary")).to_be_focused()


def test_names_are_completed(open_page: Opened) -> None:
    page = open_page("/ui/sql")
    page.locator(".sql-aside details").first.wait_for()
    write(page, "")
    page.locator(".sql-editor .cm-content").press_sequentially("SELECT error_gr")
    expect(page.locator(".cm-tooltip-autocomplete")).to_contain_text("error_group")
    page.locator(".cm-tooltip-autocomplete li", has_text="error_group").first.click()
    expect(page.locator(".sql-editor .cm-content")).to_have_text("SELECT error_group")


def test_a_result_is_drawn(open_page: Opened) -> None:
    """Over time with a time in front, else as bars; each also has its numbers as text."""
    page = open_page("/ui/sql")
    ask(
        page,
        "SELECT date_trunc('day', run_at) AS day, count(*) AS runs, 5 AS five FROM runs GROUP BY day ORDER BY day DESC",
    )
    rows = cells(page)
    page.get_by_role("button", name="Chart").click()
    drawn = table(page, "Result over time")
    assert [(row[1], row[2]) for row in drawn] == [(row[1], row[2]) for row in reversed(rows)]
    ask(page, "SELECT lease_owner, count(*) AS runs FROM runs GROUP BY ALL ORDER BY runs DESC LIMIT 5")
    expect(page.locator(".sql-bars li")).to_have_count(5)


def test_a_screen_is_opened_as_sql(open_page: Opened, history: Server) -> None:
    """The query finds the runs of the screen."""
    page = open_page("/ui/runs?range=7d&status=failed")
    settled(page)
    total = page.locator(".head [data-total]").get_attribute("data-total")
    page.get_by_role("button", name="Copy this screen").click()
    page.locator(".menu").get_by_role("button", name="Open as SQL").click()
    page.wait_for_url("**/ui/sql#q=*")
    expect(page.locator(".sql-editor .cm-content")).to_contain_text("NOT success")
    page.locator(".sql .primary").click()
    expect(page.locator(".sql-status")).to_contain_text(f"{int(total or 0):,} rows")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_is_for_everybody(open_page: Opened, theme: str) -> None:
    page = open_page("/ui/sql", color_scheme=theme)
    ask(page, BY_RESULT)
    assert violations(page) == []
    page.get_by_role("button", name="Chart").click()
    assert violations(page) == []
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
