"""Values of run rows: whole rows as tuples, run times and run days."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runlake import times
from runlake.columns import NAMES

Row = tuple[object, ...]


def row_tuples(rows: pa.Table, positions: npt.NDArray[np.intp]) -> list[Row]:
    """The rows at these positions as tuples of plain values, ids as bytes and times as microseconds."""
    if not len(positions):
        return []
    picked = rows.take(pa.array(positions))
    columns = []
    for name in NAMES:
        column = picked[name]
        if isinstance(column.type, pa.UuidType):
            column = pa.chunked_array([c.storage for c in column.chunks], pa.binary(16))
        elif pa.types.is_timestamp(column.type):
            column = column.cast(pa.int64())
        columns.append(column.to_pylist())
    return list(zip(*columns, strict=True))


def run_times(rows: pa.Table) -> npt.NDArray[np.int64]:
    """The run time of each row, in microseconds since the epoch."""
    run_at = pc.coalesce(rows["started_at"], rows["created_at"]).cast(pa.int64())
    return np.asarray(run_at.to_numpy())


def run_quarters(rows: pa.Table) -> npt.NDArray[np.int64]:
    """The quarter hour of each row's run time, as the id index has it: LAST_QUARTER for all later ones."""
    return np.minimum(run_times(rows) // times.QUARTER_US, times.LAST_QUARTER)


def run_days(rows: pa.Table) -> npt.NDArray[np.int64]:
    """The day (since the epoch) of each row's run time."""
    return run_times(rows) // times.DAY_US
