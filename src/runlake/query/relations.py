"""The relations an analyst sees, from a read-only look at a lake: `runs`, `finished_runs`, `open_runs`."""

from __future__ import annotations

import pyarrow as pa
from msgspec import Struct

from runlake import duck
from runlake.columns import select_list
from runlake.lake.catalog import DataFile, Lake
from runlake.query.sandbox import Sandbox
from runlake.settings import Settings


class Content(Struct, frozen=True):
    """All that one snapshot names: files, finished rows not in Parquet, open rows."""

    snapshot: int
    files: list[DataFile]
    inlined: pa.Table
    opened: pa.Table

    @property
    def finished(self) -> int:
        """Finished runs."""
        return sum(file.rows for file in self.files) + int(self.inlined.num_rows)


def content(lake: Lake) -> Content:
    """What the newest snapshot names, read in one transaction."""
    with lake.transaction():
        return Content(lake.snapshot(), lake.files(), lake.execute("inlined"), lake.execute("open"))


def sandbox(what: Content, settings: Settings, temp: str) -> Sandbox:
    """A locked Sandbox with the three relations over this content."""
    box = Sandbox(
        [file.path for file in what.files],
        threads=settings.threads,
        memory_limit=settings.memory_limit,
        temp_directory=temp,
    )
    columns = f"{select_list()}, run_at"
    box.table("recent_finished_runs", what.inlined)
    box.table("open_runs", what.opened)
    parts = [f"SELECT {columns} FROM recent_finished_runs"]  # noqa: S608 - our own column list
    if what.files:
        listed = ", ".join(duck.literal(file.path) for file in what.files)
        parts.append(f"SELECT {columns} FROM read_parquet([{listed}])")  # noqa: S608 - the catalog's paths
    box.view("finished_runs", " UNION ALL ".join(parts))
    opened = f"SELECT {select_list()}, coalesce(started_at, created_at) AS run_at FROM open_runs"  # noqa: S608
    box.view("runs", f"SELECT {columns} FROM finished_runs UNION ALL {opened}")  # noqa: S608
    box.lock()
    return box
