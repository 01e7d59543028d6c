"""The mirror: copies of files, of a bounded number of bytes, that many threads use at once."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from runlake.errors import LakeDamaged
from runlake.lake.files.mirror import Mirror

SIZES = {f"day={number}/file": 10 * (number + 1) for number in range(8)}


class Source:
    """What there is to copy; counts the copies."""

    def __init__(self) -> None:
        self.fetched: Counter[str] = Counter()
        self._guard = threading.Lock()

    def __call__(self, name: str, target: Path) -> None:
        with self._guard:
            self.fetched[name] += 1
        time.sleep(0.001)
        if name not in SIZES:
            target.write_bytes(b"half")
            raise LakeDamaged(f"{name} is gone")
        target.write_bytes(name[4].encode() * SIZES[name])


def copies(folder: Path) -> dict[str, int]:
    """The sizes of all files below the folder, by path."""
    return {str(path.relative_to(folder)): path.stat().st_size for path in folder.rglob("*") if path.is_file()}


def test_a_copy_is_fetched_once_and_found_again(tmp_path: Path) -> None:
    """By the next process, too, which removes what was not finished."""
    source = Source()
    for _ in range(2):
        (tmp_path / "day=0").mkdir(exist_ok=True)
        (tmp_path / "day=0" / "other.part").write_bytes(b"half")
        mirror = Mirror(tmp_path, source, 10_000)
        for _ in range(2):
            with mirror.holding([*SIZES, *SIZES]):
                assert copies(tmp_path) == SIZES
        assert mirror.bytes == sum(SIZES.values())
    assert source.fetched == Counter(list(SIZES))


def test_a_copy_that_is_forgotten_is_fetched_anew(tmp_path: Path) -> None:
    """But not while it is read, nor one that is not there."""
    source = Source()
    mirror = Mirror(tmp_path, source, 10_000)
    name = next(iter(SIZES))
    with mirror.holding([name]):
        assert not mirror.forget(name)
        (tmp_path / name).write_bytes(b"damaged")
    assert mirror.forget(name) and not mirror.forget(name)
    with mirror.holding([name]):
        assert (tmp_path / name).read_bytes() == b"0" * 10
    assert (source.fetched[name], mirror.bytes) == (2, 10)


def test_what_was_used_first_goes_first(tmp_path: Path) -> None:
    """While it is read, nothing goes, however much it is."""
    mirror = Mirror(tmp_path, Source(), 100)
    one, two, three, four, *_, last = SIZES
    for name in (one, two, three, four, one):  # 10, 20, 30, 40, again 10
        with mirror.holding([name]):
            assert name in copies(tmp_path)
    with mirror.holding([last]):  # 80
        assert copies(tmp_path).keys() == {one, last}
    with mirror.holding(SIZES):
        assert copies(tmp_path) == SIZES
    assert mirror.bytes == sum(copies(tmp_path).values()) <= 100


def test_a_file_that_cannot_be_fetched(tmp_path: Path) -> None:
    """It is no copy, and holds nobody up."""
    source = Source()
    mirror = Mirror(tmp_path, source, 0)
    for _ in range(2):
        with pytest.raises(LakeDamaged, match="gone"), mirror.holding(["day=9/gone", *SIZES]):
            raise AssertionError
    assert source.fetched["day=9/gone"] == 2
    with mirror.holding(SIZES):
        assert copies(tmp_path).items() >= SIZES.items()
    assert mirror.bytes == 0
    assert copies(tmp_path) == {}


def test_many_threads(tmp_path: Path) -> None:
    """Each has the files that it holds, whole; in the end the bound holds."""
    source = Source()
    mirror = Mirror(tmp_path, source, 120)
    wrong: list[str] = []

    def read(seed: int) -> None:
        chosen = random.Random(seed)
        for _ in range(60):
            names = chosen.sample(list(SIZES), chosen.randint(1, 4))
            with mirror.holding(names):
                for name in names:
                    try:
                        content = (tmp_path / name).read_bytes()
                    except FileNotFoundError:
                        content = b""
                    if content != name[4].encode() * SIZES[name]:
                        wrong.append(name)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert source.fetched.total() > len(SIZES)
    assert mirror.bytes == sum(copies(tmp_path).values()) <= 120
