"""The sources of an import: names, kinds, and whether they change while they are read."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from runlake.errors import ImportFailed, UsageError
from runlake.intake import unpack

STANDARD_INPUT: Final = Path("-")
DEVICE: Final = Path("/dev/stdin")
KINDS: Final = ("csv", "json", "ndjson", "parquet", "arrow", "lines")
_SUFFIXES: Final = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".arrows": "arrow",
}


class File(Struct, frozen=True):
    """A source: its name for messages, its kind (one of KINDS), and the file that is read for it."""

    name: str
    kind: str
    path: Path


def listed(sources: Sequence[Path], form: str | None) -> list[File]:
    """The sources as Files, of the kind `form`, or of the kind that each name has by its suffix.

    Raises UsageError for a source that cannot be read.
    """
    files = [_file(source, form) for source in sources]
    if sum(file.path == DEVICE for file in files) > 1:
        raise UsageError("standard input can be read once only")
    return files


def _file(source: Path, form: str | None) -> File:
    if source in (STANDARD_INPUT, DEVICE):
        if form is None:
            raise UsageError("standard input has no name that says what it is", hint=f"--format {'|'.join(KINDS)}")
        return File("standard input", form, DEVICE)
    if not source.exists() or source.is_dir():
        raise UsageError(f"there is no file {source}")
    inner = Path(source.stem) if source.suffix.lower() in unpack.SUFFIXES else source
    return File(str(source), form or _SUFFIXES.get(inner.suffix.lower(), "lines"), source)


def is_regular(file: File) -> bool:
    """Whether the file can be read more than once; a pipe cannot."""
    return _stamp(file) is not None


@contextmanager
def unchanged(file: File) -> Iterator[None]:
    """Raise ImportFailed when the file has been replaced or modified by the end of the block."""
    before = _stamp(file)
    yield
    if before is not None and _stamp(file) != before:
        raise ImportFailed(f"{file.name}: the file changed while it was read")


def _stamp(file: File) -> tuple[int, ...] | None:
    """Device, inode, size and modification time of a regular file; None for a pipe."""
    try:
        found = file.path.stat()
    except OSError as exc:
        raise ImportFailed(f"{file.name}: {exc.strerror}") from exc
    if not stat.S_ISREG(found.st_mode):
        return None
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)
