"""Which row of a load made which run, to name it when a later row contradicts it.

Eight bytes a row, in a file without a name: nothing is looked up unless two rows clash.
"""

from __future__ import annotations

import tempfile
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake import duck
from runlake.intake.batch import IdWords

_NONE: Final = 0
_MIX: Final = np.uint64(0x9E3779B97F4A7C15)


class Piece(Struct, frozen=True):
    """A piece of what is loaded: where it is from, the number of its first row (from 1), and how many there are."""

    name: str
    first_row: int
    rows: int


class Written:
    """The rows of the pieces of a load, in order."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._pieces: list[Piece] = []

    def add(self, piece: Piece, placed: npt.NDArray[np.intp], ids: IdWords) -> None:
        """One piece more; its rows `placed` (from 0) became finished runs with these ids."""
        prints = np.full(piece.rows, _NONE, dtype=np.uint64)
        prints[placed] = _prints(ids)
        with duck.translated("noting which row made which run", full="TMPDIR names the folder; nothing was stored"):
            self._file.seek(0, 2)
            self._file.write(prints.tobytes())
            self._file.flush()
        self._pieces.append(piece)

    def find(self, ids: IdWords) -> list[tuple[str, int] | None]:
        """(name of the piece, number of the row) of each id; None for one that no row of this load has."""
        prints = _prints(ids)
        found: dict[int, tuple[str, int]] = {}
        self._file.seek(0)
        for piece in self._pieces:
            stored = np.frombuffer(self._file.read(8 * piece.rows), dtype=np.uint64)
            for row in np.flatnonzero(np.isin(stored, prints)):
                found.setdefault(int(stored[row]), (piece.name, piece.first_row + int(row)))
        return [found.get(int(one)) for one in prints]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._file.close()


def _prints(ids: IdWords) -> IdWords:
    """64 bits for each id, none of them _NONE."""
    mixed = ids[:, 0] * _MIX ^ ids[:, 1]
    return np.where(mixed == _NONE, _MIX, mixed)
