"""The Parquet files of a lake: what differs from one place of files to another.

local.py    a folder of a local disk: new_files.py makes its files durable, checksums.py keeps their checksums
s3.py       a store that speaks S3; mirror.py keeps copies of its files
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Protocol

import duckdb

from runlake import parquet
from runlake.errors import LakeDamaged
from runlake.lake.files.new_files import NewFiles


class Comparison(Protocol):
    """What is known of the bytes of files; `bare` counts those that were asked for and of which nothing is known."""

    bare: int

    def faults(self, file: str) -> list[str]:
        """The fault of the bytes of a file, if they have one; raises OSError."""


class Files(Protocol):
    """The place of a lake's Parquet files. DuckLake writes and deletes them; `root` is its data path, without a / at
    the end.
    """

    root: str

    def prepare(self, con: duckdb.DuckDBPyConnection, *, write: bool) -> None:
        """Make the place ready for a DuckDB that reads it, or writes to it."""

    def any(self) -> bool:
        """Whether there is a Parquet file."""

    def path(self, name: str) -> str:
        """Where a file is read; `name` is its path below the data path."""

    def reading(self, files: Iterable[str]) -> AbstractContextManager[None]:
        """Inside the block these files, which may be any paths, can be read. For a writer; raises LakeDamaged for one
        that is gone, and Busy while it cannot be had.
        """

    def renew(self, file: str) -> bool:
        """Forget the copy that `reading` made of a file; False when it made none, or while others read it."""

    def gone(self, files: Iterable[str]) -> list[str]:
        """Those of the files that are not there."""

    def size(self, file: str) -> int:
        """The bytes of a file; raises OSError for one that is gone, and Busy while nobody says."""

    def new(self, *, days: Iterable[int] = (), tables: Iterable[str] = ()) -> NewFiles:
        """The files that appear from now on, of these days (since the epoch) of the finished runs, and of tables."""

    def tidy(self, live: Mapping[str, int], most_bytes: float) -> None:
        """Do what upkeep has to do after a clean-up, reading at most about so many bytes. See Checksums.tidy."""

    def comparison(self) -> Comparison:
        """What is known of the files that the catalog names up to now."""


def scan(storage: Files, file: str) -> int:
    """Read all values of a file; returns its rows. What is wrong with a copy is no fault of the file.

    Raises LakeDamaged, and Busy.
    """
    try:
        with storage.reading([file]):
            return parquet.scan(file)
    except LakeDamaged:
        if not storage.renew(file):
            raise
    with storage.reading([file]):
        return parquet.scan(file)
