"""Slow, silent, greedy and vanishing clients against a real server: each is bounded, and ties nobody else up."""

from __future__ import annotations

import json
import socket
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import httpx
import pytest
from clients import connected, logged, rest, until
from support import Server, environment, record, runlake

# The limits that are no settings, made short enough to wait for.
IMPATIENT: Final = """
from runlake.api import protocol
protocol.HEAD_SECONDS, protocol.LINGER_SECONDS, protocol.STALL_SECONDS = 1.0, 1.0, 1.0
"""
# Whoever asks for a run that ends in 7 waits for hours.
SLOW: Final = """
import time
from runlake.query import queries
quick = queries.detail
def detail(session, run_id):
    while str(run_id).endswith("7"):
        session.rows("SELECT 1")
        time.sleep(0.01)
    return quick(session, run_id)
queries.detail = detail
"""
SLOW_PATH: Final = f"/runs/{uuid.UUID(int=7)}"
SETTINGS: Final = {
    "RUNLAKE_BODY_SECONDS": "1",
    "RUNLAKE_IDLE_SECONDS": "1",
    "RUNLAKE_CONNECTIONS": "20",
    "RUNLAKE_BODY_BYTES": "2000000",
    "RUNLAKE_BODIES_BYTES": "3000000",
    "RUNLAKE_READ_THREADS": "1",
    "RUNLAKE_READ_QUEUE": "1",
    "RUNLAKE_QUERY_SECONDS": "600",
}
JSON: Final = {"Content-Type": "application/json"}
POST: Final = b"POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An impatient server with small limits and two runs."""
    env = environment(None, **SETTINGS)
    with Server(tmp_path_factory.mktemp("door") / "lake", env=env, before=IMPATIENT + SLOW) as running:
        assert running.post(record(1), record(2)).status_code == 200
        yield running
    assert not [line for line in running.log if "ERROR" in line or "Traceback" in line], running.log


