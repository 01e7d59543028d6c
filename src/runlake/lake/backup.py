"""Backup: a copy of one snapshot of a lake, which is a lake of its own. Another process may write meanwhile.

1. SQLite copies the catalog, under an unfinished name.
2. All snapshots but the newest are removed from the copy, and it gets a data path of its own.
3. The files that it names are copied, unless the last backup has them.
4. The copied catalog gets its name, and files of the last backup that it does not name are deleted.
Until step 4 the last backup is whole. Files may vanish while they are copied, when their grace period ends: then the
catalog is copied again, and the files that are copied already stay.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from runlake import duck
from runlake.errors import Busy, DiskFull, LakeDamaged, LakeMissing, UsageError
from runlake.lake.attach import attach_statement, layout_of, load_extensions
from runlake.lake.files.checksums import Checksums
from runlake.lake.lock import WriteLock
from runlake.lake.sql import SQL
from runlake.lake.sync import fsync, make_folder, replace_file
from runlake.paths import Paths
from runlake.settings import Settings

_TRIES: Final = 100
_CATALOG_SECONDS: Final = 600
_FULL: Final = "free some space and call again; what is copied stays"
_MARK: Final = "A copy of a lake, made by `runlake backup`.\n"
# `backup` copies in one read transaction, so the copy is of one moment, and writers go on. A child process does it,
# because two SQLite libraries with the same file in one process drop each other's locks. The copy has no write-ahead
# log, so that it can be read from a read-only medium.
_CHILD: Final = """
import sqlite3, sys
source, target, data_path = sys.argv[1:]
taken, copy = sqlite3.connect(source, uri=True, timeout=60), sqlite3.connect(target)
taken.backup(copy)
taken.close()
copy.execute("PRAGMA journal_mode = DELETE")
with copy:
    copy.execute("UPDATE ducklake_metadata SET value = ? WHERE key = 'data_path'", (data_path,))
fault = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
copy.close()
if fault != "ok":
    sys.exit(fault)
