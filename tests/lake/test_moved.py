"""A lake is a folder: it may be moved, copied, linked to, and called anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import pytest
from copies import PARQUET, count, fill, plain
from support import Server, environment, record, runlake

NAMES: Final = ['-it\'s "quoted" with spaces', "Übung 実行 🐟", "a,b;c#d&e%20=f:g", "new\nline", "attempt=7"]


def test_a_moved_lake(tmp_path: Path) -> None:
    """Every command works at once; plain DuckDB does after the first opening for writing."""
    old, new = tmp_path / "old", tmp_path / "elsewhere" / "new"
    fill(old)
    new.parent.mkdir()
    old.rename(new)
    assert count(new) == 10
    files = runlake("info", "--files", "--data", str(new)).stdout.splitlines()
    assert len(files) == 10
    assert all(Path(file).is_file() and Path(file).is_relative_to(new) for file in files)
    fill(new, 100)
    assert count(new) == 20
    with Server(new, env=environment(None, **PARQUET)) as server:
        assert server.post(record(200)).json()["stored"] == 1
        assert server.client.get("/runs").json()["total"] == 21
        assert server.client.get(f"/runs/{record(3)['id']}").status_code == 200
        assert plain(new, tmp_path) == "21 21"
    assert plain(new, tmp_path) == "21 21"
    assert not old.exists()


def test_a_copied_lake_is_a_lake_of_its_own(tmp_path: Path) -> None:
    """What is written to or tidied in the copy never touches the original, and the other way round."""
    original, copy = tmp_path / "original", tmp_path / "copy"
    fill(original)
    fill(original, 28)  # the same days again, so that there is something to merge
    shutil.copytree(original, copy)
    before = sorted(str(path) for path in original.rglob("*"))
    now = environment(None, RUNLAKE_GRACE_SECONDS="0", **PARQUET)
    assert runlake("maintain", "--data", str(copy), env=now).returncode == 0
    fill(copy, 100)
    assert sorted(str(path) for path in original.rglob("*")) == before
    assert (count(original), count(copy)) == (20, 30)
    assert plain(copy, tmp_path) == "30 30"
    shutil.rmtree(original)
    assert count(copy) == 30
    assert plain(copy, tmp_path) == "30 30"


def test_a_copy_reads_its_own_files_before_any_writing(tmp_path: Path) -> None:
    """With the original gone, a copy that was never opened for writing is whole."""
    original, copy = tmp_path / "original", tmp_path / "copy"
    fill(original)
    shutil.copytree(original, copy)
    shutil.rmtree(original)
    assert count(copy) == 10


def test_relative_and_default_folders(tmp_path: Path) -> None:
    """--data and RUNLAKE_DATA are relative to the current folder, but the lake does not remember that."""
    fill("some/lake", cwd=tmp_path)
    lake = tmp_path / "some" / "lake"
    assert count(lake) == 10
    env = environment(None, RUNLAKE_DATA="../some/lake")
    (tmp_path / "beside").mkdir()
    done = runlake("sql", "SELECT count(*) FROM runs", "--format", "csv", env=env, cwd=tmp_path / "beside")
    assert done.stdout.split()[-1] == "10"
    assert plain(lake, tmp_path / "beside") == "10 10"


def test_any_name(tmp_path: Path) -> None:
    """Spaces, quotes, other scripts and what SQL, globs and URIs hold special, all in the path of each file."""
    lake = tmp_path.joinpath(*NAMES)
    lake.parent.mkdir(parents=True)
    fill(lake, cwd=tmp_path)
    assert count(lake) == 10
    with Server(lake, env=environment(None, **PARQUET)) as server:
        assert server.post(*(record(28 + i) for i in range(5))).json()["stored"] == 5
        assert server.client.get("/runs").json()["total"] == 15
        assert len(server.client.get("/runs?limit=200&start_time=2025-01-01").json()["items"]) == 15
        detail = server.client.get(f"/runs/{record(3)['id']}")
        assert (detail.status_code, detail.json().get("attempt")) == (200, 1), detail.text
        assert server.post(record(3)).json()["duplicates"] == 1
    found = runlake("sql", "SELECT DISTINCT attempt FROM runs", "--format", "csv", "--data", str(lake))
    assert found.stdout.split() == ["attempt", "1"]
    assert plain(lake, tmp_path) == "15 15"


def test_a_link_is_the_same_lake(tmp_path: Path) -> None:
    """Through a symbolic link it is the same lake with the same lock, and stays whole when the link goes."""
    lake, link = tmp_path / "real" / "lake", tmp_path / "link"
    lake.parent.mkdir()
    lake.mkdir()
    link.symlink_to(lake)
    fill(link)
    with Server(lake) as server:
        done = runlake("generate", "--runs", "5", "--data", str(link))
        assert (done.returncode, f"process {server.process.pid}" in done.stderr) == (1, True)
    assert count(link) == count(lake) == 10
    link.unlink()
    assert count(lake) == 10
    assert plain(lake, tmp_path) == "10 10"


@pytest.mark.parametrize("name", ["a*", "a?", "glob[1]", "back\\slash"])
def test_names_that_read_as_patterns_are_refused(tmp_path: Path, name: str) -> None:
    """DuckDB would read such a path as a pattern: better one clear line than other people's files."""
    for command in (["generate", "--runs", "5"], ["check"], ["serve", "--port", "0"]):
        done = runlake(*command, "--data", str(tmp_path / name))
        assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert list(tmp_path.iterdir()) == []
