"""The saved index: a folder with one DuckDB file of counts, one array of keys, and what they are of.

A manifest names the two files with their checksums and is renamed into place last, so the folder holds a whole
saved index or none. It is derived: whatever is wrong with it, it is made anew from the lake.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from runlake import failpoints
from runlake.lake.sync import fsync, make_folder
from runlake.log import event

LAYOUT: Final = "runlake index 2"
_BLOCK: Final = 1 << 22


class Manifest(Struct, frozen=True):
    """What a saved index is of; `files` are names with their size and CRC-32."""

    layout: str
    mark: str
    snapshot: int
    runs: int
    files: dict[str, tuple[int, int]]


class Folder:
    """The folder of the saved index of one lake; the holder of the write lock may write it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._manifest = path / "manifest.json"

    def counts(self, snapshot: int) -> Path:
        """The file of counts of a snapshot."""
        return self._path / f"counts-{snapshot}.duckdb"

    def keys(self, snapshot: int) -> Path:
        """The file of keys of a snapshot."""
        return self._path / f"keys-{snapshot}.npy"

    def prepare(self, snapshot: int) -> None:
        """Make room for the files of a snapshot."""
        make_folder(self._path)
        for file in (self.counts(snapshot), self.keys(snapshot)):
            file.unlink(missing_ok=True)

    def read(self, mark: Callable[[int], str | None]) -> Manifest | None:
        """The manifest, if it is of this lake, of a snapshot that is still there, and its files are as they were.

        `mark(snapshot)` is what the lake says of a snapshot; else None, and the log says why.
        """
        try:
            manifest = msgspec.json.decode(self._manifest.read_bytes(), type=Manifest)
            reason = self._fault(manifest, mark)
        except FileNotFoundError:
            reason = "there is none"
        except (OSError, msgspec.MsgspecError) as exc:
            reason = f"it cannot be read: {exc}"
        if reason is None:
            return manifest
        event("no saved index", reason=reason)
        return None

    def _fault(self, manifest: Manifest, mark: Callable[[int], str | None]) -> str | None:
        if manifest.layout != LAYOUT:
            return f"its layout is {manifest.layout}"
        if manifest.mark != mark(manifest.snapshot):
            return "it is not of this lake"
        for name in (self.counts(manifest.snapshot).name, self.keys(manifest.snapshot).name):
            if name not in manifest.files:
                return f"{name} is not in its manifest"
            if manifest.files[name] != _sum(self._path / name):
                return f"{name} is damaged"
        return None

    def commit(self, mark: str, snapshot: int, runs: int) -> Manifest:
        """The files of this snapshot are the saved index from now on."""
        written = (self.counts(snapshot), self.keys(snapshot))
        for file in written:
            fsync(file)
        manifest = Manifest(LAYOUT, mark, snapshot, runs, {file.name: _sum(file) for file in written})
        part = self._manifest.with_suffix(".part")
        part.write_bytes(msgspec.json.encode(manifest))
        fsync(part)
        failpoints.passing("mid-index-save")
        part.rename(self._manifest)
        fsync(self._path)
        return manifest

    def sweep(self, manifest: Manifest) -> None:
        """Delete every file but those of this manifest."""
        for file in self._path.iterdir():
            if file != self._manifest and file.name not in manifest.files:
                file.unlink(missing_ok=True)


def _sum(file: Path) -> tuple[int, int]:
    """Size and CRC-32 of a file."""
    total = size = 0
    with file.open("rb") as content:
        while block := content.read(_BLOCK):
            total, size = zlib.crc32(block, total), size + len(block)
    return size, total
