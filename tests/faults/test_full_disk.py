"""A full disk, a real one: appends say so and store nothing, reads go on, and with room again all goes on."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from commands import wait_clean
from inprocess import assert_problem
from ledger import Ledger
from support import BUSY, Server, environment, record, runlake

NO_CHECKPOINT: Final = re.compile(r"checkpoint.*(no space|full)", re.IGNORECASE)


def mounted(folder: Path, megabytes: int) -> None:
    """Make a folder a file system of its own; skips the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() != 0:
        pytest.skip("only root can mount a tmpfs")
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("this machine does not let a test mount a tmpfs")


def unmounted(folder: Path) -> None:
    """Give the file system back, whoever still has a file of it open."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A disk of 48 MiB."""
    folder = tmp_path / "small"
    mounted(folder, 48)
    yield folder
    unmounted(folder)


def fill(disk: Path) -> None:
    """Take all the room there is, to the last byte."""
    with (disk / "ballast").open("ab", buffering=0) as ballast:
        for size in (1 << 20, 4096, 1):
            try:
                while ballast.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def free(disk: Path) -> None:
    """Give the room back."""
    (disk / "ballast").unlink()


@pytest.mark.parametrize("env", [{}, BUSY], ids=["shipped", "busy"])
def test_a_full_disk(small: Path, env: dict[str, str]) -> None:
    """507 for small and large appends while it is full, every kind of read answers, nothing is lost or halved."""
    lake, ledger = small / "lake", Ledger(3)
    with Server(lake, env=environment(None, **env)) as server:
        for _ in range(12):
            assert ledger.post(server.client, ledger.batch()) == 200
        known = next(iter(ledger.acknowledged))
        statuses: list[int] = []
        for _ in range(25):
            fill(small)
            statuses.append(ledger.post(server.client, ledger.batch()))
            for path in ("/runs?limit=200", f"/runs/{known}", "/stats/summary?days=3650", "/ready"):
                assert server.client.get(path).status_code == 200, path
        # What fits into the space that the catalog has already may still be stored, and is then durable.
        assert set(statuses) <= {200, 507}, statuses
        assert statuses.count(507) > 15, statuses
        assert_problem(server.post(*(record(i) for i in range(300))), 507, inside=str(lake))
        logged = len(server.log)
        time.sleep(2)
        assert len(server.log) - logged < 200, "upkeep tries again and again"
        free(small)
        for _ in range(12):
            assert ledger.post(server.client, ledger.batch()) == 200
        assert list(ledger.check(server.client)) == []
    with Server(lake, env=environment(None, **BUSY)) as server:
        assert list(ledger.check(server.client)) == []
        assert ledger.post(server.client, ledger.batch()) == 200
        wait_clean(lake)
    assert runlake("check", "--data", str(lake)).returncode == 0


def test_a_start_on_a_full_disk(small: Path) -> None:
    """One line says so, and nothing is harmed."""
    lake = small / "lake"
    with Server(lake) as server:
        assert server.post(record(1)).status_code == 200
    fill(small)
    done = runlake("serve", "--data", str(lake), "--port", "0")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "disk is full" in done.stderr
    free(small)
    with Server(lake) as server:
        assert server.client.get("/runs").json()["total"] == 1


def test_no_room_for_the_serving_database(tmp_path: Path) -> None:
    """A checkpoint that fails stops nobody; it is made when there is room, and a restart finds all runs."""
    lake, ledger = tmp_path / "lake", Ledger(4)
    serving = lake / "serving"
    with Server(lake) as server:
        assert ledger.post(server.client, ledger.batch()) == 200
    kept = shutil.copytree(serving, tmp_path / "kept")
    shutil.rmtree(serving)
    mounted(serving, 64)
    try:
        shutil.copytree(kept, serving, dirs_exist_ok=True)
        with Server(lake, env=environment(None, RUNLAKE_ROLLUP_ROWS="200", RUNLAKE_MAINTAIN_SECONDS="0.02")) as server:
            saved = ids(serving)
            fill(serving)
            while len(ledger.acknowledged) < 1000:
                assert ledger.post(server.client, ledger.batch()) == 200
            server.until(lambda: any(NO_CHECKPOINT.search(line) for line in server.log), 20)
            assert ids(serving) == saved
            free(serving)
            while len(ledger.acknowledged) < 1500:
                assert ledger.post(server.client, ledger.batch()) == 200
            server.until(lambda: ids(serving) != saved, 20)
            assert list(ledger.check(server.client)) == []
        with Server(lake) as server:
            assert list(ledger.check(server.client)) == []
    finally:
        unmounted(serving)


def ids(serving: Path) -> set[str]:
    """The names of the files of the id index, which every checkpoint of new runs replaces."""
    return {file.name for file in serving.glob("ids-*")}
