"""What the write room asks of the index, and tells it. The index knows the lake, never the other way round."""

from __future__ import annotations

from typing import Protocol

import pyarrow as pa

from runlake.lake.admit import Known
from runlake.lake.catalog import DataFile, Lake
from runlake.lake.commit import Commit


class Learner(Known, Protocol):
    """Knows what is stored, and learns rows of a transaction that is still open (a bulk load)."""

    def remember(self, finished: pa.Table) -> None:
        """Know the ids of rows that became history."""

    def replace_open(self, opened: pa.Table, closed: tuple[bytes, ...]) -> None:
        """Know the open versions from now on."""


class Follower(Known, Protocol):
    """Knows what is stored, and follows it commit by commit."""

    def apply(self, commit: Commit) -> object:
        """Make the View of a commit."""

    def load(self, lake: Lake) -> object:
        """Build everything from the lake."""

    @property
    def kept(self) -> tuple[int, ...]:
        """Snapshots that must not expire: what is derived and saved starts from them."""

    def tend(self, lake: Lake) -> None:
        """Save what is derived, if it is time; called between commits."""

    def save(self, lake: Lake) -> None:
        """Save what is derived now, if it is time, and wait until that is done."""

    def settled(self) -> bool:
        """Whether nobody uses an older View any more, so that files it named may go."""

    def files(self) -> list[DataFile]:
        """Every live file."""

    def last_file(self) -> int:
        """The highest catalog number among them."""

    def inlined_rows(self) -> int:
        """Finished rows that are not in Parquet."""

    def inlined_days(self) -> list[int]:
        """The days of those rows."""
