"""The saved index: a folder of numpy's own files, and a manifest that says what they are of.

The manifest names the files with their checksums and is renamed into place last, so the folder holds a whole saved
index or none. It is derived: whatever is wrong with it, it is made anew from the lake.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake import failpoints
from runlake.index import counts as counting
from runlake.index import keys as keyring
from runlake.index import npy
from runlake.index.counts import Counts
from runlake.index.figures import BUCKET, CELL, DAY_BUCKET, HOUR, Records
from runlake.index.keys import Keys
from runlake.index.recent import RECENT
from runlake.index.tasks import ID, Tasks
from runlake.lake.sync import fsync, make_folder
from runlake.log import event

LAYOUT: Final = "runlake index 4"
_LAYOUTS: Final = re.compile("runlake index [0-9]+")
_BLOCK: Final = 1 << 22
_KINDS: Final[dict[str, np.dtype[Any]]] = {
    "keys": np.dtype(np.uint64),
    "cells": CELL,
    "buckets": BUCKET,
    "hours": HOUR,
    "days": DAY_BUCKET,
    "tasks": ID,
    "waiting": RECENT,
}
_MAPPED: Final = ("keys", "cells", "buckets")  # the large ones


class Manifest(Struct, frozen=True):
    """What a saved index is of: no days before `first_day`; `files` are names with their size and CRC-32."""

    layout: str
    mark: str
    snapshot: int
    runs: int
    first_day: int
    files: dict[str, tuple[int, int]]

    def serves(self, runs: int, index_rows: int) -> bool:
        """Whether it is easier to catch up with a lake of so many finished runs than to count its files."""
        return runs <= 2 * self.runs + index_rows


class _Head(Struct):
    """What the manifest of every version says."""

    layout: str


class Found(Struct, frozen=True):
    """A manifest that may be used, or why there is none; `damaged` unless it is only missing, or of another version."""

    manifest: Manifest | None
    reason: str = ""
    damaged: bool = False


class Derived(Struct, frozen=True):
    """What is known of the finished runs of a snapshot; `waiting` are those that are in no file, counted by nobody.

    Days before `first_day` are not saved. Opened, the large arrays are mapped from the folder's files.
    """

    keys: Keys
    counts: Sequence[Counts]
    tasks: Tasks
    waiting: Records
    first_day: int = 0


class Folder:
    """The folder of the saved index of one lake; the holder of the write lock may write it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._manifest = path / "manifest.json"

    def _file(self, kind: str, snapshot: int) -> Path:
        return self._path / f"{kind}-{snapshot}.npy"

    def prepare(self, snapshot: int) -> None:
        """Make room for the files of a snapshot."""
        make_folder(self._path)
        for kind in _KINDS:
            self._file(kind, snapshot).unlink(missing_ok=True)

    def write(self, snapshot: int, known: Derived, proceed: Callable[[], None] = lambda: None) -> None:
        """Write the files of a snapshot; `proceed` is called now and then, and may raise to end it.

        Memory: that of a piece of the counts, however many there are.
        """
        with npy.written(self._file("keys", snapshot), _KINDS["keys"]) as append:
            for stretch in keyring.stretches(known.keys, known.first_day * 24):
                proceed()
                append(stretch)
        cells = [counting.EMPTY.cells]
        with npy.written(self._file("buckets", snapshot), BUCKET) as append:
            for some, buckets in counting.pieces_of(known.counts, known.first_day):
                proceed()
                cells.append(some)
                append(buckets)
        hours, days = counting.merged_times([counting.EMPTY, *known.counts], known.first_day)
        rest = {
            "cells": np.concatenate(cells),
            "hours": hours,
            "days": days,
            "tasks": known.tasks.ids,
            "waiting": known.waiting,
        }
        for kind, array in rest.items():
            np.save(self._file(kind, snapshot), array, allow_pickle=False)

    def open(self, snapshot: int) -> Derived:
        """The files of a snapshot; raises OSError or ValueError for files that are not what they should be."""
        found = {kind: self._array(kind, snapshot) for kind in _KINDS}
        counts = Counts(found["cells"], found["buckets"], found["hours"], found["days"])
        keys = (found["keys"],) if len(found["keys"]) else ()
        return Derived(keys, (counts,), Tasks.of(found["tasks"]), found["waiting"])

    def _array(self, kind: str, snapshot: int) -> npt.NDArray[Any]:
        file = self._file(kind, snapshot)
        array = np.asarray(np.load(file, mmap_mode="r" if kind in _MAPPED else None, allow_pickle=False))
        if array.dtype != _KINDS[kind] or array.ndim != 1:
            raise ValueError(f"not {kind}: {file}")
        return array

    def read(self, mark: Callable[[int], str | None]) -> Manifest | None:
        """The manifest of `find`; else None, and the log says why."""
        found = self.find(mark)
        if found.manifest is None:
            event("no saved index", reason=found.reason)
        return found.manifest

    def stamp(self) -> bytes:
        """What is another one once another index was saved; empty when there is none."""
        try:
            return self._manifest.read_bytes()
        except OSError:
            return b""

    def find(self, mark: Callable[[int], str | None]) -> Found:
        """The manifest, if it is of this lake, of a snapshot that is still there, and its files are as they were.

        `mark(snapshot)` is what the lake says of a snapshot.
        """
        try:
            content = self._manifest.read_bytes()
            layout = msgspec.json.decode(content, type=_Head).layout
            if layout != LAYOUT and _LAYOUTS.fullmatch(layout):
                return Found(None, f"its layout is {layout}")
            manifest = msgspec.json.decode(content, type=Manifest)
            reason = self._fault(manifest, mark)
        except FileNotFoundError:
            return Found(None, "there is none")
        except (OSError, msgspec.MsgspecError) as exc:
            return Found(None, f"{self._manifest} cannot be read: {exc}", damaged=True)
        return Found(manifest) if reason is None else Found(None, reason, damaged=True)

    def _fault(self, manifest: Manifest, mark: Callable[[int], str | None]) -> str | None:
        if manifest.layout != LAYOUT:
            return f"{self._manifest} has the layout {manifest.layout}"
        if manifest.mark != mark(manifest.snapshot):
            return f"{self._manifest} is not of this lake"
        for kind in _KINDS:
            file = self._file(kind, manifest.snapshot)
            if file.name not in manifest.files:
                return f"{file} is not in its manifest"
            try:
                if manifest.files[file.name] != _sum(file):
                    return f"{file} is damaged"
            except OSError as exc:
                return f"{file} cannot be read: {exc.strerror}"
        return None

    def commit(self, mark: str, snapshot: int, runs: int, first_day: int) -> Manifest:
        """The files of this snapshot are the saved index from now on; they know no day before `first_day`."""
        written = [self._file(kind, snapshot) for kind in _KINDS]
        for file in written:
            fsync(file)
        manifest = Manifest(LAYOUT, mark, snapshot, runs, first_day, {file.name: _sum(file) for file in written})
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
