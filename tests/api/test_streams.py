"""GET /stream/runs over HTTP: what clients are told, through disconnects, kills, and when they are slow or too many."""

from __future__ import annotations

import signal
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from clients import connected, gauge, logged, rest, until
from inprocess import assert_problem
from streams import Event, following, parsed
from support import HOSTILE, Server, environment, record

from runlake import access
from runlake.model import MAX_PAGE
from runlake.paths import Paths

QUIET: Final = environment(None, RUNLAKE_MAINTAIN_SECONDS="1000")  # no snapshot but those of appends
PAUSES: Final = "from runlake.api import streaming\nstreaming._PAUSE = streaming._REST = 0.01\n"
COMMENTS: Final = "from runlake.api import streaming\nstreaming.COMMENT_SECONDS = 0.3\n"
FEW: Final = "from runlake.serving import changes\nchanges.MOST_ROWS = 5\n"
NOTHING: Final = {"success": 0, "failed": 0, "open": 0}
OPEN: Final[dict[str, Any]] = {"finished_at": None, "success": None}


def ids(*numbers: int) -> list[str]:
    return [str(uuid.UUID(int=number)) for number in numbers]


def is_first(event: Event) -> bool:
    return event.name == "runs" and event.data == {
        "snapshot": event.id,
        "counts": NOTHING,
        "items": [],
        "more": 0,
    }


@contextmanager
def posting(server: Server, first: int) -> Iterator[list[int]]:
    """A client that posts one run after the other, while it can; the numbers of those that were acknowledged."""
    acknowledged: list[int] = []
    ended = threading.Event()

    def post() -> None:
        with httpx.Client(base_url=server.url, timeout=20) as client:
            number = first
            while not ended.is_set():
                try:
                    answer = client.post("/runs", json={"runs": [record(number)]})
                except httpx.TransportError:
                    return
                if answer.status_code == 200:
                    acknowledged.append(number)
                number += 1

    thread = threading.Thread(target=post)
    thread.start()
    try:
        yield acknowledged
    finally:
        ended.set()
        thread.join()


def test_two_clients_are_told_what_matches(server: Server) -> None:
    """Runs as lists have them, without error and output, the newest first; an open run again when it has changed."""
    server.post(record(1))
    with following(server) as everything, following(server, "status=failed,running") as some:
        begun = next(everything)
        assert is_first(begun) and is_first(next(some))
        assert begun.id == server.client.get("/ready").json()["snapshot"]
        server.post(record(2, output={"a": 1}), record(30, success=False, error="boom"), record(4, **OPEN))
        first, failed = next(everything), next(some)
        assert first.data["counts"] == {"success": 1, "failed": 1, "open": 1} and first.data["more"] == 0
        assert failed.runs == ids(4, 30)  # which began on the fifth day and on the third
        assert failed.data["counts"] == {"success": 0, "failed": 1, "open": 1}
        listed = server.client.get("/runs").json()["items"]
        assert [item | {"output": None} for item in listed[:-1]] == first.data["items"]
        server.post(record(4))
        assert next(everything).runs == ids(4)
        server.post(record(5, **OPEN))
        assert next(some).runs == ids(5)  # that the other one has ended was none of its events
        assert next(everything).runs == ids(5)


def test_a_run_that_changes_twice_at_once_is_told_once(tmp_path: Path) -> None:
    with Server(tmp_path / "lake", env=QUIET) as server:
        begun = server.client.get("/ready").json()["snapshot"]
        server.post(record(1, **OPEN), record(2, **OPEN))
        server.post(record(1, **OPEN, attempt=2))
        server.post(record(1, success=False))
        with following(server, last=begun) as events:
            event = next(events)
    assert event.data["counts"] == {"success": 0, "failed": 1, "open": 1}
    assert [(run["id"], run["success"]) for run in event.data["items"]] == list(
        zip(ids(2, 1), (None, False), strict=True)
    )


def test_an_event_holds_a_page(server: Server) -> None:
    with following(server, "success=true") as events:
        assert is_first(next(events))
        server.post(*(record(number) for number in range(MAX_PAGE + 31)))
        event = next(events)
    assert (len(event.runs), event.data["more"]) == (MAX_PAGE, 31)
    assert event.data["counts"] == {"success": MAX_PAGE + 31, "failed": 0, "open": 0}
    assert event.runs == [run["id"] for run in server.client.get(f"/runs?limit={MAX_PAGE}").json()["items"]]


