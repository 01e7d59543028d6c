"""Durability: DuckLake commits its catalog without syncing the Parquet files it names, so we do.

Inside an explicit transaction the new files already exist before COMMIT. `NewFiles` finds them by comparing the
folders a statement may write to, and syncs files and folders; only then may the transaction commit. The checksums of
the new files are noted at the same place, and these are not synced.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from runlake import duck
from runlake.lake import sums
from runlake.paths import Paths


class NewFiles:
    """Watches folders from construction on; `sync` makes what appeared in them durable."""

    def __init__(self, root: Path, folders: Iterable[Path]) -> None:
        self._root = root
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
        sums.add(Paths(self._root), files)
        return len(files)


def _listing(folder: Path) -> set[str]:
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - names are enough, and this is on the append path
    except FileNotFoundError:
        return set()


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each of them durable in the one above it."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    fsync(path.parent)


def fsync(path: Path) -> None:
    """Make a file's content, or a folder's entries, durable."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
