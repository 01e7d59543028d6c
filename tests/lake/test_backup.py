"""A backup is a lake of its own: whole while others write, after a crash, and with the original gone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
import time
from pathlib import Path
from typing import Final

import children
import pytest
from copies import backup, count, fill, plain
from support import HOSTILE, RUNLAKE, Server, environment, record, runlake

from runlake.lake import backup as backups
from runlake.settings import Settings

NOW: Final = environment(None, RUNLAKE_GRACE_SECONDS="0")
# A backup that dies after so many files, as by `kill -9`.
DYING: Final = """
import os, sys
from runlake.lake.backup import backup
from runlake.settings import Settings
backup(Settings(data=sys.argv[1]), sys.argv[2], lambda done, _: os._exit(9) if done == int(sys.argv[3]) else None)
"""


def refused(code: int, lake: Path, copy: Path) -> str:
    """The one line of a backup that must fail."""
    done = runlake("backup", str(copy), "--data", str(lake))
    assert (done.returncode, len(done.stderr.splitlines()), done.stdout) == (code, 1, ""), done.stderr
    return done.stderr


def files(folder: Path) -> dict[str, os.stat_result]:
    """The Parquet files of a lake's folder."""
    return {str(path.relative_to(folder)): path.stat() for path in (folder / "files").rglob("*") if path.is_file()}


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    """Ten files, seven runs in the catalog, three of them open."""
    lake = tmp_path / "lake"
    fill(lake)
    with Server(lake) as server:
        server.post(*(record(50 + i) for i in range(4)))
        server.post(*(record(60 + i, finished_at=None, success=None) for i in range(3)))
    return lake


def test_a_backup_is_whole_with_the_original_gone(lake: Path, tmp_path: Path) -> None:
    """Every way to read works, from any folder; reading leaves nothing behind; then it serves and is moved."""
    copy = tmp_path / "away" / "copy"
    done = backup(lake, copy)
    assert (done["files"], done["copied files"], done["removed files"]) == (10, 10, 0)
    assert done["bytes"] == done["copied bytes"] == sum(stat.st_size for stat in files(copy).values())
    assert all(stat.st_nlink == 1 for stat in files(copy).values())
    shutil.rmtree(lake)
    before = sorted(copy.rglob("*"))
    assert count(copy) == 17
    assert plain(copy, tmp_path) == "17 17"
    info = runlake("info", "--data", str(copy)).stdout.split()
    assert info[info.index("snapshot") + 1] == str(done["snapshot"])
    assert sorted(copy.rglob("*")) == before
    moved = tmp_path / "moved"
    copy.rename(moved)
    assert count(moved) == 17
    with Server(moved) as server:
        assert server.client.get("/runs").json()["total"] == 17
        assert server.post(record(3), record(50), record(61)).json() | {"ids": []} == {
            "received": 3,
            "stored": 1,
            "duplicates": 2,
            "stale": 0,
            "ids": [],
        }
    assert runlake("maintain", "--data", str(moved), env=NOW).returncode == 0
    assert (count(moved), plain(moved, tmp_path)) == (17, "17 17")


def test_the_second_backup_copies_what_is_new(lake: Path, tmp_path: Path) -> None:
    """Files that are there stay as they are; what the lake no longer names goes."""
    copy = tmp_path / "copy"
    backup(lake, copy)
    before = files(copy)
    again = backup(lake, copy)
    assert (again["files"], again["copied files"], again["copied bytes"], again["removed files"]) == (10, 0, 0, 0)
    fill(lake, 28 + 5)  # ten runs: five in days that have a file already
    assert runlake("maintain", "--data", str(lake), env=NOW).returncode == 0
    third = backup(lake, copy)
    after = files(copy)
    assert count(copy) == count(lake) == 27
    kept = before.keys() & after.keys()
    assert kept
    assert all(
        (before[name].st_ino, before[name].st_mtime_ns) == (after[name].st_ino, after[name].st_mtime_ns)
        for name in kept
    )
    assert third["copied files"] == len(after.keys() - before.keys()) == third["files"] - len(kept)
    assert third["removed files"] == len(before.keys() - after.keys()) > 0
    assert after.keys() == files(lake).keys()


def test_backups_while_the_service_writes_and_cleans(tmp_path: Path) -> None:
    """Each is of one snapshot: batches are there whole or not at all, in the order they were answered."""
    lake, copy = tmp_path / "lake", tmp_path / "copy"
    hostile = {**HOSTILE, "RUNLAKE_GRACE_SECONDS": "0.5"}
    answered = [0]
    done = threading.Event()

    def write(server: Server) -> None:
        while not done.is_set():
            first = 7 * answered[0]
            runs = [record(first + i, attempt=answered[0] + 1) for i in range(7)]
            assert server.post(*runs).json()["stored"] == 7
            answered[0] += 1

    with Server(lake, env=environment(None, **hostile)) as server:
        server.post(*(record(10**6 + i, lease_owner="first") for i in range(140)))
        writer = threading.Thread(target=write, args=(server,))
        writer.start()
        try:
            for _ in range(3):
                before = answered[0]
                while answered[0] == before:
                    assert writer.is_alive()
                    time.sleep(0.01)
                least = answered[0]
                backup(lake, copy)
                most = answered[0] + 1
                query = "SELECT max(attempt) AS last, count(*) AS runs FROM runs WHERE lease_owner IS NULL"
                found = json.loads(runlake("sql", query, "--format", "json", "--data", str(copy)).stdout)[0]
                assert least <= (found["last"] or 0) <= most
                assert found["runs"] == 7 * (found["last"] or 0)
                assert count(copy) == 140 + found["runs"]
        finally:
            done.set()
            writer.join()
    assert any("step=clean" in line for line in server.log)
    assert not [line for line in server.log if "ERROR" in line]
    backup(lake, copy)
    lake.rename(tmp_path / "gone")
    assert count(copy) == 140 + 7 * answered[0]
    assert plain(copy, tmp_path).split()[0] == str(count(copy))


