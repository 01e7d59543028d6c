"""Reading Parquet files through Arrow, without a query: some row groups and some columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pyarrow as pa
from pyarrow import parquet

from runlake.errors import LakeDamaged


@contextmanager
def reading(path: str) -> Iterator[None]:
    """Raise LakeDamaged, naming the file, for whatever goes wrong with it."""
    try:
        yield
    except (OSError, pa.ArrowException, UnicodeDecodeError, OverflowError) as exc:
        raise LakeDamaged(f"cannot read {path}: {' '.join(str(exc).split())}") from exc


def footer(path: str) -> parquet.FileMetaData:
    """What a file says of itself."""
    with reading(path):
        return parquet.read_metadata(path)


def read(
    path: str,
    columns: Sequence[str],
    *,
    metadata: parquet.FileMetaData | None = None,
    groups: Sequence[int] | None = None,
    threads: bool = False,
) -> pa.Table:
    """Columns of some row groups of a file, or of all of them, in the file's order."""
    with reading(path), parquet.ParquetFile(path, metadata=metadata) as file:
        if groups is None:
            return file.read(list(columns), use_threads=threads)
        return file.read_row_groups(list(groups), list(columns), use_threads=threads)
