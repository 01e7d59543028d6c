"""`with client.run(…)`: a block of code as a recorded run, whatever becomes of the block and of the service."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from support import Server, environment

from runlake import access
from runlake.client import AsyncClient, Client
from runlake.client.block import BlockRun
from runlake.model import Run, RunsQuery
from runlake.paths import Paths
from runlake.recorder import recording
from runlake.recorder.records import LEASE, task_of

NOWHERE: Final = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("block") / "lake") as made:
        yield made


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A spool of its own for each test."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path / "runlake" / "spool"


def fresh() -> str:
    """The name of a task that nobody has used."""
    return f"task-{uuid.uuid4()}"


def threads() -> int:
    """Threads that record."""
    return sum("_run" in one.name for one in threading.enumerate())


def recorded(url: str, task: str, block: Callable[[Any], object]) -> None:
    with Client(url) as client, client.run(task) as run:
        block(run)


def recorded_async(url: str, task: str, block: Callable[[Any], object]) -> None:
    async def run_it() -> None:
        async with AsyncClient(url) as client, client.run(task) as run:
            block(run)

    asyncio.run(run_it())


both = pytest.mark.parametrize("record", [recorded, recorded_async])


def latest(server: Server, task: str) -> Run:
    with Client(server.url) as client:
        run = client.get_latest_run(task_of(task))
    assert run is not None
    return run


def kept(home: Path) -> list[dict[str, Any]]:
    """The records in the spool, in order."""
    return [json.loads(path.read_bytes())["run"] for path in sorted(home.glob("*.json"))]


@both
def test_a_success(server: Server, home: Path, record: Callable[..., None]) -> None:
    """With its output; the task has its name, and the run the id that the block knew."""
    task, ids = fresh(), []

    def block(run: Any) -> None:
        ids.append(run.id)
        run.output = {"rows": 12, "when": run.task}

    record(server.url, task, block)
    found = latest(server, task)
    assert [found.id] == ids and (found.success, found.error, found.attempt) == (True, None, 1)
    assert msgspec.json.decode(found.output) == {"rows": 12, "when": str(task_of(task))}
    assert found.lease_owner == socket.gethostname()
    assert found.started_at is not None and found.finished_at is not None and found.started_at <= found.finished_at
    with Client(server.url) as client:
        assert client.get_task_names().names[task_of(task)].name == task
    assert kept(home) == []


@both
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, asyncio.CancelledError, SystemExit])
def test_a_failure(server: Server, record: Callable[..., None], kind: type[BaseException]) -> None:
    """The exception goes on as it is, and the record has its traceback, and the output until then."""
    task, exc = fresh(), kind("no such table: orders")

    def block(run: Any) -> None:
        run.output = {"rows": 3}
        raise exc

    with pytest.raises(kind) as raised:
        record(server.url, task, block)
    assert raised.value is exc or isinstance(exc, asyncio.CancelledError)
    found = latest(server, task)
    assert found.success is False and msgspec.json.decode(found.output) == {"rows": 3}
    assert found.error is not None and found.error.startswith("Traceback (most recent call last):")
    assert found.error.splitlines()[-1].endswith(f"{kind.__name__}: no such table: orders")


@pytest.mark.parametrize(("code", "success"), [(0, True), (None, True), (3, False)])
def test_an_exit_is_as_its_code(server: Server, code: int | None, success: bool) -> None:
    task = fresh()
    with pytest.raises(SystemExit):
        recorded(server.url, task, lambda _: sys.exit(code))
    assert latest(server, task).success is success


def failing(text: str) -> None:
    raise ValueError(text)


def test_a_long_traceback_is_kept_from_its_end(server: Server) -> None:
    """From the beginning of a line on, whatever its characters are."""
    task, text = fresh(), "\n".join(f"line {number} \udcff\0" for number in range(5000))
    with pytest.raises(ValueError, match="line 4999"):
        recorded(server.url, task, lambda _: failing(text))
    error = latest(server, task).error
    assert error is not None
    lines = error.splitlines()
    assert lines[-1].startswith("line 4999 ") and lines[0].startswith("line ")
    assert 13_000 < sum(len(line) - 1 for line in lines) <= 16_384


def deep(levels: int) -> Any:
    return [deep(levels - 1)] if levels else 1


@pytest.mark.parametrize("output", [object(), deep(101), "x" * 1_100_000, "\udcff"])
def test_outputs_that_no_record_can_have(
    server: Server, home: Path, caplog: pytest.LogCaptureFixture, output: Any
) -> None:
    """The run is recorded without them, and the log says so."""
    task = fresh()
    recorded(server.url, task, lambda run: setattr(run, "output", output))
    found = latest(server, task)
    assert (found.success, bytes(found.output), kept(home)) == (True, b"null", [])
    (warning,) = (one.getMessage() for one in caplog.records if one.name == "runlake")
    assert f"the output of run {found.id} is not recorded" in warning


@pytest.mark.parametrize(("output", "text"), [(2**70, str(2**70)), ({1: {2: 3}}, '{"1":{"2":3}}'), (deep(100), None)])
def test_outputs_at_the_edge(server: Server, caplog: pytest.LogCaptureFixture, output: Any, text: str | None) -> None:
    task = fresh()
    recorded(server.url, task, lambda run: setattr(run, "output", output))
    assert bytes(latest(server, task).output).decode() == (text or f"{'[' * 100}1{']' * 100}")
    assert [one for one in caplog.records if one.name == "runlake"] == []


def test_a_run_is_open_while_the_block_goes_on(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its lease is renewed, also where the event loop is held up."""
    monkeypatch.setattr(recording, "RENEWAL_SECONDS", 0.2)
    task = fresh()
    leases: set[datetime] = set()

    def block(run: Any) -> None:
        until = time.monotonic() + 30
        while len(leases) < 3:
            with Client(server.url) as client:
                found = client.get_latest_run(run.task)
            if found is not None:
                assert found.finished_at is None and found.leased_until is not None and found.started_at is not None
                assert found.leased_until - found.started_at >= LEASE
                leases.add(found.leased_until)
            assert time.monotonic() < until

    recorded_async(server.url, task, block)
    assert latest(server, task).leased_until is None


