"""The state of a lake in the memory of its writing process: live files, open runs, days with inlined rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit
from runlake.lake.rows import Row, row_tuples, run_days


class Stored:
    """The state of a lake at its newest snapshot. The writing thread changes it; any thread may read its numbers."""

    def __init__(self) -> None:
        self.snapshot = -1
        self.open_runs: dict[bytes, Row] = {}  # by 16-byte id
        self.files: Sequence[DataFile] = ()  # the live files of finished runs, by catalog number
        self.horizon: int | None = None  # the first day whose finished runs are kept; None when all are
        self.inlined_days: dict[int, int] = {}  # day -> finished runs that are inlined in the catalog

    def load(self, lake: Lake) -> None:
        """Read the state from the catalog."""
        opened = lake.execute("open")
        self.open_runs = {}
        self._open(row_tuples(opened, np.arange(opened.num_rows)))
        self.files = lake.files()
        self.horizon = lake.horizon()
        self.inlined_days = {}
        self._count_inlined(run_days(lake.inlined()))
        self.snapshot = lake.snapshot()

    def apply(self, commit: Commit) -> None:
        """Apply a commit of this process."""
        if commit.flushed:
            self.inlined_days = {}
        if commit.finished.num_rows and not commit.in_files:
            self._count_inlined(run_days(commit.finished))
        self.replace_open(row_tuples(commit.opened, np.arange(commit.opened.num_rows)), commit.closed)
        self.files = [*self.files, *commit.added] if commit.files is None else commit.files
        self.horizon = self.horizon if commit.horizon is None else commit.horizon
        self.snapshot = commit.snapshot

    def replace_open(self, opened: Sequence[Row], closed: Sequence[bytes]) -> None:
        """Remove the open versions `closed` (16-byte ids) and add `opened`."""
        for run_id in closed:
            self.open_runs.pop(run_id, None)
        self._open(opened)

    def _open(self, rows: Sequence[Row]) -> None:
        for row in rows:
            run_id = row[0]
            assert isinstance(run_id, bytes)  # noqa: S101 - row_tuples gives ids as bytes
            self.open_runs[run_id] = row

    def _count_inlined(self, days: np.ndarray[tuple[int], np.dtype[np.int64]]) -> None:
        for day, rows in zip(*(part.tolist() for part in np.unique(days, return_counts=True)), strict=True):
            self.inlined_days[day] = self.inlined_days.get(day, 0) + rows

    @property
    def last_file(self) -> int:
        """The highest catalog number of a live file; -1 when there is none."""
        return max((file.number for file in self.files), default=-1)

    @property
    def inlined_rows(self) -> int:
        """Finished runs that are inlined in the catalog."""
        return sum(self.inlined_days.values())

    @property
    def runs(self) -> int:
        """All runs, open ones included."""
        return self.finished + len(self.open_runs)

    @property
    def finished(self) -> int:
        """All finished runs."""
        return sum(file.rows for file in self.files) + self.inlined_rows
