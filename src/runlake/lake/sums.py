"""Checksums: the file SHA256SUMS, in the format of `sha256sum`, for a changed byte that reads as another value.

It is derived and never needed for an answer. A file without a line is just not compared, and `tidy` adds its line
later; so nothing is synced here, and an error of this file is logged and stops nobody. Only the holder of the write
lock writes it, one thread.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runlake.log import warn
from runlake.paths import Paths

_LINE: Final = re.compile(rb"^([0-9a-f]{64}) [ *]([^\0\n]+)$", re.MULTILINE)
_FAILING: Final[set[Path]] = set()  # files whose trouble has been logged


def digest(file: str | Path) -> str:
    """The SHA-256 of a file, as hex."""
    with Path(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def name_of(paths: Paths, file: str | Path) -> str:
    """How a line names a file: from the lake's folder on."""
    return str(file).removeprefix(f"{paths.folder}/")


def read(paths: Paths) -> dict[str, str]:
    """Hex by name, of the lines that are whole; nothing when the file cannot be read."""
    try:
        return _parsed(_content(paths))
    except OSError:
        return {}


def add(paths: Paths, files: Iterable[Path]) -> None:
    """Append the lines of new files."""
    with _tolerated(paths):
        _append(paths, {name_of(paths, file): digest(file) for file in files})


def replace(paths: Paths, sums: Mapping[str, str]) -> None:
    """Let the file hold just these lines."""
    with _tolerated(paths):
        _replace(paths, sums)


def tidy(paths: Paths, live: Mapping[str, int], most_bytes: float = float("inf")) -> None:
    """Add lines that are missing, and forget files that are gone when these are more than half of the lines.

    `live` is the bytes of every live file by its path. Once `most_bytes` are read the rest is left for the next call.
    """
    with _tolerated(paths):
        content = _content(paths)
        known = _parsed(content)
        bare = sorted((f for f in live if name_of(paths, f) not in known), key=os.path.basename)  # by age
        for file in bare:
            if most_bytes <= 0:
                break
            if new := _whole(paths, file, live[file]):
                _append(paths, new)  # one by one, so that a long call that is killed was not for nothing
                known |= new
                most_bytes -= live[file]
        names = {name_of(paths, file) for file in live}
        # What is replaced but still there, for its grace, may be live again in a restored catalog.
        kept = {name: known[name] for name in known if name in names or os.path.exists(paths.folder / name)}  # noqa: PTH110 - False for nonsense
        if 2 * len(kept) < max(content.count(b"\n"), len(known)):
            _replace(paths, kept)


def _content(paths: Paths) -> bytes:
    try:
        return paths.sums.read_bytes()
    except FileNotFoundError:
        return b""


def _parsed(content: bytes) -> dict[str, str]:
    return {os.fsdecode(name): found.decode() for found, name in _LINE.findall(content)}


def _whole(paths: Paths, file: str, size: int) -> dict[str, str]:
    """The sum of a file; nothing when it is not what the catalog says, which `check` tells."""
    try:
        return {name_of(paths, file): digest(file)} if Path(file).stat().st_size == size else {}
    except OSError:
        return {}


def _lines(sums: Mapping[str, str]) -> bytes:
    return os.fsencode("".join(f"{value}  {name}\n" for name, value in sums.items()))


def _append(paths: Paths, sums: Mapping[str, str]) -> None:
    """In one write, so that a reader sees whole lines; after a torn line, on a new one."""
    if not sums:
        return
    fd = os.open(paths.sums, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        size = os.fstat(fd).st_size
        torn = size and os.pread(fd, 1, size - 1) != b"\n"
        lines = (b"\n" if torn else b"") + _lines(sums)
        if os.write(fd, lines) < len(lines):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(paths.sums))
    finally:
        os.close(fd)


def _replace(paths: Paths, sums: Mapping[str, str]) -> None:
    """Under another name first. Its folder is not synced: after a power cut the old file is as good as the new one."""
    if not sums:
        paths.sums.unlink(missing_ok=True)
        return
    part = paths.unfinished_sums
    try:
        with part.open("wb") as file:
            file.write(_lines(sums))
            file.flush()
            os.fsync(file.fileno())
        part.rename(paths.sums)
    except OSError:
        part.unlink(missing_ok=True)
        raise


@contextmanager
def _tolerated(paths: Paths) -> Iterator[None]:
    """Log an error, once until it has worked again."""
    try:
        yield
    except OSError as exc:
        if paths.sums not in _FAILING:
            _FAILING.add(paths.sums)
            warn("checksums not written", file=paths.sums, error=exc)
    else:
        _FAILING.discard(paths.sums)
