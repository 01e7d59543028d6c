"""`runlake` commands from outside, and what they print."""

from __future__ import annotations

import json
import os
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from beginnings import begin
from support import environment, runlake

from runlake.lake.catalog import Lake
from runlake.paths import Paths
from runlake.settings import Settings


def refused(code: int, *args: str, cwd: Path | None = None, **env: str) -> str:
    """The one line with which a command ends that must fail with this exit code."""
    done = runlake(*args, env=environment(None, **env), cwd=cwd)
    assert "Traceback" not in done.stderr, done.stderr
    assert (done.returncode, len(done.stderr.splitlines())) == (code, 1), (done.returncode, done.stderr)
    return done.stderr


def counts(stdout: str) -> dict[str, int]:
    """The numbers an import prints."""
    return {name: int(value.replace(",", "")) for name, value in (line.split() for line in stdout.splitlines())}


def ndjson(file: Path, *runs: dict[str, Any]) -> str:
    """Write records, one a line; the path as text."""
    file.write_text("".join(json.dumps(run) + "\n" for run in runs))
    return str(file)


def load(lake: Path, *args: str) -> dict[str, int]:
    """Import, which must succeed; the numbers it prints. A lake that is not there is copied from an empty one."""
    begin(Settings(data=str(lake)))
    done = runlake("import", *args, "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    return counts(done.stdout)


def live_files(lake: Path) -> list[str]:
    """What `runlake info --files` lists, without a process for it: who waits for a change asks again and again."""
    with closing(Lake(Paths.of(lake), Settings(data=str(lake)), write=False)) as opened:
        return [file.path for file in opened.files()]


def leftovers(lake: Path) -> set[str]:
    """Files in the lake's folder that nothing names."""
    listed = set(live_files(lake))
    serving = {str(file) for file in (lake / "serving").iterdir() if file.suffix in (".duckdb", ".keys")}
    kept = {"catalog.sqlite", "catalog.sqlite-wal", "catalog.sqlite-shm", "writer.lock", "SHA256SUMS"}
    live = listed | serving | {str(lake / name) for name in kept}
    # A folder may go while it is walked through.
    return {str(Path(folder) / name) for folder, _, names in os.walk(lake) for name in names} - live


def wait_clean(lake: Path) -> None:
    """Return when nothing is left over; fails after 30 seconds."""
    deadline = time.monotonic() + 30
    while found := leftovers(lake):
        assert time.monotonic() < deadline, found
        time.sleep(0.2)
