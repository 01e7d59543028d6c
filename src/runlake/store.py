"""The rooms wired together: a lake, what is known of it, the serving database, its writer and its readers."""

from __future__ import annotations

from collections.abc import Callable

from runlake.lake.append import Writer
from runlake.lake.catalog import Lake
from runlake.lake.following import Following
from runlake.lake.stored import Stored
from runlake.paths import Paths
from runlake.query.engine import Engine
from runlake.serving.serving import Serving
from runlake.settings import Settings


class Store:
    """An open lake to write and to read; owns its threads.

    Opening takes the write lock and raises what Lake raises; `load` makes the serving database ready, which may take
    a while on a large lake; `start` lets the writer take appends.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(Paths.of(settings.data), settings, write=True)
        self.stored = Stored()
        self.serving = Serving(self.lake)
        self.engine = Engine(self.serving, settings)
        self.writer = Writer(self.lake, self.stored, following(self.serving))

    def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Read what is stored; `progress(files done, files in all)` is called while all files are counted."""
        self.stored.load(self.lake)
        self.serving.load(progress)

    def start(self) -> None:
        """Let the writer take appends; only ever after `load`."""
        if self.serving.snapshot < 0:
            raise RuntimeError("load the store first")
        self.writer.start()

    def close(self) -> None:
        """Write what is queued, end all threads, let the lock go; a second call does nothing."""
        self.writer.close()
        self.engine.close()
        self.serving.checkpoint()
        self.serving.close()
        self.lake.close()


def following(serving: Serving) -> Following:
    """How the write room calls the serving database."""
    return Following(
        locate=serving.locate,
        apply=serving.apply,
        load=serving.load,
        tend=serving.tend,
        checkpoint=serving.checkpoint,
        settled=serving.readers.settled,
        kept=lambda: serving.kept,
    )
