"""The runs that changed lately: the rows of the newest commits, as the writer has them, for who follows along.

Nothing is copied and no row is looked at, so that a commit takes no longer for it. What moves rows only (a flush, a
merge, retention) changes no run.
"""

from __future__ import annotations

import threading
from collections import deque
from typing import Final

import pyarrow as pa
from msgspec import Struct

from runlake.lake.commit import Commit

MOST_ROWS: Final = 100_000
MOST_BYTES: Final = 64 << 20
_LEFT_OUT: Final = ["output"]  # no filter asks for it


class _Changed(Struct, frozen=True):
    """The runs of one commit, and their bytes."""

    snapshot: int
    tables: list[pa.Table]
    rows: int
    size: int


class Changes:
    """A ring of commits, at most so many rows and bytes. One thread adds to it, any thread may read.

    snapshot    the newest
    """

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._commits: deque[_Changed] = deque()
        self._rows = self._bytes = 0
        self._begin = self.snapshot = -1  # what changed after the snapshot _begin is here

    def begin(self, snapshot: int) -> None:
        """Begin anew, unless all until this snapshot is known."""
        with self._guard:
            if snapshot != self.snapshot:
                self._commits.clear()
                self._rows = self._bytes = 0
                self._begin = self.snapshot = snapshot

    def add(self, commit: Commit) -> None:
        """Take the runs of a commit; the oldest ones go when there are too many."""
        whole = [rows for rows in (commit.finished, commit.opened) if rows.num_rows]
        tables = [rows.drop_columns(_LEFT_OUT) for rows in whole]
        # With `output`: columns of an Arrow body keep the whole body in memory.
        rows, size = sum(table.num_rows for table in whole), sum(table.nbytes for table in whole)
        with self._guard:
            self.snapshot = commit.snapshot
            if tables:
                self._commits.append(_Changed(commit.snapshot, tables, rows, size))
                self._rows += rows
                self._bytes += size
            while self._rows > MOST_ROWS or self._bytes > MOST_BYTES:
                oldest = self._commits.popleft()
                self._begin = oldest.snapshot
                self._rows -= oldest.rows
                self._bytes -= oldest.size

    def after(self, snapshot: int) -> tuple[int, list[pa.Table] | None]:
        """The newest snapshot, and the runs that changed after `snapshot`, the oldest first, those of a commit in any
        order; None when that is not known any more, or never was.
        """
        with self._guard:
            if not self._begin <= snapshot <= self.snapshot:
                return self.snapshot, None
            newer: list[list[pa.Table]] = []
            for commit in reversed(self._commits):
                if commit.snapshot <= snapshot:
                    break
                newer.append(commit.tables)
            return self.snapshot, [table for tables in reversed(newer) for table in tables]