def test_files_that_vanish_while_they_are_copied(lake: Path, tmp_path: Path) -> None:
    """The service merged and cleaned without any grace: the backup is of the snapshot after that."""
    fill(lake, 28 + 5)
    turns: list[int] = []

    def tidy(done: int, _: int) -> None:
        if done == 3 and not turns:
            turns.append(done)
            assert runlake("maintain", "--data", str(lake), env=NOW).returncode == 0

    done = backups.backup(Settings(data=str(lake)), tmp_path / "copy", tidy)
    assert turns
    assert files(tmp_path / "copy").keys() == files(lake).keys()
    assert done.files == len(files(lake))
    assert count(tmp_path / "copy") == count(lake) == 27


def die(lake: Path, copy: Path, after: int) -> None:
    """A backup that is killed after so many files."""
    done = children.run(DYING, str(lake), str(copy), str(after), env=environment())
    assert (done.returncode, done.stderr) == (9, b"")


def test_a_backup_that_was_killed(lake: Path, tmp_path: Path) -> None:
    """The first one is no lake yet, a later one leaves the last as it was; the next call completes both."""
    copy = tmp_path / "copy"
    die(lake, copy, 6)
    check = runlake("check", "--data", str(copy))
    assert (check.returncode, "no lake" in check.stderr) == (1, True)
    (next((copy / "files").rglob("*.parquet")).parent / "half.parquet.part").write_bytes(b"PAR1")
    done = backup(lake, copy)
    assert (done["files"], done["copied files"], done["removed files"]) == (10, 4, 1)
    assert count(copy) == 17
    fill(lake, 28 + 5)
    assert runlake("maintain", "--data", str(lake), env=NOW).returncode == 0
    die(lake, copy, len(files(lake)))
    assert (count(copy), plain(copy, tmp_path)) == (17, "17 17")
    assert backup(lake, copy)["copied files"] == 0
    assert (count(copy), files(copy).keys()) == (27, files(lake).keys())


def test_a_damaged_lake_leaves_the_backup_as_it_was(lake: Path, tmp_path: Path) -> None:
    """A file of another size, a file that is gone, a catalog that is none: named, and nothing is replaced."""
    copy = tmp_path / "copy"
    backup(lake, copy)
    fill(lake, 100)
    new = sorted(files(lake).keys() - files(copy).keys())
    content = (lake / new[0]).read_bytes()
    (lake / new[0]).write_bytes(content[:-1])
    assert str(lake / new[0]) in refused(1, lake, copy)
    (lake / new[0]).unlink()
    assert "missing" in (said := refused(1, lake, copy))
    assert str(lake / new[0]) in said
    (lake / new[0]).write_bytes(content)
    good = (lake / "catalog.sqlite").read_bytes()
    for bad in (b"nonsense" * 1000, good[:4096] + bytes(len(good) - 4096)):
        (lake / "catalog.sqlite").write_bytes(bad)
        assert "catalog" in refused(1, lake, copy)
    assert count(copy) == 17
    (lake / "catalog.sqlite").write_bytes(good)
    backup(lake, copy)
    assert count(copy) == 27


def test_folders_that_cannot_be_a_backup(lake: Path, tmp_path: Path) -> None:
    """Wrong usage, exit code 2, and nothing is touched."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("keep")
    (tmp_path / "link").symlink_to(lake / "below")
    other = tmp_path / "other"
    fill(other, new=True)
    before = sorted(tmp_path.rglob("*"))
    wrong = [lake, lake / "below", tmp_path, tmp_path / "link", tmp_path / "full", tmp_path / "full" / "mine", other]
    for target in [*wrong, tmp_path / "a*b"]:
        refused(2, lake, target)
    assert "no lake" in refused(1, tmp_path / "nothing", tmp_path / "copy")
    assert sorted(tmp_path.rglob("*")) == before
    backup(other, tmp_path / "copy")
    assert "another lake" in refused(2, lake, tmp_path / "copy")
    assert count(tmp_path / "copy") == 10


def test_a_backup_that_was_written_to_is_a_lake_of_its_own(lake: Path, tmp_path: Path) -> None:
    """What was stored in it is not overwritten."""
    copy = tmp_path / "copy"
    backup(lake, copy)
    fill(copy, 200)
    assert "lake of its own" in refused(2, lake, copy)
    assert count(copy) == 27


def test_one_backup_at_a_time(lake: Path, tmp_path: Path) -> None:
    """A second one to the same folder says who is at it; so does a service."""
    copy = tmp_path / "copy"
    said: list[tuple[int, str]] = []

    def meanwhile(done: int, _: int) -> None:
        if done == 1:
            for command in (["backup", str(copy), "--data", str(lake)], ["serve", "--port", "0", "--data", str(copy)]):
                ended = subprocess.run([*RUNLAKE, *command], capture_output=True, text=True, timeout=60, check=False)
                said.append((ended.returncode, ended.stderr))

    backups.backup(Settings(data=str(lake)), copy, meanwhile)
    assert [code for code, _ in said] == [1, 1]
    assert all(f"process {os.getpid()}" in line for _, line in said)
    assert count(copy) == 17
