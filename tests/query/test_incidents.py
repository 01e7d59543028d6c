"""The answers alone find what is wrong at the end of a history with incidents."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from inprocess import serving
from support import runlake

from runlake import incidents
from runlake.settings import Settings

UNTIL: Final = "2026-11-27T00:00:00Z"
THREE_DAYS: Final = {"start_time": "2026-11-24", "end_time": UNTIL}
ONE_DAY: Final = {"start_time": "2026-11-26", "end_time": UNTIL}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    lake = str(tmp_path_factory.mktemp("incidents") / "lake")
    shape = ("--runs", "60000", "--days", "30", "--tasks", "200", "--seed", "7", "--until", UNTIL)
    done = runlake("generate", *shape, "--incidents", "--data", lake)
    assert done.returncode == 0, done.stderr
    with serving(Settings(data=lake)) as served:
        yield served


def fleet(client: httpx.Client, **asked: Any) -> dict[str, dict[str, Any]]:
    """The figures of the tasks by name, in the order of the answer."""
    columns = client.get("/stats/tasks", params={"spark": 0, **asked}).json()["columns"]
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return {row["name"]: row for row in rows if row["name"]}


def task_of(number: int) -> str:
    return incidents.name_of(number)


def test_the_failing_task_needs_attention_first(client: httpx.Client) -> None:
    """Its last runs failed, all of them by an error that is new."""
    found = fleet(client, **ONE_DAY, limit=20)
    failing = [name for name, row in found.items() if row["streak"] <= -1]
    assert task_of(incidents.FAILING) in failing[:3]
    assert found[task_of(incidents.FAILING)]["streak"] <= -5
    groups = client.get("/errors", params={**ONE_DAY, "sort": "new"}).json()["groups"]
    (new,) = [group for group in groups if group["kind"] == "PermissionError"]
    assert new["is_new"] and new["tasks"] == 1
    detail = client.get(f"/errors/{new['id']}", params=ONE_DAY).json()
    assert [task["name"] for task in detail["by_task"]] == [task_of(incidents.FAILING)]
    assert detail["samples"][0]["error"] == incidents.NEW_ERROR


def test_the_slower_task(client: httpx.Client) -> None:
    found = fleet(client, **THREE_DAYS, sort="slower", limit=20)
    row = found[task_of(incidents.SLOWER)]
    assert row["slower"] >= 0.65 and row["p95_seconds"] >= 1.25 * row["previous_p95_seconds"]


def test_the_flaky_task(client: httpx.Client) -> None:
    """No other one changes its result so often."""
    found = fleet(client, **THREE_DAYS, sort="flips", limit=3)
    name, row = next(iter(found.items()))
    assert name == task_of(incidents.FLAKY)
    assert row["flips"] >= 0.8 * (row["runs"] - row["open"] - 1)


def test_the_silent_task(client: httpx.Client) -> None:
    row = fleet(client, **ONE_DAY)[task_of(incidents.SILENT)]
    assert row["runs"] == 0 and row["silent_seconds"] > 2 * row["longest_gap_seconds"]


def test_the_bad_worker(client: httpx.Client) -> None:
    """Owners side by side show it, and so does what is different about the failures."""
    worker = f"worker-{incidents.BAD_WORKER:03d}"
    window = {"start_time": "2026-11-25", "end_time": UNTIL}
    columns = client.get("/stats/owners", params={**window, "spark": 0}).json()["columns"]
    shares = dict(zip(columns["owner"], columns["failed"], strict=True))
    assert max(shares, key=shares.__getitem__) == worker
    params: dict[str, str | int] = {**window, "error": "no space left", "by": "owner", "top": 1}
    (share,) = client.get("/stats/breakdown", params=params).json()["by"]["owner"]
    assert (share["value"], share["selected_share"]) == (worker, 1.0)
    (group,) = [
        group
        for group in client.get("/errors", params=window).json()["groups"]
        if group["message"].startswith("[Errno <n>] No space left")
    ]
    assert (group["owners"], group["is_new"]) == (1, True)
