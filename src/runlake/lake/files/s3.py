"""Parquet files in a store that speaks S3. A PUT that was answered is durable, and the store checks what it keeps.

DuckLake reads and writes the store itself. A writer answers questions from copies of the files on its own disk;
whoever reads beside it names the files as they are called in the store.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Final

import duckdb
from pyarrow import fs

from runlake import duck
from runlake.errors import Busy, LakeDamaged
from runlake.lake.files.checksums import Checksums
from runlake.lake.files.mirror import Mirror
from runlake.lake.files.new_files import NewFiles
from runlake.paths import Paths
from runlake.settings import S3Access

PREFIX: Final = "s3://"
_PIECE: Final = 16 << 20  # bytes of one GET


class _Nothing:
    """A Comparison without checksums, because the store has its own."""

    bare = 0

    def faults(self, file: str) -> list[str]:
        """None."""
        return []


class S3Files:
    """See Files. `address` is as in s3://bucket/prefix; `paths` is the folder of this node."""

    def __init__(self, paths: Paths, address: str, access: S3Access, mirror_bytes: int, *, write: bool) -> None:
        self._paths, self._access, self._mirror_bytes = paths, access, mirror_bytes
        self.root = address.rstrip("/")
        self._inside = f"{paths.mirror if write else self.root}/"  # where its files are read
        self._mirror: Mirror | None = None

    @cached_property
    def _store(self) -> fs.S3FileSystem:
        a = self._access
        return fs.S3FileSystem(
            access_key=a.key_id or None,
            secret_key=a.secret or None,
            session_token=a.token or None,
            region=a.region,
            scheme="https" if a.tls else "http",
            endpoint_override=a.endpoint or None,
        )

    def prepare(self, con: duckdb.DuckDBPyConnection, *, write: bool) -> None:
        """See Files; the lock of the node's folder makes its mirror ours."""
        con.execute(f"LOAD {duck.literal(duck.extension('httpfs'))}")
        a = self._access
        options = {"KEY_ID": a.key_id, "SECRET": a.secret, "SESSION_TOKEN": a.token, "REGION": a.region}
        if a.endpoint:
            options |= {"ENDPOINT": a.endpoint, "URL_STYLE": "path", "USE_SSL": "true" if a.tls else "false"}
        given = "".join(f", {name} {duck.literal(value)}" for name, value in options.items() if value)
        con.execute(f"CREATE SECRET runlake (TYPE s3, SCOPE {duck.literal(self.root)}{given})")
        if write:
            self._mirror = Mirror(self._paths.mirror, self._fetch, self._mirror_bytes)

    def _key(self, file: str) -> str:
        """The name of a file in the store, as Arrow has it: with its bucket, without s3://."""
        return f"{self.root.removeprefix(PREFIX)}/{file.removeprefix(self._inside)}"

    def _fetch(self, name: str, target: Path) -> None:
        with self._answering(name):
            fs.copy_files(
                self._key(name),
                str(target),
                source_filesystem=self._store,
                destination_filesystem=fs.LocalFileSystem(),
                chunk_size=_PIECE,
                use_threads=False,
            )

    @contextmanager
    def _answering(self, name: str) -> Iterator[None]:
        """Tell a file that is gone, which is damage, from a store that does not answer, which is none.

        Raises LakeDamaged, DiskFull and Busy.
        """
        try:
            with duck.translated(f"looking for {name} in {self.root}"):
                yield
        except LakeDamaged as exc:
            if isinstance(exc.__cause__, FileNotFoundError):
                raise
            raise Busy(f"the files cannot be read now: {exc.detail}") from exc

    def _listed(self) -> list[fs.FileInfo]:
        """All objects of the lake."""
        selector = fs.FileSelector(self.root.removeprefix(PREFIX), recursive=True, allow_not_found=True)
        return list(self._store.get_file_info(selector))

    def any(self) -> bool:
        """See Files."""
        return any(info.extension == "parquet" for info in self._listed())

    def path(self, name: str) -> str:
        """See Files: in the mirror, where `reading` puts it; beside a writer, in the store."""
        return self._inside + name

    def reading(self, files: Iterable[str]) -> AbstractContextManager[None]:
        """See Files. Raises DiskFull, too."""
        assert self._mirror is not None  # noqa: S101 - who only reads has no files to hold
        return self._mirror.holding(file.removeprefix(self._inside) for file in files if file.startswith(self._inside))

    def renew(self, file: str) -> bool:
        """See Files."""
        if self._mirror is None or not file.startswith(self._inside):
            return False
        return self._mirror.forget(file.removeprefix(self._inside))

    def gone(self, files: Iterable[str]) -> list[str]:
        """See Files."""
        found = {info.path for info in self._listed()}
        return [file for file in files if self._key(file) not in found]

    def size(self, file: str) -> int:
        """See Files."""
        with self._answering(file):
            info = self._store.get_file_info(self._key(file))
        if not info.is_file:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), file)
        return int(info.size)

    def new(self, *, days: Iterable[int] = (), tables: Iterable[str] = ()) -> NewFiles:
        """None that would have to be made durable."""
        return NewFiles(self._paths.folder, Checksums(self._paths), ())

    def tidy(self, live: Mapping[str, int], most_bytes: float) -> None:
        """Nothing: there are no folders, and no checksums of ours."""

    def comparison(self) -> _Nothing:
        """See Files."""
        return _Nothing()
