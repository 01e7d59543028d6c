"""The page Tasks, grouped by tags: each tag has the sums of its tasks."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, query, rows, settled, unusable
from support import Server

pytestmark = pytest.mark.browser
WEEK = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}
TALL = 3200  # CSS pixels: all tasks are in the document
Line = tuple[str, int, int]  # a tag or a task, its runs, its failed runs


def shown(page: Page) -> list[Line]:
    """The lines of the table from the top."""
    settled(page)
    found = [rows(page)[rank] for rank in sorted(rows(page))]
    return [(cells["task"], digits(cells["runs"]), digits(cells["failed"])) for cells in found]


def digits(text: str) -> int:
    """The number of a cell: `▲ 1,204` is 1204."""
    return int("".join(letter for letter in text if letter.isdigit()))


def wanted(server: Server) -> list[Line]:
    """What the API has, by failed runs."""
    names: dict[str, Any] = server.client.get("/tasks/names").json()["names"]
    columns = server.client.get("/stats/tasks", params=WEEK).json()["columns"]
    tasks = zip(columns["task_id"], columns["runs"], columns["failed"], strict=True)
    tags: dict[str, list[tuple[str, str, int, int]]] = {}
    for task, count, failed in tasks:
        name = names[task]["name"] if task in names else task[:8]
        for tag in names.get(task, {}).get("tags") or [""]:
            tags.setdefault(tag, []).append((task, name, count, failed))
    sums = [(tag, sum(of[2] for of in found), sum(of[3] for of in found)) for tag, found in tags.items()]
    lines: list[Line] = []
    for tag, count, failed in sorted(sums, key=lambda line: (line[0] == "", -line[2])):
        noun = "task" if len(tags[tag]) == 1 else "tasks"
        lines.append((f"\u25be {tag or 'no tag'} {len(tags[tag])} {noun}", count, failed))
        inner = sorted(tags[tag], key=lambda line: (-line[3], line[0]))
        lines += [(name, count, failed) for _, name, count, failed in inner]
    return lines


def test_each_tag_has_the_sums_of_its_tasks(open_page: Opened, history: Server) -> None:
    """Tags in the order of the table, their tasks below them, those without a tag last."""
    page = open_page("/ui/tasks?range=7d&sort=failed", height=TALL)
    settled(page)
    page.get_by_role("button", name="Group by tag").click()
    assert query(page) == "?range=7d&sort=failed&group=tag"
    lines = wanted(history)
    assert sum(name.startswith("\u25be") for name, *_ in lines) > 3
    assert shown(page) == lines
    assert unusable(page) == []


def test_a_tag_is_folded(open_page: Opened, history: Server) -> None:
    """By a click, and by Enter on its row; the link shows the same."""
    lines = wanted(history)
    heads = [at for at, (name, *_) in enumerate(lines) if name.startswith("\u25be")]
    first, second = heads[:2]
    tag = lines[first][0].split()[1]
    page = open_page("/ui/tasks?range=7d&sort=failed&group=tag", height=TALL)
    settled(page)
    page.get_by_role("button", name=tag, exact=True).first.click()
    assert query(page) == f"?range=7d&sort=failed&group=tag&folded={tag}"
    folded = (lines[first][0].replace("\u25be", "\u25b8"), *lines[first][1:])
    assert shown(page) == [folded, *lines[second:]]
    page.reload()
    assert shown(page) == [folded, *lines[second:]]
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert shown(page) == lines
    page.get_by_role("button", name="Group by tag").click()
    expect(page.locator("tr.group-row")).to_have_count(0)
    assert query(page) == "?range=7d&sort=failed"