def test_nothing_is_lost_or_repeated_when_a_client_comes_again(tmp_path: Path) -> None:
    """Again and again in the middle of appends and of upkeep; and at most four events come in a second."""
    with Server(tmp_path / "lake", env=environment() | HOSTILE) as server:
        begun = server.client.get("/ready").json()["snapshot"]
        last, seen, told, turn, began = begun, list[str](), 0, 0, time.monotonic()
        with posting(server, 1) as acknowledged:
            while turn < 6 or len(acknowledged) < 20:
                turn += 1
                with following(server, last=last) as events:
                    for event in (next(events) for _ in range(1 + turn % 3)):
                        assert event.name == "runs" and event.id >= last
                        seen, last, told = seen + event.runs, event.id, told + 1
            seconds = time.monotonic() - began
        with following(server, last=last) as events:
            seen += next(events).runs
    assert sorted(seen) == sorted(ids(*acknowledged))
    assert told <= 4 * seconds + turn  # the first one of a connection does not wait


def test_a_client_that_missed_nothing_goes_on_after_a_kill(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    with Server(lake, env=QUIET) as server, following(server) as events:
        assert is_first(next(events))
        server.post(record(1))
        last = next(events)
        assert last.runs == ids(1)
        server.stop(signal.SIGKILL)
    with Server(lake, env=QUIET) as server, following(server, last=last.id) as events:
        assert is_first(next(events))
        server.post(record(2))
        assert next(events).runs == ids(2)


def test_nothing_is_lost_through_kills_of_the_service(tmp_path: Path) -> None:
    """Every acknowledged run is told, or a reset says to look again, and then the list has it."""
    lake, last = tmp_path / "lake", None
    known, acknowledged = set[str](), list[int]()
    for turn in range(4):
        with (
            Server(lake, env=environment() | HOSTILE) as server,
            posting(server, 1 + 100_000 * turn) as added,
            following(server, last=last) as events,
        ):
            for number in range(3):
                event = next(events)
                assert event.name == "runs" or number == 0
                known |= listed(server) if event.name == "reset" or last is None else set(event.runs)
                last = event.id
            server.stop(signal.SIGKILL)
        assert added
        acknowledged += added
    with Server(lake) as server, following(server, last=last) as events:
        event = next(events)
        known |= listed(server) if event.name == "reset" else set(event.runs)
    assert known >= set(ids(*acknowledged))


def listed(server: Server) -> set[str]:
    """All runs, page by page."""
    found: set[str] = set()
    while len(items := server.client.get(f"/runs?limit=200&offset={len(found)}").json()["items"]):
        found |= {item["id"] for item in items}
    return found


@pytest.mark.parametrize("last", ["0", "999999", "x", "-1", "1.5", "9" * 40])
def test_an_id_that_is_not_known_begins_anew(server: Server, last: str) -> None:
    server.post(record(1))
    with following(server, last=last) as events:
        event = next(events)
        assert (event.name, event.data) == ("reset", {"snapshot": server.client.get("/ready").json()["snapshot"]})
        server.post(record(2))
        assert next(events).runs == ids(2)


def test_what_the_ring_has_let_go_begins_anew(tmp_path: Path) -> None:
    with Server(tmp_path / "lake", env=QUIET, before=FEW) as server:
        snapshots = []
        for number in range(10):
            server.post(record(number))
            snapshots.append(server.client.get("/ready").json()["snapshot"])
        for place, name in ((3, "reset"), (4, "runs")):
            with following(server, last=snapshots[place]) as events:
                event = next(events)
                assert (event.name, event.id) == (name, snapshots[-1])
    assert sorted(event.runs) == ids(5, 6, 7, 8, 9)


def test_upkeep_is_no_change(tmp_path: Path) -> None:
    """Nor is retention: runs are flushed, merged and dropped, and all that is told are appends."""
    env = environment() | HOSTILE | {"RUNLAKE_RETENTION_DAYS": "30", "RUNLAKE_GRACE_SECONDS": "0"}
    today = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime())
    with Server(tmp_path / "lake", env=env) as server, following(server) as events:
        assert is_first(next(events))
        server.post(*(record(number) for number in range(30)))  # of days that go
        for number in range(30, 120):
            server.post(record(number, started_at=today, finished_at=today))
        for step in ("flush", "merge", "retain", "expire"):
            server.until(partial(is_done, server, step))
        server.post(record(1000, **OPEN))
        told: list[str] = []
        while ids(1000)[0] not in told:
            event = next(events)
            assert event.name == "runs" and sum(event.data["counts"].values()) == len(event.runs) > 0
            told += event.runs
    assert sorted(told) == [*ids(*range(120)), *ids(1000)]