def test_blocks_beside_each_other(server: Server) -> None:
    """Each is a run of its own; attempts and UUIDs are taken as they are."""
    task = uuid.uuid4()

    async def one(client: AsyncClient, attempt: int) -> None:
        async with client.run(task, attempt=attempt) as run:
            await asyncio.sleep(0.1)
            run.output = attempt

    async def all_of_them() -> None:
        async with AsyncClient(server.url) as client:
            await asyncio.gather(*(one(client, attempt) for attempt in range(1, 9)))

    asyncio.run(all_of_them())
    with Client(server.url) as client:
        runs = list(client.runs(RunsQuery(task_id=[task], success=True)))
        assert task not in client.get_task_names().names
    assert sorted((run.attempt, msgspec.json.decode(run.output)) for run in runs) == [(n, n) for n in range(1, 9)]


@both
def test_a_service_that_is_down(
    server: Server, home: Path, caplog: pytest.LogCaptureFixture, record: Callable[..., None]
) -> None:
    """The block does not know; its records are kept, and the next block that is recorded at the service sends them."""
    task, done = fresh(), []
    started = time.monotonic()
    record(NOWHERE, task, lambda _: done.append(1))
    assert done == [1] and time.monotonic() - started < 6
    assert ["finished_at" in one for one in kept(home)] == [False, True]
    warnings = [one.getMessage() for one in caplog.records if one.name == "runlake"]
    assert len(warnings) == 1 and "the run is kept" in warnings[0] and NOWHERE in warnings[0]
    with pytest.raises(ZeroDivisionError):
        record(NOWHERE, task, lambda _: 1 / 0)
    for path in home.glob("*.json"):
        path.write_bytes(path.read_bytes().replace(NOWHERE.encode(), server.url.encode(), 1))
    record(server.url, fresh(), lambda _: None)
    with Client(server.url) as client:
        assert [run.success for run in client.runs(RunsQuery(task_id=[task_of(task)]))] == [False, True]
    assert kept(home) == []


