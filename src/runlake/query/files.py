"""Row groups of Parquet files: which of them hold what is asked for, and their columns.

Files never change once they are named, so what is known of them is kept. A row group of some thousand rows is the
least that can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct
from pyarrow import parquet as arrow_parquet

from runlake import parquet, times
from runlake.columns import RUN_AT, STORED
from runlake.lake.catalog import DataFile
from runlake.query.kept import Kept

_MOST_GROUPS: Final = 500_000  # whose bounds are kept, 24 bytes each
_MOST_FOOTERS: Final = 8_000  # row groups whose footers are kept as Arrow needs them: 13 KB each
_MANY: Final = 4  # files, from which on it is worth the while to read several at a time
Positions = npt.NDArray[np.intp]
P = TypeVar("P")
T = TypeVar("T")


class Groups(Struct, frozen=True):
    """The row groups of one file: where each starts, and the earliest and latest run time in it (microseconds)."""

    file: DataFile
    starts: Positions  # and, last, the number of rows
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    def within(self, low: int, high: int) -> Positions:
        """Those that may hold run times low..high (half open)."""
        return np.flatnonzero((self.low < high) & (self.high >= low))

    def positions(self, groups: Sequence[int]) -> Positions:
        """The positions in the file of the rows of some groups, as `Reader.columns` gives them."""
        return np.concatenate([np.arange(self.starts[group], self.starts[group + 1]) for group in groups])

    def places(self, positions: Positions) -> tuple[list[int], Positions]:
        """(groups, places): which groups to read for some rows, and where these are in what `columns` gives."""
        group_of = np.searchsorted(self.starts, positions, side="right") - 1
        groups = np.unique(group_of)
        sizes = self.starts[groups + 1] - self.starts[groups]
        begins = np.cumsum(sizes) - sizes
        return groups.tolist(), positions - self.starts[group_of] + begins[np.searchsorted(groups, group_of)]


class Reader:
    """Reads row groups, for any number of threads."""

    def __init__(self, threads: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="runlake-decode")
        self._groups: Kept[Groups] = Kept(_MOST_GROUPS, lambda groups: len(groups.low))
        self._footers: Kept[arrow_parquet.FileMetaData] = Kept(_MOST_FOOTERS, lambda footer: footer.num_row_groups)

    def groups(self, file: DataFile) -> Groups:
        """The row groups of a file; raises LakeDamaged."""
        return self._groups.get(file.path, lambda: _groups(file, self._footer(file.path)))

    def columns(self, of: Groups, groups: Sequence[int], names: Sequence[str]) -> pa.Table:
        """Columns of some row groups; raises LakeDamaged."""
        path = of.file.path
        return parquet.read(path, names, metadata=self._footer(path), groups=[int(group) for group in groups])

    def rows(self, of: Groups, positions: Positions, names: Sequence[str]) -> pa.Table:
        """Columns of the rows at some positions, in their order; raises LakeDamaged."""
        groups, places = of.places(positions)
        return parquet.rows(of.file.path, names, metadata=self._footer(of.file.path), groups=groups, places=places)

    def _footer(self, path: str) -> arrow_parquet.FileMetaData:
        return self._footers.get(path, lambda: parquet.footer(path, STORED.names))

    def each(self, read: Callable[[P], T], parts: Sequence[P]) -> Iterable[T]:
        """What `read` makes of each part, in order; of many parts, some at a time."""
        return map(read, parts) if len(parts) < _MANY else self._pool.map(read, parts)

    def close(self) -> None:
        """End its threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _groups(file: DataFile, metadata: arrow_parquet.FileMetaData) -> Groups:
    number = metadata.schema.names.index(RUN_AT.name)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    bounds = [_bounds(group.column(number).statistics) for group in groups]
    starts = np.cumsum([0, *(group.num_rows for group in groups)])
    low, high = np.array(bounds, dtype=np.int64).reshape(-1, 2).T
    return Groups(file, starts, low, high)


def _bounds(statistics: Any) -> tuple[int, int]:
    """The least and the largest run time; any time at all where the file does not say."""
    if statistics is None or not statistics.has_min_max:
        return 0, times.MAX_US
    return int(statistics.min_raw), int(statistics.max_raw)


def micros(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Times that are never null, as microseconds since the epoch."""
    return np.asarray(column.cast(pa.int64()).to_numpy())
