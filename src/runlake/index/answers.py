"""What the index knows, and what it answers the writer."""

from __future__ import annotations

import weakref
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from runlake.index import keys as keyring
from runlake.index.grown import Grown
from runlake.index.recent import Recents
from runlake.index.tasks import NO_TASKS, Tasks
from runlake.index.view import Files, View
from runlake.lake.admit import Row
from runlake.lake.catalog import DataFile


class Answers:
    """Answers the writer's questions and holds the newest View."""

    def __init__(self) -> None:
        self._grown = Grown()
        self._tasks: Tasks = NO_TASKS
        self._recents = Recents()
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._horizon: int | None = None
        self._unread: list[DataFile] = []  # files that could not be counted
        self._view = self._made(-1, Files.of([]), 0, 0)

    def _made(self, snapshot: int, files: Files, finished: int, inlined: int) -> View:
        return View(
            snapshot=snapshot,
            files=files,
            keys=self._grown.keys,
            tasks=self._tasks,
            counts=self._grown.counts,
            recent=self._recents.seen(snapshot),
            finished=finished,
            inlined=inlined,
            open=len(self._recents.open),
            first_day=self._horizon or 0,
            unread=tuple(file for file in self._unread if file.day >= (self._horizon or 0)),
        )

    @property
    def view(self) -> View:
        """The View of the newest snapshot."""
        return self._view

    @property
    def open_runs(self) -> Mapping[bytes, Row]:
        """Open runs by 16-byte id; for the writing thread."""
        return self._recents.open

    @property
    def horizon(self) -> int | None:
        """The first day whose finished runs are kept; None when all are."""
        return self._horizon

    def settled(self) -> bool:
        """Whether no request uses an older View than the newest any more."""
        return all(view.snapshot >= self._view.snapshot for view in self._views)

    def files(self) -> list[DataFile]:
        """Every live file of the newest View."""
        return self._view.files.all()

    def last_file(self) -> int:
        """The highest catalog number among them."""
        return self._view.files.last

    def inlined_rows(self) -> int:
        """Finished rows that are not in Parquet."""
        return self._view.inlined

    def inlined_days(self) -> list[int]:
        """The days of those rows."""
        return self._recents.days()

    def rows_in_memory(self) -> int:
        """Rows kept because they are in no file, those included that only an older View still sees."""
        return len(self._recents)

    def locate(self, halves: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """See keys.locate; for the writing thread, rows of its open transaction included.

        Raises LakeDamaged while there are files whose ids are not known.
        """
        self._view.need(0)
        return keyring.locate(self._grown.keys, halves)

    def fingerprint(self, halves: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """See keys.fingerprint."""
        return keyring.fingerprint(halves)
