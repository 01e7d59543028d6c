"""The id index against a dictionary: an id that was added is always found, with its quarter hour."""

from __future__ import annotations

import itertools
import uuid
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runlake.serving import id_index
from runlake.serving.id_index import IdIndex, Keys, fingerprint, make, remove_others
from runlake.times import LAST_QUARTER

Words = npt.NDArray[np.uint64]

ENDS: Final = [0, 1, 2**64 - 1, 2**64, 2**127, 2**128 - 1]
IDS: Final = st.one_of(st.integers(0, 300), st.sampled_from(ENDS), st.integers(0, 2**128 - 1))
AROUND_LAST: Final = st.integers(LAST_QUARTER - 5, LAST_QUARTER + 5)
QUARTERS: Final = st.one_of(st.integers(0, 3), AROUND_LAST, st.integers(0, 281_558_111))


def words(numbers: list[int]) -> Words:
    pairs = [(n >> 64, n & (2**64 - 1)) for n in numbers]
    return np.array(pairs, dtype=np.uint64).reshape(-1, 2)


def made(runs: list[tuple[int, int]]) -> Keys:
    """Keys of (id, quarter hour)."""
    return make(words([number for number, _ in runs]), np.array([quarter for _, quarter in runs], dtype=np.int64))


def located(ids: IdIndex, asked: list[int]) -> list[list[int]]:
    """The quarter hours of each id, in order."""
    found: list[list[int]] = [[] for _ in asked]
    positions, quarters = ids.locate(words(asked))
    for position, quarter in zip(positions.tolist(), quarters.tolist(), strict=True):
        found[position].append(quarter)
    return [sorted(known) for known in found]


@settings(max_examples=200)
@given(
    added=st.lists(st.lists(st.tuples(IDS, QUARTERS), max_size=20), max_size=12),
    asked=st.lists(IDS, min_size=1, max_size=20),
)
def test_every_added_id_is_found_with_all_its_quarters(added: list[list[tuple[int, int]]], asked: list[int]) -> None:
    """The last quarter stands for all later ones, too."""
    ids, model = IdIndex(), dict[int, list[int]]()
    for part in added:
        ids.add(made(part))
        for number, quarter in part:
            model.setdefault(number, []).append(min(quarter, LAST_QUARTER))
    assert len(ids) == sum(len(part) for part in added)
    asked = [*asked, *model]
    assert located(ids, asked) == [sorted(model.get(number, [])) for number in asked]
    for number in asked:
        assert ids.quarters(uuid.UUID(int=number)) == sorted(set(model.get(number, [])))


def test_many_adds_keep_few_sorted_arrays() -> None:
    """And what a reader holds never changes."""
    rng = np.random.default_rng(7)
    ids, parts = IdIndex(), list[Words]()
    for size in rng.integers(1, 400, 500):
        part = rng.integers(0, 2**64, (int(size), 2), dtype=np.uint64)
        parts.append(part)
        held = ids._arrays
        before = [array.copy() for array in held]
        ids.add(make(part, rng.integers(0, 8_300_000, int(size))))
        assert all(np.array_equal(a, b) for a, b in zip(held, before, strict=True))
    everything = np.concatenate(parts)
    assert len(ids) == len(everything)
    assert all(len(longer) >= 2 * len(shorter) for longer, shorter in itertools.pairwise(ids._arrays))
    assert all(bool(np.all(array[1:] >= array[:-1])) for array in ids._arrays)
    positions, _ = ids.locate(everything)
    assert len(np.unique(positions)) == len(everything)
    strangers, _ = ids.locate(rng.integers(0, 2**64, (100_000, 2), dtype=np.uint64))
    assert len(strangers) <= 4  # 10^5 questions, 10^5 keys, 41 bits: one hit in 200 runs of this test


