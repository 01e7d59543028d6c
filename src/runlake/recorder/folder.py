"""A lake as the target of records, without a service. It imports DuckDB, so it is imported when it is needed."""

from __future__ import annotations

import uuid
from contextlib import closing

from msgspec import json

from runlake.errors import BadInput, Conflict, LakeError, RunlakeError
from runlake.intake import decode_json, names
from runlake.lake.catalog import Lake
from runlake.lake.names import NamesChange
from runlake.paths import Paths
from runlake.recorder.spool import Outcome
from runlake.settings import Settings
from runlake.store import Store

_SECONDS = 60.0


class Folder:
    """The lake in the folder of the settings."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.name = str(Paths.of(settings.data).folder)
        self._store: Store | None = None

    def send(self, run: bytes, until: float) -> tuple[Outcome, str]:
        """Store a record; a lake that another process holds is as a service that does not answer."""
        try:
            batch = decode_json(b'{"runs":[' + run + b"]}").batch()
            self._opened().writer.submit(batch).result(_SECONDS)
        except (BadInput, Conflict) as exc:
            return Outcome.REFUSED, exc.line()
        except (RunlakeError, OSError, TimeoutError) as exc:
            return Outcome.UNREACHABLE, str(exc)
        return Outcome.STORED, ""

    def _opened(self) -> Store:
        """The store, which stays open for more records until `close`."""
        if self._store is None:
            store = Store(self.settings)
            try:
                store.load()
                store.start()
            except BaseException:
                store.close()
                raise
            self._store = store
        return self._store

    def close(self) -> None:
        """Let others have the lake."""
        if self._store is not None:
            self._store.close()
            self._store = None

    def name_task(self, task: uuid.UUID, name: str, until: float) -> bool:
        """Give a task its name, unless it has one; whether that is done."""
        try:
            with closing(Lake(Paths.of(self.settings.data), self.settings, write=True)) as lake:
                if task not in lake.task_names().names:
                    NamesChange(names.decode(json.encode({"names": {str(task): {"name": name}}})))(lake)
        except LakeError:
            return False
        except RunlakeError:  # no name that a task may have
            return True
        return True
