"""The keys against a dictionary: an id that was added is always found, with its hour."""

from __future__ import annotations

import itertools
import uuid
from typing import Final

import numpy as np
import numpy.typing as npt
from hypothesis import given, settings
from hypothesis import strategies as st

from runlake.index import keys
from runlake.times import LAST_HOUR

Halves = npt.NDArray[np.uint64]

ENDS: Final = [0, 1, 2**64 - 1, 2**64, 2**127, 2**128 - 1]
IDS: Final = st.one_of(st.integers(0, 300), st.sampled_from(ENDS), st.integers(0, 2**128 - 1))
HOURS: Final = st.one_of(st.integers(0, 3), st.integers(2_097_145, 2_097_160), st.integers(0, 70_389_527))


def halves(numbers: list[int]) -> Halves:
    pairs = [(n >> 64, n & (2**64 - 1)) for n in numbers]
    return np.array(pairs, dtype=np.uint64).reshape(-1, 2)


def made(run_hours: list[tuple[int, int]]) -> npt.NDArray[np.uint64]:
    return keys.make(halves([n for n, _ in run_hours]), np.array([d for _, d in run_hours], dtype=np.int64))


@settings(max_examples=200)
@given(
    added=st.lists(st.lists(st.tuples(IDS, HOURS), max_size=20), max_size=12),
    asked=st.lists(IDS, min_size=1, max_size=20),
)
def test_every_added_id_is_found_with_all_its_hours(added: list[list[tuple[int, int]]], asked: list[int]) -> None:
    ring: keys.Keys = ()
    model: dict[int, list[int]] = {}
    for part in added:
        ring = keys.add(ring, made(part))
        for number, hour in part:
            model.setdefault(number, []).append(min(hour, LAST_HOUR))
    assert keys.size(ring) == sum(len(part) for part in added)
    asked = [*asked, *model]
    positions, hours = keys.locate(ring, halves(asked))
    found: dict[int, list[int]] = {}
    for position, hour in zip(positions.tolist(), hours.tolist(), strict=True):
        found.setdefault(position, []).append(hour)
    for position, number in enumerate(asked):
        assert sorted(found.get(position, [])) == sorted(model.get(number, [])), number


def test_many_adds_keep_few_sorted_arrays() -> None:
    rng = np.random.default_rng(7)
    ring: keys.Keys = ()
    parts: list[Halves] = []
    for size in rng.integers(1, 400, 500):
        part = rng.integers(0, 2**64, (int(size), 2), dtype=np.uint64)
        parts.append(part)
        before = [array.copy() for array in ring]
        old = ring
        ring = keys.add(ring, keys.make(part, rng.integers(0, 2_200_000, int(size))))
        assert all(np.array_equal(a, b) for a, b in zip(old, before, strict=True))
    everything = np.concatenate(parts)
    assert keys.size(ring) == len(everything)
    assert all(len(longer) >= 2 * len(shorter) for longer, shorter in itertools.pairwise(ring))
    assert all(bool(np.all(array[1:] >= array[:-1])) for array in ring)
    positions, _ = keys.locate(ring, everything)
    assert len(np.unique(positions)) == len(everything)
    strangers, _ = keys.locate(ring, rng.integers(0, 2**64, (100_000, 2), dtype=np.uint64))
    assert len(strangers) <= 2  # 10^5 questions, 10^5 keys, 43 bits: one hit in 1,000 runs of this test


def test_fingerprints_use_every_bit_of_an_id() -> None:
    base = uuid.UUID("7f3e4d2c-1a9b-4c8d-9e6f-2b5a8c7d4e9f").int
    prints = keys.fingerprint(halves([base, *(base ^ 1 << bit for bit in range(128))]))
    assert len(np.unique(prints)) == 129
    assert not np.any(prints & np.uint64(LAST_HOUR))


def test_nothing_is_known_to_no_keys() -> None:
    for ring in ((), keys.add((), made([]))):
        positions, hours = keys.locate(ring, halves([1, 2]))
        assert len(positions) == len(hours) == 0
    ring = keys.add((), made([(1, 5)]))
    positions, _ = keys.locate(ring, halves([]))
    assert len(positions) == 0
