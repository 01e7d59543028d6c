"""The derived room: follows the lake snapshot by snapshot and makes the View of each.

It knows the lake only through what `Lake` reads and what a Commit says, holds nothing the lake does not, and can
be thrown away at any time. `load` takes what was saved and catches up from the change feed, or builds all anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import pyarrow as pa

from runlake.errors import LakeDamaged
from runlake.index import keys as keyring
from runlake.index.answers import Answers
from runlake.index.figures import NONE, runs_of
from runlake.index.rebuild import catch_up, is_readable, rebuild
from runlake.index.saved import Derived, Folder, Manifest
from runlake.index.saver import Save, Saver
from runlake.index.view import Files, View
from runlake.intake.batch import uuid_bytes
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit
from runlake.lake.write import run_hours
from runlake.log import event, warn
from runlake.paths import Paths
from runlake.settings import Settings

_REST: Final = 12  # maintenance intervals between attempts to save, after one failed


class Index(Answers):
    """Follows the lake; only the writing thread changes it. Made only by the holder of the write lock."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings
        self._folder = Folder(Paths.of(settings.data).index)
        self._base: Manifest | None = None
        self._saver: Saver | None = None
        self._whole = False  # whether the View is all that was committed; not while it is made
        self._overdue = False  # what is saved counts days that are gone, and keeps their files; or saving failed
        self._rest_until = 0.0  # monotonic

    def load(self, lake: Lake, progress: Callable[[int, int], None] | None = None) -> View:
        """Build everything from the lake; `progress(files done, files in all)` is called on the way.

        Requests may go on with the View they have: what it sees stays until nobody uses it.
        """
        snapshot = lake.snapshot()
        if snapshot == self._view.snapshot and self._whole:
            return self._view
        self._whole, self._unread = False, []
        if self._saver is not None:  # it writes where this reads and may write; what it saved is found there
            self._saver.close()
            self._saver = None
        self._horizon = lake.horizon()
        files = Files.of(lake.files())
        inlined, opened = lake.inlined(), lake.execute("open")
        if not self._catch_up(lake, files, snapshot, inlined):
            self._rebuild(lake, files, snapshot, inlined, progress)
        self._recents.forget()
        for rows in (inlined, opened):
            self._tasks = self._recents.add(rows, self._tasks)
        finished = sum(file.rows for file in files.all()) + inlined.num_rows
        return self._publish(self._made(snapshot, files, finished, inlined.num_rows))

    def _take_saved(self, lake: Lake, files: Files) -> Derived | None:
        """Use what was saved, unless it is easier to count the files than to catch up with them."""
        base = self._folder.read(lake.mark)
        self._overdue = base is not None and base.first_day != (self._horizon or 0)
        if base is None or not base.serves(sum(file.rows for file in files.all()), self._settings.index_rows):
            return None
        try:
            return self._use(base)
        except (OSError, ValueError) as exc:
            event("no saved index", reason=str(exc))
            return None

    def _use(self, base: Manifest) -> Derived:
        """Take keys and counts up to a snapshot from the folder."""
        saved = self._folder.open(base.snapshot)
        self._grown.replace_saved(saved.keys, tuple(saved.counts))
        # Numbers of tasks never change while this process lives; the first load takes those that were saved.
        self._tasks = self._tasks if len(self._tasks) else saved.tasks
        self._base = base
        self._folder.sweep(base)
        return saved

    def _rebuild(
        self,
        lake: Lake,
        files: Files,
        snapshot: int,
        inlined: pa.Table,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        """Count all files, save that, and use it: what is mapped from files needs less memory."""
        known, self._unread = rebuild(files, inlined, self._tasks, progress)
        self._tasks = known.tasks
        self._grown.begin(known.keys, tuple(known.counts))
        if self._unread:  # it is not whole: what was saved before, if anything, stays
            self._retry_later()
            return
        try:
            self._folder.prepare(snapshot)
            self._folder.write(snapshot, known)
            first_day = self._horizon or 0  # there are no files of earlier days
            self._use(self._folder.commit(_mark(lake, snapshot), snapshot, keyring.size(known.keys), first_day))
        except OSError as exc:
            warn("the index was not saved", reason=str(exc))
            self._base = None
            self._retry_later()

    def _catch_up(self, lake: Lake, files: Files, snapshot: int, inlined: pa.Table) -> bool:
        """Take what was saved, and what came since; False when there is none, or a file since then is unreadable."""
        saved = self._take_saved(lake, files)
        if saved is None:
            return False
        self._grown.begin(saved.keys, tuple(saved.counts))
        after = snapshot if self._base is None else self._base.snapshot
        try:
            if after != snapshot:
                self._tasks = catch_up(self._grown, saved, lake.inserted(after, snapshot), inlined, self._tasks)
        except LakeDamaged as exc:
            event("no catching up", reason=exc)
            return False
        return True

    @property
    def kept(self) -> tuple[int, ...]:
        """The snapshots that loading a saved index would start from: they must not expire."""
        saving = () if self._saver is None else (self._saver.save.snapshot,)
        return saving if self._base is None else (self._base.snapshot, *saving)

    def tend(self, lake: Lake) -> None:
        """Begin to save the index when it is time, and use what was saved; count files that were restored."""
        if self._saver is not None:
            if self._saver.done:
                self._finish(self._saver)
        elif self._view.unread:
            self._read_again(lake)
        elif self._whole and (self._overdue or self._is_much()) and time.monotonic() >= self._rest_until:
            self._begin(lake)

    def _read_again(self, lake: Lake) -> None:
        if time.monotonic() >= self._rest_until:
            self._retry_later()
            live = self.files()
            if any(file not in live or is_readable(file) for file in self._view.unread):
                self._whole = False
                self.load(lake)

    def save(self, lake: Lake) -> None:
        """Save the index now, if it is time, and wait until that is done."""
        self.tend(lake)
        while self._saver is not None:
            self._saver.wait()
            self.tend(lake)
            self.tend(lake)  # one that went on already may have been too early

    def _is_much(self) -> bool:
        return self._base is not None and self._grown.new >= self._settings.index_rows

    def _begin(self, lake: Lake) -> None:
        self._grown.part()
        self._overdue = False
        view = self._view
        waiting = view.recent.runs[view.recent.runs["success"] != NONE]
        known = Derived(view.keys, view.counts, self._tasks, waiting, view.first_day)
        save = Save(view.snapshot, _mark(lake, view.snapshot), view.finished, known)
        self._saver = Saver(self._folder, save)

    def _finish(self, saver: Saver) -> None:
        """Use what was saved; where that fails, what is in memory is as good, and it is tried again later."""
        self._saver = None
        try:
            if saver.manifest is None:
                self._retry_later()
            else:
                self._use(saver.manifest)
        except (OSError, ValueError) as exc:
            event("no saved index", reason=str(exc))
            self._retry_later()

    def _retry_later(self) -> None:
        self._overdue = True
        self._rest_until = time.monotonic() + _REST * self._settings.maintain_seconds

    def remember(self, finished: pa.Table) -> None:
        """Know the ids of rows that became history, before their View is made."""
        if finished.num_rows:
            self._grown.remember(uuid_bytes(finished["id"]), run_hours(finished))

    def replace_open(self, opened: pa.Table, closed: tuple[bytes, ...]) -> None:
        """Know the open versions from now on."""
        self._recents.close(closed, self._view.snapshot + 1)
        self._tasks = self._recents.add(opened, self._tasks)

    def apply(self, commit: Commit) -> View:
        """The View of a commit of ours, made from the one before it."""
        before, self._whole = self._view, False
        self.remember(commit.finished)
        if commit.flushed:
            self._grown.count(self._recents.flushed(commit.snapshot))
        self._recents.close(commit.closed, commit.snapshot)
        inlined = 0 if commit.flushed else before.inlined
        if commit.in_files:
            runs, self._tasks = runs_of(commit.finished, self._tasks)
            self._grown.count(runs)
        else:
            self._tasks = self._recents.add(commit.finished, self._tasks)
            inlined += commit.finished.num_rows
        self._tasks = self._recents.add(commit.opened, self._tasks)
        self._recents.tidy()
        files = Files.of(commit.files) if commit.files is not None else before.files.adding(commit.added)
        finished = before.finished + commit.finished.num_rows
        if commit.horizon is not None:
            self._horizon, self._overdue = commit.horizon, True
            finished = sum(file.rows for file in files.all()) + inlined
        return self._publish(self._made(commit.snapshot, files, finished, inlined))

    def _publish(self, view: View) -> View:
        self._views.add(self._view)
        self._view, self._whole = view, True
        return view

    def close(self) -> None:
        """End a save that goes on."""
        if self._saver is not None:
            self._saver.close()


def _mark(lake: Lake, snapshot: int) -> str:
    return lake.mark(snapshot) or ""
