"""Durability of new Parquet files: DuckLake commits its catalog without syncing the files that the catalog names.

Inside an explicit transaction the new files already exist before COMMIT. `NewFiles` finds them by comparing the
folders that a statement may write to, and syncs files and folders; only then may the transaction commit. It also adds
their checksums to the list, which is not synced.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from runlake import duck
from runlake.lake.files.checksums import Checksums
from runlake.lake.sync import fsync


class NewFiles:
    """The files that appear in some folders of a lake's folder `root` after construction."""

    def __init__(self, root: Path, checksums: Checksums, folders: Iterable[Path]) -> None:
        self._root, self._checksums = root, checksums
        self._before = {folder: _listing(folder) for folder in folders}

    def sync(self) -> int:
        """Sync every new file, its folder, and the folders up to the root; returns the number of files."""
        with duck.translated("syncing new files"):
            return self._sync()

    def _sync(self) -> int:
        files: list[Path] = []
        touched: set[Path] = set()
        for folder, before in self._before.items():
            new = [folder / name for name in _listing(folder) - before]
            for file in new:
                fsync(file)
            files += new
            if new:
                touched.update(p for p in (folder, *folder.parents) if p.is_relative_to(self._root))
        for folder in sorted(touched, reverse=True):
            fsync(folder)
        self._checksums.add(files)
        return len(files)


def _listing(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - names are enough, and this is on the append path
    except FileNotFoundError:
        return set()
