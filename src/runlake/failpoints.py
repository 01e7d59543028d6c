"""Fail points: named places at which a test kills the process, as `kill -9` does. Unarmed, one costs a comparison.

before-write    an append's transaction is open, nothing is written
after-write     its rows and files are written, nothing is synced
after-sync      its files are synced, the catalog does not name them yet
after-commit    it is durable, nobody has the answer
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


class _Armed:
    """The armed point, and how often it is still to be reached."""

    point = ""
    left = 0


def arm(text: str) -> None:
    """Arm `point:n`: the process dies when it reaches the point for the n-th time. An empty text arms nothing.

    Raises UsageError.
    """
    point, _, count = text.partition(":")
    if text and (point not in POINTS or not count.isdigit() or int(count) < 1):
        raise UsageError(f"no fail point {text!r}; give one as point:n, points are {', '.join(POINTS)}")
    _Armed.point, _Armed.left = point, int(count or 0)


def reached(point: str) -> None:
    """Die if this point is armed and reached for the last time that is left."""
    if point == _Armed.point:
        _Armed.left -= 1
        if _Armed.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
