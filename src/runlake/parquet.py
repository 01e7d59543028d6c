"""Checking that a Parquet file is readable."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
from pyarrow import parquet

from runlake.errors import LakeDamaged

_BATCH: Final = 4096  # rows


def scan(path: str) -> int:
    """Read every value of a file, batch by batch; returns the number of rows. Raises LakeDamaged."""
    rows = 0
    try:
        with parquet.ParquetFile(path, pre_buffer=False) as file:
            for batch in file.iter_batches(_BATCH, use_threads=False):
                rows += len(batch)
    except (OSError, pa.ArrowException, ValueError, OverflowError) as exc:
        raise LakeDamaged(f"cannot read {path}: {' '.join(str(exc).split())}") from exc
    return rows
