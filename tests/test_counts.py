"""Counts against plain dictionaries: however runs come in parts, their sums are those of all of them."""

from __future__ import annotations

import itertools
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runlake import times
from runlake.index import counts as counting
from runlake.index.counts import EMPTY, Counts, Parts
from runlake.index.figures import CELL, HOUR, NONE, RUN, Records, added, bucket_of, middle_of
from runlake.index.recent import RECENT
from runlake.index.saved import Derived, Folder
from runlake.index.tasks import NO_TASKS, UNKNOWN, Tasks
from runlake.query import percentiles

DAY: Final = times.DAY_US
DURATIONS: Final = st.sampled_from([NONE, 0, 1, 49, 50, 51, 1_000_000, 86_400_000_000, 2**57])
RUNS: Final = st.tuples(
    st.integers(0, 4),  # task
    st.integers(0, 70 * 24),  # hour
    DURATIONS,
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
Runs = list[tuple[int, int, int, bool, bool, bool]]


def records(runs: Runs) -> Records:
    made = np.zeros(len(runs), dtype=RUN)
    for i, (task, hour, us, success, started, retried) in enumerate(runs):
        made[i] = (hour * times.HOUR_US + 7 * task, us if started else NONE, task, int(success), started, retried)
    return made


def in_parts(parts: list[Runs]) -> Parts:
    held: Parts = ()
    for runs in parts:
        held = counting.adding(held, counting.counted(records(runs)))
    return held


def summed(rows: list[Any]) -> dict[str, Any]:
    """What the measures of some RUN records are."""
    took = [int(row["us"]) for row in rows if row["us"] != NONE]
    kinds = Counter((bool(row["success"]), bool(row["started"])) for row in rows)
    return {
        "good": kinds[True, True],
        "bad": kinds[False, True],
        "good_unstarted": kinds[True, False],
        "bad_unstarted": kinds[False, False],
        "timed": len(took),
        "us": float(sum(took)),
        "us_min": min(took, default=np.iinfo(np.int64).max),
        "us_max": max(took, default=NONE),
    }


def grouped_by(runs: Runs, unit: int, *, by_task: bool) -> dict[tuple[int, ...], list[Any]]:
    groups: dict[tuple[int, ...], list[Any]] = defaultdict(list)
    for row in records(runs):
        key = int(row["ran_at"]) // unit
        groups[(int(row["task"]), key) if by_task else (key,)].append(row)
    return groups


def assert_cells(found: Records, runs: Runs) -> None:
    groups = grouped_by(runs, DAY, by_task=True)
    assert [(int(cell["task"]), int(cell["day"])) for cell in found] == sorted(groups)
    for cell in found:
        rows = groups[int(cell["task"]), int(cell["day"])]
        expected = summed(rows) | {
            "retried": sum(bool(row["retried"]) for row in rows),
            "last_good": max((int(row["ran_at"]) for row in rows if row["success"]), default=NONE),
            "last_bad": max((int(row["ran_at"]) for row in rows if not row["success"]), default=NONE),
        }
        assert_measures(cell, expected)
        slots = {int(row["ran_at"]) % DAY * 256 // DAY for row in rows}
        assert int.from_bytes(cell["slots"].tobytes(), "little") == sum(1 << slot for slot in slots)


def assert_measures(found: Any, expected: dict[str, Any]) -> None:
    """All equal; sums of durations, which are doubles, to their last digits."""
    assert {name: found[name].item() for name in expected} == expected | {
        "us": pytest.approx(expected["us"], rel=1e-14)
    }


def histogram_of(part: Counts, cells: Records) -> Counter[tuple[int, int]]:
    days, found = part.histogram(cells)
    amounts: Counter[tuple[int, int]] = Counter()
    for day, row in zip(days.tolist(), found, strict=True):
        amounts[day, int(row["bucket"])] += int(row["n"])
    return amounts


@pytest.mark.parametrize("piece", [1, 2_000_000])
@settings(max_examples=60)
@given(parts=st.lists(st.lists(RUNS, max_size=25), max_size=6), days=st.tuples(st.integers(0, 71), st.integers(0, 71)))
def test_parts_add_up(piece: int, parts: list[Runs], days: tuple[int, int]) -> None:
    every = [run for runs in parts for run in runs]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(counting, "_PIECE", piece)
        held = in_parts(parts)
        whole = counting.merged([EMPTY, *held])
    assert all(longer.size >= 2 * shorter.size for longer, shorter in itertools.pairwise(held))
    assert_cells(whole.cells, every)
    hours = grouped_by(every, times.HOUR_US, by_task=False)
    for row in added([EMPTY.hours, *(part.hours for part in held)], "unit"):
        assert_measures(row, summed(hours.pop((int(row["unit"]),))))
    assert not hours
    for task in range(6):
        expected_buckets = Counter(
            (int(row["ran_at"]) // DAY, int(bucket_of(row["us"][None])[0]))
            for row in records(every)
            if row["task"] == task and row["us"] != NONE
        )
        assert histogram_of(whole, whole.of_task(task)) == expected_buckets
        assert sum((histogram_of(part, part.of_task(task)) for part in held), Counter()) == expected_buckets
    assert_totals(held, every, *sorted(days))


def assert_totals(held: Parts, every: Runs, first: int, last: int) -> None:
    """Sums by task of a stretch of days, whichever parts they come from."""
    found = np.zeros((4, 5))
    for part in held:
        part.add_tasks(first, last, found)
    for task in range(5):
        rows = [row for row in records(every) if row["task"] == task and first <= int(row["ran_at"]) // DAY < last]
        of = summed(rows)
        expected = [of["good"] + of["good_unstarted"], of["bad"] + of["bad_unstarted"], of["timed"], of["us"]]
        assert found[:, task].tolist() == pytest.approx(expected, rel=1e-14)


def test_counts_of_many_tasks_are_written_and_mapped_again(tmp_path: Path) -> None:
    rng = random.Random(3)
    runs = [(rng.randrange(3000), rng.randrange(500), rng.randrange(10**7), True, True, False) for _ in range(20_000)]
    parts = in_parts([runs[:12_000], runs[12_000:]])
    ids = np.frombuffer(rng.randbytes(16 * 3000), dtype="S16")
    waiting = np.zeros(3, dtype=RECENT)
    folder = Folder(tmp_path / "index")
    folder.prepare(5)
    folder.write(5, Derived((), parts, Tasks.of(ids), waiting))
    folder.commit("mark", 5, len(runs), 0)
    known = folder.open(5)
    assert_cells(known.counts[0].cells, runs)
    expected = counting.merged(parts)
    for name in ("cells", "buckets", "hours", "days"):
        assert np.array_equal(getattr(known.counts[0], name), getattr(expected, name)), name
    assert known.counts[0].cells.dtype == CELL
    assert known.counts[0].hours.dtype == HOUR
    assert np.array_equal(known.tasks.ids, ids)
    assert len(known.waiting) == 3


@given(st.lists(st.lists(st.binary(min_size=16, max_size=16) | st.sampled_from([bytes(16), b"a" + bytes(15)]))))
def test_tasks_keep_their_numbers(parts: list[list[bytes]]) -> None:
    """Ids that end in zero bytes are ids like any other."""
    tasks, numbers = NO_TASKS, dict[bytes, int]()
    for part in parts:
        ids = np.array(sorted(set(part)), dtype="S16").reshape(-1)
        tasks = tasks.adding(ids)
        for raw in sorted(set(part)):
            numbers.setdefault(raw, len(numbers))
    asked = [*numbers, b"unknown task id!"]
    expected = [*numbers.values(), numbers.get(b"unknown task id!", UNKNOWN)]
    assert tasks.numbers(np.array(asked, dtype="S16")).tolist() == expected
    assert [tasks.uuid(number).bytes for number in range(len(tasks))] == list(numbers)


def test_buckets_are_within_one_percent() -> None:
    rng = np.random.default_rng(5)
    us = np.concatenate([np.arange(3000), (10 ** rng.uniform(1, 17.4, 100_000)).astype(np.int64)])
    middle = middle_of(bucket_of(us))
    assert np.array_equal(middle[us < 50], us[us < 50])
    assert np.all(np.abs(middle - us)[us >= 50] <= 0.01 * us[us >= 50])
    assert bucket_of(np.array([times.MAX_US]))[0] < percentiles.WIDTH
    assert np.all(np.diff(bucket_of(np.sort(us))) >= 0)


def test_sums_beyond_the_range_of_integers() -> None:
    """Durations of thousands of years, hundreds of them: a sum of 64-bit integers would turn negative."""
    years = 2**57
    whole = counting.counted(records([(0, i, years, True, True, False) for i in range(500)]))
    merged = counting.merged([whole, whole])
    assert added([merged.hours], "unit")["us"].sum() == 1000.0 * years
