"""The derived room: follows the lake snapshot by snapshot and makes the View of each.

It knows the lake only through what `Lake` reads and what a Commit says, holds nothing the lake does not, and can
be thrown away at any time. `load` takes what was saved and catches up from the change feed, or builds all anew.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runlake.errors import RunlakeError
from runlake.index import keys as keyring
from runlake.index.memory import Change, Memory
from runlake.index.rebuild import rebuild
from runlake.index.saved import Folder, Manifest
from runlake.index.saver import Save, Saver
from runlake.index.view import Files, View
from runlake.intake.batch import uuid_bytes
from runlake.lake.admit import Row, row_tuples
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.write import run_hours
from runlake.log import event
from runlake.paths import Paths
from runlake.settings import Settings

PURGE_EVERY = 64  # snapshots


class Index:
    """Answers the writer's questions and holds the newest View; only the writing thread changes it.

    Made only by the holder of the write lock.
    """

    def __init__(self, settings: Settings) -> None:
        self.memory = Memory(settings)
        self._settings = settings
        self._folder = Folder(Paths.of(settings.data).index)
        self._base: Manifest | None = None
        self._saver: Saver | None = None
        self._saved_keys: keyring.Keys = ()
        self._new_keys: keyring.Keys = ()
        self._open: dict[bytes, Row] = {}
        self._views: weakref.WeakSet[View] = weakref.WeakSet()
        self._purged = 0
        self._horizon: int | None = None
        self._view = View(-1, Files.of([]), (), 0, 0, 0)

    @property
    def view(self) -> View:
        """The View of the newest snapshot."""
        return self._view

    @property
    def open_runs(self) -> Mapping[bytes, Row]:
        """Open runs by 16-byte id; for the writing thread."""
        return self._open

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
        return self.memory.inlined_days()

    def locate(self, halves: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """See keys.locate; for the writing thread, rows of its open transaction included."""
        return keyring.locate(self._keys(), halves)

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
        self._follow(lake.horizon())
        files = Files.of(lake.files())
        inlined, opened = lake.inlined(), lake.execute("open")
        self._open = _open_map(opened)
        self.memory.retire(snapshot)
        base = self._base or self._take_saved(lake, files)
        if base is None:
            base = rebuild(
                self.memory,
                self._folder,
                files=files,
                inlined=inlined,
                snapshot=snapshot,
                mark=_mark(lake, snapshot),
                progress=progress,
            )
            self._use(base)
        self._new_keys = ()
        self._catch_up(lake, base.snapshot, snapshot, inlined)
        self.memory.apply(Change(snapshot, finished=inlined, opened=opened))
        finished = sum(file.rows for file in files.all()) + inlined.num_rows
        return self._publish(View(snapshot, files, self._keys(), finished, inlined.num_rows, len(self._open)))

    def _follow(self, horizon: int | None) -> None:
        """Forget what is saved when days were dropped since: it counts them."""
        if horizon == self._horizon:
            return
        self._horizon = horizon
        if self._saver is not None:
            self._saver.close()
            self._saver = None
        self._base = None

    def _keys(self) -> keyring.Keys:
        return self._saved_keys + self._new_keys

    def _take_saved(self, lake: Lake, files: Files) -> Manifest | None:
        """Use what was saved, unless it is easier to count the files than to catch up with them."""
        base = self._folder.read(lake.mark)
        if base is None or sum(file.rows for file in files.all()) > 2 * base.runs + self._settings.index_rows:
            return None
        try:
            self._use(base)
        except (RunlakeError, OSError, ValueError) as exc:
            event("no saved index", reason=str(exc))
            return None
        return base

    def _use(self, base: Manifest) -> None:
        self._saved_keys = keyring.opened(self._folder.keys(base.snapshot))
        self.memory.counts.use(self._folder.counts(base.snapshot), base.snapshot)
        self._base = base
        self._folder.sweep(base)

    def _catch_up(self, lake: Lake, after: int, snapshot: int, inlined: pa.Table) -> None:
        """Count the runs that went to Parquet since the saved index, and know the ids of those that came since."""
        if after == snapshot:
            return
        waiting = self.memory.waiting()
        self.memory.count(_without(waiting, inlined), snapshot)
        for rows in lake.inserted(after, snapshot):
            self.remember(rows)
            self.memory.count(_without(rows, inlined), snapshot)

    @property
    def kept(self) -> tuple[int, ...]:
        """The snapshots that loading a saved index would start from: they must not expire."""
        saving = () if self._saver is None else (self._saver.save.snapshot,)
        return saving if self._base is None else (self._base.snapshot, *saving)

    def tend(self, lake: Lake) -> None:
        """Begin to save the index when enough is new, and use what was saved once no older View is in use."""
        if self._saver is not None:
            self._finish(self._saver)
        elif keyring.size(self._new_keys) >= self._settings.index_rows and self._base is not None:
            view = self._view
            save = Save(view.snapshot, _mark(lake, view.snapshot), view.finished, self._keys())
            self._saver = Saver(self.memory, self._folder, save)
            self._saved_keys, self._new_keys = self._keys(), ()

    def _finish(self, saver: Saver) -> None:
        if saver.done and saver.manifest is None:
            self._saver = None
        elif saver.manifest is not None and saver.done and self._oldest(self._view.snapshot) >= saver.save.snapshot:
            self._use(saver.manifest)
            self._saver = None

    def remember(self, finished: pa.Table) -> None:
        """Know the ids of rows that became history, before their View is made."""
        if finished.num_rows:
            new = keyring.make(uuid_bytes(finished["id"]), run_hours(finished))
            self._new_keys = keyring.add(self._new_keys, new)

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
                self._keys(),
                before.finished + commit.finished.num_rows,
                inlined,
                len(self._open),
            )
        )

    def _publish(self, view: View) -> View:
        self._views.add(self._view)
        self._view = view
        # While a save goes on, rows must be told apart by its snapshot.
        if view.snapshot - self._purged >= PURGE_EVERY and self._saver is None:
            self.memory.purge(self._oldest(view.snapshot))
            self._purged = view.snapshot
        return view

    def _oldest(self, newest: int) -> int:
        """The oldest snapshot that a View in use is of."""
        used = [view.snapshot for view in (*self._views, self._view) if view.snapshot >= 0]
        return min([newest, *used])

    def close(self) -> None:
        """End the reading instance, and a save that goes on."""
        if self._saver is not None:
            self._saver.close()
        self.memory.close()


def _mark(lake: Lake, snapshot: int) -> str:
    return lake.mark(snapshot) or ""


def _without(rows: pa.Table, others: pa.Table) -> pa.Table:
    """The rows whose id is in none of the others."""
    ids, taken = rows["id"].combine_chunks().storage, others["id"].combine_chunks().storage
    return rows.filter(pc.invert(pc.is_in(ids, taken)))


def _open_map(opened: pa.Table) -> dict[bytes, Row]:
    rows = row_tuples(opened, np.arange(opened.num_rows))
    return {run_id: row for row in rows if isinstance(run_id := row[0], bytes)}
