"""Folders, catalogs and indexes as they should not be: one line that names the thing, and nothing is made worse."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest
from support import Server, environment, record, runlake

Damage = Callable[[bytes], bytes]

DAMAGES: Final[dict[str, Damage]] = {
    "zero bytes": lambda _: b"",
    "cut in the middle": lambda content: content[: len(content) // 2],
    "zeros": lambda content: bytes(len(content)),
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake of 150 runs in Parquet files and 5 in the catalog. Copy it."""
    lake = tmp_path_factory.mktemp("damaged") / "lake"
    with Server(lake) as server:
        for runs in ([record(i) for i in range(150)], [record(1000 + i) for i in range(5)]):
            assert server.post(*runs).status_code == 200
    return lake


@pytest.fixture
def lake(healthy: Path, tmp_path: Path) -> Path:
    """A copy of the healthy lake, to be damaged."""
    return Path(shutil.copytree(healthy, tmp_path / "lake"))


def refused(*command: str, data: Path) -> str:
    """What a command says that must end with one line and exit code 1."""
    done = runlake(*command, "--data", str(data), env=environment(None, RUNLAKE_PORT="0"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), (command, done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    return done.stderr


def parquet_files(lake: Path) -> set[Path]:
    """Every Parquet file below the lake's folder."""
    return set((lake / "files").rglob("*.parquet"))


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_catalog(lake: Path, damage: Damage) -> None:
    """Every command says so and names the lake; the catalog and the files stay as they are."""
    catalog = lake / "catalog.sqlite"
    catalog.write_bytes(damage(catalog.read_bytes()))
    content, files = catalog.read_bytes(), parquet_files(lake)
    for command in (["check"], ["serve"]):
        assert str(catalog) in refused(*command, data=lake), command
    assert (catalog.read_bytes(), parquet_files(lake)) == (content, files)


def test_a_lost_catalog(lake: Path) -> None:
    """Nobody begins a new lake over the files of one whose catalog is gone: clean-up would take them for orphans."""
    (lake / "catalog.sqlite").unlink()
    files = parquet_files(lake)
    for command in (["serve"], ["generate", "--runs", "1"]):
        assert "catalog.sqlite" in refused(*command, data=lake), command
    assert parquet_files(lake) == files
    assert not (lake / "catalog.sqlite").exists()


@pytest.mark.parametrize("damage", [DAMAGES["cut in the middle"], None], ids=["cut in the middle", "gone"])
def test_a_damaged_serving_database(lake: Path, damage: Damage | None) -> None:
    """Each file of it, one after the other: the service makes it anew, says why, and answers all the same."""
    for number in range(len(list((lake / "serving").iterdir()))):
        file = sorted((lake / "serving").iterdir())[number]  # made anew, it may have another name
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage(file.read_bytes()))
        with Server(lake) as server:
            assert server.client.get("/runs").json()["total"] == 155
            assert server.client.get("/stats/summary?until=2025-02-01&days=60").json()["total_runs"] == 155
            assert server.post(record(7)).json()["duplicates"] == 1
            assert server.client.get(f"/runs/{record(1003)['id']}").status_code == 200
        reasons = [line for line in server.log if "no serving database" in line]
        if damage is None and file.suffix == ".duckdb":
            assert reasons == []
        else:
            assert len(reasons) == 1, server.log
            assert file.name in reasons[0], reasons


def test_a_file_in_the_way(tmp_path: Path) -> None:
    """A folder that cannot be made is one line."""
    (tmp_path / "file").write_text("in the way")
    assert "file" in refused("serve", data=tmp_path / "file" / "lake")


@pytest.fixture
def read_only(lake: Path, tmp_path: Path) -> Iterator[Path]:
    """The lake on a file system that cannot be written."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a read-only file system")
    target = tmp_path / "read-only"
    target.mkdir()
    for command in (
        ["mount", "--bind", str(lake), str(target)],
        ["mount", "-o", "remount,ro,bind", str(target)],
    ):
        if subprocess.run(command, capture_output=True, check=False).returncode:
            subprocess.run(["umount", str(target)], capture_output=True, check=False)
            pytest.skip("this machine does not let a test mount a file system")
    yield target
    subprocess.run(["umount", str(target)], check=True)


def test_a_read_only_folder(read_only: Path) -> None:
    """What must write says so in one line that names the folder; a new lake below it too."""
    for command in (["serve"], ["maintain"], ["generate", "--runs", "1"]):
        assert str(read_only) in refused(*command, data=read_only), command
    assert str(read_only) in refused("serve", data=read_only / "another")
    said = runlake("check", "--data", str(read_only))
    assert "Traceback" not in said.stderr
    assert said.returncode == 0 or str(read_only) in said.stderr