def is_done(server: Server, step: str) -> bool:
    """Whether upkeep has done a step."""
    return any(f"step={step}" in line for line in server.log)


def test_a_comment_comes_where_nothing_does(tmp_path: Path) -> None:
    """Its id goes on, so that a client for which nothing matches is not left behind."""
    with Server(tmp_path / "lake", env=QUIET, before=COMMENTS + FEW) as server:
        with following(server, "lease_owner=nobody") as events:
            last = next(events)
            assert is_first(last) and next(events) == Event(last.id, "", {})
            for turn in range(3):  # more than the ring holds
                server.post(*map(record, range(4 * turn, 4 * turn + 4)))
                last = next(event for event in events if event.id == last.id + 1)
                assert last.name == ""
        with following(server, "lease_owner=nobody", last=last.id) as events:
            assert is_first(next(events))


def test_a_comment_comes_every_fifteen_seconds(server: Server) -> None:
    with following(server) as events:
        next(events)
        began = time.monotonic()
        assert next(events).name == ""
    assert 14 < time.monotonic() - began < 20


def test_too_many_are_refused(tmp_path: Path) -> None:
    """64 are open; the next one hears of it in the shape of all errors, until one has left."""
    head = "GET /stream/runs HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with Server(tmp_path / "lake") as server, ExitStack() as clients:
        for _ in range(63):
            clients.enter_context(connected(server, head.encode()))
        until(server, "streams", 63)
        with following(server) as events:
            assert is_first(next(events))
            assert gauge(server, "streams") == 64
            problem = assert_problem(server.client.get("/stream/runs"), 503)
            assert "64 streams are open already" in problem["detail"]
            assert server.client.head("/stream/runs").status_code == 200
            assert server.client.get("/runs").status_code == 200
        until(server, "streams", 63)
        with following(server) as events:
            assert is_first(next(events))
        clients.close()
        until(server, "streams", 0)


def test_the_setting_says_how_many(tmp_path: Path) -> None:
    with Server(tmp_path / "lake", env=environment(None, RUNLAKE_STREAMS="1")) as server, following(server) as events:
        assert is_first(next(events))
        assert_problem(server.client.get("/stream/runs"), 503)


def test_a_revoked_key_ends_its_stream(tmp_path: Path) -> None:
    """Before the next event, which it is not told; that of another key, and of a session, goes on."""
    with Server(tmp_path / "lake") as server:
        paths = Paths.of(server.data)
        revoked, token = access.create(paths, ("read",), "revoked")
        _, other = access.create(paths, ("read", "write"), "other")
        kept, gone = ({"Authorization": f"Bearer {one}"} for one in (other, token))
        cookies = server.client.post("/session", headers=gone).cookies
        session = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items())}
        server.client.cookies.clear()
        assert_problem(server.client.get("/stream/runs"), 401)
        with (
            following(server, **gone) as ends,
            following(server, **session) as too,
            following(server, **kept) as goes_on,
        ):
            assert all(is_first(next(events)) for events in (ends, too, goes_on))
            assert server.client.post("/runs", json={"runs": [record(1)]}, headers=kept).status_code == 200
            assert [next(events).runs for events in (ends, too, goes_on)] == [ids(1)] * 3
            access.revoke(paths, revoked.id)
            assert server.client.post("/runs", json={"runs": [record(2)]}, headers=kept).status_code == 200
            assert next(goes_on).runs == ids(2)
            assert (list(ends), list(too)) == ([], [])


def test_the_first_key_ends_streams_without_one(tmp_path: Path) -> None:
    with Server(tmp_path / "lake") as server, following(server) as events:
        assert is_first(next(events))
        _, token = access.create(Paths.of(server.data), ("write",), "first")
        server.client.post("/runs", json={"runs": [record(1)]}, headers={"Authorization": f"Bearer {token}"})
        assert list(events) == []


