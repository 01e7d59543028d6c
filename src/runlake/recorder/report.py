"""The records of a command: an open run at its start, a finished one at its end."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from runlake.model import MAX_DEPTH
from runlake.recorder.child import TAIL_BYTES, Ended

LEASE: Final = timedelta(minutes=5)
RENEWAL_SECONDS: Final = 100.0  # a third of a lease: two renewals may fail


def task_of(name: str) -> uuid.UUID:
    """The task of a name; a UUID stands for itself."""
    try:
        return uuid.UUID(name)
    except ValueError:
        return _named(name)


def _named(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"runlake:task:{name}")


class Report:
    """The records of one run of a task, which is given by its name or its UUID; of a UUID the name is not known."""

    def __init__(self, name_or_uuid: str, started_at: datetime) -> None:
        self.task = task_of(name_or_uuid)
        self.name = name_or_uuid if self.task == _named(name_or_uuid) else None
        self._run: dict[str, Any] = {
            "id": uuid.uuid4(),
            "task_id": self.task,
            "lease_owner": socket.gethostname() or None,
            "created_at": started_at,
            "started_at": started_at,
        }

    def opened(self) -> bytes:
        """The record of the run while it goes on, with a new lease."""
        return msgspec.json.encode(self._run | {"leased_until": datetime.now(UTC) + LEASE})

    def finished(self, ended: Ended) -> bytes:
        """The record of its end."""
        output: dict[str, Any] = {"exit_code": ended.code}
        if ended.signal:
            output["signal"] = ended.signal
        if is_result(ended.last_line):
            output["result"] = msgspec.Raw(ended.last_line)
        failed = {"error": _error(ended)} if ended.code else {}
        end = {"finished_at": ended.finished_at, "success": ended.code == 0, "output": output}
        return msgspec.json.encode(self._run | end | failed)


def is_result(line: bytes) -> bool:
    """Whether a line is JSON that is no deeper than a part of an output may be."""
    try:
        level = [msgspec.json.decode(line)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    for _ in range(MAX_DEPTH - 1):
        level = [part for value in level for part in _parts(value)]
    return not any(isinstance(value, dict | list) for value in level)


def _parts(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _error(ended: Ended) -> str:
    """The end of standard error, from the beginning of a line on where it was cut; or how the command ended."""
    tail = ended.stderr
    if len(tail) > TAIL_BYTES:
        tail = tail[-TAIL_BYTES:].rstrip()
        tail = tail[tail.find(b"\n") + 1 :]
    text = tail.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}").strip()
    return text or (f"killed by {ended.signal}" if ended.signal else f"exit code {ended.code}")
