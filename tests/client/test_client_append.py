"""`client.append`: batches, ids, and a service that is killed and comes back meanwhile."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from support import Server, environment, record

from runlake.client import AsyncClient, Client
from runlake.client.batches import batches
from runlake.client.calls import Record
from runlake.errors import BadInput, Conflict, Unreachable
from runlake.model import MAX_BATCH, Instant, RunRecord, RunsQuery, Stored

TASK: Final = uuid.UUID(int=7)
RUNS: Final = 2 * MAX_BATCH + 500


def appended(url: str, records: Any) -> Stored:
    with Client(url) as client:
        return client.append(records)


def appended_async(url: str, records: Any) -> Stored:
    async def run() -> Stored:
        async with AsyncClient(url) as client:
            return await client.append(records)

    return asyncio.run(run())


both = pytest.mark.parametrize("append", [appended, appended_async])


def test_every_form_of_a_record(server: Server) -> None:
    """Structs as they are sent and as they are read, and dicts; times of the model and of Python."""
    now = datetime(2025, 1, 1, 8, 30, 0, 5, tzinfo=UTC)
    sent: list[Record] = [
        RunRecord(task_id=TASK, started_at=Instant.of(now), output=msgspec.Raw(b'{"rows":12345678901234567890}')),
        {"task_id": TASK, "started_at": now, "finished_at": now, "success": True, "output": {"rows": [1, None]}},
        {"task_id": str(TASK), "started_at": "2025-01-01T08:30:00+01:00"},
    ]
    with Client(server.url) as client:
        assert client.append(sent).stored == 3
        runs = list(client.runs())
        assert {str(run.started_at) for run in runs} == {str(now), "2025-01-01 07:30:00+00:00"}
        assert {bytes(run.output) for run in runs} == {
            b'{"rows":12345678901234567890}',
            b'{"rows":[1,null]}',
            b"null",
        }
        assert client.append(runs).duplicates == 3
        assert client.append(sent).duplicates == client.list_runs().total == 3


def test_records_without_ids_get_some(server: Server) -> None:
    """In place: to append them again is to send the same runs."""
    sent: list[Record] = [RunRecord(task_id=TASK), {"task_id": TASK}, {"task_id": TASK, "id": None}]
    first = appended(server.url, sent)
    assert [one.version for one in first.ids] == [7, 7, 7]
    assert first.ids == [one["id"] if isinstance(one, dict) else one.id for one in sent]


@both
def test_many_runs_are_sent_in_batches(server: Server, append: Callable[[str, Any], Stored]) -> None:
    """Of an iterator, which is not read ahead; the sum has all ids in order."""
    done = append(server.url, (record(number) for number in range(RUNS)))
    assert (done.received, done.stored) == (RUNS, RUNS)
    assert done.ids == [uuid.UUID(int=number) for number in range(RUNS)]
    server.until(lambda: len([line for line in server.log if "method=POST" in line]) == 3)


def test_batches_are_of_few_bytes() -> None:
    """A record alone may be larger than a batch should be."""
    large: list[Record] = [record(number, output="x" * 3_000_000) for number in range(5)]
    assert [batch.first for batch in batches(large)] == [0, 2, 4]
    assert list(batches([])) == []


def test_a_refused_batch_says_where_it_stands(server: Server) -> None:
    runs = [record(number) for number in range(MAX_BATCH + 5)]
    runs[MAX_BATCH + 3]["attempt"] = 0
    with pytest.raises(BadInput) as refused:
        appended(server.url, runs)
    assert [error.field for error in refused.value.errors] == ["runs[3].attempt"]
    assert refused.value.__notes__ == [
        f"runs[0] of this batch is record {MAX_BATCH} of all; those before it are stored"
    ]
    assert server.client.get("/runs?limit=1").json()["total"] == MAX_BATCH
    runs[MAX_BATCH + 3]["attempt"] = 1
    assert appended(server.url, runs).duplicates == MAX_BATCH
    with pytest.raises(Conflict):
        appended(server.url, [record(1, success=False)])


@contextmanager
def coming_back(lake: Path, first: Server, port: str) -> Iterator[list[Server]]:
    """Starts a service anew, at the same port, once the first one is dead."""
    made: list[Server] = []

    def watch() -> None:
        first.process.wait(60)
        first.stop()
        made.append(Server(lake, "--port", port).wait_ready())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield made
    finally:
        thread.join()
        for one in made:
            one.stop()


@pytest.mark.parametrize(
    ("append", "point"),
    [
        (appended, "after-write:2"),
        (appended, "after-sync:2"),
        (appended, "after-commit:2"),
        (appended_async, "after-commit:2"),
    ],
)
def test_a_service_that_is_killed_meanwhile(tmp_path: Path, point: str, append: Callable[[str, Any], Stored]) -> None:
    """Nothing is lost and nothing is twice, whether the batch under way was durable or not; also without ids."""
    lake = tmp_path / "lake"
    server = Server(lake, env=environment(RUNLAKE_FAIL_POINT=point)).wait_ready()
    with coming_back(lake, server, server.url.rpartition(":")[2]) as after:
        runs = [{name: value for name, value in record(number).items() if name != "id"} for number in range(RUNS)]
        done = append(server.url, runs)
        assert done.received == RUNS and done.stale == 0
        assert done.duplicates == (MAX_BATCH if point.startswith("after-commit") else 0)
        assert len(set(done.ids)) == RUNS
    assert len(after) == 1 and server.process.poll() == -9
    with Server(lake) as again, Client(again.url) as client:
        assert client.list_runs(RunsQuery(limit=1)).total == RUNS
        assert client.append(runs).duplicates == RUNS


def test_patience_ends() -> None:
    with Client("http://127.0.0.1:1", patience=0.5) as client, pytest.raises(Unreachable):
        client.append([record(1)])