def test_a_slow_client_is_told_more_at_once(tmp_path: Path) -> None:
    """It takes nothing while megabytes are told to others; then it is told the rest, and nothing twice."""
    head = b"GET /stream/runs HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    owner = {"lease_owner": "w" * 255}
    with Server(tmp_path / "lake", before=PAUSES) as server:
        where, last = urlsplit(server.url), 0
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.settimeout(30)
            slow.connect((where.hostname, where.port))
            slow.sendall(head)
            with following(server) as events:
                assert is_first(next(events))
                until(server, "streams", 2)
                for batch in range(80):
                    server.post(*(record(MAX_PAGE * batch + n, **owner) for n in range(MAX_PAGE)))
                    last = next(events).id
            reader = threading.Timer(6, server.process.send_signal, (signal.SIGTERM,))
            reader.start()
            text = rest(slow)
            reader.join()
    found = parsed(unchunked(text))
    assert len(found) < 80 and found[-1].id == last
    assert sum(event.data["counts"]["success"] for event in found) == 80 * MAX_PAGE
    assert any(event.data["more"] for event in found)
    told = [run for event in found for run in event.runs]
    assert len(told) == len(set(told))


def unchunked(answer: bytes) -> str:
    """The body of an answer in chunks."""
    left, body = answer.partition(b"\r\n\r\n")[2], b""
    while left:
        size, _, left = left.partition(b"\r\n")
        body, left = body + left[: int(size, 16)], left[int(size, 16) + 2 :]
    return body.decode()


def test_a_client_that_takes_nothing_is_dropped(tmp_path: Path) -> None:
    impatient = "from runlake.api import protocol\nprotocol.STALL_SECONDS = 1.0\n"
    owner = {"lease_owner": "w" * 255}
    with (
        Server(tmp_path / "lake", before=PAUSES + impatient) as server,
        connected(server, b"GET /stream/runs HTTP/1.1\r\nHost: localhost\r\n\r\n"),
    ):
        until(server, "streams", 1)
        for batch in range(200):
            server.post(*(record(MAX_PAGE * batch + n, **owner) for n in range(MAX_PAGE)))
            if not gauge(server, "streams"):
                break
        until(server, "streams", 0)


def test_streams_end_with_the_service(tmp_path: Path) -> None:
    """At once, and whole."""
    server = Server(tmp_path / "lake").wait_ready()
    with following(server) as one, following(server, "success=true") as two:
        assert is_first(next(one)) and is_first(next(two))
        began = time.monotonic()
        assert server.stop() == 0
        assert (list(one), list(two)) == ([], [])
    assert time.monotonic() - began < 5
    logged(server, "route=/stream/runs", 2, "status=200")
    assert not [line for line in server.log if "Traceback" in line], server.log


def test_when_reading_fails_clients_look_again(tmp_path: Path) -> None:
    """The log says why; afterwards all goes on."""
    broken = """
from runlake.query import changed
instance = changed._Instance
class Broken(instance):
    def take(self, tables):
        changed._Instance = instance
        raise ValueError("as the test wants it")
changed._Instance = Broken
"""
    with Server(tmp_path / "lake", before=broken) as server, following(server) as events:
        assert is_first(next(events))
        server.post(record(1))
        assert next(events).name == "reset"
        server.post(record(2))
        assert next(events).runs == ids(2)
        server.until(lambda: any("as the test wants it" in line for line in server.log))


def test_what_is_refused(server: Server) -> None:
    """As for lists, but that no window is needed; and HEAD has no end to wait for."""
    for query, field in (("status=x", "status"), ("start_time=2025-02-01&end_time=2025-01-01", "start_time")):
        assert_problem(server.client.get(f"/stream/runs?{query}"), 400, field)
    assert_problem(server.client.get("/stream/runs?limit=1"), 400, "limit")
    head = server.client.head("/stream/runs?error=boom", headers={"Accept-Encoding": "gzip"})
    assert (head.status_code, head.headers["cache-control"]) == (200, "no-store")
    assert not {"etag", "content-encoding"} & head.headers.keys()
    assert gauge(server, "streams") == 0