def test_the_largest_arrays_are_never_merged(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither with each other nor with small ones that would make them larger; nothing is lost by that."""
    monkeypatch.setattr(id_index, "LARGEST", 100)
    ids = IdIndex()
    for start in range(0, 1000, 10):
        ids.add(made([(number, number % 7) for number in range(start, start + 10)]))
        assert max(map(len, ids._arrays)) <= 100
    assert len(ids) == 1000
    assert located(ids, [*range(1001)]) == [*([number % 7] for number in range(1000)), []]
    whole = [array for array in ids._arrays if 2 * len(array) > 100]
    ids.add(made([(2000, 1)]))
    assert all(any(array is kept for kept in ids._arrays) for array in whole)


def test_fingerprints_use_every_bit_of_an_id() -> None:
    base = uuid.UUID("7f3e4d2c-1a9b-4c8d-9e6f-2b5a8c7d4e9f").int
    prints = fingerprint(words([base, *(base ^ 1 << bit for bit in range(128))]))
    assert len(np.unique(prints)) == 129
    assert not np.any(prints & np.uint64(LAST_QUARTER))


def test_nothing_is_known_to_no_keys() -> None:
    ids = IdIndex()
    assert located(ids, [1, 2]) == [[], []]
    ids.add(made([]))
    assert located(ids, [1, 2]) == [[], []]
    ids.add(made([(1, 5)]))
    assert located(ids, []) == []


@given(runs=st.lists(st.tuples(IDS, QUARTERS), max_size=60), first=QUARTERS, pieces=st.integers(1, 5))
def test_keys_before_a_quarter_go(runs: list[tuple[int, int]], first: int, pieces: int) -> None:
    """Some may stay, where they are few; none of a later quarter goes."""
    ids = IdIndex()
    for start in range(pieces):
        ids.add(made(runs[start::pieces]))
    before = located(ids, [number for number, _ in runs])
    ids.forget_before(first)
    later = [quarter for _, quarter in runs if min(quarter, LAST_QUARTER) >= min(first, LAST_QUARTER)]
    assert len(later) <= len(ids)
    assert 7 * (len(ids) - len(later)) <= len(later)
    for kept, known in zip(located(ids, [number for number, _ in runs]), before, strict=True):
        assert [quarter for quarter in known if quarter >= min(first, LAST_QUARTER)] == [
            quarter for quarter in kept if quarter >= min(first, LAST_QUARTER)
        ]


def filled(size: int, seed: int = 1) -> tuple[IdIndex, Words]:
    """An index of some arrays, and the ids in it."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(0, 2**64, (size, 2), dtype=np.uint64)
    ids = IdIndex()
    for part in (numbers[: size // 4 * 3], numbers[size // 4 * 3 :]):
        ids.add(make(part, rng.integers(0, 2_000_000, len(part))))
    assert len(ids._arrays) == 2
    return ids, numbers


def same(one: IdIndex, other: IdIndex, numbers: Words) -> bool:
    """Whether both say the same of all ids."""
    found, expected = (np.sort(np.stack(index.locate(numbers)), axis=1) for index in (one, other))
    return np.array_equal(found, expected)


@pytest.mark.parametrize("size", [40, 600_000])
def test_what_is_saved_is_loaded_again(tmp_path: Path, size: int) -> None:
    """Small arrays in memory, large ones mapped; what is saved already is not written again."""
    ids, numbers = filled(size)
    names = ids.save(tmp_path)
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    stamps = {name: (tmp_path / name).stat().st_mtime_ns for name in names}
    loaded = IdIndex()
    loaded.load(tmp_path, names)
    assert len(loaded) == size
    assert same(ids, loaded, numbers)
    for index in (ids, loaded):
        index.add(made([(1, 2)]))
        more = index.save(tmp_path)
        assert more[:-1] == names
        assert {name: (tmp_path / name).stat().st_mtime_ns for name in names} == stamps
        again = IdIndex()
        again.load(tmp_path, more)
        assert located(again, [1]) == [[2]]
        remove_others(tmp_path, more)
        assert sorted(path.name for path in tmp_path.iterdir()) == sorted(more)


def test_no_keys_are_saved_as_no_files(tmp_path: Path) -> None:
    assert IdIndex().save(tmp_path) == []
    ids = IdIndex()
    ids.load(tmp_path, [])
    assert len(ids) == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("size", [40, 600_000])
def test_a_changed_file_is_refused(tmp_path: Path, size: int) -> None:
    """Any byte of it, a byte less, nothing at all, and a file that is gone."""
    ids, _ = filled(size)
    names = ids.save(tmp_path)
    file = tmp_path / names[1]
    good = file.read_bytes()
    places = range(len(good)) if size == 40 else [0, 9, 70, len(good) // 2, len(good) - 1]
    damaged = [good[:at] + bytes([good[at] ^ 0x10]) + good[at + 1 :] for at in places]
    for content in (*damaged, good[:-1], good[: len(good) // 2], b"", None):
        if content is None:
            file.unlink()
        else:
            file.write_bytes(content)
        with pytest.raises((OSError, ValueError)):
            IdIndex().load(tmp_path, names)
