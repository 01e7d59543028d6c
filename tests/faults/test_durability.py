"""What is acknowledged survives a power cut: traced the system calls of real processes.

A Parquet file and the folders that lead to it must be synced before the catalog names it, and the answer may only
leave after the catalog itself is synced. The checks are pure functions over a trace, so that they can be fed a
doctored one: a check that cannot fail is no check.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from support import RUNLAKE, Server, environment, record, runlake

CALLS: Final = (
    "mkdir,mkdirat,openat,write,writev,pwrite64,pwritev,ftruncate,fsync,fdatasync,rename,renameat,renameat2,"
    "unlink,unlinkat,sendto,sendmsg"
)
WRITES: Final = frozenset({"write", "writev", "pwrite64", "pwritev", "ftruncate"})
SYNCS: Final = frozenset({"fsync", "fdatasync"})
_CALL: Final = re.compile(r"^(\d+) +(\w+)\((.*)$")
_RESUMED: Final = re.compile(r"^(\d+) +<\.\.\. (\w+) resumed>")
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*)"')
_HANDLE: Final = re.compile(r"^\d+<(.*?)>(?:[,)]| <unfinished)")
_NAMES: Final = frozenset({"mkdir", "mkdirat", "openat", "unlink", "unlinkat"})
QUIET: Final = {"RUNLAKE_MAINTAIN_SECONDS": "1000"}
BUSY: Final = {"RUNLAKE_MAINTAIN_SECONDS": "0.01", "RUNLAKE_FLUSH_ROWS": "1", "RUNLAKE_MERGE_FILES": "2"}


class Call(NamedTuple):
    """One system call: what, on which path, and the positions in the trace where it began and ended."""

    name: str
    path: str
    begin: int
    end: int
    text: str


def parse(lines: Sequence[str]) -> list[Call]:
    """The calls of a trace that `strace -f -y -o` wrote, in the order they began; failed ones are left out."""
    calls: list[Call | None] = []
    pending: dict[tuple[str, str], int] = {}
    for number, line in enumerate(lines):
        if resumed := _RESUMED.match(line):
            where = pending.pop((resumed[1], resumed[2]), None)
            if where is not None and (begun := calls[where]) is not None:
                calls[where] = None if " = -1 " in line else begun._replace(end=number, text=begun.text + line)
        elif (found := _CALL.match(line)) and " = -1 " not in line:
            if line.rstrip().endswith("<unfinished ...>"):
                pending[found[1], found[2]] = len(calls)
            calls.append(Call(found[2], _path(found[2], found[3]), number, number, line))
    return [call for call in calls if call is not None]


def _path(name: str, arguments: str) -> str:
    match = _QUOTED.search(arguments) if name in _NAMES else _HANDLE.match(arguments)
    return os.path.normpath(match[1]) if match else ""


def overtaken(calls: Sequence[Call], lake: Path) -> list[str]:
    """Files and folders under files/ that were not synced when the catalog committed what names them."""
    wrong: list[str] = []
    catalog = str(lake / "catalog.sqlite")
    commits = [c for c in calls if c.path in (catalog, f"{catalog}-wal") and c.name in WRITES]
    made = {c.path: c for c in calls if c.name in ("mkdir", "mkdirat")}
    written = {c.path for c in calls if c.name in WRITES and _is_data(c.path, lake)}
    for path in sorted(written):
        last = max(c.end for c in calls if c.path == path and c.name in WRITES)
        created = max(
            (c.end for c in calls if c.path == path and c.name == "openat" and "O_CREAT" in c.text), default=0
        )
        commit = next((c.begin for c in commits if c.begin > last), None)
        if commit is None:
            wrong.append(f"{path}: no commit follows")
            continue
        if not _synced(calls, path, last, commit):
            wrong.append(f"{path}: not synced before the commit")
        folder = Path(path).parent
        if not _synced(calls, str(folder), created, commit):
            wrong.append(f"{folder}: not synced after a file was made in it")
        steps = [
            step for step in (folder, *folder.parents) if str(step) in made and step.is_relative_to(lake / "files")
        ]
        wrong += [
            f"{step.parent}: not synced after the folder {step.name} was made in it"
            for step in steps
            if not _synced(calls, str(step.parent), made[str(step)].end, commit)
        ]
    return wrong


def _is_data(path: str, lake: Path) -> bool:
    return path.startswith(f"{lake}/files/") and path.endswith(".parquet")


def _synced(calls: Sequence[Call], path: str, after: int, before: int) -> bool:
    return any(c.name in SYNCS and c.path == path and c.begin > after and c.end < before for c in calls)


def early_answers(calls: Sequence[Call], lake: Path) -> list[str]:
    """Answers to a POST that left before the catalog was synced; only for a server without upkeep of its own."""
    wal = f"{lake}/catalog.sqlite-wal"
    wrong, since = [], 0
    for number, answer in enumerate(c for c in calls if c.path.startswith("socket:") and r"\"received\"" in c.text):
        writes = [c.end for c in calls if c.path == wal and c.name in WRITES and since < c.begin < answer.begin]
        if not writes:
            wrong.append(f"answer {number}: nothing was written to the catalog")
        elif not _synced(calls, wal, max(writes), answer.begin):
            wrong.append(f"answer {number}: left before the catalog was synced")
        since = answer.end
    return wrong


@pytest.fixture
def strace(tmp_path: Path) -> tuple[str, ...]:
    """The command that traces another one into tmp_path/trace; the process is that command, not strace."""
    program = shutil.which("strace")
    if program is None:
        if os.environ.get("CI"):
            pytest.fail("strace is not installed (Debian package strace)")
        pytest.skip("strace is not installed (Debian package strace)")
    output = str(tmp_path / "trace")
    return (program, "-D", "-f", "-y", "-s", "256", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", output)


def traced(tmp_path: Path) -> list[str]:
    """The lines of the trace, once the tracer has written the last one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        lines = (tmp_path / "trace").read_text(errors="replace").splitlines()
        if lines and re.search(r"\+\+\+ (exited|killed)", lines[-1]):
            return lines
        time.sleep(0.05)
    raise AssertionError("the tracer did not end")


