"""Reading Parquet files through Arrow, without a query: some row groups and some columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import parquet

from runlake import footers
from runlake.errors import LakeDamaged
from runlake.footers import Footer

_LARGE: Final = 64 << 20  # bytes
_BATCH: Final = 64  # rows
_SCANNED: Final = 4096  # rows


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Raise LakeDamaged, naming the file, for whatever goes wrong with it."""
    try:
        yield
    except (OSError, pa.ArrowException, ValueError, OverflowError) as exc:
        raise LakeDamaged(f"cannot read {path}: {' '.join(str(exc).split())}") from exc


def footer(path: str, columns: Sequence[str]) -> tuple[parquet.FileMetaData, Footer]:
    """What a file says of itself, in full and small; it must have these columns."""
    with reading(path):
        found = parquet.read_metadata(path)
        missing = set(columns) - set(found.schema.names)
        if missing:
            raise LakeDamaged(f"{path}: has no column {', '.join(sorted(missing))}")
        return found, footers.small(path, found)


def rows(
    path: str, columns: Sequence[str], *, metadata: parquet.FileMetaData, places: npt.NDArray[np.intp]
) -> pa.Table:
    """Some rows of what `read` gives. Where that would take much memory, a part at a time."""
    with reading(path), parquet.ParquetFile(path, metadata=metadata, pre_buffer=False) as file:
        if _size(metadata, columns) <= _LARGE:
            return file.read(list(columns), use_threads=False).take(pa.array(places))
        order = np.argsort(places, kind="stable")
        found, start = [], 0
        for batch in file.iter_batches(_BATCH, columns=list(columns), use_threads=False):
            low, high = np.searchsorted(places[order], [start, start + len(batch)])
            if low < high:
                found.append(batch.take(pa.array(places[order[low:high]] - start)))
            start += len(batch)
        return pa.Table.from_batches(found).take(pa.array(np.argsort(order, kind="stable")))


def scan(path: str) -> None:
    """Read every value of a file, a little at a time; raises LakeDamaged when it cannot be read."""
    with reading(path), parquet.ParquetFile(path, pre_buffer=False) as file:
        for _ in file.iter_batches(_SCANNED, use_threads=False):
            pass


def _size(metadata: parquet.FileMetaData, columns: Sequence[str]) -> int:
    """Bytes of columns, before they are compressed."""
    numbers = [number for number, name in enumerate(metadata.schema.names) if name in columns]
    rows = [metadata.row_group(group) for group in range(metadata.num_row_groups)]
    return sum(int(row.column(number).total_uncompressed_size) for row in rows for number in numbers)


def read(
    path: str, columns: Sequence[str], *, metadata: parquet.FileMetaData | None = None, threads: bool = False
) -> pa.Table:
    """Columns of a file, in its order; of the row groups that `metadata` names, or of all of them."""
    with reading(path), parquet.ParquetFile(path, metadata=metadata, pre_buffer=False) as file:
        return file.read(list(columns), use_threads=threads)
