"""Named places at which a test lets the process die, as by `kill -9`; off, passing one is a comparison.

before-write    an append's transaction is open, nothing is written
after-write     its rows and files are written, nothing is synced
after-sync      its files are synced, the catalog does not name them yet
after-commit    it is durable, nobody has been told
mid-flush       the files of a flush are written, nothing is synced
mid-merge       the files of a merge are written, nothing is synced
mid-clean-up    replaced files are deleted, orphans not yet
before-apply    a commit is durable, the serving database does not know it
mid-apply       the serving database knows it, and has not committed that
mid-checkpoint  the files of the id index are written, the serving database is not
"""

from __future__ import annotations

import os
import signal
from typing import Final

from runlake.errors import UsageError

POINTS: Final = (
    "before-write",
    "after-write",
    "after-sync",
    "after-commit",
    "mid-flush",
    "mid-merge",
    "mid-clean-up",
    "before-apply",
    "mid-apply",
    "mid-checkpoint",
)


class _Fuse:
    """The point that kills, and how many passes of it are left."""

    point = ""
    left = 0


def arm(text: str) -> None:
    """Die at the n-th pass of a point, given as `point:n`; an empty text arms nothing. Raises UsageError."""
    point, _, count = text.partition(":")
    if text and (point not in POINTS or not count.isdigit() or int(count) < 1):
        raise UsageError(f"no fail point {text!r}; give one as point:n, points are {', '.join(POINTS)}")
    _Fuse.point, _Fuse.left = point, int(count or 0)


def passing(point: str) -> None:
    """Say that a point is passed; returns, unless this is the pass to die at."""
    if point == _Fuse.point:
        _Fuse.left -= 1
        if _Fuse.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
