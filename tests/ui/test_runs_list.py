"""The list of the page Runs: queued runs above it, its columns, and the marks of its rows."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, expect
from screens import Opened, query, rows, settled, unusable
from support import Server, record

pytestmark = pytest.mark.browser
TASKS = [str(uuid.UUID(int=number)) for number in (101, 102)]
QUEUED = 60  # the page lists 50 of them
LONG = 12345678901234567890  # a number that JavaScript would round
OUTPUTS: list[Any] = [
    {"rows": LONG, "stages": [{"name": "load <b>"}], "a b": {"c,d": True}, "same": [1]},
    {"rows": -0.5, "stages": [], "a b": None, "same": [1], "10": 1},
    None,
]


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
        failed = {"success": False, "error": "TimeoutError: no answer", "finished_at": "2026-11-15T09:00:05.000004Z"}
        runs = [record(n, task_id=TASKS[0], output=output, **times) for n, output in enumerate(OUTPUTS)]
        runs[2] |= failed
        runs += [queued(number) for number in range(QUEUED)]
        assert found.client.post("/runs", json={"runs": runs}).status_code == 200
        yield found


def waiting(page: Page) -> list[str]:
    """The ids of the queued runs that are listed, from the top."""
    return [str(row.get_attribute("data-run")) for row in page.locator(".strip tbody tr").all()]


def test_queued_runs_stand_above_the_list(open_page: Opened, server: Server) -> None:
    """How many, and a list with the one first that waits for longest; a window does not matter to them."""
    page = open_page("/ui/runs?range=1h", server=server)
    settled(page)
    strip = page.locator(".strip")
    expect(strip).to_contain_text("60 queued runs")
    assert waiting(page) == []
    strip.get_by_role("button", name="List").click()
    expect(strip).to_contain_text("The oldest 50 of 60.")
    assert waiting(page) == [idof(1000 + number) for number in range(50)]
    expect(strip.locator("tbody tr").first).to_contain_text("2 h")
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
    settled(page)
    expect(page.locator(".strip")).to_have_count(0)
    page.goto(f"{server.url}/ui/runs?status=queued&task_id={TASKS[1]}")
    expect(page.locator(".strip tbody tr")).to_have_count(30)
    assert waiting(page) == [idof(1000 + number) for number in range(1, QUEUED, 2)]
    expect(page.locator(".nothing")).to_contain_text("no window has them")
    page.goto(f"{server.url}/ui/runs?attempt_min=1")  # the API cannot list these without a window
    expect(page.locator(".strip")).to_contain_text("60 queued runs")
    expect(page.locator(".strip")).to_contain_text("choose one task")


def asked(page: Page, path: str) -> list[str]:
    """The fields that the lists of a page asked for, in their order."""
    found: list[str] = []

    def hear(request: Request) -> None:
        query = parse_qs(urlsplit(request.url).query)
        if "include_errors" in query:
            found.extend(query["fields"])

    page.on("request", hear)
    page.goto(path)
    settled(page)
    page.remove_listener("request", hear)
    return found


def column(page: Page, head: str) -> list[str]:
    """The cells below a head, from the top."""
    settled(page)
    heads = [text.strip(" \u25be") for text in page.locator("table.list th").all_inner_texts()]
    return [list(cells.values())[heads.index(head)] for cells in rows(page).values()]


def test_columns_are_chosen_by_keys(open_page: Opened, server: Server) -> None:
    """The menu takes the keyboard, the address has the columns, and only they are asked for."""
    page = open_page("/ui/runs", server=server)
    lists = asked(page, f"{server.url}/ui/runs")
    assert lists and all("error" in fields.split(",") for fields in lists)
    assert not any("output" in fields.split(",") for fields in lists)
    page.get_by_role("button", name="Columns of the list").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Outcome")).to_be_focused()
    page.keyboard.press("Space")
    page.get_by_label("Finished").press("Space")
    page.get_by_label("A value of the output").fill("rows")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Columns of the list")).to_be_focused()
    assert query(page) == "?columns=task,started,duration,worker,attempt,finished,output.$.rows,error"
    assert column(page, "rows") == ["", "-0.5", str(LONG)]
    assert column(page, "Finished") == [f"Nov 15, 09:00:0{second}" for second in (5, 4, 4)]
    page.reload()
    assert column(page, "rows") == ["", "-0.5", str(LONG)]
    assert unusable(page) == []
    lists = asked(page, f"{server.url}/ui/runs?columns=task,started")
    assert not any({"error", "output", "attempt"} & set(fields.split(",")) for fields in lists)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Columns of the list").click()
    page.get_by_role("button", name="Usual columns").click()
    assert query(page) == ""


def test_a_value_of_the_tree_becomes_a_column(open_page: Opened, server: Server) -> None:
    """In the drawer beside the list, and on the page of a run; whatever its key is."""
    page = open_page(f"/ui/runs?sel={idof(0)}", server=server)
    tree = page.locator(".drawer [role=treeitem]")
    page.get_by_role("button", name="Open all").click()
    tree.filter(has_text="name:").click()
    page.get_by_role("button", name="Add as column").click()
    assert column(page, "stages[0].name") == ["", "", "load <b>"]
    tree.filter(has_text="c,d").click()
    page.get_by_role("button", name="Add as column").click()
    assert column(page, "a b/c,d") == ["", "", "true"]
    page.get_by_role("button", name="Remove column").click()
    expect(page.locator("table.list th")).to_have_count(8)
    page.goto(f"{server.url}/ui/runs/{idof(1)}?columns=started,error")
    page.locator("[role=treeitem]").filter(has_text="10:").click()
    page.get_by_role("link", name="Column of all its runs").click()
    assert column(page, "10") == ["", "1", ""]
    assert query(page) == f"?task_id={TASKS[0]}&columns=started,output./10,error"


def differing(page: Page, table: str, name: str) -> dict[str, list[str]]:
    """What a table of two runs has in the lines that are marked as different, by the name of the line."""
    lines = page.get_by_role("table", name=table).locator("tbody tr.differs")
    expect(lines.locator("th").first).to_have_text(name)
    cells = [" ".join(text.split()) for text in lines.locator("th, td").all_inner_texts()]
    return {cells[at]: cells[at + 1 : at + 4] for at in range(0, len(cells), 4)}


def test_two_marked_runs_are_compared(open_page: Opened, server: Server) -> None:
    """x marks, c compares; fields and values of the outputs that are not the same are marked, to the last digit."""
    page = open_page("/ui/runs", server=server)
    settled(page)
    page.keyboard.press("c")
    expect(page.locator(".said")).to_contain_text("Mark two runs")
    page.keyboard.press("x")
    expect(page.locator(".said")).to_contain_text("Choose a row first")
    for key in ("j", "j", "x", "j"):
        page.keyboard.press(key)
    expect(page.locator("tr.picked")).to_have_count(1)
    page.get_by_role("button", name="Mark to compare").click()
    expect(page.locator("tr.picked")).to_have_count(2)
    assert query(page) == f"?marks={idof(1)},{idof(0)}&sel={idof(0)}"
    assert unusable(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.keyboard.press("c")
    expect(page.locator("[data-differences]")).to_have_attribute("data-differences", "4")
    assert query(page) == f"?a={idof(1)}&b={idof(0)}"
    assert differing(page, "Values of the outputs that differ", "$.rows") == {
        "$.rows": ["-0.5", str(LONG), "\u2260 differs"],
        "$.stages[0]": ["\u2013", '{"name":"load <b>"}', "+ only in B"],
        "/a b": ["null", '{"c,d":true}', "\u2260 differs"],
        "/10": ["1", "\u2013", "\u2212 only in A"],
    }
    page.go_back()
    expect(page.locator("tr.picked")).to_have_count(2)


def test_fields_of_two_runs(open_page: Opened, server: Server) -> None:
    """The link shows the same; a run that is not there is named."""
    page = open_page(f"/ui/runs/compare?a={idof(0)}&b={idof(2)}", server=server)
    fields = differing(page, "Fields of both runs", "outcome")
    assert fields == {
        "outcome": ["\u2713 success", "\u2715 failed", "\u2260 differs"],
        "took": ["4.0 s", "5.0 s", "\u2260 1.3\u00d7 as long"],
        "error": ["\u2013", "TimeoutError: no answer", "\u2260 differs"],
        "finished": ["2026-11-15T09:00:04Z", "2026-11-15T09:00:05.000004Z", "\u2260 1.0 s later"],
    }
    expect(page.locator("main")).to_contain_text("Only A has an output.")
    assert unusable(page) == []
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Swap A and B").click()
    swapped = {name: [b, a] for name, (a, b, _) in fields.items()}
    expect(page.locator("[data-field=took] td").first).to_have_text("5.0 s")
    again = differing(page, "Fields of both runs", "outcome")
    assert {name: sides[:2] for name, sides in again.items()} == swapped
    page.keyboard.press("Escape")
    expect(page.locator("tr.picked")).to_have_count(2)
    expected = (f"404: {server.url}/runs/{idof(999_999)}",)
    missing = open_page(f"/ui/runs/compare?a={idof(999_999)}", server=server, expected=expected)
    expect(missing.locator("main")).to_contain_text(f"There is no run with the id {idof(999_999)}")
    expect(missing.locator("main")).to_contain_text("Run B is not chosen")
