"""Copies on a local disk of files that never change: those used last, of at most about so many bytes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from runlake.lake.sync import replace_file

_AT_ONCE: Final = 8
_PART: Final = ".part"


class Mirror:
    """The copies in a folder, which belongs to one process. Any thread may use it.

    `fetch` copies a file, by its path below the folder, to a local path.
    """

    def __init__(self, folder: Path, fetch: Callable[[str, Path], None], most_bytes: int) -> None:
        self._folder, self._fetch, self._most = folder, fetch, most_bytes
        self._guard = threading.Condition()
        self._held: Counter[str] = Counter()  # how many read a file now, or wait for it
        self._coming: set[str] = set()
        self._sizes = self._found()  # of the copies that are whole, the one used last at the end

    def _found(self) -> dict[str, int]:
        """The copies of an earlier process."""
        found = []
        for path in self._folder.rglob("*"):
            if path.suffix == _PART:
                path.unlink()
            elif path.is_file():
                stat = path.stat()
                found.append((stat.st_mtime_ns, str(path.relative_to(self._folder)), stat.st_size))
        return {name: size for _, name, size in sorted(found)}

    @property
    def bytes(self) -> int:
        """The bytes of all copies."""
        with self._guard:
            return sum(self._sizes.values())

    @contextmanager
    def holding(self, names: Iterable[str]) -> Iterator[None]:
        """Inside the block there are copies of these files, also of more bytes than there should be.

        Raises what `fetch` raises.
        """
        wanted = list(dict.fromkeys(names))
        with self._guard:
            self._held.update(wanted)
            missing = [name for name in wanted if not self._is_here(name)]
        try:
            if missing:
                with ThreadPoolExecutor(min(_AT_ONCE, len(missing))) as pool:
                    list(pool.map(self._get, missing))
            yield
        finally:
            with self._guard:
                self._held -= Counter(wanted)
                self._shrink()

    def forget(self, name: str) -> bool:
        """Delete the copy of a file, so that it is fetched anew; False when there is none, or while it is read."""
        with self._guard:
            if name in self._held or name not in self._sizes:
                return False
            (self._folder / name).unlink(missing_ok=True)
            del self._sizes[name]
            return True

    def _is_here(self, name: str) -> bool:
        """Whether there is a copy, which has then been used last. With the guard."""
        size = self._sizes.pop(name, None)
        if size is not None:
            self._sizes[name] = size
        return size is not None

    def _get(self, name: str) -> None:
        """Fetch a file, unless another thread does so, or has done it meanwhile."""
        with self._guard:
            self._guard.wait_for(lambda: name not in self._coming)
            if self._is_here(name):
                return
            self._coming.add(name)
        target = self._folder / name
        part = target.with_name(target.name + _PART)
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            self._fetch(name, part)
            size = part.stat().st_size
            replace_file(part, target, sync_folder=False)  # synced, or half of it could be there after a power cut
            with self._guard:
                self._sizes[name] = size
                self._shrink()
        finally:
            part.unlink(missing_ok=True)
            with self._guard:
                self._coming.discard(name)
                self._guard.notify_all()

    def _shrink(self) -> None:
        """Delete the copies that were used first, but none that is read. With the guard."""
        over = sum(self._sizes.values()) - self._most
        for name in [name for name in self._sizes if over > 0 and name not in self._held]:
            if over <= 0:
                return
            (self._folder / name).unlink(missing_ok=True)
            over -= self._sizes.pop(name)
