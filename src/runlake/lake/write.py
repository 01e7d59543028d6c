"""Writing admitted rows: one transaction, whose new files are synced before its COMMIT."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec.structs import replace

from runlake import failpoints, times
from runlake.intake.batch import uuid_array
from runlake.lake.admit import Admission, Bools, Positions, Quarters
from runlake.lake.catalog import Lake
from runlake.lake.commit import NO_SNAPSHOT, Commit
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


def changes(admission: Admission) -> Commit | None:
    """What the admitted rows change, as a commit that has no snapshot yet; None when they change nothing."""
    if not (len(admission.finished) or len(admission.opened) or admission.closed):
        return None
    finished, opened = (_picked(admission.rows, rows) for rows in (admission.finished, admission.opened))
    return Commit(snapshot=NO_SNAPSHOT, finished=finished, opened=opened, closed=admission.closed)


def write_rows(lake: Lake, changed: Commit) -> None:
    """Write the rows of `changes` and sync their files, inside the open transaction."""
    failpoints.reached("before-write")
    tables = ["open_runs"] if changed.opened.num_rows or changed.closed else []
    new = lake.storage.new(days=np.unique(run_days(changed.finished)).tolist(), tables=tables)
    with lake.given(finished=changed.finished, opened=changed.opened, closed=_ids(changed.closed)):
        if changed.closed:
            lake.execute("remove_open")
        if changed.opened.num_rows:
            lake.execute("add_open")
        if changed.finished.num_rows:
            lake.execute("add_finished")
    failpoints.reached("after-write")
    new.sync()
    failpoints.reached("after-sync")


def _picked(rows: pa.Table, positions: npt.NDArray[np.intp]) -> pa.Table:
    return rows if len(positions) == rows.num_rows else rows.take(pa.array(positions))


def _ids(closed: tuple[bytes, ...]) -> pa.Table:
    return pa.table({"id": uuid_array(b"".join(closed))})


def commit_rows(lake: Lake, changed: Commit, last_file: int) -> Commit:
    """Commit the rows of `changes` in one transaction; returns the commit.

    Afterwards the rows are durable: files, folders and catalog are synced. `last_file` is the highest number of a
    file so far.
    """
    with lake.transaction():
        write_rows(lake, changed)
    failpoints.reached("after-commit")
    # Up to the limit DuckLake inlines the rows. Beyond it, the catalog says whether they are in files.
    added = () if is_inlined(lake, changed) else tuple(lake.files(after=last_file))
    return replace(changed, snapshot=lake.committed(), in_files=bool(added), added=added)


def is_inlined(lake: Lake, changed: Commit) -> bool:
    """Whether DuckLake will certainly inline the finished runs of `changes`."""
    return int(changed.finished.num_rows) <= lake.settings.inline_rows
