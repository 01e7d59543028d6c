"""What the menu Copy gives can be run as it is: commands and code ask what the screen asked, SQL finds its runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect
from screens import Opened, numbers, settled
from support import Server, record, runlake

from runlake import access
from runlake.paths import Paths

pytestmark = pytest.mark.browser
CLIPBOARD: Final = {"permissions": ["clipboard-read", "clipboard-write"]}
WEEK: Final = {"start_time": "2026-11-08T12:00:10Z", "end_time": "2026-11-15T12:00:10Z"}


def copied(page: Page, name: str) -> str:
    """What an entry of the menu copies."""
    page.get_by_role("button", name="Copy this screen").click()
    page.locator(".menu").get_by_role("button", name=name, exact=True).click()
    expect(page.locator(".said")).to_have_text(f"{name} copied")
    return str(page.evaluate("navigator.clipboard.readText()"))


def told(text: str, *command: str, key: str = "") -> Any:
    """What a command or code answers."""
    environment = os.environ | {"RUNLAKE_KEY": key}
    return json.loads(subprocess.run([*command, text], capture_output=True, check=True, env=environment).stdout)


def test_each_screen_is_copied(open_page: Opened, history: Server) -> None:
    """curl and Python tell what the API tells; the SQL of a screen finds as many runs as the API counts."""
    groups = history.client.get("/errors", params=WEEK).json()["groups"]
    group, task = groups[0]["id"], history.client.get("/stats/tasks", params=WEEK).json()["columns"]["task_id"][0]
    screens: dict[str, dict[str, str]] = {
        "/": {},
        "/ui/runs?status=failed,lost": {"status": "failed,lost"},
        "/ui/tasks": {},
        f"/ui/tasks/{task}": {"task_id": task},
        "/ui/errors": {"status": "failed"},
        f"/ui/errors/{group}": {"error_group": group},
        "/ui/workers?sel=worker-012": {"lease_owner": "worker-012"},
    }
    page = open_page("/ui/runs?range=7d", height=3000, **CLIPBOARD)
    counts = []
    for path in screens:
        page.goto(f"{history.url}{path}{'&' if '?' in path else '?'}range=7d")
        settled(page)
        curl = copied(page, "curl")
        answer = history.client.get(curl.split("'")[1].removeprefix(history.url)).json()
        assert told(curl, "bash", "-c") == answer, path
        if path == "/":
            assert told(copied(page, "Python"), sys.executable, "-c") == answer
        counts.append(f"(SELECT count(*) FROM ({copied(page, 'SQL')}))")
    found = runlake("sql", f"SELECT [{', '.join(counts)}] AS runs", "--data", str(history.data), "--format", "json")
    assert found.returncode == 0, found.stderr
    totals = [
        history.client.get("/runs", params={**WEEK, **filters, "limit": "1"}).json()["total"]
        for filters in screens.values()
    ]
    assert json.loads(found.stdout)[0]["runs"] == totals and min(totals) > 0


def test_copies_have_a_place_for_the_key(open_page: Opened, tmp_path: Path) -> None:
    """Where the service asks for one: it comes from the environment, and no copy holds it."""
    with Server(tmp_path / "lake") as server:
        posted = record(1, started_at="2026-11-15T11:00:00Z", finished_at="2026-11-15T11:00:01Z")
        assert server.post(posted).status_code == 200
        _, key = access.create(Paths.of(tmp_path / "lake"), ("read",))
        page = open_page(f"/ui/runs/{posted['id']}", server=server, expected=("401: ",), **CLIPBOARD)
        page.get_by_label("Key", exact=True).fill(key)
        page.get_by_role("button", name="Sign in").click()
        expect(page.locator(".record")).to_contain_text(posted["id"])
        stored = server.client.get(f"/runs/{posted['id']}", headers={"Authorization": f"Bearer {key}"}).json()
        for name, command in {"curl": ("bash", "-c"), "Python": (sys.executable, "-c")}.items():
            text = copied(page, name)
            assert "RUNLAKE_KEY" in text and key not in text
            assert told(text, *command, key=key) == stored
            assert stored["id"] == posted["id"]


def test_the_runs_of_a_screen_are_exported(open_page: Opened, history: Server) -> None:
    """As a file in each format, with the filters of the screen and what is selected; a run alone is none."""
    page = open_page("/ui/runs?range=7d&status=failed")
    settled(page)
    expected = numbers(page)["total"]
    button = page.get_by_role("button", name="Export the runs of this screen")
    for name in ("Parquet", "Arrow", "CSV", "NDJSON"):
        button.click()
        with page.expect_download() as started:
            page.locator(".menu").get_by_role("link", name=name, exact=True).click()
        assert started.value.suggested_filename == f"runs.{name.lower()}"
        content = started.value.path().read_bytes()
        if name == "NDJSON":
            found = [json.loads(line) for line in content.splitlines()]
            assert len(found) == expected and not any(run["success"] for run in found)
    run = history.client.get("/runs?limit=1").json()["items"][0]["id"]
    page.goto(f"{history.url}/ui/runs/{run}")
    expect(page.get_by_role("button", name="Copy this screen")).to_be_visible()
    expect(button).to_have_count(0)
