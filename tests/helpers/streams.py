"""Clients of GET /stream/runs, and what they are told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import httpx
from support import Server


class Event(NamedTuple):
    """An event, or with an empty name a comment."""

    id: int
    name: str
    data: dict[str, Any]

    @property
    def runs(self) -> list[str]:
        """The ids of its runs."""
        return [run["id"] for run in self.data["items"]]


def parsed(text: str) -> list[Event]:
    """The events of a text that ends with one."""
    assert text.endswith("\n\n") or not text
    return [_event(block.split("\n")) for block in text.split("\n\n")[:-1]]


def _event(lines: list[str]) -> Event:
    if lines[0] == ": ":
        (found,) = lines[1:]
        return Event(int(found.removeprefix("id: ")), "", {})
    found, name, data = lines
    assert found.startswith("id: ") and name.startswith("event: ") and data.startswith("data: "), lines
    event = Event(int(found[4:]), name[7:], json.loads(data[6:]))
    assert event.data["snapshot"] == event.id
    return event


@contextmanager
def following(
    server: Server, query: str = "", last: int | str | None = None, **headers: str
) -> Iterator[Iterator[Event]]:
    """The events of a stream, as they come; those of a client that goes on after an id."""
    sent = headers if last is None else headers | {"Last-Event-ID": str(last)}
    with httpx.stream("GET", f"{server.url}/stream/runs?{query}", headers=sent, timeout=30) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        yield _events(answer)


def _events(answer: httpx.Response) -> Iterator[Event]:
    lines: list[str] = []
    for line in answer.iter_lines():
        if line:
            lines.append(line)
        else:
            yield _event(lines)
            lines = []
