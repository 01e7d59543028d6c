"""Row groups of Parquet files: which of them hold what is asked for, and their columns.

Files never change once they are named, so what is known of them is kept. A row group of some thousand rows is the
least that can be read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake import parquet, times
from runlake.columns import RUN_AT, STORED
from runlake.footers import Footer
from runlake.lake.catalog import DataFile
from runlake.query.kept import Kept

_MOST_BYTES: Final = 64 << 20  # of what is kept of files: about 1 KB a row group
_MANY: Final = 4  # files, from which on it is worth the while to read several at a time
Positions = npt.NDArray[np.intp]
P = TypeVar("P")
T = TypeVar("T")


class Groups(Struct, frozen=True):
    """The row groups of one file: where each starts, and the earliest and latest run time in it (microseconds)."""

    file: DataFile
    footer: Footer
    starts: Positions  # and, last, the number of rows
    low: npt.NDArray[np.int64]
    high: npt.NDArray[np.int64]

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return self.footer.size + int(self.starts.nbytes + self.low.nbytes + self.high.nbytes)

    def within(self, low: int, high: int) -> Positions:
        """Those that may hold run times low..high (half open)."""
        return np.flatnonzero((self.low < high) & (self.high >= low))

    def group_of(self, position: int) -> int:
        """The row group that holds a position of the file."""
        return int(np.searchsorted(self.starts, position, side="right")) - 1

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
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="runlake-decode")
        self._groups: Kept[Groups] = Kept(_MOST_BYTES, lambda groups: groups.size)

    def groups(self, file: DataFile) -> Groups:
        """The row groups of a file; raises LakeDamaged."""
        return self._groups.get(file.path, lambda: _groups(file))

    def columns(self, of: Groups, groups: Sequence[int], names: Sequence[str]) -> pa.Table:
        """Columns of some row groups; raises LakeDamaged."""
        return parquet.read(of.file.path, names, metadata=of.footer.of(groups))

    def rows(self, of: Groups, positions: Positions, names: Sequence[str]) -> pa.Table:
        """Columns of the rows at some positions, in their order; raises LakeDamaged."""
        groups, places = of.places(positions)
        return parquet.rows(of.file.path, names, metadata=of.footer.of(groups), places=places)

    def each(self, read: Callable[[P], T], parts: Sequence[P]) -> list[T]:
        """What `read` makes of each part, in order; of many parts, some at a time."""
        if len(parts) < _MANY:
            return [read(part) for part in parts]
        # One task a thread: what a part takes is not much more than handing it over.
        shares = [parts[start :: self._threads] for start in range(self._threads)]
        out: list[Any] = [None] * len(parts)
        for start, made in enumerate(self._pool.map(lambda share: [read(part) for part in share], shares)):
            out[start :: self._threads] = made
        return out

    def close(self) -> None:
        """End its threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)


def _groups(file: DataFile) -> Groups:
    metadata, footer = parquet.footer(file.path, STORED.names)
    number = metadata.schema.names.index(RUN_AT.name)
    groups = [metadata.row_group(i) for i in range(metadata.num_row_groups)]
    bounds = [_bounds(group.column(number).statistics) for group in groups]
    starts = np.cumsum([0, *(group.num_rows for group in groups)])
    low, high = np.array(bounds, dtype=np.int64).reshape(-1, 2).T
    return Groups(file, footer, starts, low, high)


def _bounds(statistics: Any) -> tuple[int, int]:
    """The least and the largest run time; any time at all where the file does not say."""
    if statistics is None or not statistics.has_min_max:
        return 0, times.MAX_US
    return int(statistics.min_raw), int(statistics.max_raw)


def micros(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Times that are never null, as microseconds since the epoch."""
    return np.asarray(column.cast(pa.int64()).to_numpy())
