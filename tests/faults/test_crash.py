"""kill -9: what was acknowledged is there once, what was not is there whole or not at all, and the lake opens."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from pathlib import Path
from typing import Final

import pytest
from support import RUNLAKE, Server, environment, record, runlake

from runlake.settings import Settings

BUSY: Final = {"RUNLAKE_MAINTAIN_SECONDS": "0.01", "RUNLAKE_FLUSH_ROWS": "1", "RUNLAKE_MERGE_FILES": "2"}


def killed(at: str, *args: str, env: dict[str, str] | None = None) -> int:
    """Run a `runlake` command that is killed when it enters a system call, `name:when=N`; the exit code."""
    program = shutil.which("strace")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("strace is not installed (Debian package strace)")
        pytest.skip("strace is not installed (Debian package strace)")
    name, _, when = at.partition(":")
    inject = ["-e", f"trace={name}", "-e", f"inject={name}:signal=KILL:{when}"]
    command = [program, "-D", "-f", "-o", os.devnull, *inject, *RUNLAKE, *args]
    env = env or environment()
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    return done.returncode


@pytest.mark.parametrize("env", [{}, BUSY], ids=["shipped", "busy"])
def test_right_after_the_answer(settings: Settings, env: dict[str, str]) -> None:
    """Every acknowledged run is there, once, also when upkeep was under way."""
    lake, told = Path(settings.data), set[str]()
    for round_ in range(3):
        server = Server(lake, env=environment(None, **env)).wait_ready()
        for number, size in enumerate((1, 30, 150, 3)):
            batch = [record(1000 * round_ + 200 * number + i, id=str(uuid.uuid4())) for i in range(size)]
            told |= set(server.post(*batch).json()["ids"])
        server.stop(signal.SIGKILL)
    with Server(lake) as server:
        pages = [server.client.get("/runs", params={"limit": 200, "offset": at}).json() for at in range(0, 800, 200)]
        found = [run["id"] for page in pages for run in page["items"]]
        assert (len(found), set(found)) == (len(told), told)
    assert runlake("check", "--data", str(lake)).returncode == 0


@pytest.mark.parametrize("when", [1, 6, 8])
def test_while_the_lake_is_made(tmp_path: Path, when: int) -> None:
    """A process that dies while it makes a lake leaves a folder that the next one can use."""
    lake = str(tmp_path / "lake")
    code = killed(f"fsync:when={when}", "generate", "--runs", "10", "--data", lake)
    again = runlake("generate", "--runs", "10", "--data", lake)
    assert (code, again.returncode) == (-signal.SIGKILL, 0), again.stderr


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of 180 runs with several files a day; copy it."""
    lake = tmp_path_factory.mktemp("scattered") / "lake"
    for seed in ("1", "2"):
        args = ["--runs", "90", "--days", "5", "--until", "2025-01-11T08:00:00Z", "--seed", seed]
        done = runlake("generate", *args, "--data", str(lake), env=environment(None, RUNLAKE_INLINE_ROWS="0"))
        assert done.returncode == 0, done.stderr
    return lake


def assert_sound(lake: Path, runs: int) -> None:
    """`check` is content and counts this many runs."""
    check = runlake("check", "--data", str(lake))
    assert (check.returncode, check.stdout.split()[1]) == (0, str(runs)), check.stderr


@pytest.mark.parametrize("when", [1, 66, 67])
def test_while_importing(tmp_path: Path, scattered: Path, when: int) -> None:
    """An import that dies has stored everything or nothing, and leaves no harm."""
    lake, source = tmp_path / "lake", tmp_path / "runs.ndjson"
    shutil.copytree(scattered, lake)
    source.write_text("".join(json.dumps(record(i)) + "\n" for i in range(500)))
    assert killed(f"fsync:when={when}", "import", str(source), "--data", str(lake)) in (0, -signal.SIGKILL)
    again = runlake("import", str(source), "--data", str(lake))
    assert dict(line.split() for line in again.stdout.splitlines())["stored"] in ("0", "500"), again.stderr
    assert_sound(lake, 680)


@pytest.mark.parametrize("when", [1, 16])
def test_while_maintaining(tmp_path: Path, scattered: Path, when: int) -> None:
    """A maintain that dies between two syncs loses and doubles nothing."""
    lake = tmp_path / "lake"
    shutil.copytree(scattered, lake)
    assert killed(f"fsync:when={when}", "maintain", "--data", str(lake)) in (0, -signal.SIGKILL)
    assert_sound(lake, 180)
    assert runlake("maintain", "--data", str(lake)).returncode == 0
    assert_sound(lake, 180)


def test_while_files_are_deleted(tmp_path: Path, scattered: Path) -> None:
    """A clean-up that dies between two files leaves files that nothing names; the next one deletes them."""
    lake, env = tmp_path / "lake", environment(None, RUNLAKE_GRACE_SECONDS="0")
    shutil.copytree(scattered, lake)
    old = {path.name for path in lake.rglob("ducklake-*.parquet")}
    half_done = 0
    for when in (4, 12, 8, 16, 10, 14, 20, 24, 28):  # how many files go before those varies
        copy = tmp_path / f"copy-{when}"
        shutil.copytree(lake, copy)
        code = killed(f"unlink:when={when}", "maintain", "--data", str(copy), env=env)
        left = old & {path.name for path in copy.rglob("ducklake-*.parquet")}
        if code == 0:
            continue
        half_done += 0 < len(left) < len(old)
        assert_sound(copy, 180)
        assert runlake("maintain", "--data", str(copy), env=env).returncode == 0
        assert_sound(copy, 180)
        listed = runlake("info", "--files", "--data", str(copy)).stdout.split()
        assert {str(path) for path in copy.rglob("ducklake-*.parquet")} == set(listed)
        if half_done:
            break
    assert half_done, "no kill came between two files"
