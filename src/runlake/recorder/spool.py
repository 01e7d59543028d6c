"""Records that are not sent yet: a file each, in a folder of the user.

A record goes through here even when it is sent at once, so that it survives whatever happens meanwhile. Many processes
may add at a time; one at a time sends, under a lock, the oldest first.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

MOST_BYTES: Final = 64 << 20
_ENDING: Final = ".json"
_POLL_SECONDS: Final = 0.05
_COUNT: Final = itertools.count()


class Outcome(Enum):
    """What became of a record that was sent."""

    STORED = "stored"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


class Kept(Struct, frozen=True):
    """A record, and the target that it is for."""

    target: str
    run: msgspec.Raw


class Spool:
    """The folder; it is made, for the user alone, when it is needed. Methods raise OSError."""

    def __init__(self, folder: Path, say: Callable[[str], None]) -> None:
        self._folder, self._say = folder, say

    def add(self, target: str, run: bytes) -> None:
        """Keep a record for a target. When there are too many bytes, the oldest records go."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = msgspec.json.encode(Kept(target, msgspec.Raw(run)))
        name = f"{time.time_ns():020}-{os.getpid()}-{next(_COUNT)}-{len(data)}{_ENDING}"
        part = self._folder / f".{name}"
        fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(fd)
            part.rename(self._folder / name)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        self._trim()

    def pending(self) -> list[Path]:
        """The records, the oldest first."""
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.suffix == _ENDING and path.name[0] != ".")

    def send(self, target: str, send: Callable[[bytes], tuple[Outcome, str]], until: float) -> str:
        """Send what is kept for a target, until one cannot be sent; the reason, or nothing. Another process that sends
        is waited for until a moment of time.monotonic; it may have looked before our record was there."""
        with self._locked(until) as mine:
            sent = False
            for path in self.pending() if mine else ():
                if sent and time.monotonic() >= until:
                    return "there is more than could be sent in time"
                kept = _read(path)
                if kept is None or kept.target != target:
                    continue
                outcome, reason = send(bytes(kept.run))
                sent = True
                if outcome is Outcome.UNREACHABLE:
                    return reason
                if outcome is Outcome.REFUSED:
                    self._say(f"the record {path.name} was refused: {reason}")
                    refused = self._folder / "refused"
                    refused.mkdir(mode=0o700, exist_ok=True)
                    path.rename(refused / path.name)
                else:
                    path.unlink(missing_ok=True)
            return "" if mine or not self.pending() else "another process sends"

    def _trim(self) -> None:
        sizes = [(path, _size(path)) for path in self.pending()]
        left, gone = sum(size for _, size in sizes), 0
        for path, size in sizes[:-1]:
            if left <= MOST_BYTES:
                break
            path.unlink(missing_ok=True)  # another process may have sent it
            left, gone = left - size, gone + 1
        if gone:
            self._say(f"the spool {self._folder} was full: its {gone} oldest records are gone")

    @contextmanager
    def _locked(self, until: float) -> Iterator[bool]:
        """Whether this process may send: no other one does."""
        if not self._folder.is_dir():
            yield False
            return
        fd = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            while not _taken(fd):
                if time.monotonic() >= until:
                    yield False
                    return
                time.sleep(_POLL_SECONDS)
            yield True
        finally:
            os.close(fd)


def _taken(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _size(path: Path) -> int:
    """The bytes of a record, from its name: the folder of a long outage has many."""
    size = path.stem.rpartition("-")[2]
    return int(size) if size.isascii() and size.isdigit() else 0


def _read(path: Path) -> Kept | None:
    """A record; None when it is gone, cannot be read, or was not written by us."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Kept)
    except (OSError, ValueError, msgspec.DecodeError):
        return None
