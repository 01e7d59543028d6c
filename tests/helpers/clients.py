"""Raw clients of a real server, and what the server says of those it has."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import httpx
from support import Server


@contextmanager
def connected(server: Server, *sent: bytes) -> Iterator[socket.socket]:
    """A connection over which something has been sent."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port or 0), timeout=20) as connection:
        for part in sent:
            connection.sendall(part)
        yield connection


def rest(connection: socket.socket) -> bytes:
    """What comes until the end of the connection."""
    parts = []
    try:
        while part := connection.recv(65_536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def gauge(server: Server, name: str) -> float:
    found = re.search(rf"^runlake_{name} (\S+)$", httpx.get(f"{server.url}/metrics").text, re.MULTILINE)
    assert found, name
    return float(found[1])


def logged(server: Server, what: str, number: int, how: str = "status=499") -> None:
    """So many requests are logged as those of clients that went away, or otherwise; a line may come a little later."""
    deadline = time.monotonic() + 10
    while len([line for line in server.log if what in line and how in line]) != number:
        assert time.monotonic() < deadline, server.log[-10:]
        time.sleep(0.05)


def until(server: Server, name: str, value: float) -> None:
    deadline = time.monotonic() + 20
    while (now := gauge(server, name)) != value:
        assert time.monotonic() < deadline, f"{name} is {now}"
        time.sleep(0.02)
