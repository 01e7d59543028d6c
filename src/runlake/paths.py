"""The paths of all files in a lake's folder. No other module joins these names."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from msgspec import Struct

from runlake import times
from runlake.errors import UsageError

_PARTITION: Final = re.compile(r"year=([0-9]+)/month=([0-9]+)/day=([0-9]+)/[^/]+$")

_PATTERN: Final = re.compile(r"[*?\[\\]")


class Paths(Struct, frozen=True):
    """The files of the lake in `folder` (absolute)."""

    folder: Path

    @classmethod
    def of(cls, folder: str | Path) -> Paths:
        """The Paths of a folder. Symbolic links are resolved, so that a lake has one name.

        Raises UsageError for a path that DuckDB would read as a pattern.
        """
        resolved = Path(folder).expanduser().resolve()
        if _PATTERN.search(str(resolved)):
            raise UsageError(f"the folder of a lake cannot have *, ?, [ or \\ in its path: {resolved}")
        return cls(resolved)

    @property
    def catalog(self) -> Path:
        """The DuckLake catalog, a SQLite file."""
        return self.folder / "catalog.sqlite"

    @property
    def unfinished_catalog(self) -> Path:
        """The catalog while a new lake is being made."""
        return self.folder / "new-catalog.sqlite"

    @property
    def files(self) -> Path:
        """The Parquet files, DuckLake's data path."""
        return self.folder / "files"

    @property
    def mirror(self) -> Path:
        """Copies of the Parquet files of a lake that lies elsewhere; the folder may be deleted while nobody writes."""
        return self.folder / "mirror"

    @property
    def lock(self) -> Path:
        """Held by the one writing process."""
        return self.folder / "writer.lock"

    @property
    def keys(self) -> Path:
        """The API keys, as hashes."""
        return self.folder / "keys.json"

    @property
    def keys_lock(self) -> Path:
        """Held while the keys are changed."""
        return self.folder / "keys.lock"

    @property
    def spill(self) -> Path:
        """The folder for files that DuckDB spills; the holder of the write lock empties it."""
        return self.folder / "tmp"

    @property
    def serving(self) -> Path:
        """The folder of the serving database and the id index; it may be deleted while no service runs."""
        return self.folder / "serving"

    @property
    def serving_file(self) -> Path:
        """The serving database."""
        return self.serving / "serving.duckdb"

    @property
    def unfinished_serving_file(self) -> Path:
        """The serving database while it is rebuilt."""
        return self.serving / "new-serving.duckdb"

    @property
    def old_index(self) -> Path:
        """The index of earlier versions; it is removed once there is a serving database."""
        return self.folder / "index"

    @property
    def checksums(self) -> Path:
        """The checksums of the Parquet files; the file may be deleted."""
        return self.folder / "SHA256SUMS"

    @property
    def unfinished_checksums(self) -> Path:
        """The checksums while they are rewritten."""
        return self.folder / "new-SHA256SUMS"

    @property
    def backup_mark(self) -> Path:
        """A file that marks the folder as a backup, finished or not."""
        return self.folder / "backup.txt"

    def table(self, name: str) -> Path:
        """The folder of the Parquet files of a table."""
        return self.files / "main" / name

    def partition(self, day: int) -> Path:
        """The folder of a UTC day (since the epoch) of the finished runs."""
        date = times.to_date(day)
        return self.table("finished_runs") / f"year={date.year}" / f"month={date.month}" / f"day={date.day}"


def day_of(file: str) -> int:
    """The day (since the epoch) of a file in the folder of a partition; raises ValueError for another file."""
    match = _PARTITION.search(file)
    if match is None:
        raise ValueError(f"not in a day's folder: {file}")
    year, month, day = (int(part) for part in match.groups())
    return times.parse(f"{year:04}-{month:02}-{day:02}") // times.DAY_US
