"""How long something took, whatever is done to the clock on the wall. A command is started with it."""

from __future__ import annotations

import time


def seconds() -> float:
    """A clock that also goes on while the machine sleeps, where there is one."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()
