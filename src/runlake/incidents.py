"""Incidents at the end of a synthetic history, as somebody on call meets them: something to find for each question.

slower      a task takes two and a half times as long since three days
flaky       a task fails and succeeds in turn since three days
failing     a task fails each time since six hours, by an error that was never seen before
silent      a task has not run since two days
bad worker  a third of what one worker does fails since two days, by an error of its own
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from runlake import times

_Array = NDArray[Any]
LEAST_TASKS: Final = 12  # a history of fewer tasks has no incidents
STEADY, SLOWER, FLAKY, FAILING, SILENT = 0, 2, 3, 4, 5  # tasks, by how many runs they have
BAD_WORKER: Final = 12  # of generate.py's workers, from 0
_SLOWER: Final = 2.5
_BAD: Final = 0.33  # share of the bad worker's runs that fail
NEW_ERROR: Final = "PermissionError: [Errno 13] Permission denied: '/run/secrets/ledger-token'"
_DISK_ERROR: Final = "OSError: [Errno 28] No space left on device: '/var/tmp/spill/part-#.parquet'"
_NAMES: Final = ("orders", "invoices", "mailing", "scoring", "backup", "crm_sync", "crawler", "warehouse")
_KINDS: Final = ("load", "daily", "hourly", "export", "repair")


class Happened(NamedTuple):
    """Flags of the rows that fail by the new error, and by the bad worker's."""

    new_error: _Array
    disk_error: _Array


def moved(task: _Array, at: _Array, until: int) -> _Array:
    """The task of each row, where one has fallen silent: its runs belong to another one. Times are microseconds."""
    silent = (task == SILENT) & (at >= until - 2 * times.DAY_US)
    return np.where(silent, STEADY, task)


def slowed(task: _Array, at: _Array, took: _Array, until: int) -> _Array:
    """The duration of each row, where one task has become slower; nothing outlasts the history."""
    slow = (task == SLOWER) & (at >= until - 3 * times.DAY_US)
    longer: _Array = np.where(slow, np.minimum(took * _SLOWER, until - at), took)
    return longer.astype(took.dtype)


def fail(rows: Any, owner: _Array, finished: _Array, until: int, rng: np.random.Generator) -> Happened:
    """Let rows fail, in `rows.fails`; `finished` flags those that can, `owner` is the number of the worker."""
    task, at = rows.task, rows.at
    flaky = np.flatnonzero(finished & (task == FLAKY) & (at >= until - 3 * times.DAY_US))
    rows.fails[flaky] = np.arange(len(flaky)) % 2 == 0
    new = finished & (task == FAILING) & (at >= until - times.DAY_US // 4)
    bad = finished & (owner == BAD_WORKER) & (at >= until - 2 * times.DAY_US) & (rng.random(len(at)) < _BAD) & ~new
    rows.fails[new | bad] = True
    return Happened(new, bad)


def texts(errors: pa.Array, happened: Happened, rng: np.random.Generator) -> pa.Array:
    """The errors with those of the incidents in their places."""
    number = pa.array(rng.integers(1, 99_999, len(errors))).cast(pa.string())
    head, tail = _DISK_ERROR.split("#")
    disk = pc.binary_join_element_wise(head, number, tail, "")
    found = pc.if_else(pa.array(happened.disk_error), disk, errors)
    return pc.if_else(pa.array(happened.new_error), pa.scalar(NEW_ERROR), found)


NAMED_TASKS: Final = len(_NAMES) * len(_KINDS)


def name_of(task: int) -> str:
    """What people call a task, by its place among all; the first NAMED_TASKS have a name of their own."""
    return f"{_NAMES[task % len(_NAMES)]}_{_KINDS[task // len(_NAMES) % len(_KINDS)]}"
