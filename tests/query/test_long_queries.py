"""A query of another process that is half way outlives what the service merges and cleans meanwhile."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import pytest
from commands import live_files
from loading import opened_store
from support import HOSTILE, RUNLAKE, Server, environment, record, runlake

from runlake import duck
from runlake.settings import Settings

RUNS: Final = 8_000
QUERY: Final = "SELECT count(*) AS runs, max(hash(repeat(error, 1000))) > 0 AS some FROM {runs}"
# An analyst with plain DuckDB.
PLAIN: Final = """
import duckdb, sys
con = duckdb.connect()
con.execute("SET enable_progress_bar = false")
for path in sys.argv[3:]:
    con.execute(f"LOAD '{path}'")
con.execute("SET threads = 1")
con.execute(f"ATTACH 'ducklake:sqlite:{sys.argv[1]}/catalog.sqlite' AS lake (READ_ONLY)")
print(*con.execute(sys.argv[2]).fetchone(), sep=",")
"""


def plain(lake: Path) -> list[str]:
    """The command of the analyst."""
    wheels = [duck.extension("sqlite_scanner"), duck.extension("ducklake")]
    return [sys.executable, "-c", PLAIN, str(lake), QUERY.format(runs="lake.runs"), *wheels]


def sql(lake: Path) -> list[str]:
    """The same question by `runlake sql`."""
    return [*RUNLAKE, "sql", QUERY.format(runs="runs"), "--format", "csv", "--data", str(lake)]


def reads(pid: int) -> bool:
    """Whether a process has a Parquet file of the finished runs open."""
    found = []
    for fd in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed again
            found.append(str(fd.readlink()))
    return any("/finished_runs/" in name and name.endswith(".parquet") for name in found)


@contextmanager
def half_way(command: list[str], cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that has begun to read the files, and is stopped inside; then it goes on."""
    pipe = subprocess.PIPE
    env = environment(None, RUNLAKE_THREADS="1")
    with subprocess.Popen(command, cwd=cwd, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            while not reads(process.pid):
                assert process.poll() is None, process.communicate()
            process.send_signal(signal.SIGSTOP)
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake with eight files for each of 28 days."""
    lake = tmp_path_factory.mktemp("made") / "lake"
    with Server(lake, env=environment(None, RUNLAKE_MAINTAIN_SECONDS="1000")) as server:
        for start in range(0, RUNS, RUNS // 8):
            server.post(*(record(start + i, success=False, error=f"{i:0500}") for i in range(RUNS // 8)))
    return lake


@pytest.fixture
def lake(made: Path, tmp_path: Path) -> Path:
    """A copy of it, which whoever writes to it has opened once: plain DuckDB would read the files of the original."""
    lake = shutil.copytree(made, tmp_path / "lake")
    with opened_store(Settings(data=str(lake), maintain_seconds=1000.0)):
        return lake


@pytest.mark.parametrize("reader", [plain, sql], ids=["plain DuckDB", "runlake sql"])
def test_a_long_query_outlives_a_merge_and_a_clean_up(
    lake: Path, tmp_path: Path, reader: Callable[[Path], list[str]]
) -> None:
    """Within the grace period its files stay; after it they go."""
    old = set(live_files(lake))
    assert len(old) == 8 * 28
    with half_way(reader(lake), tmp_path) as query:
        with Server(lake, env=environment(None, **{**HOSTILE, "RUNLAKE_GRACE_SECONDS": "600"})) as server:
            deadline = time.monotonic() + 60
            while not any("step=clean" in line for line in server.log) or len(live_files(lake)) > 28:
                assert time.monotonic() < deadline, "".join(server.log)
                time.sleep(0.2)
            assert any("step=merge" in line for line in server.log)
            query.send_signal(signal.SIGCONT)
            out, err = query.communicate(timeout=60)
        assert (query.returncode, err, out.splitlines()[-1].lower()) == (0, "", f"{RUNS},true")
    assert runlake("maintain", "--data", str(lake), env=environment(None, RUNLAKE_GRACE_SECONDS="0")).returncode == 0
    assert not any(Path(file).exists() for file in old)


def test_without_grace_it_would_not(lake: Path, tmp_path: Path) -> None:
    """The other test is one: the same query needs the files that a clean-up without grace takes away."""
    with half_way(plain(lake), tmp_path) as query:
        now = environment(None, RUNLAKE_GRACE_SECONDS="0")
        assert runlake("maintain", "--data", str(lake), env=now).returncode == 0
        query.send_signal(signal.SIGCONT)
        _, err = query.communicate(timeout=60)
        assert (query.returncode != 0, "No such file" in err) == (True, True), err
