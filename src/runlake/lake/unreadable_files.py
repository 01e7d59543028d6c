"""Files that a merge could not read: maintenance goes on without them, logs each once, and checks them again later."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runlake import times
from runlake.errors import LakeDamaged
from runlake.lake.catalog import DataFile
from runlake.lake.files import Files, scan
from runlake.log import warn


class UnreadableFiles:
    """The files that are known to be unreadable, by catalog number."""

    def __init__(self, storage: Files) -> None:
        self._storage = storage
        self._files: dict[int, DataFile] = {}

    @property
    def numbers(self) -> frozenset[int]:
        """Their catalog numbers; any thread may ask."""
        return frozenset(self._files)

    @property
    def files(self) -> list[DataFile]:
        """The files, sorted by day."""
        return sorted(self._files.values(), key=lambda file: (file.day, file.number))

    def add_causes(self, exc: LakeDamaged, files: Iterable[DataFile]) -> bool:
        """Find the files that caused an error, and add them; returns False when all of `files` can be read.

        Missing and truncated files are found by their size, another one by its name in the error. Only if there are
        none of these, the files are read until one fails.
        """
        suspects = [file for file in files if file.number not in self._files]
        causes = [file for file in suspects if Path(file.path).name in exc.detail or not self._has_its_size(file)]
        if not causes:
            causes = [file for file in suspects if not self._is_readable(file)][:1]
        for file in causes:
            self._files[file.number] = file
            warn("a file cannot be read and is not merged", file=file.path, day=times.to_date(file.day), reason=exc)
        return bool(causes)

    def recheck(self, live: Iterable[DataFile]) -> None:
        """Remove files that the lake no longer names, and files that were restored."""
        numbers = {file.number for file in live}
        self._files = {n: file for n, file in self._files.items() if n in numbers and not self._is_readable(file)}

    def _has_its_size(self, file: DataFile) -> bool:
        """Whether the file exists and has the size that the catalog says."""
        try:
            return self._storage.size(file.path) == file.size
        except OSError:
            return False

    def _is_readable(self, file: DataFile) -> bool:
        try:
            scan(self._storage, file.path)
        except LakeDamaged:
            return False
        return self._has_its_size(file)
