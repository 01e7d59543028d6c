"""The derived room: follows the lake snapshot by snapshot and makes the View of each.

It knows the lake only through what `Lake` reads and what a Commit says, holds nothing the lake does not, and can
be thrown away at any time: `load` builds it anew.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runlake.index import keys as keyring
from runlake.index.memory import SQL, Change, Memory
from runlake.index.view import Files, View
from runlake.intake.batch import uuid_bytes
from runlake.lake.admit import Row, row_tuples
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.write import run_days
from runlake.settings import Settings

PURGE_EVERY = 64  # snapshots


class Index:
    """Answers the writer's questions and holds the newest View; only the writing thread changes it."""

    def __init__(self, settings: Settings) -> None:
        self.memory = Memory(settings)
        self._keys: keyring.Keys = ()
        self._open: dict[bytes, Row] = {}
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._purged = 0
        self._view = View(-1, Files.of([]), (), 0, 0, 0)

    @property
    def view(self) -> View:
        """The View of the newest snapshot."""
        return self._view

    @property
    def open_runs(self) -> Mapping[bytes, Row]:
        """Open runs by 16-byte id; for the writing thread."""
        return self._open

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
        return self.memory.inlined_days()

    def locate(self, halves: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """See keys.locate; for the writing thread, rows of its open transaction included."""
        return keyring.locate(self._keys, halves)

    def fingerprint(self, halves: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
        """See keys.fingerprint."""
        return keyring.fingerprint(halves)

    def load(self, lake: Lake, progress: Callable[[int, int], None] | None = None) -> View:
        """Build everything from the lake; `progress(files done, files in all)` is called on the way.

        Requests may go on with the View they have: what it sees stays until nobody uses it.
        """
        snapshot = lake.snapshot()
        if snapshot == self._view.snapshot:
            return self._view
        files = Files.of(lake.files())
        inlined, opened = lake.inlined(), lake.execute("open")
        self._open = _open_map(opened)
        self.memory.retire(snapshot)
        self._keys = self._read(files, snapshot, progress)
        self.remember(inlined)
        self.memory.apply(Change(snapshot, finished=inlined, opened=opened))
        finished = sum(file.rows for file in files.all()) + inlined.num_rows
        return self._publish(View(snapshot, files, self._keys, finished, inlined.num_rows, len(self._open)))

    def _read(self, files: Files, snapshot: int, progress: Callable[[int, int], None] | None) -> keyring.Keys:
        """Count every file and make the keys of its ids, a few files at a time so that memory stays bounded."""
        parts = []
        everything = files.all()
        with self.memory.cursor() as cursor:
            for start in range(0, len(everything), 32):
                part = everything[start : start + 32]
                cursor.execute(SQL["ids"], {"files": [file.path for file in part]})
                table = cursor.to_arrow_table()
                parts.append(keyring.make(uuid_bytes(table["id"]), table["day"].to_numpy()))
                self.memory.count_files([file.path for file in part], snapshot)
                if progress:
                    progress(start + len(part), len(everything))
        self.memory.compact(self._oldest(snapshot))
        if not parts:
            return ()
        merged = np.concatenate(parts)
        merged.sort()
        return (merged,)

    def remember(self, finished: pa.Table) -> None:
        """Know the ids of rows that became history, before their View is made."""
        if finished.num_rows:
            new = keyring.make(uuid_bytes(finished["id"]), run_days(finished))
            self._keys = keyring.add(self._keys, new)

    def replace_open(self, opened: pa.Table, closed: tuple[bytes, ...]) -> None:
        """Know the open versions from now on."""
        for run_id in closed:
            self._open.pop(run_id, None)
        self._open |= _open_map(opened)

    def apply(self, commit: Commit) -> View:
        """The View of a commit of ours, made from the one before it."""
        before = self._view
        self.remember(commit.finished)
        self.replace_open(commit.opened, commit.closed)
        self.memory.apply(
            Change(
                commit.snapshot,
                finished=None if commit.in_files else commit.finished,
                counted=commit.finished if commit.in_files else None,
                opened=commit.opened,
                closed=commit.closed,
                flushed=commit.flushed,
            )
        )
        inlined = 0 if commit.flushed else before.inlined + (0 if commit.in_files else commit.finished.num_rows)
        files = Files.of(commit.files) if commit.files is not None else before.files.adding(commit.added)
        return self._publish(
            View(
                commit.snapshot,
                files,
                self._keys,
                before.finished + commit.finished.num_rows,
                inlined,
                len(self._open),
            )
        )

    def _publish(self, view: View) -> View:
        self._views.add(self._view)
        self._view = view
        if view.snapshot - self._purged >= PURGE_EVERY:
            self.memory.purge(self._oldest(view.snapshot))
            self._purged = view.snapshot
        return view

    def _oldest(self, newest: int) -> int:
        """The oldest snapshot that a View in use is of."""
        used = [view.snapshot for view in (*self._views, self._view) if view.snapshot >= 0]
        return min([newest, *used])

    def close(self) -> None:
        """End the reading instance."""
        self.memory.close()


def _open_map(opened: pa.Table) -> dict[bytes, Row]:
    rows = row_tuples(opened, np.arange(opened.num_rows))
    return {run_id: row for row in rows if isinstance(run_id := row[0], bytes)}
