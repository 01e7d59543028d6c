"""The rooms wired together: a lake, its index, its writer and its readers."""

from __future__ import annotations

from collections.abc import Callable

from runlake.index.index import Index
from runlake.lake.append import Writer
from runlake.lake.catalog import Lake
from runlake.paths import Paths
from runlake.query.engine import Engine
from runlake.settings import Settings


class Store:
    """An open lake to write and to read; owns its threads.

    Opening takes the write lock and raises what Lake raises; `load` builds the index, which takes a while on a
    large lake; `start` lets the writer take appends.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(Paths.of(settings.data), settings, write=True)
        self.index = Index(settings)
        self.engine = Engine(self.index, settings)
        self.writer = Writer(self.lake, self.index)

    def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Build the index; `progress(files done, files in all)` is called on the way."""
        self.index.load(self.lake, progress)

    def start(self) -> None:
        """Let the writer take appends; only ever after `load`."""
        if self.index.view.snapshot < 0:
            raise RuntimeError("load the index first")
        self.writer.start()

    def close(self) -> None:
        """Write what is queued, end all threads, let the lock go; a second call does nothing."""
        self.writer.close()
        self.engine.close()
        self.index.close()
        self.lake.close()
