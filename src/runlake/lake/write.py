"""Writing admitted rows: one transaction, whose new files are synced before its COMMIT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from runlake import failpoints, times
from runlake.intake.batch import uuid_array
from runlake.lake.admit import Admission, Bools, Positions, Quarters
from runlake.lake.catalog import Lake
from runlake.lake.commit import Commit
from runlake.lake.rows import run_days


def verify(
    lake: Lake, rows: pa.Table, positions: Positions, quarters: Quarters, files: Sequence[str] | None = None
) -> tuple[Positions, Bools]:
    """Compare rows with the stored finished runs of their ids; see admit.Verify. With `files`, with their runs only."""
    first, last = quarters
    suspects = rows.take(pa.array(positions)).append_column("row", pa.array(positions, pa.int64()))
    with lake.given(suspects=suspects):
        window = {"first": first * times.QUARTER_US, "last": times.quarter_end(last)}
        if files is None:
            found = lake.execute("stored_equal", window)
        else:
            with lake.storage.reading(files):
                found = lake.execute("equal_in_files", {**window, "files": list(files)})
    return found["row"].to_numpy().astype(np.intp), found["equal"].to_numpy(zero_copy_only=False).astype(np.bool_)


def write_rows(lake: Lake, admission: Admission) -> tuple[pa.Table, pa.Table]:
    """Write the admitted rows and sync their files, inside the open transaction; returns (finished, opened) rows."""
    failpoints.reached("before-write")
    finished = _picked(admission.rows, admission.finished)
    opened = _picked(admission.rows, admission.opened)
    tables = ["open_runs"] if opened.num_rows or admission.closed else []
    new = lake.storage.new(days=np.unique(run_days(finished)).tolist(), tables=tables)
    with lake.given(finished=finished, opened=opened, closed=_ids(admission.closed)):
        if admission.closed:
            lake.execute("remove_open")
        if opened.num_rows:
            lake.execute("add_open")
        if finished.num_rows:
            lake.execute("add_finished")
    failpoints.reached("after-write")
    new.sync()
    failpoints.reached("after-sync")
    return finished, opened


def _picked(rows: pa.Table, positions: npt.NDArray[np.intp]) -> pa.Table:
    return rows if len(positions) == rows.num_rows else rows.take(pa.array(positions))


def _ids(closed: tuple[bytes, ...]) -> pa.Table:
    return pa.table({"id": uuid_array(b"".join(closed))})


def commit_rows(lake: Lake, admission: Admission, last_file: int) -> Commit | None:
    """Commit the admitted rows in one transaction; returns None when there is nothing to write.

    Afterwards the rows are durable: files, folders and catalog are synced. `last_file` is the highest number of a
    file so far.
    """
    if not (len(admission.finished) or len(admission.opened) or admission.closed):
        return None
    with lake.transaction():
        finished, opened = write_rows(lake, admission)
    failpoints.reached("after-commit")
    # Up to the limit DuckLake inlines the rows. Beyond it, the catalog says whether they are in files.
    added = tuple(lake.files(after=last_file)) if finished.num_rows > lake.settings.inline_rows else ()
    return Commit(
        snapshot=lake.committed(),
        finished=finished,
        in_files=bool(added),
        opened=opened,
        closed=admission.closed,
        added=added,
    )
