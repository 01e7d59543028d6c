"""The lake: a DuckLake attached in a DuckDB instance. Only this file, catalogs, attach.py, lake.sql know DuckLake."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any, Final

import duckdb
import pyarrow as pa
from msgspec import Struct

from runlake import duck, macros
from runlake.columns import ARROW, NAMED, NUMBERED, STORED
from runlake.errors import LakeDamaged, LakeMissing
from runlake.lake.attach import layout_of
from runlake.lake.places import catalog_of, files_of
from runlake.lake.sql import LAYOUT, SQL
from runlake.lake.sync import make_folder
from runlake.model import TaskName, TaskNames, View
from runlake.paths import Paths, day_of
from runlake.settings import Settings

# The Arrow tables that statements of lake.sql read, by name, with their schemas.
_SLOTS: Final = {
    "finished": ARROW,
    "opened": ARROW,
    "closed": pa.schema([ARROW.field("id")]),
    "suspects": NUMBERED,
    "named": NAMED,
}
# Options that the catalog must not have, or they would override the setting that `inlining` changes.
_SESSION_OPTIONS: Final = {"data_inlining_row_limit"}
# Files of version 2 are smaller and quicker to read than files of version 1. The option as DuckLake stores it; in
# `set_option` it is called 2.
_PARQUET_VERSION: Final = "V2"
_INLINED_TABLE: Final = re.compile(r"ducklake_inlined_data_[0-9]+_[0-9]+")


class DataFile(Struct, frozen=True):
    """A live Parquet file of finished runs: catalog number, path, UTC day (since the epoch), rows, size in bytes."""

    number: int
    path: str
    day: int
    rows: int
    size: int


class Lake:
    """An attached lake, which one thread at a time may use. `catalog` and `storage` say where it lies.

    With `write` it holds the write lock, and makes the lake if there is none. Raises LakeLocked, LakeMissing,
    LakeVersion or LakeDamaged.
    """

    def __init__(self, paths: Paths, settings: Settings, *, write: bool) -> None:
        self.paths = paths
        self.settings = settings
        self.catalog = catalog_of(paths, settings)
        self.storage = files_of(paths, settings, write=write)
        self._write = write
        self._threads = settings.threads
        self._slots = {name: duck.Slot(schema) for name, schema in _SLOTS.items()}
        if not write and not self.catalog.exists():
            place = self.catalog.place
            raise LakeMissing(f"there is no lake in {place}", hint="`runlake import` or `serve` makes one")
        if write:
            self.catalog.lock()
        try:
            with duck.translated(f"opening the lake {self.catalog.place}", disk=paths.folder):
                self._con = self._connect()
            with self.catalog.opening():
                self._attach()
        except BaseException:
            self.close()
            raise

    def _connect(self) -> duckdb.DuckDBPyConnection:
        if self._write:
            make_folder(self.paths.spill)
        con = duck.connect(
            threads=self.settings.threads,
            memory_limit=self.settings.memory_limit,
            temp=self.paths.spill if self._write else None,
        )
        self.catalog.prepare(con)
        self.storage.prepare(con, write=self._write)
        con.execute(SQL["inline"], {"value": self.settings.inline_rows})
        for name, slot in self._slots.items():
            con.register(name, slot)
        return con

    def _attach(self) -> None:
        if self._write:
            if not self.catalog.exists():
                self._create()
            self._write_options()
        self.catalog.attach(self._con, self._data_path, write=self._write)
        self.layout = layout_of(self._con, self.catalog.place)
        if self._write:
            self._renew()

    def _create(self) -> None:
        """Make the catalog.

        Raises LakeDamaged when there are Parquet files, of a lake whose catalog is lost: clean-up would delete them.
        """
        if self.storage.any():
            raise LakeDamaged(
                f"{self.catalog.name} is gone, but its Parquet files are in {self.storage.root}",
                hint="restore the catalog, or make a new lake in another folder and import the files",
            )
        with self.catalog.creating(self._con, self._data_path), self.transaction():
            for step in (*_CREATION, *_SECOND):
                self._con.execute(SQL[step])
            self._add_macros()

    def _renew(self) -> None:
        """Add what layout 1 does not have, and put our macros in place of those of another version; no run changes."""
        missing = () if self.layout == LAYOUT else _SECOND
        if not missing and self._con.execute(SQL["comment"], {"table": "task_names"}).fetchone() == (macros.MARK,):
            return
        with self.transaction():
            for step in missing:
                self._con.execute(SQL[step])
            self._add_macros()
        self.layout = LAYOUT

    def _add_macros(self) -> None:
        """For whoever attaches the lake. Inside the transaction."""
        for statement in (*macros.definitions("lake."), SQL["mark_macros"]):
            self._con.execute(statement)

    @property
    def _data_path(self) -> str:
        return f"{self.storage.root}/"

    def _write_options(self) -> None:
        """Write options that DuckLake reads at ATTACH: ours, and the data path, as the folder may have moved.

        This goes past DuckLake, because `set_option` of DuckLake 1.5.5 crashes the process once the lake has a view.
        """
        s = self.settings
        wanted = {
            "data_path": self._data_path,
            "parquet_compression": s.parquet_codec,
            "parquet_version": _PARQUET_VERSION,
            "parquet_row_group_size": str(s.row_group_rows),
        }
        self.catalog.attach_tables(self._con, "tuning")
        try:
            current = dict(
                self._con.execute("SELECT key, value FROM tuning.ducklake_metadata WHERE scope IS NULL").fetchall()
            )
            changed = {key: value for key, value in wanted.items() if current.get(key) != value}
            self._con.execute("BEGIN")
            for key in (*changed, *(_SESSION_OPTIONS & current.keys())):
                self._con.execute("DELETE FROM tuning.ducklake_metadata WHERE key = $key", {"key": key})
            for key, value in changed.items():
                self._con.execute(
                    "INSERT INTO tuning.ducklake_metadata (key, value) VALUES ($key, $value)",
                    {"key": key, "value": value},
                )
            self._con.execute("COMMIT")
        finally:
            self._con.execute("DETACH tuning")

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """Run a statement of lake.sql, by name; returns its rows."""
        with duck.translated(f"lake: {statement}"):
            return self._con.execute(SQL[statement], dict(parameters or {})).to_arrow_table()

    def given(self, **tables: pa.Table) -> AbstractContextManager[None]:
        """Let the statements inside the block read these Arrow tables, which are some of _SLOTS."""
        return duck.given(self._slots, tables)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """A transaction around the block; any error rolls it back."""
        with duck.translated("lake transaction"):
            self._con.execute("BEGIN")
        try:
            yield
            with duck.translated("commit"):
                self._con.execute("COMMIT")
        except BaseException:
            with suppress(duckdb.Error):
                self._con.execute("ROLLBACK")
                self._con.execute(SQL["inline"], {"value": self.settings.inline_rows})
            raise

    @contextmanager
    def inlining(self, rows: int) -> Iterator[None]:
        """Inside the block, which must be inside a transaction, DuckLake inlines at most so many rows, or deletions."""
        self.execute("inline", {"value": rows})
        yield  # after an error no statement can run before the ROLLBACK, and `transaction` restores the setting then
        self.execute("inline", {"value": self.settings.inline_rows})

    def use_threads(self, most: int) -> None:
        """Set the number of threads of a statement. One is best for a small commit: to wake others takes longer."""
        wanted = min(most, self.settings.threads)
        if wanted != self._threads:
            self.execute("threads", {"value": wanted})
            self._threads = wanted

    def names(self) -> pa.Table:
        """The names of tasks, with the schema columns.NAMED, in the order of their ids."""
        return self.execute("names").cast(NAMED) if self.layout == LAYOUT else NAMED.empty_table()

    def task_names(self) -> TaskNames:
        """The names of tasks, in the order of their ids."""
        return TaskNames({row.pop("task_id"): TaskName(**row) for row in self.names().to_pylist()})

    def views(self) -> list[View]:
        """The shared views, in the order of their names."""
        if self.layout != LAYOUT:
            return []
        return [View(**row) for row in self.execute("views").to_pylist()]

    def horizon(self) -> int | None:
        """The first day (since the epoch) whose finished runs are kept; None while retention has dropped nothing."""
        if not self.execute("has_horizon").column(0)[0].as_py():
            return None
        return self._number("horizon")

    def _number(self, statement: str) -> int:
        return int(self.execute(statement).column(0)[0].as_py())

    def snapshots(self) -> int:
        """The number of snapshots."""
        return self._number("snapshots")

    def snapshot(self) -> int:
        """The number of the newest snapshot."""
        return self._number("snapshot")

    def committed(self) -> int:
        """The number of the snapshot that the last transaction here has made; no query of the catalog."""
        return self._number("committed")

    def lineage(self, snapshot: int) -> str | None:
        """An id of this snapshot that no snapshot of another lake or history has; None when it has expired."""
        found = self.execute("lineage", {"snapshot": snapshot}).column(0).to_pylist()
        return str(found[0]) if found else None

    def inserted(self, after: int, last: int, rows: int = 500_000) -> Iterator[pa.Table]:
        """Finished runs that were inserted after the snapshot `after`, which must not have expired, and until `last`.

        Yields tables of at most `rows` rows with the schema columns.STORED. No other statement may run meanwhile.
        """
        with duck.translated("lake: inserted"):
            reader = self._con.execute(SQL["inserted"], {"after": after, "last": last}).to_arrow_reader(rows)
            for batch in reader:
                yield pa.Table.from_batches([batch])

    def files(self, after: int = -1) -> list[DataFile]:
        """Live files of finished runs whose catalog number is above `after`."""
        root = self.storage.path("main/finished_runs")
        rows = self.execute("files", {"table": "finished_runs", "after": after}).to_pydict()
        return [
            DataFile(int(number), f"{root}/{path}", day_of(path), int(count), int(size))
            for number, path, count, size in zip(*rows.values(), strict=True)
        ]

    def every_file(self) -> dict[str, int]:
        """The size in bytes of every live file of every table, by path."""
        rows = zip(*self.execute("every_file").to_pydict().values(), strict=True)
        return {self.storage.path(path): int(size) for path, size, inside in rows if inside}

    def inlined(self) -> pa.Table:
        """The inlined rows of finished runs, with the schema columns.STORED."""
        parts = list(self._of_inlined("finished_runs", "inlined_rows"))
        return pa.concat_tables(parts) if parts else STORED.empty_table()

    def dead_open_rows(self) -> int:
        """The number of replaced versions of open runs that the catalog still keeps."""
        return sum(int(found.column(0)[0].as_py()) for found in self._of_inlined("open_runs", "inlined_dead"))

    def _of_inlined(self, table: str, statement: str) -> Iterator[pa.Table]:
        """The results of a statement for each table of inlined rows that the catalog has for `table`."""
        for name in self.execute("inlined_tables", {"table": table}).column(0).to_pylist():
            if not _INLINED_TABLE.fullmatch(name):
                raise LakeDamaged(f"the catalog names a table {name!r}")
            with duck.translated(f"lake: {statement}"):
                filled = SQL[statement].replace("{inlined}", name).replace("{casts}", self.catalog.inlined)
                yield self._con.execute(filled).to_arrow_table()

    def expire(self, before: int, keep: Sequence[int]) -> None:
        """Forget the snapshots made before a time (microseconds), except the newest one and those to keep."""
        versions = self.execute("old_snapshots", {"before": before, "keep": list(keep)}).column(0)[0].as_py()
        if versions:
            with duck.translated("lake: expire"):
                self._con.execute(SQL["expire"].replace("{versions}", versions))

    def clean(self, before: int) -> None:
        """Delete the files that were replaced before a time (microseconds)."""
        for statement in self.catalog.before_clean:
            self.execute(statement)
        self.execute("clean", {"before": before})

    def close(self) -> None:
        """Detach the lake and release the lock; a second call does nothing."""
        con = getattr(self, "_con", None)
        if con is not None:
            con.close()
        self.catalog.close()


_CREATION: Final = (
    "create_finished",
    "partition_finished",
    "sort_finished",
    "create_open",
    "create_runs",
)
_SECOND: Final = ("create_names", "create_views", "mark_layout")  # came with layout 2, and macros
