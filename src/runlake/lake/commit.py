"""A commit of the lake, and the functions that a follower of its commits offers to the writer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake.columns import ARROW
from runlake.intake.batch import IdWords
from runlake.lake.catalog import DataFile
from runlake.model import View

NO_ROWS = ARROW.empty_table()
NO_SNAPSHOT: Final = -1  # of a commit that has not taken place

# n ids -> (positions among them, quarter hours since the epoch) of those that may be stored. A position may come more
# than once. The quarter hour times.LAST_QUARTER stands for itself and all later ones.
Locate = Callable[[IdWords], tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]]


class Commit(Struct, frozen=True, kw_only=True):
    """The changes of one snapshot.

    finished    rows that became history, with the schema columns.ARROW
    in_files    whether those rows are in Parquet (in the files `added`) or inlined in the catalog
    opened      rows that are now the open version of their id
    closed      16-byte ids whose open version until now is gone
    flushed     whether all inlined rows of finished runs moved to Parquet
    names       all names of tasks, with the schema columns.NAMED, when some changed
    views       all shared views, when some changed
    horizon     the first day kept from now on, when this commit dropped days; then `files` is given
    added       files that this commit added, when it replaced none
    files       all live files, when it replaced some; else None
    """

    snapshot: int
    finished: pa.Table = NO_ROWS
    in_files: bool = False
    opened: pa.Table = NO_ROWS
    closed: tuple[bytes, ...] = ()
    flushed: bool = False
    added: tuple[DataFile, ...] = ()
    files: tuple[DataFile, ...] | None = None
    names: pa.Table | None = None
    views: tuple[View, ...] | None = None
    horizon: int | None = None


class Follower(Struct, frozen=True):
    """The functions of a follower. The store passes those of the serving database, which this room does not know.

    locate              find ids that may be stored; raises LakeDamaged while that is not known
    begin               take what a commit changes before it has taken place; nobody sees it before `apply`
    undo                forget what `begin` took
    apply               follow a commit, begun or not; after an error only `load` repairs the follower
    load                follow up to the newest snapshot, whatever happened before
    run_one_step        do a part of the work that the follower has to do between commits
    checkpoint          save the newest snapshot, so that the next start begins there
    has_old_readers     whether somebody still reads an older snapshot, so that its files must stay
    pinned_snapshots    the snapshots that must not expire
    """

    locate: Locate
    begin: Callable[[Commit], None]
    undo: Callable[[], None]
    apply: Callable[[Commit], None]
    load: Callable[[], None]
    run_one_step: Callable[[], None]
    checkpoint: Callable[[], None]
    has_old_readers: Callable[[], bool]
    pinned_snapshots: Callable[[], tuple[int, ...]]
