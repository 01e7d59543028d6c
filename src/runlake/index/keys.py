"""From any id of the history to its hour, in 8 bytes a run: 43 bits of hash, 21 bits of hour.

Among a hundred million runs a strange id meets a key of its hash once in 90,000 questions; the stored rows decide.

The keys lie in a few sorted arrays, each at least twice as long as the next: adding merges small ones, a search
looks into all. Arrays are never changed, so a View may keep the tuple it got.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from runlake.times import LAST_HOUR

Keys = tuple[npt.NDArray[np.uint64], ...]
Halves = npt.NDArray[np.uint64]
Hours = npt.NDArray[np.int64]

_STRETCH: Final = 1 << 22
_LOW: Final = np.uint64(LAST_HOUR)
# Multipliers of MurmurHash3's 64-bit finaliser (Austin Appleby, public domain).
_M1: Final = np.uint64(0xFF51AFD7ED558CCD)
_M2: Final = np.uint64(0xC4CEB9FE1A85EC53)
_S33: Final = np.uint64(33)


def fingerprint(halves: Halves) -> npt.NDArray[np.uint64]:
    """43-bit hashes of ids given as an (n, 2) array, in the high bits; the low 21 bits are zero."""
    h = halves[:, 0] * _M1
    h ^= h >> _S33
    h ^= halves[:, 1]
    h *= _M2
    h ^= h >> _S33
    h *= _M1
    h ^= h >> _S33
    return h & ~_LOW


def make(halves: Halves, hours: Hours) -> npt.NDArray[np.uint64]:
    """Sorted keys of ids and the hours (since the epoch) of their run times."""
    keys = fingerprint(halves) | np.minimum(hours, LAST_HOUR).astype(np.uint64)
    keys.sort()
    return keys


def add(keys: Keys, new: npt.NDArray[np.uint64]) -> Keys:
    """`keys` with a sorted array added."""
    arrays = [*keys, new]
    while len(arrays) > 1 and len(arrays[-2]) < 2 * len(arrays[-1]):
        merged = np.concatenate([arrays.pop(), arrays.pop()])
        merged.sort(kind="stable")  # a merge of two sorted stretches, for numpy's radix or timsort
        arrays.append(merged)
    return tuple(a for a in arrays if len(a))


def locate(keys: Keys, halves: Halves) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """(positions, hours) of ids that are probably known; a wrong hit is a matter of 2^-43 a pair."""
    prints = fingerprint(halves)
    # In ascending order, or each search starts from a cold cache.
    order = np.argsort(prints)
    prints = prints[order]
    positions = [np.empty(0, dtype=np.intp)]
    hours = [np.empty(0, dtype=np.int64)]
    for array in keys:
        first = np.searchsorted(array, prints, side="left")
        hit = np.flatnonzero(array[np.minimum(first, len(array) - 1)] & ~_LOW == prints)
        if len(hit):
            first = first[hit]
            count = np.searchsorted(array, prints[hit] | _LOW, side="right") - first
            rows = np.repeat(order[hit], count)
            step = np.arange(len(rows)) - np.repeat(np.cumsum(count) - count, count)
            positions.append(rows)
            hours.append((array[np.repeat(first, count) + step] & _LOW).astype(np.int64))
    return np.concatenate(positions), np.concatenate(hours)


def stretches(keys: Keys, first_hour: int) -> Iterator[npt.NDArray[np.uint64]]:
    """All keys in order, those of earlier hours left out, a stretch at a time: memory does not grow with them."""
    if not keys:
        return
    largest = max(keys, key=len)
    starts = [0] * len(keys)
    for stop in range(_STRETCH, len(largest) + _STRETCH, _STRETCH):
        last = largest[stop] if stop < len(largest) else None
        ends = [len(a) if last is None else int(np.searchsorted(a, last)) for a in keys]
        stretch = np.concatenate([a[s:e] for a, s, e in zip(keys, starts, ends, strict=True)])
        stretch.sort()
        yield stretch[(stretch & _LOW) >= min(first_hour, LAST_HOUR)] if first_hour else stretch
        starts = ends


def size(keys: Keys) -> int:
    """How many runs the keys know."""
    return sum(len(array) for array in keys)
