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
    """An open lake to write and to read; owns its threads. Raises what Lake raises."""

    def __init__(self, settings: Settings, *, progress: Callable[[int, int], None] | None = None) -> None:
        self.settings = settings
        self.lake = Lake(Paths.of(settings.data), settings, write=True)
        self.index = Index(settings)
        try:
            self.index.load(self.lake, progress)
            self.writer = Writer(self.lake, self.index)
            self.engine = Engine(self.index, settings)
        except BaseException:
            self.index.close()
            self.lake.close()
            raise

    def start(self) -> None:
        """Let the writer take appends."""
        self.writer.start()

    def close(self) -> None:
        """Write what is queued, end all threads, let the lock go."""
        self.writer.close()
        self.engine.close()
        self.index.close()
        self.lake.close()
