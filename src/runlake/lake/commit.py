"""What one snapshot changed."""

from __future__ import annotations

import pyarrow as pa
from msgspec import Struct

from runlake.columns import ARROW
from runlake.lake.catalog import DataFile

NO_ROWS = ARROW.empty_table()


class Commit(Struct, frozen=True, kw_only=True):
    """The difference a snapshot makes.

    finished    rows that became history, with the schema columns.ARROW
    in_files    whether those rows went to Parquet (the files are in `files`) or stayed in the catalog
    opened      rows that are now the open version of their id
    closed      16-byte ids whose open version until now is gone
    flushed     all finished rows of the catalog moved to Parquet
    horizon     the first day kept from now on, when whole days before it went; then `files` is given
    files       every live file, when they changed otherwise than by adding; else the added ones in `added`
    """

    snapshot: int
    finished: pa.Table = NO_ROWS
    in_files: bool = False
    opened: pa.Table = NO_ROWS
    closed: tuple[bytes, ...] = ()
    flushed: bool = False
    added: tuple[DataFile, ...] = ()
    files: tuple[DataFile, ...] | None = None
    horizon: int | None = None
