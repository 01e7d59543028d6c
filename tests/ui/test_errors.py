"""The pages Errors and Error group: their numbers are the API's, and a group leads to just its runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, numbers, query, rows, settled, table, unusable
from support import Server, record

pytestmark = pytest.mark.browser
WEEK = "/ui/errors?range=7d"
WINDOW = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
TRACE = """Traceback (most recent call last):
  File "/app/tasks/orders.py", line 88, in load_rows
    rows = source.fetch(batch)
  File "/usr/lib/python3/site-packages/client/wire.py", line 12, in fetch
    return self.read()
  File "/usr/lib/python3/site-packages/client/wire.py", line 40, in read
    raise TimeoutError(text)
TimeoutError: no answer from 10.2.4.17:5432 after 812 ms"""


def groups(server: Server, **parameters: str) -> dict[str, Any]:
    """What the API answers for the week."""
    answer: dict[str, Any] = server.client.get("/errors", params={**WINDOW, "limit": "500", **parameters}).json()
    return answer


def said(group: dict[str, Any]) -> dict[str, str]:
    """A row as the page should show it."""
    more = group["runs"] - group["previous_runs"]
    text = group["message"].replace("<", "").replace(">", "")
    return {
        "what": f"{group['kind']} {text}" if group["kind"] else text,
        "frame": group["frame"] or "",
        "count": f"{group['runs']:,}",
        "change": f"{more:+,} {'▲' if more > 0 else '▼'}".replace("-", "\N{MINUS SIGN}") if more else "±0",
        "tasks": str(group["tasks"]),
        "owners": str(group["owners"]),
    }


def shown(page: Page) -> list[dict[str, str]]:
    """The rows that are drawn, without the marks before the error."""
    found = []
    for row in rows(page).values():
        keys = ("what", "frame", "count", "change", "tasks", "owners")
        picked = {key: " ".join(row[key].split()) for key in keys}
        words = picked["what"].split(" ")
        while words[0] in {"A", "B", "C", "D", "E", "F", "new"}:
            words.pop(0)
        found.append({**picked, "what": " ".join(words)})
    return found


def expected(answer: dict[str, Any], many: int) -> list[dict[str, str]]:
    """The first rows of an answer."""
    return [said(group) for group in answer["groups"][:many]]


def test_the_numbers_are_those_of_the_api(open_page: Opened, history: Server) -> None:
    """Head, picture, list, and the failed runs of the page Runs are one."""
    page = open_page(WEEK)
    settled(page)
    answer = groups(history)
    failed = history.client.get("/runs", params={**WINDOW, "status": "failed", "limit": "1"}).json()["total"]
    head = numbers(page)
    assert head == {"total": answer["total_groups"], "failed": failed, "rows": len(answer["groups"])}
    assert sum(group["runs"] for group in answer["groups"]) + answer["without_text"] == failed > 100
    drawn = shown(page)
    assert len(drawn) > 10 and drawn == expected(answer, len(drawn))
    new = [group["kind"] for group in answer["groups"] if group["is_new"]]
    expect(page.locator(".head .new")).to_have_text(f"{len(new)} new")
    assert sum(int(cell.replace(",", "")) for row in table(page, "Failed runs") for cell in row[1:]) == failed
    expect(page.locator(".foot")).to_contain_text(f"{failed:,} failed runs, exact · snapshot")


def test_every_order_is_that_of_the_api(open_page: Opened, history: Server) -> None:
    """By the heads of the table and by the choice; the link of an order shows it again."""
    page = open_page(WEEK)
    settled(page)
    for sort, head in {"tasks": "Tasks", "last": "Last seen", "first": "First seen"}.items():
        page.get_by_role("columnheader", name=head).get_by_role("button").click()
        assert query(page) == f"?range=7d&sort={sort}"
        settled(page)
        drawn = shown(page)
        assert drawn == expected(groups(history, sort=sort), len(drawn))
    page.get_by_label("Order").select_option("new ones")
    settled(page)
    assert query(page) == "?range=7d&sort=new"
    page.reload()
    settled(page)
    drawn = shown(page)
    assert drawn == expected(groups(history, sort="new"), len(drawn))
    page.go_back()
    settled(page)
    assert query(page) == "?range=7d&sort=first"


def test_groups_are_found_by_their_words(open_page: Opened, history: Server) -> None:
    """What is found is what the API finds; where nothing is, the page says so and leads back."""
    page = open_page(WEEK)
    settled(page)
    names = page.locator(".legend").inner_text()
    page.get_by_label("Find in kind, message and frame").fill("timeout")
    settled(page)
    answer = groups(history, q="timeout")
    assert numbers(page)["total"] == answer["total_groups"] > 0 and query(page) == "?range=7d&q=timeout"
    assert shown(page) == expected(answer, len(answer["groups"]))
    page.get_by_label("Find in kind, message and frame").fill("no such words")
    expect(page.locator(".nothing")).to_contain_text("contains “no such words”")
    expect(page.locator(".legend")).to_have_text(names.replace("\n", ""), use_inner_text=False)
    page.get_by_role("button", name="Show all groups").click()
    settled(page)
    assert numbers(page)["total"] == groups(history)["total_groups"] and query(page) == "?range=7d"


def test_a_brush_selects_groups_and_leads_to_their_runs(open_page: Opened, history: Server) -> None:
    """The list is of the selected times, and the link of a group shows its runs of these times."""
    page = open_page(WEEK)
    settled(page)
    page.locator("canvas").first.focus()
    for key in ["ArrowLeft", "ArrowLeft", *["Shift+ArrowLeft"] * 8]:
        page.keyboard.press(key)
    settled(page)
    start, end = query(page).split("brush=")[1].split("..")
    answer = groups(history, start_time=start, end_time=end)
    assert numbers(page)["failed"] == answer["total_failed"] < groups(history)["total_failed"]
    drawn = shown(page)
    assert drawn == expected(answer, len(drawn))
    first = answer["groups"][0]
    page.locator(".groups td.what a").first.click()
    settled(page)
    assert query(page) == f"?start_time={start}&end_time={end}"
    assert numbers(page)["total"] == numbers(page)["rows"] == first["runs"]


def test_a_group_leads_to_just_its_runs(open_page: Opened, history: Server) -> None:
    """The list of the group, the same one on the page Runs, and the parts by task and worker are one number."""
    page = open_page(WEEK)
    settled(page)
    group = next(one for one in groups(history)["groups"] if one["tasks"] > 10)
    page.locator(f".groups [data-group='{group['id']}']").click()
    settled(page)
    assert page.evaluate("location.pathname") == f"/ui/errors/{group['id']}"
    assert numbers_of_group(page) == group["runs"] == numbers(page)["rows"]
    parameters = {**WINDOW, "error_group": group["id"], "limit": "20", "fields": "id"}
    answer = history.client.get("/runs", params=parameters).json()
    assert answer["total"] == group["runs"]
    links = page.locator("table.list td.started a")
    hrefs = links.evaluate_all("links => links.map(link => link.pathname)")
    assert hrefs[:20] == [f"/ui/runs/{item['id']}" for item in answer["items"]]
    for part, others in ((0, "task"), (1, "worker")):
        section = page.locator(".spread").nth(part)
        parts = [int(text.replace(",", "")) for text in section.locator("li .end:not(.dim)").all_inner_texts()]
        rest = section.locator("p").inner_text()
        assert f"other {others}" in rest and sum(parts) + int(rest.split(": ")[1].split()[0]) == group["runs"]
    count = page.locator(".spread a[title='These runs']").first
    of_task = int(count.inner_text())
    count.click()
    settled(page)
    assert numbers(page)["total"] == of_task and f"error_group={group['id']}" in query(page)
    page.go_back()
    settled(page)
    page.go_back()
    settled(page)
    assert query(page) == "?range=7d" and numbers(page)["total"] == groups(history)["total_groups"]


def numbers_of_group(page: Page) -> int:
    """The runs of the group as the head, and as the picture has them."""
    rows = table(page, "Runs of this group")
    total = int(page.locator(".head [data-total]").get_attribute("data-total") or -1)
    assert sum(int(row[1].replace(",", "")) for row in rows) == total
    return total


def test_what_is_different_is_said(open_page: Opened, history: Server) -> None:
    """All runs of the new group are of one task: that is what the page says first."""
    page = open_page(WEEK)
    settled(page)
    new = next(group for group in groups(history)["groups"] if group["is_new"] and group["tasks"] == 1)
    page.goto(f"{history.url}/ui/errors/{new['id']}?range=7d")
    settled(page)
    expect(page.locator(".group-head")).to_contain_text("new")
    detail = history.client.get(f"/errors/{new['id']}", params=WINDOW).json()
    first = page.locator(".different li").first
    expect(first).to_contain_text(detail["by_task"][0]["name"])
    expect(first).to_contain_text("100 % of these")
    page.goto(f"{history.url}/ui/errors/{new['id']}?range=90d")
    settled(page)
    expect(page.locator(".different")).to_contain_text("longer than 31 days")


def test_what_is_missing_is_said(open_page: Opened, history: Server) -> None:
    """No runs in the window, no group at all, a filter that leaves out failures."""
    new = next(group for group in groups(history)["groups"] if group["is_new"])
    page = open_page(f"/ui/errors/{new['id']}?start_time=2026-11-02T00:00:00Z&end_time=2026-11-03T00:00:00Z")
    expect(page.locator(".nothing")).to_contain_text("No run of Nov 2 belongs to this group.")
    page = open_page("/ui/errors/v1:0000000000000000", expected=("404: ",))
    expect(page.locator(".nothing")).to_contain_text("No run that is kept belongs to the group v1:0000000000000000")
    page = open_page(f"{WEEK}&status=success,running")
    expect(page.locator(".nothing")).to_contain_text("the filter by status leaves them out")
    page.get_by_role("button", name="Remove the filter", exact=True).click()
    settled(page)
    assert query(page) == "?range=7d" and numbers(page)["total"] > 0


def test_errors_without_text_and_traces(open_page: Opened, tmp_path: Path) -> None:
    """Failed runs without a text are counted; a trace is shown as frames with those of libraries folded, and raw."""
    times = {"started_at": "2026-11-15T11:00:00Z", "finished_at": "2026-11-15T11:00:01Z", "success": False}
    with Server(tmp_path / "lake") as server:
        runs = [record(1, error=None, **times), record(2, error=None, **times), record(3, error=TRACE, **times)]
        assert server.post(*runs).status_code == 200
        page = open_page("/ui/errors", server=server)
        settled(page)
        expect(page.locator("[data-without]")).to_have_text("2 without text")
        assert numbers(page) == {"total": 1, "failed": 3, "rows": 1}
        expect(page.locator("td.what")).to_contain_text("TimeoutError no answer from address after n ms")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        settled(page)
        frames = page.locator(".trace")
        expect(frames.locator(".headline")).to_have_text("TimeoutError: no answer from 10.2.4.17:5432 after 812 ms")
        expect(frames.locator("details")).to_contain_text("2 library calls")
        expect(frames).to_contain_text("rows = source.fetch(batch)")
        page.get_by_role("button", name="raw").click()
        assert page.locator(".long pre").inner_text() == TRACE


def test_everybody_can_use_it(open_page: Opened) -> None:
    """axe finds nothing with a selection in another order, and nothing is wider than the screen."""
    page = open_page(f"{WEEK}&brush=2026-11-10T00:00:00Z..2026-11-11T00:00:00Z&sort=new")
    settled(page)
    assert unusable(page) == []