def data_files(calls: Sequence[Call], lake: Path) -> set[str]:
    """The Parquet files that were written."""
    return {c.path for c in calls if c.name in WRITES and _is_data(c.path, lake)}


def append_trace(tmp_path: Path, strace: tuple[str, ...]) -> list[Call]:
    """A server that took appends: Parquet files, then open runs, then their finishes."""
    with Server(tmp_path / "lake", env=environment(None, **QUIET), prefix=strace) as server:
        opened = [record(1000 + i, finished_at=None, success=None) for i in range(150)]
        batches = [[record(i) for i in range(150)], opened, [record(1000 + i) for i in range(150)], [record(5000)]]
        for batch in batches:
            assert server.post(*batch).json()["stored"] == len(batch)
    return parse(traced(tmp_path))


def test_append(tmp_path: Path, strace: tuple[str, ...]) -> None:
    """Appends that write Parquet: synced, then committed, then answered. And the checks can fail."""
    lake = tmp_path / "lake"
    calls = append_trace(tmp_path, strace)
    assert len(data_files(calls, lake)) > 28
    assert overtaken(calls, lake) == []
    assert early_answers(calls, lake) == []
    a_file = min(data_files(calls, lake))
    assert overtaken(without_sync(calls, a_file), lake) != []
    assert overtaken(without_sync(calls, str(Path(a_file).parent)), lake) != []
    assert overtaken(without_sync(calls, str(lake / "files/main")), lake) != []
    assert early_answers(without_sync(calls, f"{lake}/catalog.sqlite-wal"), lake) != []
    late = [c._replace(begin=10**9, end=10**9) if c.path == a_file and c.name in SYNCS else c for c in calls]
    assert overtaken(late, lake) == [f"{a_file}: not synced before the commit"]
    early = [c._replace(begin=1, end=1) if r"\"received\"" in c.text else c for c in calls]
    assert early_answers(early, lake) != []


def without_sync(calls: Sequence[Call], path: str) -> list[Call]:
    """The calls as if nobody had synced this path."""
    return [call for call in calls if not (call.name in SYNCS and call.path == path)]


