"""The rows of a bulk load that became finished runs, by id: which ids a load has stored itself, and in which row.

Eight bytes a row, in an unnamed temporary file, of which only chunks are read that a question is about.
"""

from __future__ import annotations

import tempfile
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake import duck
from runlake.intake.batch import IdWords
from runlake.lake.admit import Bools, Quarters

Hashes = npt.NDArray[np.uint64]
_NONE: Final = 0  # in place of a hash: the row made no finished run
_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)  # Fibonacci hashing (Knuth)


class LoadedChunk(Struct, frozen=True):
    """A chunk of the load: the name of its source, the number of its first row there (from 1), and its rows; and the
    first and last quarter hour (since the epoch) in which one of the finished runs began.
    """

    name: str
    first_row: int
    rows: int
    first_quarter: int
    last_quarter: int


class LoadedRows:
    """The rows of all chunks that a load has written so far."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._chunks: list[LoadedChunk] = []

    def add(self, chunk: LoadedChunk, positions: npt.NDArray[np.intp], ids: IdWords) -> None:
        """Add a chunk; its rows at `positions` (from 0) became finished runs with these ids."""
        hashes = np.full(chunk.rows, _NONE, dtype=np.uint64)
        hashes[positions] = _hashes(ids)
        with duck.translated("noting which row made which run", full="TMPDIR names the folder; nothing was stored"):
            self._file.seek(0, 2)
            self._file.write(hashes.tobytes())
            self._file.flush()
        self._chunks.append(chunk)

    def has(self, ids: IdWords, quarters: Quarters) -> Bools:
        """Flags of the ids that a row of the load has whose run began in these quarter hours."""
        first, last = quarters
        wanted = _hashes(ids)
        found = np.zeros(len(wanted), dtype=np.bool_)
        start = 0
        for chunk in self._chunks:
            if chunk.first_quarter <= last and first <= chunk.last_quarter:
                self._file.seek(start)
                found |= np.isin(wanted, np.frombuffer(self._file.read(8 * chunk.rows), dtype=np.uint64))
            start += 8 * chunk.rows
        return found

    def find(self, ids: IdWords) -> list[tuple[str, int] | None]:
        """The (source name, row number) that made the run of each id; None for ids that no row of the load has."""
        wanted = _hashes(ids)
        found: dict[int, tuple[str, int]] = {}
        self._file.seek(0)
        for chunk in self._chunks:
            hashes = np.frombuffer(self._file.read(8 * chunk.rows), dtype=np.uint64)
            for row in np.flatnonzero(np.isin(hashes, wanted)):
                found.setdefault(int(hashes[row]), (chunk.name, chunk.first_row + int(row)))
        return [found.get(int(one)) for one in wanted]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def _hashes(ids: IdWords) -> Hashes:
    """A 64-bit hash of each id, never _NONE. Should two ids share one, an error names the wrong row."""
    mixed = ids[:, 0] * _MULTIPLIER ^ ids[:, 1]
    return np.where(mixed == _NONE, _MULTIPLIER, mixed)
