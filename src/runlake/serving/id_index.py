"""From any id of the history to its quarter hour, in 8 bytes a run: 41 bits of hash, 23 bits of quarter hour.

Among a hundred million runs a strange id meets a key of its hash once in 20,000 questions; the stored rows decide.

The keys lie in sorted arrays, merged like the runs of an LSM tree (O'Neil et al., 1996): a new array is merged with
the ones before it until each is at least twice as long as the next, or LARGEST keys long. A search looks into all.
Arrays are never changed, so a reader may keep the tuple it got while the writer goes on. Nothing in DuckDB answers a
thousand random ids in two milliseconds at this size.
"""

from __future__ import annotations

import itertools
import uuid
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from runlake.lake.sync import fsync
from runlake.times import LAST_QUARTER

Keys = npt.NDArray[np.uint64]
LARGEST: Final = 1 << 25  # keys of one array: merging two of these would hold up the writer for too long
_MAPPED: Final = 1 << 17  # from so many keys on a saved array is mapped from its file and takes no memory of its own
_LOW: Final = np.uint64(LAST_QUARTER)
_PREFIX: Final = "ids-"
_SUFFIX: Final = ".keys"
# Multipliers of MurmurHash3's 64-bit finaliser (Austin Appleby, public domain).
_M1: Final = np.uint64(0xFF51AFD7ED558CCD)
_M2: Final = np.uint64(0xC4CEB9FE1A85EC53)
_S33: Final = np.uint64(33)


def fingerprint(words: npt.NDArray[np.uint64]) -> Keys:
    """41-bit hashes of ids given as an (n, 2) array of big-endian words, in the high bits; the low 23 bits are zero."""
    h = words[:, 0] * _M1
    h ^= h >> _S33
    h ^= words[:, 1]
    h *= _M2
    h ^= h >> _S33
    h *= _M1
    h ^= h >> _S33
    return h & ~_LOW


def make(words: npt.NDArray[np.uint64], quarters: npt.NDArray[np.int64]) -> Keys:
    """Sorted keys of ids, an (n, 2) array, and the quarter hours (since the epoch) of their run times."""
    keys = fingerprint(words) | np.minimum(quarters, LAST_QUARTER).astype(np.uint64)
    keys.sort()
    return keys


class IdIndex:
    """The keys of all finished runs. One thread adds, any thread locates."""

    def __init__(self) -> None:
        self._arrays: tuple[Keys, ...] = ()
        self._files: dict[int, str] = {}  # of the arrays that are saved, by their identity

    def __len__(self) -> int:
        """How many keys there are; a run may have more than one."""
        return sum(map(len, self._arrays))

    def add(self, keys: Keys) -> None:
        """Add sorted keys; those that are there already do no harm."""
        arrays = [*self._arrays, keys] if len(keys) else list(self._arrays)
        while len(arrays) > 1 and len(arrays[-2]) < 2 * len(arrays[-1]):
            if len(arrays[-2]) + len(arrays[-1]) > LARGEST:
                break
            merged = np.concatenate([arrays.pop(), arrays.pop()])
            merged.sort(kind="stable")  # two sorted runs: a merge
            arrays.append(merged)
        self._replace(arrays)

    def _replace(self, arrays: Sequence[Keys]) -> None:
        self._arrays = tuple(arrays)
        self._files = {id(array): self._files[id(array)] for array in arrays if id(array) in self._files}

    def locate(self, words: npt.NDArray[np.uint64]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
        """(positions, quarters) of ids, an (n, 2) array, that are probably known; a position may come more than once.

        The quarter LAST_QUARTER stands for itself and all later ones.
        """
        prints = fingerprint(words)
        # In ascending order, or each search starts from a cold cache.
        order = np.argsort(prints)
        prints = prints[order]
        positions = [np.empty(0, dtype=np.intp)]
        quarters = [np.empty(0, dtype=np.int64)]
        for array in self._arrays:
            first = np.searchsorted(array, prints, side="left")
            hit = np.flatnonzero(array[np.minimum(first, len(array) - 1)] & ~_LOW == prints)
            if len(hit):
                first = first[hit]
                count = np.searchsorted(array, prints[hit] | _LOW, side="right") - first
                rows = np.repeat(order[hit], count)
                step = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
                positions.append(rows)
                quarters.append((array[np.repeat(first, count) + step] & _LOW).astype(np.int64))
        return np.concatenate(positions), np.concatenate(quarters)

    def quarters(self, run_id: uuid.UUID) -> list[int]:
        """The quarter hours in which the run of an id may have begun; see `locate`."""
        words = np.array([[run_id.int >> 64, run_id.int & (2**64 - 1)]], dtype=np.uint64)
        return [int(quarter) for quarter in np.unique(self.locate(words)[1])]

    def forget_before(self, quarter: int) -> None:
        """Let the keys of earlier quarters go, array by array, where they are an eighth of it or more."""
        kept = []
        for array in self._arrays:
            later = (array & _LOW) >= np.uint64(min(quarter, LAST_QUARTER))
            gone = len(array) - int(np.count_nonzero(later))
            kept.append(array[later] if 8 * gone >= len(array) else array)
        self._replace([array for array in kept if len(array)])

    def save(self, folder: Path) -> list[str]:
        """Write the arrays that are not saved yet, durably, and return the names of all files, in order.

        Large arrays are mapped from their files from now on. Raises OSError.
        """
        taken = {path.name.split("-")[1] for path in folder.glob(f"{_PREFIX}*{_SUFFIX}")}
        numbers = (number for number in map(str, itertools.count()) if number not in taken)
        arrays, names = [], []
        for array in self._arrays:
            kept, name = array, self._files.get(id(array))
            if name is None:
                name = f"{_PREFIX}{next(numbers)}-{zlib.crc32(array.data):08x}{_SUFFIX}"
                array.tofile(folder / name)
                fsync(folder / name)
                kept = _opened(folder / name) if len(array) >= _MAPPED else array
            arrays.append(kept)
            names.append(name)
        if names:
            fsync(folder)
        self._arrays = tuple(arrays)
        self._files = dict(zip(map(id, arrays), names, strict=True))
        return names

    def load(self, folder: Path, names: Sequence[str]) -> None:
        """Use saved arrays; raises OSError or ValueError for a file that is gone, cut or changed."""
        arrays = [_loaded(folder / name) for name in names]
        self._arrays = tuple(arrays)
        self._files = dict(zip(map(id, arrays), names, strict=True))


def remove_others(folder: Path, names: Sequence[str]) -> None:
    """Delete the saved arrays that are not among these."""
    for path in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        if path.name not in names:
            path.unlink()


def _loaded(path: Path) -> Keys:
    """A saved array; its checksum is in its name. The file is nothing but the keys: no byte of it is read unchecked."""
    array = _opened(path)
    if not path.stem.endswith(f"-{zlib.crc32(array.data):08x}"):
        raise ValueError(f"{path} is damaged")
    return array


def _opened(path: Path) -> Keys:
    mapped = path.stat().st_size >= 8 * _MAPPED
    return np.memmap(path, dtype=np.uint64, mode="r") if mapped else np.fromfile(path, dtype=np.uint64)
