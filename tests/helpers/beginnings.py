"""An empty lake that is made once and copied from then on: to make one takes longer than most tests."""

from __future__ import annotations

import shutil
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from runlake.settings import Settings
from runlake.store import Store


@cache
def _empty() -> TemporaryDirectory[str]:
    """The folder in which it lies; it goes with this process."""
    folder = TemporaryDirectory(prefix="runlake-empty-")
    store = Store(Settings(data=f"{folder.name}/lake"))
    store.load()
    store.start()
    store.close()
    return folder


def begin(settings: Settings) -> Settings:
    """The settings, of a lake that is there: an empty one if there was none."""
    if not Path(settings.data).exists():
        shutil.copytree(Path(_empty().name) / "lake", settings.data)
    return settings
