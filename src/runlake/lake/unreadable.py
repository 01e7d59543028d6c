"""Files that a merge could not read: upkeep goes on without them, says so once, and looks at them again later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runlake import parquet, times
from runlake.errors import LakeDamaged
from runlake.lake.catalog import DataFile
from runlake.log import warn


class Unreadable:
    """The files that are known to be bad."""

    def __init__(self) -> None:
        self._files: dict[int, DataFile] = {}

    @property
    def numbers(self) -> frozenset[int]:
        """Their catalog numbers; from any thread."""
        return frozenset(self._files)

    @property
    def files(self) -> list[DataFile]:
        """They themselves, oldest day first."""
        return sorted(self._files.values(), key=lambda file: (file.day, file.number))

    def blame(self, exc: LakeDamaged, files: Iterable[DataFile]) -> bool:
        """Find which of these files made something fail; False when they can all be read.

        What is gone or cut is found at once, all of it; or DuckDB names the file; or one after the other is read.
        """
        suspects = [file for file in files if file.number not in self._files]
        found = [file for file in suspects if file.path in exc.detail or not _as_written(file)]
        if not found:
            found = [file for file in suspects if not _readable(file)][:1]
        for file in found:
            self._files[file.number] = file
            warn("a file cannot be read and is not merged", file=file.path, day=times.to_date(file.day), reason=exc)
        return bool(found)

    def look_again(self, live: Iterable[DataFile]) -> None:
        """Forget those that are gone from the lake, or have been restored."""
        numbers = {file.number for file in live}
        self._files = {n: file for n, file in self._files.items() if n in numbers and not _readable(file)}


def _as_written(file: DataFile) -> bool:
    """Whether it is there with its size."""
    try:
        return Path(file.path).stat().st_size == file.size
    except OSError:
        return False


def _readable(file: DataFile) -> bool:
    try:
        parquet.scan(file.path)
    except LakeDamaged:
        return False
    return _as_written(file)
