"""Percentiles of durations, from how many of them fell into each bucket."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from runlake.index.figures import middle_of

Numbers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
WIDTH: Final = 2048  # more than there are buckets: the longest time from 1970 to 9999 falls into number 1,896


class Buckets:
    """How many durations of each day, 0 to days - 1, fell into each bucket; as they come, one entry after the other."""

    def __init__(self, days: int) -> None:
        self._days = days
        self._parts: list[tuple[Numbers, Numbers, Numbers]] = []

    def add(self, day: Numbers, bucket: npt.NDArray[np.integer], n: npt.NDArray[np.integer]) -> None:
        """Add entries."""
        if len(n):
            self._parts.append((day, bucket.astype(np.int64), n.astype(np.int64)))

    def _all(self) -> tuple[Numbers, Numbers]:
        """(day << 16 | bucket, n) of all entries, ascending."""
        if not self._parts:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
        keys = [day << 16 | bucket for day, bucket, _ in self._parts]
        if len(keys) == 1 and bool((keys[0][1:] > keys[0][:-1]).all()):
            return keys[0], self._parts[0][2]
        key, n = np.concatenate(keys), np.concatenate([n for _, _, n in self._parts])
        order = np.argsort(key, kind="stable")
        return key[order], n[order]

    def by_day(self, p: float) -> Floats:
        """A percentile of each day, in microseconds; anything for a day of nothing."""
        key, n = self._all()
        if not len(key):
            return np.zeros(self._days)
        upto = np.concatenate([[0], np.cumsum(n)])
        bounds = upto[np.searchsorted(key, np.arange(self._days + 1) << 16)]
        rank = p * np.maximum(np.diff(bounds) - 1, 0)
        at = (np.searchsorted(upto, bounds[:-1] + whole, side="right") - 1 for whole in (np.floor(rank), np.ceil(rank)))
        low, high = (middle_of(key[np.minimum(entry, len(key) - 1)] & 0xFFFF) for entry in at)
        return np.asarray(low + (high - low) * (rank - np.floor(rank)))

    def together(self) -> Floats:
        """How many durations of all days fell into each bucket: WIDTH of them."""
        out = np.zeros(WIDTH)
        for _, bucket, n in self._parts:
            out += np.bincount(bucket, weights=n, minlength=WIDTH)
        return out


def percentile(counts: Floats, p: float) -> float:
    """A percentile of durations by bucket, in microseconds; the counts are not all zero."""
    return float(percentiles(counts.reshape(1, -1), p)[0])


def percentiles(counts: Floats, p: float) -> Floats:
    """A percentile of the durations of each row, by bucket, in microseconds; anything for a row of nothing."""
    upto = np.cumsum(counts, axis=1)
    rank = p * np.maximum(upto[:, -1] - 1, 0)
    ranks = np.minimum(np.stack([np.floor(rank), np.ceil(rank)]), upto[:, -1] - 1)  # below 0 for nothing
    # The first bucket up to which there are more than `rank`: as many as those up to which there are not.
    low, high = middle_of((upto <= ranks[:, :, None]).sum(axis=2))
    return np.asarray(low + (high - low) * (rank - np.floor(rank)))
