"""A bound on how much of one kind is under way."""

from __future__ import annotations

import threading
from contextlib import AsyncExitStack, ExitStack

from runlake.errors import TooMany


class Places:
    """At most so many at once of what `kind` names, in the plural."""

    def __init__(self, most: int, kind: str) -> None:
        self._words = f"{most} {kind} run already"
        self._free = threading.BoundedSemaphore(most)

    def take(self, held: ExitStack | AsyncExitStack) -> None:
        """Count one more, until `held` is closed; raises TooMany."""
        if not self._free.acquire(blocking=False):
            raise TooMany(self._words)
        held.callback(self._free.release)
