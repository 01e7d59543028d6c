"""Saves the index in a thread of its own, of one snapshot, while the service goes on."""

from __future__ import annotations

import logging
import threading
import time

from msgspec import Struct

from runlake.index.saved import Derived, Folder, Manifest
from runlake.log import LOGGER, event


class Save(Struct, frozen=True):
    """What is saved, none of which ever changes: a snapshot, its mark, how many runs are finished, what is known."""

    snapshot: int
    mark: str
    runs: int
    known: Derived


class _StoppedError(Exception):
    """Ends a save."""


class Saver:
    """One save, begun at construction."""

    def __init__(self, folder: Folder, save: Save) -> None:
        self.save = save
        self.manifest: Manifest | None = None
        self._folder = folder
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runlake-index", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended; `manifest` is None when it failed."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        started, save = time.monotonic(), self.save
        try:
            self._folder.prepare(save.snapshot)
            self._folder.write(save.snapshot, save.known, self._proceed)
            self.manifest = self._folder.commit(save.mark, save.snapshot, save.runs, save.known.first_day)
            event("index saved", snapshot=save.snapshot, seconds=round(time.monotonic() - started, 3))
        except _StoppedError:
            return
        except (OSError, MemoryError, ValueError) as exc:
            LOGGER.log(logging.WARNING, "the index was not saved", exc_info=exc)

    def _proceed(self) -> None:
        if self._stopped.is_set():
            raise _StoppedError

    def wait(self) -> None:
        """Wait until it has ended."""
        self._thread.join()

    def close(self) -> None:
        """Give up, and wait until it has."""
        self._stopped.set()
        self._thread.join()
