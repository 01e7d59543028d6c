"""The records of a run that somebody watches: an open one at its start, renewed while it goes on, a finished one at its
end."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import msgspec

from runlake.model import MAX_DEPTH

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


class Records:
    """The records of one run of a task, which is given by its name or its UUID; of a UUID the name is not known."""

    def __init__(self, name_or_uuid: str, started_at: datetime, attempt: int = 1) -> None:
        self.id = uuid.uuid4()
        self.task = task_of(name_or_uuid)
        self.name = name_or_uuid if self.task == _named(name_or_uuid) else None
        self._run: dict[str, Any] = {
            "id": self.id,
            "task_id": self.task,
            "lease_owner": socket.gethostname() or None,
            "created_at": started_at,
            "started_at": started_at,
        }
        if attempt != 1:
            self._run["attempt"] = attempt

    def opened(self) -> bytes:
        """The record of the run while it goes on, with a new lease."""
        return msgspec.json.encode(self._run | {"leased_until": datetime.now(UTC) + LEASE})

    def ended(self, finished_at: datetime, output: Any, error: str | None) -> bytes:
        """The record of its end: a success where there is no error."""
        failed = {} if error is None else {"error": error}
        end = {"finished_at": finished_at, "success": error is None, "output": output}
        return msgspec.json.encode(self._run | end | failed)


def is_output(text: bytes, deepest: int = MAX_DEPTH) -> bool:
    """Whether a text is JSON that an output may be, or hold if less is given than an output may be deep."""
    try:
        level = [msgspec.json.decode(text)]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    for _ in range(deepest):
        level = [part for value in level for part in _parts(value)]
    return not any(isinstance(value, dict | list) for value in level)


def _parts(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
