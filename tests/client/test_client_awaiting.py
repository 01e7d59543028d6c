"""The client for event loops: what differs from the other one."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import golden
import pyarrow.parquet as pq
import pytest
from support import Server

from runlake.client import AsyncClient, Client
from runlake.errors import BadInput, NotFound, Unreachable
from runlake.model import ExportQuery, Instant, Run, RunRecord, RunsQuery, SummaryQuery

TASK: Final = uuid.UUID(golden.NIGHTLY)


def asked(url: str, ask: Callable[[AsyncClient], Awaitable[None]]) -> None:
    async def run() -> None:
        async with AsyncClient(url, tries=2) as client:
            await ask(client)

    asyncio.run(run())


@pytest.fixture
def full(server: Server) -> Server:
    assert server.post(*golden.runs()).status_code == 200
    return server


def test_it_answers_as_the_other_client(full: Server) -> None:
    """Also many questions at a time."""
    until = Instant.of(golden.UNTIL)
    with Client(full.url) as other:
        summary, page, every = other.get_summary(SummaryQuery(2, until)), other.list_runs(), list(other.runs())

    async def ask(client: AsyncClient) -> None:
        found = await asyncio.gather(*(client.get_run(run.id) for run in every))
        assert [run.id for run in found] == [run.id for run in every]
        assert await client.get_summary(SummaryQuery(2, until)) == summary
        listed = await client.list_runs()
        assert [run.id for run in listed.items] == [run.id for run in page.items] and listed.total == page.total

    asked(full.url, ask)


def test_all_runs(full: Server) -> None:
    """Page by page while others are appended, and as a table."""

    async def ask(client: AsyncClient) -> None:
        await client.append([RunRecord(task_id=TASK) for _ in range(450)])
        found: list[Run] = []
        async for run in client.runs(RunsQuery(task_id=[TASK])):
            found.append(run)
            if len(found) == 100:
                await client.append([RunRecord(task_id=TASK)])
        expected = [run["id"] for run in golden.runs() if run["task_id"] == golden.NIGHTLY]
        assert len({run.id for run in found}) == len(found) == 450 + len(expected)
        table = await client.runs(RunsQuery(task_id=[TASK])).to_arrow()
        assert table.num_rows == len(found) + 1

    asked(full.url, ask)


def test_exports_and_errors(full: Server, tmp_path: Path) -> None:
    file = tmp_path / "runs.parquet"

    async def ask(client: AsyncClient) -> None:
        assert await client.export_runs(file) == pq.read_metadata(file).num_rows == len(golden.runs())
        with pytest.raises(BadInput):
            await client.export_runs(file, ExportQuery(attempt_min=0))
        with pytest.raises(NotFound) as missing:
            await client.get_run(uuid.uuid4())
        assert missing.value.status == 404

    asked(full.url, ask)
    assert list(tmp_path.glob("*.part")) == [] and file.exists()


def test_nobody_is_there() -> None:
    async def ask(client: AsyncClient) -> None:
        with pytest.raises(Unreachable):
            await client.list_runs()

    asked("http://127.0.0.1:1", ask)
