"""Reading compressed files to their end, with an error for a file that is truncated or damaged anywhere.

The first bytes show the compression: no text and no Parquet file begins with them. The readers check while they read,
so the content may be stored only after the end was reached without an error.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, cast

import pyarrow as pa

from runlake.errors import ImportFailed

SUFFIXES: Final = {".gz": "gzip", ".zst": "zstd"}
PIECE: Final = 1 << 20  # bytes read at once
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_SKIPPABLE: Final = b"\x2a\x4d\x18"  # bytes 2 to 4 of a skippable zstd frame
_HEAD: Final = 16  # bytes that are read to find the compression
# The first bytes of files that are not read here, for a helpful error.
_FOREIGN: Final = {
    b"BZh": "a bzip2 file",
    b"\xfd7zXZ": "an xz file",
    b"PK\x03\x04": "a zip file (or a workbook)",
    b"SQLite format 3": "a SQLite database",
}


def compression(path: Path, name: str) -> str | None:
    """`gzip`, `zstd` or None; raises ImportFailed when the name has the suffix of one and the content is not it."""
    with _translated(name), path.open("rb") as file:
        head = file.read(_HEAD)
    if head.startswith(_GZIP):
        return "gzip"
    if head.startswith(_ZSTD) or (head[1:4] == _SKIPPABLE and 0x50 <= head[0] <= 0x5F):
        return "zstd"
    if said := SUFFIXES.get(Path(name).suffix.lower()):
        short = len(head) < len(_ZSTD)
        raise ImportFailed(f"{name}: " + ("the file ends too early" if short else f"this is no {said} file"))
    for mark, what in _FOREIGN.items():
        if head.startswith(mark):
            raise ImportFailed(f"{name}: this is {what}, which is not read here")
    return None


@contextmanager
def opened(path: Path, name: str) -> Iterator[io.BufferedReader[Any]]:
    """The content of a file, unpacked if it is compressed.

    Raises ImportFailed, also inside the block, for a file that cannot be read, is truncated or damaged, or continues
    after its end.
    """
    kind = compression(path, name)
    with _translated(name), io.BufferedReader(_raw(path, kind), PIECE) as stream:
        yield stream


def _raw(path: Path, kind: str | None) -> io.RawIOBase:
    if kind == "zstd":
        return cast(io.RawIOBase, pa.input_stream(str(path), compression=kind))
    return cast(io.RawIOBase, gzip.GzipFile(path)) if kind == "gzip" else path.open("rb", 0)


@contextmanager
def _translated(name: str) -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error, OSError, pa.ArrowException) as exc:
        text = " ".join(str(exc).split())
        if isinstance(exc, EOFError) or "Truncated" in text:
            reason = "the file ends too early"
        elif text.startswith("Not a gzipped file"):
            reason = "the file goes on behind its end with something that is no gzip"
        elif isinstance(exc, OSError) and exc.errno:
            reason = exc.strerror or text
        else:
            reason = f"the file is damaged: {text}"
        raise ImportFailed(f"{name}: {reason}") from exc
