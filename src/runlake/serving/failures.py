"""Failed runs, each with the group of alike errors that it belongs to."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from runlake.serving.database import FAILED, Database
from runlake.serving.sql import APPLY

_FAILURE: Final = pa.scalar(False)


def add(database: Database, rows: pa.Table) -> None:
    """Add the failed runs of `incoming`, which are these rows. Inside the transaction."""
    if pc.any(pc.equal(rows["success"], _FAILURE)).as_py():
        add_grouped(database, database.prepared("group_errors", APPLY["group_errors"]))


def add_grouped(database: Database, failed: pa.Table) -> None:
    """Add failed runs, with the columns of database.FAILED, and the groups of their errors that are new."""
    with database.given(failed=failed.cast(FAILED)):
        for name in ("add_groups", "add_failed"):
            database.execute(APPLY[name])
