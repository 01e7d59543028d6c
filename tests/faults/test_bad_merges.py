"""A file that cannot be read is not merged; every other day is, and its own too once it has been restored."""

from __future__ import annotations

import random
import shutil
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest
from commands import live_files
from damages import BAD, UPKEEP, empty, flipped, gone, half, on
from loading import opened_store
from support import Server, environment, post, runlake

from runlake.lake.catalog import DataFile
from runlake.lake.merging import LARGEST, SizeRange, mergeable, size_ranges
from runlake.settings import Settings

DAYS: Final = (1, 2, BAD, 4, 5)
EACH: Final = 6  # files of a day


def made(*sizes: tuple[int, int]) -> list[DataFile]:
    """Files of (day, size)."""
    return [DataFile(number, f"{number}.parquet", day, 1, size) for number, (day, size) in enumerate(sizes)]


def allowed(files: list[DataFile], bad: set[int], low: int, high: int) -> bool:
    """Whether a merge of these sizes reads no bad file."""
    inside = [file for file in files if low <= file.size < high]
    count = Counter(file.day for file in inside)
    return all(count[file.day] == 1 for file in inside if file.number in bad)


def test_windows_are_as_wide_as_they_can_be() -> None:
    """By brute force over all of them."""
    rng = random.Random(5)
    for _ in range(300):
        files = made(*((rng.randrange(3), rng.randrange(1, 12)) for _ in range(rng.randrange(1, 12))))
        bad = {file.number for file in files if rng.random() < 0.3}
        found = size_ranges(files, bad, 12)
        assert all(allowed(files, bad, window.low, window.high) for window in found)
        for low in range(13):
            for high in range(low + 1, 13):
                if allowed(files, bad, low, high) and any(low <= file.size < high for file in files):
                    inside = {file.number for file in files if low <= file.size < high}
                    reached = [{file.number for file in files if w.low <= file.size < w.high} for w in found]
                    assert any(inside <= some for some in reached), (files, bad, found, low, high)


def test_what_can_be_merged() -> None:
    files = made((1, 10), (1, 20), (2, 15), (3, LARGEST), (3, LARGEST + 1))
    assert mergeable(files) == [(SizeRange(0, LARGEST), files[:2])]
    assert mergeable(files, {0}) == []
    assert mergeable(files, {2}) == [(SizeRange(0, LARGEST), files[:2])]
    assert mergeable(files, high=20) == []
    apart = made((1, 10), (1, 20), (1, 30), (2, 1), (2, 2), (3, 100), (3, 200), (4, 1), (4, 200))
    assert mergeable(apart, {1}) == [(SizeRange(21, LARGEST), apart[5:7]), (SizeRange(0, 20), apart[3:5])]


def middle(file: Path) -> None:
    """The pages of the first half are zeros: DuckDB does not say in which file."""
    content = bytearray(file.read_bytes())
    content[40 : len(content) // 2] = bytes(len(content) // 2 - 40)
    file.write_bytes(content)


@pytest.fixture(scope="module")
def crowded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake of several days with many small files each, checkpointed, with rows in the catalog. Copy it."""
    lake = tmp_path_factory.mktemp("crowded") / "lake"
    settings = Settings(data=str(lake), inline_rows=5, maintain_seconds=1000.0)
    with opened_store(settings) as store:
        for turn in range(EACH):
            post(store, *(on(day, 10 * turn + i) for day in DAYS for i in range(3 + turn)))
        post(store, on(20, 1))
    shutil.rmtree(lake / "serving")
    with opened_store(settings):
        pass
    return lake


@pytest.fixture
def lake(crowded: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(crowded, tmp_path / "lake"))


def live(lake: Path) -> dict[int, list[Path]]:
    """The live files by day of the month."""
    found: dict[int, list[Path]] = {}
    for file in map(Path, live_files(lake)):
        found.setdefault(int(file.parent.name.removeprefix("day=")), []).append(file)
    return found


@pytest.mark.parametrize("damage", [gone, empty, half, flipped, middle], ids=lambda damage: damage.__name__)
def test_maintain_says_which_day_it_left_out(lake: Path, tmp_path: Path, damage: Callable[[Path], object]) -> None:
    """It does all else and fails; once the file is back it does the rest."""
    bad = sorted(live(lake)[BAD], key=lambda file: file.stat().st_size)[2]
    good = shutil.copyfile(bad, tmp_path / "good")
    damage(bad)
    done = runlake("maintain", "--data", str(lake))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert str(bad) in done.stderr
    assert f"2025-01-{BAD:02}" in done.stderr
    assert "rows in the catalog  1 -> 0" in done.stdout
    after = live(lake)
    # Files smaller than the bad one and larger ones are not read together.
    assert all(len(files) <= 2 for day, files in after.items() if day != BAD), after
    assert bad in after[BAD]
    assert len(after[BAD]) <= 3
    shutil.copyfile(good, bad)
    done = runlake("maintain", "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    assert {len(files) for files in live(lake).values()} == {1}
    assert runlake("check", "--data", str(lake)).returncode == 0


def unreadable(client: httpx.Client) -> int:
    """What the service's metrics say of files that cannot be read."""
    (line,) = (line for line in client.get("/metrics").text.splitlines() if line.startswith("runlake_unreadable"))
    return int(float(line.split()[1]))


def test_the_service_merges_the_other_days(lake: Path, tmp_path: Path) -> None:
    """It says so once, however often it looks; flush and clean-up go on, and a restored file is merged."""
    bad = sorted(live(lake)[BAD], key=lambda file: file.stat().st_size)[2]
    good = shutil.copyfile(bad, tmp_path / "good")
    half(bad)
    with Server(lake, env=environment(None, **UPKEEP, RUNLAKE_FLUSH_ROWS="1")) as server:
        server.until(lambda: all(len(live(lake)[day]) <= 2 for day in (1, 2, 4, 5)))
        server.until(lambda: unreadable(server.client) == 1)
        steps = len([line for line in server.log if "step=clean" in line])
        server.until(lambda: len([line for line in server.log if "step=clean" in line]) > steps + 3)
        assert any("step=flush" in line for line in server.log)
        named = [line for line in server.log if bad.name in line]
        assert len(named) == 1, named
        assert "level=WARNING" in named[0] and "cannot be read" in named[0]
        assert not any("writing failed" in line for line in server.log)
        merges = len([line for line in server.log if "step=merge" in line])
        time.sleep(1)
        assert len([line for line in server.log if "step=merge" in line]) == merges, "nothing is left to merge"
        shutil.copyfile(good, bad)
        server.until(lambda: len(live(lake)[BAD]) == 1)
        assert unreadable(server.client) == 0
        page = server.client.get("/runs", params={"limit": 1, "start_time": "2025-01-03", "end_time": "2025-01-04"})
        assert page.json()["total"] == sum(3 + turn for turn in range(EACH))


def test_a_whole_disk_of_files_is_gone(lake: Path) -> None:
    """All that is gone is found by one failure."""
    lost = [file for day in (1, 2, BAD) for file in live(lake)[day]]
    for file in lost:
        file.unlink()
    done = runlake("maintain", "--data", str(lake))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == len(lost)
    assert "rows in the catalog  1 -> 0" in done.stdout
