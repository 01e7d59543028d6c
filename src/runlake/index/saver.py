"""Saves the index in a thread of its own, of one snapshot, while the service goes on."""

from __future__ import annotations

import logging
import threading
import time

from msgspec import Struct

from runlake import duck
from runlake.errors import RunlakeError
from runlake.index import keys as keyring
from runlake.index.keys import Keys
from runlake.index.memory import SQL, Memory
from runlake.index.saved import Folder, Manifest
from runlake.log import LOGGER, event


class Save(Struct, frozen=True):
    """What is saved: a snapshot, its mark, its finished runs and their keys."""

    snapshot: int
    mark: str
    runs: int
    keys: Keys


class Saver:
    """One save, begun at construction by the thread that changes the index: what it sees then is what it writes."""

    def __init__(self, memory: Memory, folder: Folder, save: Save) -> None:
        self.save = save
        self.manifest: Manifest | None = None
        self._memory, self._folder = memory, folder
        self._cursor = memory.cursor()
        folder.prepare(save.snapshot)
        self._target = f"saving_{save.snapshot}"
        self._cursor.execute(f"ATTACH {duck.literal(folder.counts(save.snapshot))} AS {self._target}")
        self._cursor.execute("BEGIN")
        # A transaction sees what was there when it first looked.
        self._cursor.execute(SQL["look"]).fetchall()
        self._thread = threading.Thread(target=self._run, name="runlake-index", daemon=True)
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended; `manifest` is None when it failed."""
        return not self._thread.is_alive()

    def _run(self) -> None:
        started = time.monotonic()
        try:
            with duck.translated("saving the index"):
                self._write_counts()
            keyring.write(self._folder.keys(self.save.snapshot), self.save.keys)
            self.manifest = self._folder.commit(self.save.mark, self.save.snapshot, self.save.runs)
            event("index saved", snapshot=self.save.snapshot, seconds=round(time.monotonic() - started, 3))
        except (RunlakeError, OSError) as exc:
            LOGGER.log(logging.WARNING, "the index was not saved", exc_info=exc)
        finally:
            self._cursor.close()

    def _write_counts(self) -> None:
        self._memory.counts.save(self._cursor, self._target)
        self._cursor.execute(SQL["save_waiting"].replace("{target}", self._target))
        self._cursor.execute("COMMIT")
        self._cursor.execute(f"CHECKPOINT {self._target}")
        self._cursor.execute(f"DETACH {self._target}")

    def close(self) -> None:
        """Give up, and wait until it has."""
        while self._thread.is_alive():
            self._cursor.interrupt()
            self._thread.join(0.05)