def test_a_new_lake_is_reachable(tmp_path: Path, strace: tuple[str, ...]) -> None:
    """Before the first answer every folder that was made for the lake is synced into its parent."""
    lake = tmp_path / "new" / "deeper" / "lake"
    with Server(lake, env=environment(None, **QUIET), prefix=strace) as server:
        assert server.post(record(1)).status_code == 200
    calls = parse(traced(tmp_path))
    answer = next(c.begin for c in calls if r"\"received\"" in c.text)
    for folder in (lake, lake.parent, lake.parent.parent):
        made = next(c for c in calls if c.name in ("mkdir", "mkdirat") and c.path == str(folder))
        assert _synced(calls, str(folder.parent), made.end, answer), f"{folder.parent} is not synced"
    born = next(
        c for c in calls if c.name == "openat" and c.path == str(lake / "catalog.sqlite") and "O_CREAT" in c.text
    )
    assert _synced(calls, str(lake), born.end, answer)


def test_the_wal_stays_while_the_service_runs(tmp_path: Path, strace: tuple[str, ...]) -> None:
    """The design's idle connection: without it SQLite makes and removes the WAL at every commit."""
    wal = tmp_path / "lake" / "catalog.sqlite-wal"
    with Server(tmp_path / "lake", env=environment(None, **QUIET), prefix=strace) as server:
        assert wal.is_file()
        for number in range(5):
            assert server.post(record(number)).status_code == 200
            assert wal.is_file()
    calls = parse(traced(tmp_path))
    answers = [c for c in calls if r"\"received\"" in c.text]
    removed = [c for c in calls if c.name == "unlink" and c.path == str(wal) and c.begin < answers[-1].begin]
    between = [c for c in removed if c.begin > answers[0].begin]
    assert between == []


def files_of(lake: Path) -> set[str]:
    """All Parquet files below the lake's data folder."""
    return {str(path) for path in (lake / "files").rglob("*.parquet")}


def test_flush_and_merge_of_the_service(tmp_path: Path, strace: tuple[str, ...]) -> None:
    """Rows that were durable in the catalog stay durable when upkeep moves them."""
    lake = tmp_path / "lake"
    with Server(lake, env=environment(None, **BUSY), prefix=strace) as server:
        for number in range(6):
            assert server.post(*(record(100 * number + i) for i in range(28))).status_code == 200
        deadline = time.monotonic() + 30
        while not any("merge" in line for line in server.log) and time.monotonic() < deadline:
            time.sleep(0.1)
    calls = parse(traced(tmp_path))
    assert any("step=flush" in line for line in server.log)
    assert any("step=merge" in line for line in server.log)
    assert len(data_files(calls, lake)) > 56
    assert overtaken(calls, lake) == []


def test_maintain(tmp_path: Path, strace: tuple[str, ...]) -> None:
    """`runlake maintain` flushes and merges, open runs rewritten included."""
    lake = tmp_path / "lake"
    with Server(lake, env=environment(None, **QUIET)) as server:
        opened = [record(9000 + i, finished_at=None, success=None) for i in range(250)]
        for batch in ([record(i) for i in range(28)], [record(100 + i) for i in range(150)], opened):
            assert server.post(*batch).status_code == 200
        assert server.post(*(record(9000 + i) for i in range(50))).status_code == 200
    before = files_of(lake)
    done = run_traced(strace, "maintain", "--data", str(lake))
    assert done.returncode == 0, done.stderr
    calls = parse(traced(tmp_path))
    assert data_files(calls, lake) - before
    assert overtaken(calls, lake) == []
    assert runlake("check", "--data", str(lake)).returncode == 0


def run_traced(strace: tuple[str, ...], *args: str) -> subprocess.CompletedProcess[str]:
    """A traced `runlake` command, run to its end."""
    command = [*strace, *RUNLAKE, *args]
    return subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)


def test_import(tmp_path: Path, strace: tuple[str, ...]) -> None:
    """A bulk load is synced before its one commit."""
    lake, source = tmp_path / "lake", tmp_path / "runs.ndjson"
    opened = [record(9000 + i, finished_at=None, success=None) for i in range(150)]
    source.write_text("".join(json.dumps(r) + "\n" for r in [*(record(i) for i in range(500)), *opened]))
    done = run_traced(strace, "import", str(source), "--data", str(lake))
    assert done.returncode == 0, done.stderr
    calls = parse(traced(tmp_path))
    assert len(data_files(calls, lake)) >= 29
    assert overtaken(calls, lake) == []
