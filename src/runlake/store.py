"""The store: a lake with its writer, and the serving database with its reading threads, wired together."""

from __future__ import annotations

from collections.abc import Callable

from runlake.lake.append import Writer
from runlake.lake.catalog import Lake
from runlake.lake.commit import Follower
from runlake.lake.stored import Stored
from runlake.paths import Paths
from runlake.query.engine import Engine
from runlake.serving.serving import Serving
from runlake.settings import Settings


class Store:
    """An open lake that one process writes and reads; owns the threads for both.

    Opening takes the write lock and raises what Lake raises; `load` makes the serving database ready, which may take
    a while on a large lake; `start` lets the writer take appends.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.lake = Lake(Paths.of(settings.data), settings, write=True)
        self.stored = Stored()
        self.serving = Serving(self.lake)
        self.engine = Engine(self.serving, settings)
        self.writer = Writer(self.lake, self.stored, follower(self.serving))

    def load(self, progress: Callable[[int, int], None] | None = None) -> None:
        """Load the lake's state and the serving database; `progress(files done, files in all)` reports a rebuild."""
        self.stored.load(self.lake)
        self.serving.load(progress)

    def start(self) -> None:
        """Let the writer take appends; raises RuntimeError before `load`."""
        if self.serving.snapshot < 0:
            raise RuntimeError("load the store first")
        self.writer.start()

    def close(self) -> None:
        """Write what is queued, end all threads and release the lock; a second call does nothing."""
        self.writer.close()
        self.engine.close()
        self.serving.checkpoint()
        self.serving.close()
        self.lake.close()


def follower(serving: Serving) -> Follower:
    """The functions through which the writer updates the serving database."""
    return Follower(
        locate=serving.locate,
        begin=serving.begin,
        undo=serving.undo,
        apply=serving.apply,
        load=serving.load,
        run_one_step=serving.run_one_step,
        checkpoint=serving.checkpoint,
        has_old_readers=serving.readers.has_old,
        pinned_snapshots=lambda: serving.pinned_snapshots,
    )
