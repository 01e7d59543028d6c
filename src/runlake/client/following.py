"""Following runs as they change: the events of GET /stream/runs, through lost connections."""

from __future__ import annotations

from typing import Final

import httpx
import msgspec

from runlake.client import answers
from runlake.client.calls import Call
from runlake.client.query import written
from runlake.errors import Unreachable
from runlake.model import Filter, RunChanges, StreamReset

Told = RunChanges | StreamReset
_KINDS: Final[dict[str, type[Told]]] = {"runs": RunChanges, "reset": StreamReset}


class Following:
    """What a follower was told so far. `call` asks for the rest, anew after each break."""

    def __init__(self, query: Filter, after: int | None) -> None:
        self._query, self._after = query, after
        self._event: dict[str, str] = {}  # its fields so far

    def call(self) -> Call[httpx.Response]:
        """The stream from here on."""
        self._event = {}
        headers = {} if self._after is None else {"Last-Event-ID": str(self._after)}
        query = written(self._query)
        return Call(path="/stream/runs", effect="follow", read=answers.checked, query=query, headers=headers)

    def take(self, line: str) -> Told | None:
        """What is told once this line is here, which is the next one of the stream.

        An event counts when the blank line after it is here: of what broke off nothing was told.
        """
        if line:
            name, _, value = line.partition(": ")
            self._event[name] = value
            return None
        event, self._event = self._event, {}
        self._after = int(event["id"])
        return msgspec.json.decode(event["data"], type=_KINDS[event["event"]]) if "data" in event else None


def over() -> Unreachable:
    """The error for a stream that ended: the service stops."""
    return Unreachable("the stream ended")
