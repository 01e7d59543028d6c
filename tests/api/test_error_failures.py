"""Failures of the service itself have the error shape too: 500, 503 with Retry-After, 507; nothing leaks."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
from inprocess import Client, assert_problem, serving
from support import record

from runlake import errors
from runlake.lake import write
from runlake.query import queries
from runlake.settings import Settings

UNKNOWN: Final = str(uuid.UUID(int=2**127))


@pytest.mark.parametrize("exc", [ZeroDivisionError("/lake/x.py"), KeyError(1), errors.LakeDamaged("/lake/x.parquet")])
def test_unexpected_exceptions(settings: Settings, monkeypatch: pytest.MonkeyPatch, exc: Exception) -> None:
    """A 500 says nothing of the inside."""

    def fails(*_: object) -> None:
        raise exc

    monkeypatch.setattr(queries, "detail", fails)
    with serving(settings) as client:
        assert_problem(client.get(f"/runs/{UNKNOWN}"), 500)


def test_a_lost_file(settings: Settings) -> None:
    with serving(msgspec.structs.replace(settings, inline_rows=0)) as client:
        assert client.post("/runs", json={"runs": [record(1)]}).status_code == 200
        shutil.rmtree(Path(settings.data) / "files")
        assert_problem(client.get(f"/runs/{record(1)['id']}"), 500, inside=settings.data)
    # Made anew without it, the serving database knows what it does not know.
    shutil.rmtree(Path(settings.data) / "serving")
    with serving(settings, wait=2) as client:
        assert client.get("/ready").status_code == 200
        assert_problem(client.get("/runs"), 500, inside=settings.data)
        assert_problem(client.get(f"/runs/{UNKNOWN}"), 500, inside=settings.data)
        assert_problem(client.post("/runs", json={"runs": [record(2)]}), 503, inside=settings.data)


def test_not_ready(settings: Settings) -> None:
    """Only /health and the documents answer before the index is loaded."""
    with serving(settings, wait=0) as client:
        for path in ("/ready", "/runs", f"/runs/{UNKNOWN}", f"/task/{UNKNOWN}/latest", "/stats/summary"):
            assert_problem(client.get(path), 503)
        assert_problem(client.post("/runs", json={"runs": [record(1)]}), 503)
        assert client.get("/health").status_code == client.get("/schema").status_code == 200


def at_once(client: Client, number: int, method: str, path: str, bodies: list[Any]) -> list[httpx.Response]:
    """The answers to many requests that are under way at the same time."""

    async def all_of_them() -> list[httpx.Response]:
        transport = httpx.ASGITransport(client.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as asking:
            return await asyncio.gather(*(asking.request(method, path, json=bodies[i]) for i in range(number)))

    return asyncio.run(all_of_them())


def test_full_queues(settings: Settings) -> None:
    """Of many posts, and of many questions, at once: some are answered, the others get 503, and it shows."""
    tight = msgspec.structs.replace(settings, queue_rows=1, group_rows=1, read_threads=1, read_queue=1)
    with serving(tight) as client:
        bodies: list[Any] = [{"runs": [record(i)]} for i in range(20)]
        posted = at_once(client, 20, "POST", "/runs", bodies)
        assert {answer.status_code for answer in posted} == {200, 503}
        stored = sum(answer.status_code == 200 for answer in posted)
        assert client.get("/runs").json()["total"] == stored
        asked = at_once(client, 20, "GET", "/stats/summary", [None] * 20)
        assert {answer.status_code for answer in asked} == {200, 503}
        for answer in posted + asked:
            if answer.status_code == 503:
                assert_problem(answer, 503)


@pytest.mark.parametrize(
    "path", ["/runs", "/stats/summary?days=1&until=2025-01-02T20:00:00Z", f"/task/{record(1)['task_id']}/latest"]
)
def test_time_limit(settings: Settings, path: str) -> None:
    """The time is over before the first file is read."""
    with serving(msgspec.structs.replace(settings, inline_rows=0, query_seconds=1e-9)) as client:
        assert client.post("/runs", json={"runs": [record(1)]}).json()["stored"] == 1
        problem = assert_problem(client.get(path), 503)
        assert "time limit" in problem["detail"]


def test_full_disk(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise errors.DiskFull("commit: the disk is full")

    with serving(settings) as client:
        monkeypatch.setattr(write, "commit_rows", full)
        assert_problem(client.post("/runs", json={"runs": [record(1)]}), 507)
        monkeypatch.undo()
        assert client.post("/runs", json={"runs": [record(1)]}).json()["stored"] == 1


def test_a_commit_that_fails(settings: Settings) -> None:
    """503, nothing is stored, and the message does not say where the lake lies."""
    files = Path(settings.data) / "files"
    with serving(msgspec.structs.replace(settings, inline_rows=0)) as client:
        shutil.rmtree(files)
        files.write_text("in the way")
        assert_problem(client.post("/runs", json={"runs": [record(1)]}), 503, inside=settings.data)
        files.unlink()
        assert client.post("/runs", json={"runs": [record(1)]}).json()["stored"] == 1
