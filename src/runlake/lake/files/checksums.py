"""Checksums of the Parquet files, in the file SHA256SUMS, in the format of `sha256sum`.

Parquet has no checksum of its own here: a changed byte may read as another value. The list is derived, and no answer
needs it: a file without a line is not compared, and `tidy` adds the line later. So nothing here is synced, and an
error of the list is logged and raised nowhere.
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

from runlake.lake.sync import replace_file
from runlake.log import warn
from runlake.paths import Paths

_LINE: Final = re.compile(rb"^([0-9a-f]{64}) [ *]([^\0\n]+)$", re.MULTILINE)


def digest(file: str | Path) -> str:
    """The SHA-256 of a file, as hex."""
    with Path(file).open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


class Checksums:
    """The checksum list of a lake. Everybody may read it; one thread of the holder of the write lock changes it."""

    def __init__(self, paths: Paths) -> None:
        self._paths = paths
        self._is_failing = False  # whether an error was logged and no call has succeeded since

    def name_of(self, file: str | Path) -> str:
        """The name of a file in the list: its path below the lake's folder."""
        return str(file).removeprefix(f"{self._paths.folder}/")

    def read(self) -> dict[str, str]:
        """Digests (hex) by name, from all complete lines; empty when the list cannot be read."""
        try:
            return _parsed(self._content())
        except OSError:
            return {}

    def add(self, files: Iterable[Path]) -> None:
        """Append the checksums of new files."""
        with self._logged():
            self._append({self.name_of(file): digest(file) for file in files})

    def replace(self, digests: Mapping[str, str]) -> None:
        """Let the list hold exactly these digests, by name."""
        with self._logged():
            self._replace(digests)

    def tidy(self, live: Mapping[str, int], most_bytes: float = float("inf")) -> None:
        """Add missing checksums, and remove those of files that are gone once they are more than half of the lines.

        `live` has the size in bytes of every live file, by path. After reading `most_bytes` the rest of the missing
        checksums is left for the next call.
        """
        with self._logged():
            content = self._content()
            known = _parsed(content)
            missing = sorted((f for f in live if self.name_of(f) not in known), key=os.path.basename)  # by age
            for file in missing:
                if most_bytes <= 0:
                    break
                if new := self._digest_of(file, live[file]):
                    self._append(new)  # one by one, so that a call that is killed has not read in vain
                    known |= new
                    most_bytes -= live[file]
            names = {self.name_of(file) for file in live}
            # A replaced file stays for its grace period, and is live again where an older catalog is restored.
            kept = {name: known[name] for name in known if name in names or self._exists(name)}
            if 2 * len(kept) < max(content.count(b"\n"), len(known)):
                self._replace(kept)

    def _exists(self, name: str) -> bool:
        return os.path.exists(self._paths.folder / name)  # noqa: PTH110 - False for a name that no file can have

    def _content(self) -> bytes:
        try:
            return self._paths.checksums.read_bytes()
        except FileNotFoundError:
            return b""

    def _digest_of(self, file: str, size: int) -> dict[str, str]:
        """The digest of a file by its name; empty when the file is missing or has another size, as `check` reports."""
        try:
            return {self.name_of(file): digest(file)} if Path(file).stat().st_size == size else {}
        except OSError:
            return {}

    def _append(self, digests: Mapping[str, str]) -> None:
        """Append lines in one write, so that a reader sees complete lines; behind an incomplete line, on a new one."""
        if not digests:
            return
        fd = os.open(self._paths.checksums, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            size = os.fstat(fd).st_size
            is_incomplete = size and os.pread(fd, 1, size - 1) != b"\n"
            lines = (b"\n" if is_incomplete else b"") + _lines(digests)
            if os.write(fd, lines) < len(lines):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._paths.checksums))
        finally:
            os.close(fd)

    def _replace(self, digests: Mapping[str, str]) -> None:
        if not digests:
            self._paths.checksums.unlink(missing_ok=True)
            return
        part = self._paths.unfinished_checksums
        try:
            part.write_bytes(_lines(digests))
            replace_file(part, self._paths.checksums, sync_folder=False)  # after a power cut the old list does as well
        except OSError:
            part.unlink(missing_ok=True)
            raise

    @contextmanager
    def _logged(self) -> Iterator[None]:
        """Log an error instead of raising it, and only the first one until a call succeeds again."""
        try:
            yield
        except OSError as exc:
            if not self._is_failing:
                self._is_failing = True
                warn("checksums not written", file=self._paths.checksums, error=exc)
        else:
            self._is_failing = False


def _parsed(content: bytes) -> dict[str, str]:
    return {os.fsdecode(name): found.decode() for found, name in _LINE.findall(content)}


def _lines(digests: Mapping[str, str]) -> bytes:
    return os.fsencode("".join(f"{value}  {name}\n" for name, value in digests.items()))


class KnownChecksums:
    """The checksums of a lake as they are now. Make it after the catalog was read: a file has its line before it has
    its name there.
    """

    def __init__(self, paths: Paths) -> None:
        self._name = paths.checksums.name
        self._list = Checksums(paths)
        self._known = self._list.read()
        self.bare = 0

    def faults(self, file: str) -> list[str]:
        """See Comparison."""
        known = self._known.get(self._list.name_of(file))
        if known is None:
            self.bare += 1
            return []
        same = digest(file) == known
        return [] if same else [f"{file}: is not what was written, its SHA-256 differs from the one in {self._name}"]
