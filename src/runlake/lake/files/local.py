"""Parquet files in a folder of a local disk: the lake's own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

import duckdb

from runlake.lake.files.checksums import Checksums, KnownChecksums
from runlake.lake.files.new_files import NewFiles
from runlake.lake.sync import make_folder
from runlake.paths import Paths


class LocalFiles:
    """See Files."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._checksums = Checksums(paths)
        self.root = str(paths.files)

    def prepare(self, con: duckdb.DuckDBPyConnection, *, write: bool) -> None:
        """Make the folder; from then on it belongs to a lake of its own, and not to a backup any more."""
        if write:
            make_folder(self._paths.files)
            self._paths.backup_mark.unlink(missing_ok=True)

    def any(self) -> bool:
        """See Files."""
        return any(self._paths.files.rglob("*.parquet"))

    def path(self, name: str) -> str:
        """See Files."""
        return f"{self.root}/{name}"

    def reading(self, files: Iterable[str]) -> AbstractContextManager[None]:
        """They always can."""
        return nullcontext()

    def renew(self, file: str) -> bool:
        """See Files: there are no copies."""
        return False

    def gone(self, files: Iterable[str]) -> list[str]:
        """See Files."""
        return [file for file in files if not Path(file).is_file()]

    def size(self, file: str) -> int:
        """See Files."""
        return Path(file).stat().st_size

    def new(self, *, days: Iterable[int] = (), tables: Iterable[str] = ()) -> NewFiles:
        """See Files."""
        folders = {*map(self._paths.partition, days), *map(self._paths.table, tables)}
        return NewFiles(self._paths.folder, self._checksums, folders)

    def tidy(self, live: Mapping[str, int], most_bytes: float) -> None:
        """Remove the folders of days, months and years that are empty, and tidy the checksums."""
        for below in ("*/*/*", "*/*", "*"):
            for path in self._paths.table("finished_runs").glob(below):
                with suppress(OSError):  # most folders have files
                    path.rmdir()
        self._checksums.tidy(live, most_bytes)

    def comparison(self) -> KnownChecksums:
        """See Files."""
        return KnownChecksums(self._paths)
