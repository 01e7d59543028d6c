"""What the index keeps of runs: records of numpy, and how those of one kind are added up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runlake import times
from runlake.index.tasks import ID, Tasks

Records = npt.NDArray[np.void]

# One run, of what is counted. `us` is how long it took in microseconds, -1 where it has no such time.
RUN: Final = np.dtype(
    [("ran_at", "<i8"), ("us", "<i8"), ("task", "<i4"), ("success", "i1"), ("started", "?"), ("retried", "?")]
)
# Sums of durations are doubles: exact up to 285 years of them, and never wrong by more than their last digits.
_MEASURES: Final = [("us", "<f8"), ("us_min", "<i8"), ("us_max", "<i8")]
_RESULTS: Final = [(name, "<i4") for name in ("good", "bad", "good_unstarted", "bad_unstarted", "timed")]
SLOTS: Final = 256  # of a day: 337.5 seconds each
_WORDS: Final = SLOTS // 64
# Per task and day; `slots` has a bit for each slot with a run, `first` and `buckets` say where its histogram is.
CELL: Final = np.dtype(
    [
        *_MEASURES,
        *((name, "<i8") for name in ("last_good", "last_bad", "first")),
        *_RESULTS,
        *((name, "<i4") for name in ("task", "day", "retried", "buckets")),
        ("slots", "<u8", (_WORDS,)),
    ]
)
# Per hour, of all tasks.
HOUR: Final = np.dtype([*_MEASURES, ("unit", "<i4"), *_RESULTS])
# How many durations of one cell fell into a bucket; and of one day, all tasks.
BUCKET: Final = np.dtype([("n", "<i4"), ("bucket", "<u2")])
DAY_BUCKET: Final = np.dtype([("n", "<i8"), ("day", "<i4"), ("bucket", "<i4")])

NONE: Final = -1  # for the largest duration or the last time of no runs
NONE_MIN: Final = np.iinfo(np.int64).max  # for the smallest
_ADD: Final[dict[str, Any]] = {
    **dict.fromkeys(("us", "n", "retried", *(name for name, _ in _RESULTS)), np.add),
    "us_min": np.minimum,
    **dict.fromkeys(("us_max", "last_good", "last_bad"), np.maximum),
    "slots": np.bitwise_or,
}

# Buckets of durations are 1.98 % wide from 50 microseconds on, so their middle is within 1 % of all they hold. Bounds
# are products, which come out alike on every processor; logarithms only say where to look.
_EXACT: Final = 50
_RATIO: Final = 1.0198
_BUCKETS: Final = 2000  # the longest time from 1970 to 9999 falls into number 1,896
_LOWER: Final = np.concatenate([np.arange(_EXACT), _EXACT * np.cumprod([1.0, *[_RATIO] * (_BUCKETS - _EXACT)])])
_MIDDLE: Final = np.concatenate([_LOWER[:_EXACT], _LOWER[_EXACT:] * math.sqrt(_RATIO)])


def bucket_of(us: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The bucket of each duration (microseconds)."""
    steps = np.log(np.maximum(us, _EXACT) / _EXACT) / math.log(_RATIO)
    bucket = np.where(us < _EXACT, us, _EXACT + steps.astype(np.int64))
    bucket -= us < _LOWER[bucket]
    bucket += us >= _LOWER[bucket + 1]
    return bucket


def middle_of(bucket: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """The duration in the middle of each bucket (microseconds)."""
    return _MIDDLE[bucket]


def slot_of(moments: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """The slot of the day that each moment (microseconds) falls into."""
    return moments % times.DAY_US * SLOTS // times.DAY_US


def bits_of(slots: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Of each slot the words of a CELL in which its bit alone is set."""
    words = np.zeros((len(slots), _WORDS), dtype=np.uint64)
    words[np.arange(len(slots)), slots // 64] = np.left_shift(np.uint64(1), (slots % 64).astype(np.uint64))
    return words


def grouped(*keys: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """(order, starts): rows in the order of the keys, the first key first, and where each group of equals starts."""
    order = np.argsort(keys[0], kind="stable") if len(keys) == 1 else np.lexsort(keys[::-1])
    first = np.ones(len(order), dtype=np.bool_)
    if len(order):
        ordered = [key[order] for key in keys]
        first[1:] = np.logical_or.reduce([key[1:] != key[:-1] for key in ordered])
    return order, np.flatnonzero(first)


def added(parts: Sequence[Records], *keys: str) -> Records:
    """Records of one kind in the order of these fields, those with equal ones added up to one."""
    rows = parts[0] if len(parts) == 1 else np.concatenate(parts)
    order, starts = grouped(*(rows[key] for key in keys))
    rows = rows[order]
    if len(starts) == len(rows):
        return rows
    out = rows[starts]
    for name, ufunc in _ADD.items():
        if name in (rows.dtype.names or ()):
            out[name] = ufunc.reduceat(rows[name], starts)
    return out


def runs_of(rows: pa.Table, tasks: Tasks) -> tuple[Records, Tasks]:
    """Finished or open runs of a table as RUN records, and the tasks with theirs added.

    Columns: task_id, started_at, finished_at, success, attempt, and created_at or run_at.
    """
    encoded = pc.dictionary_encode(_storage(rows["task_id"])).combine_chunks()
    known = np.frombuffer(encoded.dictionary.buffers()[1] or b"", dtype=ID)[: len(encoded.dictionary)]
    tasks = tasks.adding(known)
    out = np.zeros(rows.num_rows, dtype=RUN)
    out["task"] = tasks.numbers(known)[encoded.indices.to_numpy()] if rows.num_rows else 0
    started, finished = (_micros(rows[name]) for name in ("started_at", "finished_at"))
    out["ran_at"] = (
        _micros(rows["run_at"])
        if "run_at" in rows.column_names
        else np.where(started == NONE, _micros(rows["created_at"]), started)
    )
    out["started"] = started != NONE
    out["us"] = np.where((started == NONE) | (finished == NONE), NONE, finished - started)
    out["success"] = pc.fill_null(rows["success"].cast(pa.int8()), NONE).to_numpy()
    out["retried"] = rows["attempt"].to_numpy() > 1
    return out, tasks


def _storage(column: pa.ChunkedArray) -> pa.ChunkedArray:
    # Each chunk anew: an offset into a buffer would be lost in the dictionary's.
    return pa.chunked_array([chunk.storage for chunk in column.chunks], pa.binary(16))


def _micros(column: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Times as microseconds since the epoch, NONE for null: no time is earlier than the epoch."""
    return np.asarray(pc.fill_null(column.cast(pa.int64()), NONE).to_numpy(), dtype=np.int64)