def one(answer: bytes, status: int) -> dict[str, Any]:
    """A raw answer that is one problem of this status; its body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), answer[:500]
    assert b"\r\ncontent-type: application/problem+json" in head.lower()
    problem: dict[str, Any] = json.loads(body)
    assert (problem["status"], bool(problem["detail"])) == (status, True)
    return problem


def quick(server: Server) -> None:
    """Others are served meanwhile."""
    started = time.monotonic()
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert time.monotonic() - started < 5


@pytest.mark.parametrize("framing", [b"Content-Length: 1000", b"Transfer-Encoding: chunked"])
def test_a_body_that_trickles_gets_408(door: Server, framing: bytes) -> None:
    """And the connection ends, however long the client goes on."""
    with connected(door, POST + framing + b"\r\n\r\n") as slow:
        started = time.monotonic()
        slow.settimeout(0.1)
        answer = b""
        while time.monotonic() - started < 15:
            try:
                slow.sendall(b"1\r\n{\r\n" if b"chunked" in framing else b"{")
                answer += (part := slow.recv(65_536))
                if not part:
                    break
            except TimeoutError:
                continue
            except OSError:
                break
        assert "within 1 seconds" in one(answer, 408)["detail"]
        assert 0.9 < time.monotonic() - started < 10
    until(door, "bodies_bytes", 0)


def test_a_client_that_leaves_in_its_body(door: Server) -> None:
    """Nothing is stored, nothing is held, and it is no failure of ours."""
    for number in range(5):
        with connected(door, POST + b"X-Request-ID: left-%d\r\nContent-Length: 9000\r\n\r\n" % number, b"{" * 100):
            quick(door)
    until(door, "bodies_bytes", 0)
    until(door, "requests_under_way", 1)
    logged(door, "id=left-", 5)


@pytest.mark.parametrize(
    "sent",
    [b"", b"GET /health HTT", b"GET /health HTTP/1.1\r\nHost: localhost\r\n", b"\r\n\r\n", b"GET / HTTP/1.1\r\nX:"],
)
def test_a_head_that_does_not_come(door: Server, sent: bytes) -> None:
    with connected(door, sent) as slow:
        started = time.monotonic()
        assert rest(slow) == b""
        assert 0.5 < time.monotonic() - started < 10


@pytest.mark.parametrize("drop", [b"\r\n", b"x"])
def test_a_head_that_trickles(door: Server, drop: bytes) -> None:
    """Each byte on its way does not start the time anew, neither of a first request nor of a later one."""
    for before in (b"", b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"):
        with connected(door, before) as slow:
            started = time.monotonic()
            while time.monotonic() - started < 15:
                try:
                    slow.sendall(drop)
                    time.sleep(0.1)
                except OSError:
                    break
            assert time.monotonic() - started < 10


def test_an_idle_connection_ends(door: Server) -> None:
    with connected(door, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") as idle:
        started = time.monotonic()
        assert rest(idle).startswith(b"HTTP/1.1 200 ")
        assert 0.5 < time.monotonic() - started < 10


GREEDY: Final = {
    "one long header": (b"GET /health HTTP/1.1\r\nX: ", b"x" * 1000),
    "many headers": (b"GET /health HTTP/1.1\r\n", b"X: y\r\n" * 200),
    "a long path": (b"GET /", b"x" * 1000),
    "blank lines": (b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n", b"\r\n" * 500),
    "a long trailer": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\nX: ", b"x" * 1000),
    "many trailers": (POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n0\r\n", b"X: y\r\n" * 200),
    "a chunk extension": (POST + b"Transfer-Encoding: chunked\r\n\r\n1;", b"x" * 1000),
    "a body nobody reads": (
        b"GET /nope HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3e8\r\n" + b"x" * 1000 + b"\r\n",
    ),
}


@pytest.mark.parametrize("kind", GREEDY)
def test_heads_and_framing_are_bounded(door: Server, kind: str) -> None:
    """An endless one is cut off long before it is large, or soon."""
    begin, more = GREEDY[kind]
    sent, started = 0, time.monotonic()
    with connected(door, begin) as greedy:
        try:
            while time.monotonic() - started < 15:
                greedy.sendall(more)
                sent += len(more)
        except OSError:
            pass
        assert time.monotonic() - started < 10
        # What the kernels of both ends hold is sent too. A body that nobody reads is thrown away as it comes.
        assert sent < 20_000_000 or kind == "a body nobody reads"
    quick(door)


def test_a_head_of_reasonable_size_is_fine(door: Server) -> None:
    headers = {f"x-{i}": "y" * 1000 for i in range(60)}
    assert httpx.get(f"{door.url}/health", headers=headers).status_code == 200
    answer = httpx.get(f"{door.url}/health", headers=headers | {f"z-{i}": "y" * 1000 for i in range(6)})
    assert answer.status_code == 400 and answer.json()["errors"][0]["field"] == "request"
    with connected(door, b"\r\nGET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") as strange:
        assert b" 200 " in rest(strange)


@pytest.mark.parametrize(
    "sent",
    [
        b"HELLO\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
        POST + b"Content-Length: -1\r\n\r\n",
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        POST + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n{}{}{}",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nBad Header: x\r\n\r\n",
    ],
)
def test_what_is_no_request_gets_a_400(door: Server, sent: bytes) -> None:
    with connected(door, sent) as strange:
        one(rest(strange), 400)


def test_connections_are_bounded(door: Server) -> None:
    """The next ones hear of it in the shape of all errors; /health answers all the same."""
    time.sleep(1.5)  # until the idle ones of earlier tests are gone
    where = urlsplit(door.url)
    address = (where.hostname, where.port or 0)
    begun = b"GET /runs HTTP/1.1\r\nHost: localhost\r\n"
    held = [socket.create_connection(address) for _ in range(20)]
    try:
        with connected(door, begun + b"\r\n") as refused, connected(door, b"GET /health HTTP/1.1\r\n\r\n") as alive:
            answer = rest(refused)
            assert "too many connections" in one(answer, 503)["detail"]
            assert b"\r\nretry-after: 1\r\n" in answer.lower()
            assert b" 200 " in rest(alive)
        many = [socket.create_connection(address) for _ in range(150)]
        for connection in many:
            connection.close()
    finally:
        for connection in held:
            connection.close()
    deadline = time.monotonic() + 10
    while httpx.get(f"{door.url}/runs").status_code != 200:
        assert time.monotonic() < deadline


def test_bodies_have_a_size(door: Server) -> None:
    """413 for what is declared, and for what is not."""
    with connected(door, POST + b"Content-Length: 2000001\r\n\r\n") as large:
        assert "2000001" in one(rest(large), 413)["detail"]
    answer = httpx.post(f"{door.url}/runs", content=(b" " * 10_000 for _ in range(201)), headers=JSON)
    assert answer.status_code == 413
    with connected(door, POST + b"Content-Length: 99999999999999999999999\r\n\r\n") as absurd:
        assert rest(absurd)[9:12] in (b"400", b"413")


def test_lengths_that_lie(door: Server) -> None:
    """Less than declared: nothing is stored. More: the rest is no request."""
    whole = json.dumps({"runs": [record(77)]}).encode()
    with connected(door, POST + b"Content-Length: %d\r\n\r\n" % (len(whole) + 5) + whole) as short:
        short.shutdown(socket.SHUT_WR)
        assert b" 200 " not in rest(short)
    with connected(door, POST + b"Content-Length: %d\r\n\r\n" % (len(whole) - 5) + whole) as long:
        assert b" 200 " not in rest(long)
    assert door.client.get(f"/runs/{record(77)['id']}").status_code == 404


def test_bodies_under_way_share_a_room(door: Server) -> None:
    """Two of 1.9 MB do not fit into 3 MB: the one that comes second gets 503, and later its turn."""
    half = b" " * 1_900_000
    with connected(door, POST + b"Content-Length: 1900010\r\n\r\n", half):
        until(door, "bodies_bytes", len(half))
        answer = httpx.post(f"{door.url}/runs", content=half, headers=JSON)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
        assert door.post(record(1)).json()["duplicates"] == 1
    until(door, "bodies_bytes", 0)
    assert httpx.post(f"{door.url}/runs", content=half, headers=JSON).status_code == 400


def test_a_client_that_takes_nothing(tmp_path: Path) -> None:
    """Ten megabytes are asked for and not read: the connection ends, the service does not."""
    with Server(tmp_path / "lake", before=IMPATIENT) as server:
        runs = [record(i, output="x" * 1_000_000) for i in range(20)]
        assert server.post(*runs).status_code == 200
        with connected(server, b"GET /runs?limit=20 HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: lazy\r\n\r\n") as lazy:
            time.sleep(4)
            quick(server)
            assert len(rest(lazy)) < 20_000_000
        with connected(server, b"GET /runs?limit=20 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n") as slow:
            size = 0
            while part := slow.recv(500_000):  # slow, but it goes on: for longer than a stall may last
                size += len(part)
                time.sleep(0.05)
            assert size > 20_000_000


def test_a_query_nobody_waits_for_is_interrupted(door: Server) -> None:
    """It would run for hours on the only thread."""
    with connected(door, f"GET {SLOW_PATH} HTTP/1.1\r\nHost: localhost\r\nX-Request-ID: gone\r\n\r\n".encode()):
        until(door, "queries_under_way", 1)
        time.sleep(0.3)
    started = time.monotonic()
    assert door.client.get(f"/runs/{record(1)['id']}").status_code == 200
    assert time.monotonic() - started < 10
    until(door, "queries_under_way", 0)
    logged(door, "id=gone ", 1)


def test_a_query_nobody_waits_for_leaves_the_queue(door: Server) -> None:
    """The only thread is taken and the queue has one place: who leaves it makes room for the next."""
    ask = f"GET {SLOW_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with connected(door, ask):
        until(door, "queries_under_way", 1)
        for _ in range(3):
            with connected(door, ask):
                until(door, "queries_under_way", 2)
                full = httpx.get(f"{door.url}{SLOW_PATH}")
                assert (full.status_code, full.headers["retry-after"]) == (503, "1")
            until(door, "queries_under_way", 1)
    until(door, "queries_under_way", 0)
    assert door.client.get(f"/runs/{record(2)['id']}").status_code == 200


def test_sigterm_with_all_of_them_at_once(tmp_path: Path) -> None:
    """A body that trickles, a head that does not come, a query of hours, a reader that takes nothing, and posts:
    it ends with 0 within 10 seconds, and what was acknowledged is there."""
    lake = tmp_path / "lake"
    server = Server(lake, before=SLOW).wait_ready()
    assert server.post(*(record(i, output="x" * 1_000_000) for i in range(20))).status_code == 200

    def post(number: int) -> int:
        stored, at = 0, 100 + 10_000 * number
        with httpx.Client(base_url=server.url, timeout=60) as client:
            try:
                while True:
                    answer = client.post("/runs", json={"runs": [record(at + i) for i in range(100)]})
                    stored, at = stored + 100 * (answer.status_code == 200), at + 100
            except httpx.TransportError:
                return stored

    lazy = b"GET /runs?limit=20 HTTP/1.1\r\nHost: localhost\r\n\r\n"
    asks = f"GET {SLOW_PATH} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with (
        connected(server, POST + b"Content-Length: 1000\r\n\r\n{"),
        connected(server, b"GET /"),
        connected(server, lazy),
        connected(server, asks),
        ThreadPoolExecutor(4) as pool,
    ):
        posts = [pool.submit(post, number) for number in range(4)]
        until(server, "queries_under_way", 1)
        time.sleep(1)
        started = time.monotonic()
        code = server.stop()
        took = time.monotonic() - started
        acknowledged = sum(each.result() for each in posts)
    assert (code, took < 10) == (0, True), (took, server.log[-5:])
    count = runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(lake))
    assert acknowledged > 0
    # A batch whose answer was cut off may have been stored.
    assert 20 + acknowledged <= json.loads(count.stdout)[0]["n"] <= 20 + acknowledged + 400
    assert not [line for line in server.log if "Traceback" in line], server.log
