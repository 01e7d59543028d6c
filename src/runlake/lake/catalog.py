"""The lake itself: a DuckLake attached in one DuckDB instance. All that knows DuckLake's ways is in this file,
attach.py and lake.sql."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
from msgspec import Struct

from runlake import duck
from runlake.columns import ARROW, NUMBERED, STORED
from runlake.errors import LakeDamaged, LakeMissing
from runlake.lake.attach import attach_statement, check_layout, load_extensions
from runlake.lake.checksums import Checksums
from runlake.lake.lock import WriteLock, locked
from runlake.lake.sql import SQL
from runlake.lake.sync import make_folder, replace_file
from runlake.lake.wal import WalHolder
from runlake.paths import Paths, day_of
from runlake.settings import Settings

# What statements of a transaction may be given, by name.
_SLOTS: Final = {
    "finished": ARROW,
    "opened": ARROW,
    "closed": pa.schema([ARROW.field("id")]),
    "suspects": NUMBERED,
}
# An option of the catalog would win over the setting of the session, which `nothing_inlined` changes.
_SESSION_OPTIONS: Final = {"data_inlining_row_limit"}
# Version 2 has encodings of numbers and texts that are smaller than those of version 1, and quicker to read.
# The option as DuckLake stores it: `set_option` takes a 2 for it.
_PARQUET_VERSION: Final = "V2"
_NO_CATALOG: Final = re.compile(r"not a database|malformed|does not exist")
_INLINED_TABLE: Final = re.compile(r"ducklake_inlined_data_[0-9]+_[0-9]+")


class DataFile(Struct, frozen=True):
    """One live Parquet file of the finished runs: its catalog number, path, UTC day, rows and bytes."""

    number: int
    path: str
    day: int
    rows: int
    size: int


class Lake:
    """One attached lake. With `write` it holds the write lock, and makes the lake if there is none.

    Raises LakeLocked, LakeMissing, LakeVersion or LakeDamaged. One thread at a time may use it.
    """

    def __init__(self, paths: Paths, settings: Settings, *, write: bool) -> None:
        self.paths = paths
        self.settings = settings
        self.checksums = Checksums(paths)
        self._write = write
        self._threads = settings.threads
        self._lock: WriteLock | None = None
        self._wal: WalHolder | None = None
        self._slots = {name: duck.Slot(schema) for name, schema in _SLOTS.items()}
        if not write and not paths.catalog.is_file():
            raise LakeMissing(f"there is no lake in {paths.folder}", hint="`runlake import` or `serve` makes one")
        if write:
            self._lock = locked(paths)
        try:
            with duck.translated(f"opening the lake {paths.folder}", disk=paths.folder):
                self._con = self._connect()
            with duck.translated(f"opening the catalog {paths.catalog}", disk=paths.folder):
                self._attach()
        except BaseException as exc:
            self.close()
            if isinstance(exc, LakeDamaged) and _NO_CATALOG.search(exc.detail):
                raise LakeDamaged(f"{paths.catalog} is no catalog of a lake", hint="restore it from a backup") from exc
            raise

    def _connect(self) -> duckdb.DuckDBPyConnection:
        if self._write:
            for folder in (self.paths.files, self.paths.spill):
                make_folder(folder)
            self.paths.backup_mark.unlink(missing_ok=True)  # from now on it is a lake of its own
        con = duck.connect(
            threads=self.settings.threads,
            memory_limit=self.settings.memory_limit,
            temp=self.paths.spill if self._write else None,
        )
        load_extensions(con)
        con.execute(SQL["inline"], {"value": self.settings.inline_rows})
        for name, slot in self._slots.items():
            con.register(name, slot)
        return con

    def _attach(self) -> None:
        if self._write:
            if not self.paths.catalog.exists():
                self._create()
            self._tune(self.paths.catalog)
            self._wal = WalHolder(self.paths.catalog)
        self._con.execute(self._attach_statement(self.paths.catalog))
        check_layout(self._con, self.paths)

    def _create(self) -> None:
        """Make the catalog under another name, so that a crash leaves no half of one.

        Never over the files of a lake whose catalog is lost: clean-up would take them for orphans.
        """
        if any(self.paths.files.rglob("*.parquet")):
            raise LakeDamaged(
                f"{self.paths.catalog} is gone, but its Parquet files are in {self.paths.files}",
                hint="restore the catalog, or make a new lake in another folder and import the files",
            )
        part = self.paths.unfinished_catalog
        for leftover in part.parent.glob(f"{part.name}*"):
            leftover.unlink()
        self._con.execute(self._attach_statement(part))
        with self.transaction():
            for step in _CREATION:
                self._con.execute(SQL[step])
        self._con.execute("DETACH lake")
        replace_file(part, self.paths.catalog)

    def _attach_statement(self, catalog: Path) -> str:
        # A reader must not say what the journal is: a backup has another, on a medium that may be read-only.
        mode = "META_JOURNAL_MODE 'WAL'" if self._write else "READ_ONLY"
        return attach_statement(f"sqlite:{catalog}", f"{self.paths.files}/", mode)

    def _tune(self, catalog: Path) -> None:
        """Write what DuckLake reads at ATTACH: our options, and the data path if the folder has moved.

        Through SQLite, because in 1.5.5 `set_option` crashes the process once the lake has a view.
        """
        s = self.settings
        wanted = {
            "data_path": f"{self.paths.files}/",
            "parquet_compression": s.parquet_codec,
            "parquet_version": _PARQUET_VERSION,
            "parquet_row_group_size": str(s.row_group_rows),
        }
        self._con.execute(f"ATTACH {duck.literal(catalog)} AS tuning (TYPE sqlite)")
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
        """Run one statement of lake.sql, by name, and fetch its rows."""
        with duck.translated(f"lake: {statement}"):
            return self._con.execute(SQL[statement], dict(parameters or {})).to_arrow_table()

    def given(self, **tables: pa.Table) -> AbstractContextManager[None]:
        """Arrow tables that the statements inside may name: those of _SLOTS, with their schemas."""
        return duck.given(self._slots, tables)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """BEGIN and COMMIT; any error rolls back and leaves nothing."""
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
    def nothing_inlined(self) -> Iterator[None]:
        """Inside, which is inside a transaction, not even a few rows are written or deleted by way of the catalog."""
        self.execute("inline", {"value": 0})
        yield  # an error ends the transaction, and that restores it: until then no statement can
        self.execute("inline", {"value": self.settings.inline_rows})

    def use_threads(self, most: int) -> None:
        """Let so many share a statement from now on. One is best for a small commit: to wake others costs more."""
        wanted = min(most, self.settings.threads)
        if wanted != self._threads:
            self.execute("threads", {"value": wanted})
            self._threads = wanted

    def horizon(self) -> int | None:
        """The first day (days since the epoch) whose finished runs are kept; None while nothing was ever dropped."""
        if not self.execute("has_horizon").column(0)[0].as_py():
            return None
        return self._number("horizon")

    def _number(self, statement: str) -> int:
        return int(self.execute(statement).column(0)[0].as_py())

    def snapshots(self) -> int:
        """How many snapshots there are."""
        return self._number("snapshots")

    def snapshot(self) -> int:
        """The number of the newest snapshot."""
        return self._number("snapshot")

    def committed(self) -> int:
        """The number of the snapshot that the last transaction here has made; no catalog is asked."""
        return self._number("committed")

    def mark(self, snapshot: int) -> str | None:
        """What tells this snapshot from those of the same number elsewhere; None when it is gone."""
        found = self.execute("mark", {"snapshot": snapshot}).column(0).to_pylist()
        return str(found[0]) if found else None

    def inserted(self, after: int, last: int, rows: int = 500_000) -> Iterator[pa.Table]:
        """Finished runs that came after the snapshot `after` (it must still be there), up to and with `last`.

        The schema is columns.STORED. Nothing else may be asked of the lake until the last piece is there.
        """
        with duck.translated("lake: inserted"):
            reader = self._con.execute(SQL["inserted"], {"after": after, "last": last}).to_arrow_reader(rows)
            for batch in reader:
                yield pa.Table.from_batches([batch])

    def files(self, after: int = -1) -> list[DataFile]:
        """Live files of the finished runs whose catalog number is above `after`."""
        root = self.paths.table("finished_runs")
        rows = self.execute("files", {"table": "finished_runs", "after": after}).to_pydict()
        return [
            DataFile(int(number), str(root / path), day_of(path), int(count), int(size))
            for number, path, count, size in zip(*rows.values(), strict=True)
        ]

    def every_file(self) -> dict[str, int]:
        """The bytes of every live file of every table, by its path."""
        rows = zip(*self.execute("every_file").to_pydict().values(), strict=True)
        return {str(self.paths.files / path): int(size) for path, size, inside in rows if inside}

    def inlined(self) -> pa.Table:
        """Finished rows that are in the catalog and in no file yet, with the schema columns.STORED."""
        parts = list(self._of_inlined("finished_runs", "inlined_rows"))
        return pa.concat_tables(parts) if parts else STORED.empty_table()

    def dead_open_rows(self) -> int:
        """Replaced versions of open runs that the catalog still keeps."""
        return sum(int(found.column(0)[0].as_py()) for found in self._of_inlined("open_runs", "inlined_dead"))

    def _of_inlined(self, table: str, statement: str) -> Iterator[pa.Table]:
        """What a statement says of each of the catalog's tables of inlined rows."""
        for name in self.execute("inlined_tables", {"table": table}).column(0).to_pylist():
            if not _INLINED_TABLE.fullmatch(name):
                raise LakeDamaged(f"the catalog names a table {name!r}")
            with duck.translated(f"lake: {statement}"):
                yield self._con.execute(SQL[statement].replace("{inlined}", name)).to_arrow_table()

    def expire(self, before: int, keep: Sequence[int]) -> None:
        """Forget the snapshots made before a time (microseconds), the newest one and those to keep excepted."""
        versions = self.execute("old_snapshots", {"before": before, "keep": list(keep)}).column(0)[0].as_py()
        if versions:
            with duck.translated("lake: expire"):
                self._con.execute(SQL["expire"].replace("{versions}", versions))

    def close(self) -> None:
        """Detach and let the lock go; a second call does nothing."""
        con = getattr(self, "_con", None)
        if con is not None:
            con.close()
        if self._wal is not None:
            self._wal.close()
            self._wal = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None


_CREATION: Final = (
    "create_finished",
    "partition_finished",
    "sort_finished",
    "create_open",
    "create_runs",
    "mark_layout",
)
