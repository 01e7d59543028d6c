"""The serving database follows the lake: it is opened or made anew, brought up to date, changed by each commit, counted
and checkpointed. It holds nothing that the lake does not.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Sequence
from typing import Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from runlake import duck, failpoints, times
from runlake.errors import LakeDamaged, NotReady
from runlake.intake.batch import id_words
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.files import scan
from runlake.lake.rows import run_times
from runlake.lake.sync import fsync, make_folder
from runlake.log import event, warn
from runlake.serving import counting, failures, id_index, names, runs
from runlake.serving.changes import Changes
from runlake.serving.database import Database, file_rows, incoming
from runlake.serving.id_index import IdIndex
from runlake.serving.readers import Readers
from runlake.serving.rebuild import file_dicts, is_readable, rebuild
from runlake.serving.sql import APPLY, LAYOUT

_REST: Final = 12  # maintenance intervals between checkpoints, and between attempts after one failed
_ROOM: Final = 8 << 20  # bytes on disk, beside the size of the file, without which no checkpoint is begun
_FEED_ROWS: Final = 1_000_000  # more than this, and more than half of what is known: counting all files is easier


class Serving:
    """The serving database of a lake that this process may write. One thread changes it, any thread may read."""

    def __init__(self, lake: Lake) -> None:
        self._lake, self._settings, self._paths = lake, lake.settings, lake.paths
        self.storage = lake.storage
        self._database: Database | None = None
        self.ids = IdIndex()
        self.readers = Readers()
        self.changes = Changes()
        self._base: int | None = None  # the snapshot of the last checkpoint
        self._whole = False  # whether it has all that was committed
        # While a transaction of `begin` is open: the row of `state` to put in its place, and `_whole` before it.
        self._begun: tuple[counting.State, bool] | None = None
        self._uncounted = 0  # finished runs
        self._counted = 0  # finished runs
        self._busy: set[int] = set()  # months counted since the last look
        self.unreadable: list[DataFile] = []  # files that are not counted
        self._due = 0.0  # monotonic; when the next checkpoint or attempt is due

    @property
    def snapshot(self) -> int:
        """The snapshot that the next question sees; -1 while there is none."""
        return self.readers.snapshot

    @property
    def pinned_snapshots(self) -> tuple[int, ...]:
        """The snapshot that catching up would start from: it must not expire."""
        return () if self._base is None else (self._base,)

    def locate(self, words: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """See IdIndex.locate. Raises LakeDamaged while there are files whose ids are not known."""
        for file in self.unreadable:
            raise LakeDamaged(f"cannot read {file.path}, which this answer may need")
        return self.ids.locate(words)

    def scan(self, path: str) -> int:
        """Read all values of a file of the lake; returns its rows. Raises LakeDamaged, and Busy."""
        return scan(self.storage, path)

    def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Bring it to the newest snapshot of the lake; `progress(files done, files in all)` when it is made anew."""
        self.undo()
        if self._whole and self.readers.lost is None and self._lake.snapshot() == self.snapshot:
            return
        self._whole = False
        if self.readers.lost is not None:
            self._drop()
            if self.readers.corrupt:
                self._paths.serving_file.unlink(missing_ok=True)
        if not self._is_caught_up():
            self._rebuild(progress)
        self.changes.begin(self.snapshot)
        self._whole = True
        self._due = time.monotonic() + _REST * self._settings.maintain_seconds

    def _is_caught_up(self) -> bool:
        """Whether what is open, or else the file, could be brought up to date."""
        if self._database is not None and self._follows(self.snapshot):
            return True
        self._drop()
        try:
            database = self._open()
        except (duckdb.Error, OSError, ValueError) as exc:
            event("no serving database", reason=exc)
            database = None
        if database is not None and self._base is not None:
            if self._base == self._lake.snapshot():
                self.readers.offer(database, self._base)
                return True
            if self._follows(self._base):
                return True
        self._drop()
        return False

    def _open(self) -> Database | None:
        """Open the file; None when there is none, or it is of another layout, lake or history."""
        if not self._paths.serving_file.is_file():
            return None
        database = self._database = self._attached()
        found = database.execute(APPLY["checkpointed"])
        if not found or found[0][:1] != (LAYOUT,) or found[0][2] != self._lake.lineage(found[0][1]):
            event("no serving database", reason="it is of another layout or lake")
            return None
        if counting.state(database).snapshot != found[0][1]:
            event("no serving database", reason="it is of another snapshot than its id index")
            return None
        _, snapshot, _, finished, key_files = found[0]
        self.ids.load(self._paths.serving, key_files)
        with database.transaction():  # a lake that was copied or moved has its files elsewhere
            database.execute(APPLY["clear_files"])
            self._add_files(self._lake.files())
        self._base = snapshot
        self._counted = finished
        self._uncounted = database.execute(APPLY["uncounted"])[0][0]
        id_index.remove_others(self._paths.serving, key_files)
        return database

    def _attached(self) -> Database:
        # One thread a statement: several questions at once make better use of the cores, and each costs less.
        limit = self._settings.memory_limit
        return Database(self._paths.serving_file, self.storage, threads=1, memory_limit=limit, temp=self._paths.spill)

    def _rebuild(self, progress: Callable[[int, int], None] | None) -> None:
        """Make it anew, under another name until it is whole."""
        make_folder(self._paths.serving)
        new = self._paths.unfinished_serving_file
        for leftover in self._paths.serving.iterdir():
            leftover.unlink()
        self.ids, self._base = IdIndex(), None
        snapshot, files = self._lake.snapshot(), self._lake.files()
        unreadable = rebuild(new, self._lake, files, self.ids, progress)
        new.rename(self._paths.serving_file)
        self._database = self._attached()
        self.unreadable = [file for file in files if file.number in unreadable]
        inlined = self._lake.inlined()
        self._counted = sum(file.rows for file in files) + inlined.num_rows
        self._busy, self._uncounted = set(), 0
        with self._database.transaction():
            self._take_inlined(inlined, self._lake.execute("open"))
            self._retain(self._lake.horizon() or 0)
            names.load(self._database, self._lake)
            counting.set_snapshot(self._database, snapshot)
        self.readers.offer(self._database, snapshot)
        self._whole = True
        if not self._checkpoint():
            warn("the serving database was not checkpointed")
        elif self._paths.old_index.is_dir():
            shutil.rmtree(self._paths.old_index, ignore_errors=True)

    def _take_inlined(self, inlined: pa.Table, opened: pa.Table) -> None:
        """Begin with these rows that are in no file. Inside the transaction."""
        finished = incoming(inlined)
        self._add_ids(finished)
        runs.add(self._opened, pa.concat_tables([finished, incoming(opened)]), inlined=True)
        self._uncounted += inlined.num_rows

    def _add_ids(self, rows: pa.Table) -> None:
        if rows.num_rows:
            self.ids.add(id_index.make(id_words(rows["id"]), run_times(rows) // times.QUARTER_US))

    def remember(self, finished: pa.Table) -> None:
        """Know the ids of runs of a transaction that is still open (a bulk load)."""
        self._add_ids(finished)

    @property
    def _opened(self) -> Database:
        if self._database is None:
            raise NotReady("the serving database is being made")
        return self._database

    def _follows(self, after: int) -> bool:
        """Take what came after a snapshot from the change feed; False when making all anew is easier, or needed."""
        lake, last = self._lake, self._lake.snapshot()
        files, inlined, opened = lake.files(), lake.inlined(), lake.execute("open")
        new = sum(file.rows for file in files) + inlined.num_rows - self._counted
        if self.unreadable or new > max(_FEED_ROWS, self._counted // 2) or lake.lineage(after) is None:
            return False
        try:
            with duck.translated("catching up"), self._opened.transaction():
                self._take_feed(after, last, inlined, opened)
                self._replace_files(files)
                self._retain(lake.horizon() or 0)
                names.load(self._opened, lake)
                counting.set_snapshot(self._opened, last)
        except LakeDamaged as exc:
            event("no catching up", reason=exc)
            return False
        self._counted += new
        self.readers.offer(self._opened, last)
        return True

    def _take_feed(self, after: int, last: int, inlined: pa.Table, opened: pa.Table) -> None:
        database = self._opened
        with database.given(incoming=incoming(inlined)):
            database.execute(APPLY["moved_recent"])
        database.execute(APPLY["clear_open"])
        database.execute(APPLY["clear_inlined"])
        rows = pa.concat_tables([incoming(inlined), incoming(opened)])
        with database.given(incoming=rows):
            database.execute(APPLY["add_inlined"])
        with database.given(incoming=incoming(opened)):
            database.execute(APPLY["add_tasks"])
            database.execute(APPLY["add_uncounted"])
        for feed in self._lake.inserted(after, last):
            piece = incoming(feed)
            self._add_ids(piece)
            with database.given(incoming=piece):
                for name in ("add_tasks", "add_uncounted", "feed_recent"):
                    database.execute(APPLY[name])
                failures.add(database, piece)
            self._uncounted += piece.num_rows
            if self._uncounted >= self._settings.rollup_rows:
                self._count()

    def begin(self, commit: Commit) -> None:
        """Take what a commit of ours changes, in a transaction that `apply` or `undo` ends: nobody sees it before.

        The commit may not have taken place yet. Another thread may do this while the writing thread waits for it.
        """
        was_whole, self._whole = self._whole, False
        self._add_ids(commit.finished)  # before any question can see the runs
        self._opened.begin()
        try:
            with self.readers.noticing():
                self._take(commit)
                self._begun = counting.removed_state(self._opened), was_whole
        except BaseException:
            self._opened.rollback()
            raise

    def _take(self, commit: Commit) -> None:
        """All but the snapshot. Inside the transaction."""
        runs.apply(self._opened, commit)
        if commit.files is not None:
            self._replace_files(commit.files)
        elif commit.added:
            self._add_files(commit.added)
        if commit.horizon is not None:
            self._retain(commit.horizon)
        names.apply(self._opened, commit)

    def undo(self) -> None:
        """End what `begin` has begun, if anything: nothing of it is taken, and all is as before."""
        if self._begun is not None:
            was_whole = self._begun[1]
            self._begun = None
            self._whole = self._opened.rollback() and was_whole

    def apply(self, commit: Commit) -> None:
        """Follow a commit of ours, which `begin` may have taken already; after any error only `load` helps."""
        self._whole = False
        failpoints.reached("before-apply")
        if self._is_countable_now(commit):
            self.load()
            return
        if self._begun is None:
            self.begin(commit)
        assert self._begun is not None  # noqa: S101 - `begin` has begun
        try:
            with self.readers.noticing():
                counting.add_state(self._opened, replace(self._begun[0], snapshot=commit.snapshot))
                failpoints.reached("mid-apply")
                self._opened.commit()
                self._begun = None
        finally:
            self.undo()
        self._uncounted += commit.finished.num_rows
        self._counted += commit.finished.num_rows
        self.readers.snapshot, self._whole = commit.snapshot, True
        self.changes.add(commit)

    def _is_countable_now(self, commit: Commit) -> bool:
        """Whether a file that is not counted was merged with others, so that its runs can be read again."""
        if commit.files is None:
            return False
        live, kept_from = {file.number for file in commit.files}, commit.horizon or 0
        return any(file.number not in live and file.day >= kept_from for file in self.unreadable)

    def _add_files(self, files: Sequence[DataFile]) -> None:
        with self._opened.given(file=file_rows(file_dicts(files, frozenset()))):
            self._opened.execute(APPLY["add_files"])

    def _replace_files(self, files: Sequence[DataFile]) -> None:
        with self._opened.given(file=file_rows(file_dicts(files, frozenset()))):
            self._opened.execute(APPLY["remove_files"])
            self._opened.execute(APPLY["add_files"])
        numbers = {file.number for file in files}
        self.unreadable = [file for file in self.unreadable if file.number in numbers]

    def _retain(self, horizon: int) -> None:
        """Finished runs of days before `horizon` are gone. Inside the transaction."""
        if horizon > counting.state(self._opened).first_day:
            runs.retain(self._opened, horizon)
            self.ids.forget_before(horizon * times.DAY_US // times.QUARTER_US)

    def run_one_step(self) -> None:
        """One step of what is due between commits: count, settle a month, checkpoint, read restored files."""
        if not self._whole or self.readers.lost is not None:
            self.load()
            return
        with self.readers.noticing():
            self._run_one_step()

    def _run_one_step(self) -> None:
        if self._uncounted >= self._settings.rollup_rows:
            with self._opened.transaction():
                self._count()
        elif time.monotonic() >= self._due:
            self._due = time.monotonic() + _REST * self._settings.maintain_seconds
            if self.unreadable:
                self._read_again()
                return
            with self._opened.transaction():
                counting.cool(self._opened, self._settings.hot_days)
                settled = counting.settle(self._opened, self._busy)
                settled = counting.settle_sequences(self._opened) or settled
                counting.rank(self._opened)
            self._busy = set()
            if settled or self._base != self.snapshot:
                self._checkpoint()

    def _count(self) -> None:
        self._busy |= counting.count(self._opened)
        self._uncounted = 0

    def _read_again(self) -> None:
        live = {file.number for file in self._lake.files()}
        if any(file.number not in live or is_readable(self.storage, file, quiet=True) for file in self.unreadable):
            self._whole = False
            self._drop()
            self.load()

    def checkpoint(self) -> None:
        """Make what is known now the beginning of the next start; when that fails, a later start takes longer."""
        if self._whole and not self.unreadable and self._base != self.snapshot:
            self._checkpoint()

    def _checkpoint(self) -> bool:
        """Write all to the file; False when it was refused, and is tried again later."""
        if self.unreadable:
            return False
        if shutil.disk_usage(self._paths.serving).free < self._paths.serving_file.stat().st_size + _ROOM:
            event("no checkpoint", reason="the disk is full")  # the instance would not outlive it
            return False
        try:
            key_files = self.ids.save(self._paths.serving)
            values = {
                "layout": LAYOUT,
                "snapshot": self.snapshot,
                "lineage": self._lake.lineage(self.snapshot) or "",
                "finished": self._counted,
                "names": key_files,
            }
            with self._opened.transaction():
                self._opened.execute(APPLY["remove_checkpointed"])
                self._opened.execute(APPLY["add_checkpointed"], values)
            failpoints.reached("mid-checkpoint")
            self._opened.execute("CHECKPOINT serving")
            fsync(self._paths.serving)
        except (duckdb.TransactionException, OSError) as exc:
            event("no checkpoint", reason=exc)
            return False
        self._base = self.snapshot
        id_index.remove_others(self._paths.serving, key_files)
        return True

    def _drop(self) -> None:
        """Close what is open; what is not in the file is forgotten."""
        self.readers.end()  # two instances of one file would damage it
        database, self._database = self._database, None
        if database is not None:
            database.close()
        self._base = None
        self.ids, self.unreadable, self._uncounted, self._counted = IdIndex(), [], 0, 0

    def close(self) -> None:
        """Let the file go; a second call does nothing."""
        self._drop()