def test_a_service_that_never_answers(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It takes the connection and no more: the end waits for it as long as that of a command does, and the block for
    nothing.
    """
    times = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        started = time.monotonic()
        recorded(f"http://127.0.0.1:{silent.getsockname()[1]}", fresh(), lambda _: times.append(time.monotonic()))
    assert times[0] - started < 1
    assert time.monotonic() - times[0] < recording.FINISH_SECONDS + 2
    assert ["finished_at" in one for one in kept(home)] == [False, True]
    assert "no answer within 5 s" in caplog.text


def test_a_clock_that_is_set_back(server: Server) -> None:
    """No run ends before it began, which the service would refuse."""
    began = datetime.now(UTC) + timedelta(hours=1)
    run = BlockRun(fresh(), began)
    assert server.client.post("/runs", json={"runs": [json.loads(run.finished(None))]}).json()["stored"] == 1
    found = latest(server, str(run.task))
    assert found.finished_at is not None and timedelta() <= found.finished_at - began < timedelta(minutes=1)


@pytest.mark.parametrize("seconds", [0.0, 0.5])
def test_a_task_that_is_cancelled(server: Server, seconds: float) -> None:
    """In the block, or while it begins: no thread goes on renewing a lease."""
    task, before = fresh(), threads()

    async def cancelled() -> None:
        async with AsyncClient(server.url) as client, client.run(task):
            await asyncio.sleep(60)

    async def cancel() -> None:
        running = asyncio.create_task(cancelled())
        await asyncio.sleep(seconds)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(cancel())
    found = latest(server, task)
    assert found.success is False and found.error is not None and found.error.endswith("CancelledError")
    assert threads() == before


def test_without_a_place_for_the_spool(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Records are sent all the same."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "file"))
    task = fresh()
    recorded(server.url, task, lambda _: None)
    assert latest(server, task).success is True
    assert any("cannot write to the spool" in one.getMessage() for one in caplog.records)
    assert max(one.levelno for one in caplog.records) == logging.WARNING


def test_the_key_of_the_client(tmp_path: Path) -> None:
    """One that may write is enough."""
    with Server(tmp_path / "lake", new=True) as server:
        _, writes = access.create(Paths.of(tmp_path / "lake"), ("write",))
        with Client(server.url, key=writes) as client, client.run("nightly"):
            pass
        _, reads = access.create(Paths.of(tmp_path / "lake"), ("read",))
        with Client(server.url, key=reads) as client:
            assert [run.success for run in client.runs()] == [True]


PROGRAM: Final = """
import signal, sys, time
from runlake.client import Client
signal.signal(signal.SIGINT, signal.default_int_handler)  # which Python leaves out where the parent ignores it
with Client() as client, client.run(sys.argv[1]) as run:
    run.output = {"rows": 1}
    print("up", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize(("number", "success"), [(signal.SIGINT, False), (signal.SIGKILL, None)])
def test_a_program_that_a_signal_ends(server: Server, home: Path, number: signal.Signals, success: bool | None) -> None:
    """Ctrl-C is a failure; a program that is killed leaves an open run, which is lost once its lease is over."""
    task = fresh()
    env = environment(RUNLAKE_SERVER=server.url, XDG_STATE_HOME=str(home.parent.parent))
    command = [sys.executable, "-c", PROGRAM, task]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        server.until(lambda: server.client.get(f"/task/{task_of(task)}/latest").json() is not None)
        process.send_signal(number)
        process.wait(30)
    found = latest(server, task)
    assert found.success is success
    if success is False:
        assert found.error is not None and found.error.endswith("KeyboardInterrupt")
    else:
        assert found.leased_until is not None
