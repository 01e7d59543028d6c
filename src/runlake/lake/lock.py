"""The write lock of a lake: an advisory file lock, which the kernel releases when its holder dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from runlake import duck
from runlake.errors import LakeLocked
from runlake.lake.sync import make_folder
from runlake.paths import Paths


class WriteLock:
    """The write lock of a lake, held from construction to close; raises LakeLocked."""

    def __init__(self, path: Path) -> None:
        make_folder(path.parent)
        self._fd: int | None = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 20, 0).strip()
            self.close()
            raise LakeLocked(str(path.parent), int(holder) if holder.isdigit() else 0) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, str(os.getpid()).encode(), 0)

    def close(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def take_write_lock(paths: Paths) -> WriteLock:
    """Take the write lock of a lake and empty its spill folder; raises LakeLocked, DiskFull or LakeDamaged."""
    with duck.translated(f"locking the lake {paths.folder}"):
        lock = WriteLock(paths.lock)
        try:
            for leftover in Path(paths.spill).glob("*"):
                leftover.unlink()
        except BaseException:
            lock.close()
            raise
        return lock
