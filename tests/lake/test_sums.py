"""Checksums: `check` finds every changed byte of a Parquet file, and the file of checksums stops nobody."""

from __future__ import annotations

import json
import logging
import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from copies import backup
from support import Server, environment, post, record, runlake

from runlake.errors import LakeDamaged
from runlake.inspect import verify
from runlake.lake.catalog import Lake
from runlake.lake.files.checksums import Checksums
from runlake.paths import Paths
from runlake.settings import Settings
from runlake.store import Store

FLIPS: Final = 60
AT_ONCE: Final = 5  # each in another file
NOW: Final = environment(None, RUNLAKE_GRACE_SECONDS="0")


def settings(lake: Path, **fields: float) -> Settings:
    """Of a service without upkeep of its own."""
    return Settings(data=str(lake), maintain_seconds=1000.0, **fields)  # type: ignore[arg-type]


def group(day: int, part: int) -> range:
    """Numbers of 150 runs of one day, so of one file."""
    first = 28 * 150 * part + day
    return range(first, first + 28 * 150, 28)


def fill(lake: Path, *groups: range, opened: range = range(0), maintain: bool = False, **fields: float) -> None:
    """Store groups of finished runs, one commit each, and open ones; then do all upkeep if asked."""
    store = Store(settings(lake, **fields))
    try:
        store.load()
        store.start()
        for some in groups:
            post(store, *(record(i, output={"text": f"{i * 7919} " * 9}) for i in some))
        if opened:
            post(store, *(record(i, finished_at=None, success=None) for i in opened))
    finally:
        store.close()
    if maintain:
        store = Store(settings(lake, **fields))
        store.load()
        maintenance = store.writer.maintenance
        maintenance.run(maintenance.pending_steps())
        store.close()


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake: merged and unmerged files, those of open runs, and rows in the catalog. Copy it."""
    lake = tmp_path_factory.mktemp("sums") / "lake"
    fill(lake, *(group(day, part) for day in range(3) for part in range(2)), maintain=True)
    fill(lake, group(0, 2), group(3, 0))
    fill(lake, range(200_000, 200_020), opened=range(300_000, 300_200))
    return lake


@pytest.fixture
def lake(healthy: Path, tmp_path: Path) -> Path:
    """A copy of the healthy lake, to be damaged."""
    return Path(shutil.copytree(healthy, tmp_path / "lake"))


def files(lake: Path) -> list[Path]:
    """The live Parquet files of all tables, in order."""
    opened = Lake(Paths.of(lake), Settings(), write=False)
    try:
        return sorted(map(Path, opened.every_file()))
    finally:
        opened.close()


def listed(lake: Path) -> list[str]:
    """The lines of the file of checksums."""
    return Paths.of(lake).checksums.read_text().splitlines()


def summed(lake: Path) -> subprocess.CompletedProcess[str]:
    """What sha256sum of the system says of the lake; 0 if it finds nothing wrong."""
    command = ["sha256sum", "--check", "--quiet", "--ignore-missing", "SHA256SUMS"]
    return subprocess.run(command, cwd=lake, capture_output=True, text=True, check=False)


def agreed(lake: Path) -> bool:
    """Whether sha256sum of the system finds nothing wrong."""
    return summed(lake).returncode == 0


def flip(file: Path, place: int, bit: int) -> None:
    """Change one bit."""
    content = bytearray(file.read_bytes())
    content[place] ^= 1 << bit
    file.write_bytes(content)


def found(lake: Path) -> str:
    """All that check says is wrong."""
    try:
        return "\n".join(verify.check(settings(lake)).findings)
    except LakeDamaged as exc:
        return exc.detail


def clean(lake: Path, bare: int = 0) -> bool:
    """Whether check finds nothing wrong, and so many files without a checksum."""
    report = verify.check(settings(lake))
    return (report.findings, report.bare) == ([], bare)


def test_every_flipped_bit_is_found(lake: Path) -> None:
    """Wherever it is, in files of all kinds; sha256sum agrees, and sees nothing wrong with the lake as it was."""
    assert clean(lake)
    assert agreed(lake)
    live = files(lake)
    assert any("open_runs" in file.parts for file in live)
    chance = random.Random(5)
    for start in range(0, FLIPS, AT_ONCE):
        some = [live[number % len(live)] for number in range(start, start + AT_ONCE)]
        flips = [(file, chance.randrange(file.stat().st_size), chance.randrange(8)) for file in some]
        for each in flips:
            flip(*each)
        wrong, theirs = found(lake), summed(lake)
        assert theirs.returncode == 1
        for file, place, bit in flips:
            assert str(file) in wrong, f"bit {bit} of byte {place} of {file}"
            assert f"{file.relative_to(lake)}: FAILED" in theirs.stdout
        for each in flips:
            flip(*each)
    assert clean(lake)


def test_the_command_names_the_file(lake: Path) -> None:
    """In the middle of the pages, where all can still be read."""
    file = max(files(lake), key=lambda file: file.stat().st_size)
    flip(file, file.stat().st_size // 2, 0)
    done = runlake("check", "--data", str(lake))
    assert done.returncode == 1
    assert f"{file}: is not what was written, its SHA-256 differs from the one in SHA256SUMS" in done.stderr
    assert "checksum" not in done.stdout


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-30],
        lambda text: text[:-130],
        lambda text: text[:-1],
        lambda text: "nothing of ours\n" + text + "\0\xff\n" + "0" * 64 + "  notes.txt\n",
        lambda text: "0" * 64 + text[64:] + text,
        lambda text: text.replace("\n", "\n\n"),
    ],
    ids=["torn path", "torn sum", "no last newline", "foreign lines", "the last line counts", "empty lines"],
)
def test_lines_that_are_none(lake: Path, change: object) -> None:
    """They are passed over, and what is appended afterwards is read."""
    assert callable(change)
    file = Paths.of(lake).checksums
    text = change(file.read_text())
    whole = {line.partition("  ")[2] for line in text.splitlines()} & {str(f.relative_to(lake)) for f in files(lake)}
    file.write_text(text)
    assert clean(lake, bare=len(files(lake)) - len(whole))
    old = set(files(lake))
    fill(lake, group(5, 5))
    assert clean(lake, bare=len(old) - len(whole))
    assert {str(new.relative_to(lake)) for new in {*files(lake)} - old} <= Checksums(Paths.of(lake)).read().keys()
    assert runlake("maintain", "--data", str(lake), env=NOW).returncode == 0
    assert clean(lake)
    assert agreed(lake)


def test_a_lake_without_them_gets_them(lake: Path) -> None:
    """check says how many files have none; `maintain` adds all, the service a bounded number of bytes at a time."""
    paths = Paths.of(lake)
    paths.checksums.unlink()
    live = files(lake)
    done = runlake("check", "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[-1].split() == ["without", "checksum", str(len(live))]
    sizes = {str(file): file.stat().st_size for file in live}
    for count in range(1, 4):
        Checksums(paths).tidy(sizes, 1)
        assert len(listed(lake)) == count
    oldest = sorted(live, key=lambda file: file.name)
    assert [line.partition("  ")[2] for line in listed(lake)] == [str(f.relative_to(lake)) for f in oldest[:3]]
    cut = sizes | {str(oldest[3]): 1, str(lake / "files" / "gone"): 5}
    Checksums(paths).tidy(cut, sum(sizes.values()))
    assert len(listed(lake)) == len(live) - 1, "a file that is not what the catalog says gets none"
    assert runlake("maintain", "--data", str(lake)).returncode == 0
    assert clean(lake)
    assert agreed(lake)


def test_the_service_adds_what_is_missing(lake: Path) -> None:
    """With its clean-up."""
    Paths.of(lake).checksums.unlink()
    often = environment(None, RUNLAKE_MAINTAIN_SECONDS="0.05", RUNLAKE_TIDY_SECONDS="0.1")
    with Server(lake, env=often) as server:
        while not any("step=clean" in line for line in server.log):
            assert server.client.get("/ready").status_code == 200
    assert clean(lake)


def test_it_does_not_grow_without_bound(lake: Path) -> None:
    """Appends, merges and clean-up: at most as many lines of files that are gone as of files that are there."""
    most = 0
    for turn in range(8):
        fill(lake, group(turn % 2, 10 + turn), maintain=True, grace_seconds=0.0)
        most = max(most, len(listed(lake)) - 2 * len(set((lake / "files").rglob("*.parquet"))))
    assert most <= 0
    assert clean(lake)
    assert agreed(lake)


def test_no_files_no_lines(tmp_path: Path) -> None:
    """Retention may leave nothing: sha256sum would take an empty file for an error."""
    lake = tmp_path / "lake"
    fill(lake, range(5))
    paths = Paths.of(lake)
    assert not paths.checksums.exists()
    paths.checksums.write_text("0" * 64 + "  files/gone\n")
    Checksums(paths).tidy({})
    assert not paths.checksums.exists()


def test_a_copy_tells_what_was_damaged_before(lake: Path, tmp_path: Path) -> None:
    """With the original gone; also after a second call, which copies nothing of it again."""
    copy = tmp_path / "copy"
    bad, *_, good = (file for file in files(lake) if "finished_runs" in file.parts)
    flip(bad, bad.stat().st_size // 2, 3)
    for turn in range(2):
        backup(lake, copy)
        assert str(copy / bad.relative_to(lake)) in found(copy)
        assert str(copy / good.relative_to(lake)) not in found(copy)
        assert {line.partition("  ")[2] for line in listed(copy)} == {str(f.relative_to(copy)) for f in files(copy)}
        fill(lake, group(6, 5 + turn))
    flip(bad, bad.stat().st_size // 2, 3)
    (copy / bad.relative_to(lake)).unlink()
    Paths.of(lake).checksums.unlink()  # then the lines that the copy has count
    backup(lake, copy)
    shutil.rmtree(lake)
    assert clean(copy, bare=1)
    assert agreed(copy)


def test_a_copy_without_them(lake: Path, tmp_path: Path) -> None:
    """Of a lake that has none, or whose file cannot be read, a backup is made all the same."""
    file = Paths.of(lake).checksums
    file.unlink()
    file.mkdir()
    copy = tmp_path / "copy"
    backup(lake, copy)
    assert not Paths.of(copy).checksums.exists()
    assert clean(copy, bare=len(files(copy)))


def test_trouble_with_it_stops_nobody(lake: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Here it is a folder: appends, merges and clean-up go on, check too, and the log says it once for each store."""
    file = Paths.of(lake).checksums
    file.unlink()
    file.mkdir()
    with caplog.at_level(logging.WARNING, "runlake"):
        fill(lake, group(6, 5), group(6, 6), maintain=True, grace_seconds=0.0)
    assert [line for line in caplog.messages if "checksums" in line] == ["checksums not written"] * 2
    assert clean(lake, bare=len(files(lake)))
    file.rmdir()
    fill(lake, group(6, 7), maintain=True)
    assert clean(lake)


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Path]:
    """A disk with no room at all."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a tmpfs")
    folder = tmp_path / "full"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("this machine does not let a test mount a tmpfs")
    (folder / "ballast").write_bytes(bytes(4096))
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_no_room_for_it(lake: Path, full: Path) -> None:
    """An append is stored; its files get their lines when there is room again."""
    file = Paths.of(lake).checksums
    (full / "sums").touch()
    shutil.move(file, lake / "kept")
    file.symlink_to(full / "sums")
    fill(lake, group(6, 8))
    assert clean(lake, bare=len(files(lake)))
    file.unlink()
    shutil.move(lake / "kept", file)
    fill(lake, group(6, 9), maintain=True)
    assert clean(lake)


@pytest.mark.parametrize("point", ["after-sync:1", "after-write:1"])
def test_a_kill_before_the_commit(lake: Path, point: str) -> None:
    """A line too many names a file that no catalog knows: it harms nothing, and goes when most lines are such."""
    before = len(listed(lake))
    with Server(lake, env=environment(None, RUNLAKE_FAIL_POINT=point)) as server:
        with pytest.raises(Exception, match=r"."):
            server.post(*(record(i) for i in group(6, 10)))
        assert server.process.wait(30) < 0
    extra = len(listed(lake)) - before
    assert extra == (1 if point == "after-sync:1" else 0)
    assert clean(lake)
    assert agreed(lake)
    assert runlake("maintain", "--data", str(lake), env=NOW).returncode == 0
    assert clean(lake)
    assert agreed(lake)


def test_where_nothing_can_be_written(lake: Path, tmp_path: Path) -> None:
    """check and sql of a copy on a medium for reading only."""
    copy = tmp_path / "copy"
    backup(lake, copy)
    if os.geteuid() or subprocess.run(["mount", "--bind", "-o", "ro", str(copy), str(copy)], check=False).returncode:
        pytest.skip("this machine does not let a test mount a folder for reading only")
    try:
        with pytest.raises(OSError, match="Read-only"):
            (copy / "new").touch()
        assert clean(copy)
        done = runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(copy))
        assert json.loads(done.stdout)[0]["n"] == 8 * 150 + 20 + 200
    finally:
        subprocess.run(["umount", "--lazy", str(copy)], check=True)