"""


class BackupResult(Struct):
    """The extent of a backup, and the files that this call copied and removed."""

    snapshot: int = 0
    files: int = 0
    bytes: int = 0
    copied_files: int = 0
    copied_bytes: int = 0
    removed_files: int = 0


class _Snapshot(Struct, frozen=True):
    """The snapshot number of a copied catalog, and the size in bytes of each file by its path below the data path."""

    number: int
    files: dict[str, int]


class _Vanished(Exception):
    """A file was deleted before it was copied."""


def backup(
    settings: Settings, target: str | Path, progress: Callable[[int, int], None] = lambda *_: None
) -> BackupResult:
    """Make `target` a whole copy of the newest snapshot of the lake; `progress(files done, files in all)`.

    Raises UsageError for a target that cannot take it, LakeMissing, LakeVersion, LakeLocked when another backup or a
    service uses the target, LakeDamaged when a file is missing or has another size (the last backup stays), DiskFull,
    and Busy when files vanish faster than they are copied.
    """
    if settings.catalog:
        raise UsageError(
            "a backup is of a lake in a folder", hint="use pg_dump for the catalog first, then copy the bucket"
        )
    source, copy = Paths.of(settings.data), Paths.of(target)
    if not source.catalog.is_file():
        raise LakeMissing(f"there is no lake in {source.folder}")
    _check_target(source, copy)
    with duck.translated(f"backup to {copy.folder}", full=_FULL), _locked(copy):
        return _Backup(source, copy, settings, progress).run()


def _check_target(source: Paths, copy: Paths) -> None:
    """Raise UsageError unless the target is new, empty, or a backup that was never opened for writing."""
    if copy.folder.is_relative_to(source.folder) or source.folder.is_relative_to(copy.folder):
        raise UsageError(f"a backup cannot lie in its lake, nor around it: {copy.folder}")
    if not copy.folder.exists():
        return
    if not copy.folder.is_dir():
        raise UsageError(f"{copy.folder} is not a folder")
    if not copy.backup_mark.exists() and any(copy.folder.iterdir()):
        raise UsageError(
            f"{copy.folder} is not empty and not a backup; one that was opened for writing is a lake of its own",
            hint="name a new folder",
        )


@contextmanager
def _locked(copy: Paths) -> Iterator[None]:
    """Mark the target as a backup, and lock it against other backups and services."""
    make_folder(copy.folder)
    copy.backup_mark.write_text(_MARK)
    fsync(copy.backup_mark)
    fsync(copy.folder)
    lock = WriteLock(copy.lock)
    try:
        yield
    finally:
        lock.close()


class _Backup:
    """One call of backup, with the target locked."""

    def __init__(self, source: Paths, copy: Paths, settings: Settings, progress: Callable[[int, int], None]) -> None:
        self._source, self._copy = source, copy
        self._settings, self._progress = settings, progress
        self._result = BackupResult()

    def run(self) -> BackupResult:
        """Copy the snapshot, replace the catalog, and delete the files that it does not name."""
        checksums = Checksums(self._source)
        known = checksums.read()  # before copying, too: a file that is merged away meanwhile loses its line
        snapshot = self._copy_snapshot()
        replace_file(self._copy.unfinished_catalog, self._copy.catalog, sync_folder=False)
        self._write_checksums(snapshot, known | checksums.read())
        fsync(self._copy.folder)
        self._delete_unnamed(snapshot)
        self._result.snapshot = snapshot.number
        self._result.files, self._result.bytes = len(snapshot.files), sum(snapshot.files.values())
        return self._result

    def _copy_snapshot(self) -> _Snapshot:
        """Copy a whole snapshot; its catalog keeps the unfinished name."""
        missing = ""
        for _ in range(_TRIES):
            self._copy_catalog()
            snapshot = self._prepare()
            if missing in snapshot.files:
                raise LakeDamaged(f"{self._source.files / missing} is missing")
            try:
                self._copy_files(snapshot)
            except _Vanished as exc:
                missing = str(exc)
                continue
            return snapshot
        raise Busy(
            "files are replaced and deleted faster than they can be copied",
            hint="let them stay longer: RUNLAKE_GRACE_SECONDS of the service",
        )

    def _copy_catalog(self) -> None:
        part = self._copy.unfinished_catalog
        for leftover in part.parent.glob(f"{part.name}*"):
            leftover.unlink()
        given = (f"{self._source.catalog.as_uri()}?mode=rw", part, f"{self._copy.files}/")
        command = [sys.executable, "-I", "-S", "-c", _CHILD, *map(str, given)]
        try:
            child = subprocess.run(  # noqa: S603 - our own text
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_CATALOG_SECONDS, check=False
            )
        except subprocess.TimeoutExpired as exc:
            raise Busy("the catalog could not be read", hint="try again") from exc
        if child.returncode:
            said = child.stderr.strip().splitlines() or [f"exit code {child.returncode}"]
            if "disk is full" in said[-1]:
                raise DiskFull(f"copying the catalog: {said[-1]}", hint=_FULL)
            raise LakeDamaged(f"copying the catalog {self._source.catalog}: {said[-1]}")

    def _prepare(self) -> _Snapshot:
        """Remove all snapshots but the newest from the copied catalog; returns the files that it names."""
        settings, part = self._settings, self._copy.unfinished_catalog
        with duck.connect(threads=settings.threads, memory_limit=settings.memory_limit) as con:
            load_extensions(con)
            con.execute(attach_statement(f"sqlite:{part}", f"{self._copy.files}/", "READ_WRITE"))
            layout_of(con, str(self._source.folder))
            if self._copy.catalog.exists():
                con.execute(f"ATTACH {duck.literal(self._copy.catalog)} AS old (TYPE sqlite, READ_ONLY)")
                if con.execute(SQL["identity"]).fetchall() != con.execute(SQL["old_identity"]).fetchall():
                    raise UsageError(f"{self._copy.folder} is a backup of another lake", hint="name a new folder")
            con.execute(SQL["expire_all"]).to_arrow_table()
            con.execute(SQL["forget_scheduled"])
            number = int(con.execute(SQL["snapshot"]).fetchall()[0][0])
            rows = con.execute(SQL["every_file"]).fetchall()
            con.execute("DETACH lake")
        for path, _, inside in rows:
            if not inside or ".." in Path(path).parts:
                raise LakeDamaged(f"the catalog names a file that does not lie in its folder: {path}")
        return _Snapshot(number, {str(path): int(size) for path, size, _ in rows})

    def _copy_files(self, snapshot: _Snapshot) -> None:
        """Copy the files that the target does not have, durably; raises _Vanished."""
        folders = {self._copy.files}
        make_folder(self._copy.files)
        for done, (path, size) in enumerate(snapshot.files.items(), 1):
            target = self._copy.files / path
            if not target.is_file() or target.stat().st_size != size:
                make_folder(target.parent)
                folders.add(target.parent)
                self._copy_file(path, size)
            self._progress(done, len(snapshot.files))
        for folder in folders:
            fsync(folder)

    def _copy_file(self, path: str, size: int) -> None:
        source, target = self._source.files / path, self._copy.files / path
        part = target.with_name(f"{target.name}.part")
        try:
            shutil.copyfile(source, part)
        except FileNotFoundError:
            raise _Vanished(path) from None
        if (found := part.stat().st_size) != size:
            raise LakeDamaged(f"{source}: has {found} bytes, the catalog says {size}")
        replace_file(part, target, sync_folder=False)
        self._result.copied_files += 1
        self._result.copied_bytes += size

    def _write_checksums(self, snapshot: _Snapshot, known: dict[str, str]) -> None:
        """Write the checksums that the lake has, so that `check` finds files that were damaged before the copy."""
        checksums = Checksums(self._copy)
        known = checksums.read() | known
        names = (checksums.name_of(self._copy.files / path) for path in snapshot.files)
        checksums.replace({name: known[name] for name in names if name in known})

    def _delete_unnamed(self, snapshot: _Snapshot) -> None:
        """Delete files that the catalog does not name: those of the last backup, and copies that were not finished."""
        for path in sorted(self._copy.files.rglob("*"), reverse=True):
            if path.is_dir():
                if not any(path.iterdir()):
                    path.rmdir()
            elif str(path.relative_to(self._copy.files)) not in snapshot.files:
                path.unlink()
                self._result.removed_files += 1
