"""`follow`: runs as they change, through kills of the service, revoked keys, and streams that break off."""

from __future__ import annotations

import asyncio
import signal
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support import Server, record

from runlake import access
from runlake.client import AsyncClient, Client
from runlake.client.following import Following, Told
from runlake.errors import BadInput, Unauthorized, Unreachable
from runlake.model import Filter, RunChanges, StreamReset
from runlake.paths import Paths


def ids(told: Told) -> list[uuid.UUID]:
    assert isinstance(told, RunChanges)
    return [run.id for run in told.items]


def of(*numbers: int) -> list[uuid.UUID]:
    return [uuid.UUID(int=number) for number in numbers]


def begun(told: Iterator[Told]) -> int:
    """The snapshot at which a stream begins."""
    first = next(told)
    assert ids(first) == []
    return first.snapshot


def test_runs_are_told_as_they_change(tmp_path: Path) -> None:
    with Server(tmp_path / "lake") as server, Client(server.url) as client:
        told = client.follow(Filter(success=False))
        began = begun(told)
        server.post(record(1), record(2, success=False))
        change = next(told)
        assert ids(change) == of(2) and change.snapshot > began
        server.post(record(3, finished_at=None, success=None))
        server.post(record(3, success=False))
        assert ids(next(told)) == of(3)
        assert ids(next(client.follow(after=began))) == of(3, 2, 1)


def test_a_service_that_is_killed_is_followed_on(tmp_path: Path) -> None:
    """What was stored before is not told again; what was stored while nobody followed is, or there is a reset."""
    lake = tmp_path / "lake"
    server = Server(lake).wait_ready()
    port = str(urlsplit(server.url).port)
    with Client(server.url, patience=30) as client:
        told = client.follow()
        begun(told)
        server.post(record(1))
        assert ids(next(told)) == of(1)
        server.stop(signal.SIGKILL)
        again: list[Server] = []
        starting = threading.Thread(target=lambda: again.append(Server(lake, "--port", port).wait_ready()))
        starting.start()
        found = next(told)  # it has missed nothing
        starting.join()
        assert isinstance(found, RunChanges) and found.items == []
        again[0].post(record(2))
        assert ids(next(told)) == of(2)
        again[0].stop(signal.SIGKILL)
        with Server(lake) as elsewhere:
            elsewhere.post(record(3))
        with Server(lake, "--port", port):
            assert isinstance(next(told), StreamReset)


def test_patience_ends(tmp_path: Path) -> None:
    server = Server(tmp_path / "lake").wait_ready()
    with Client(server.url, patience=0.5) as client:
        told = client.follow()
        begun(told)
        server.stop()
        with pytest.raises(Unreachable):
            next(told)


def test_what_is_refused_is_raised(tmp_path: Path) -> None:
    with Server(tmp_path / "lake") as server:
        with Client(server.url) as client, pytest.raises(BadInput) as refused:
            next(client.follow(Filter(lease_owner="x" * 300)))
        assert refused.value.errors[0].field == "lease_owner"
        key, token = access.create(Paths.of(server.data), ("read",))
        with Client(server.url, key=token) as client:
            told = client.follow()
            begun(told)
            access.revoke(Paths.of(server.data), key.id)
            with pytest.raises(Unauthorized):
                next(told)


def test_the_other_client_follows_alike(tmp_path: Path) -> None:
    with Server(tmp_path / "lake") as server:

        async def follow() -> list[list[uuid.UUID]]:
            found: list[list[uuid.UUID]] = []
            async with AsyncClient(server.url) as client:
                async for told in client.follow(Filter(success=True)):
                    found.append(ids(told))
                    if len(found) == 3:
                        break
                    await asyncio.to_thread(server.post, record(len(found)))
            return found

        assert asyncio.run(follow()) == [[], of(1), of(2)]


def test_what_broke_off_was_not_told() -> None:
    """After each character of a stream: what is asked for next comes after the last whole event."""
    data = '{"snapshot":7,"counts":{"success":0,"failed":0,"open":0},"items":[],"more":0}'
    stream = f'id: 7\nevent: runs\ndata: {data}\n\n: \nid: 8\n\nid: 9\nevent: reset\ndata: {{"snapshot":9}}\n\n'
    for end in range(len(stream) + 1):
        following = Following(Filter(), 3)
        following.call()
        told = [found for line in stream[:end].split("\n")[:-1] if (found := following.take(line)) is not None]
        whole = stream[:end].split("\n\n")[:-1]
        last = [3, *(int(line[4:]) for event in whole for line in event.split("\n") if line.startswith("id: "))][-1]
        assert following.call().headers["Last-Event-ID"] == str(last)
        assert len(told) == sum("data: " in event for event in whole)
