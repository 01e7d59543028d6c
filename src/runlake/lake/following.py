"""Whatever follows the lake commit by commit, as the write room calls it: plain functions, which the store wires."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from runlake.lake.commit import Commit

# ids as an (n, 2) array of big-endian words -> (positions, quarter hours): for ids that may be in the history, where.
# A position may come more than once; the quarter times.LAST_QUARTER stands for itself and all later ones.
Locate = Callable[[npt.NDArray[np.uint64]], tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]]


class Following(Struct, frozen=True):
    """The functions.

    locate      where ids may be stored; raises LakeDamaged while that is not known
    apply       follow a commit; after an error only `load` helps
    load        follow up to the newest snapshot, whatever happened in between
    tend        do one step of what is due between commits
    checkpoint  begin at the newest snapshot next time
    settled     whether nobody reads an older snapshot any more, so that the files it named may go
    kept        the snapshots that must not expire
    """

    locate: Locate
    apply: Callable[[Commit], None]
    load: Callable[[], None]
    tend: Callable[[], None]
    checkpoint: Callable[[], None]
    settled: Callable[[], bool]
    kept: Callable[[], tuple[int, ...]]
