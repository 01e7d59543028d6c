"""Readers in processes of their own while the service writes: what they see is a snapshot, and only grows."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Final

from support import HOSTILE, Server, environment, record

from runlake import duck

# An analyst: plain DuckDB, no runlake; one line per look, until its standard input ends.
ANALYST: Final = """
import duckdb, sys, threading
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
def snapshot(con):
    return con.execute("SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot").fetchone()
def look(con):  # as docs/analysts.md says: a commit in between may mix two snapshots
    while True:
        before = snapshot(con)
        seen = con.execute("SELECT count(*), count(DISTINCT id), sum(attempt) FROM lake.runs").fetchone()
        if snapshot(con) == before:
            return seen
def attached():
    con = duckdb.connect()
    con.execute("SET enable_progress_bar = false")
    for path in sys.argv[2:]:
        con.execute(f"LOAD '{path}'")
    con.execute(f"ATTACH 'ducklake:sqlite:{sys.argv[1]}/catalog.sqlite' AS lake (READ_ONLY)")
    return con
con = attached()
while True:
    last = done.is_set()
    print(*look(con), flush=True)
    con.close()
    con = attached()
    print(*look(con), flush=True)
    print(*look(con), flush=True)
    if last:
        break
"""


def analyst(lake: Path, cwd: Path) -> subprocess.Popen[str]:
    """A process of plain DuckDB in another folder that counts the runs again and again."""
    wheels = [duck.extension("sqlite_scanner"), duck.extension("ducklake")]
    return subprocess.Popen(
        [sys.executable, "-c", ANALYST, str(lake), *wheels],
        cwd=cwd,
        env=environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_no_bar_between_the_rows(tmp_path: Path) -> None:
    """DuckDB draws one, on standard output, when a query takes two seconds in what it holds for interactive."""
    ask = "con.execute(\"SELECT current_setting('enable_progress_bar')\").fetchall()"
    text = f"from runlake import duck; con = duck.connect(threads=1, memory_limit='256MB'); print({ask})"
    done = subprocess.run(
        [sys.executable, "-c", text],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("[(False,)]\n", "")


# The look that `runlake sql`, `info` and `check` take at a lake, again and again.
LOOKER: Final = """
import sys, threading
from runlake.lake.catalog import Lake
from runlake.paths import Paths
from runlake.inspect.relations import content
from runlake.settings import Settings
done = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), done.set()), daemon=True).start()
lake = Lake(Paths.of(sys.argv[1]), Settings(data=sys.argv[1]), write=False)
while True:
    last = done.is_set()
    what = content(lake)
    print(*[what.finished + what.opened.num_rows] * 3, flush=True)
    if last:
        break
"""


def looker(lake: Path, cwd: Path) -> subprocess.Popen[str]:
    """A process that takes the same look as the commands that read."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", LOOKER, str(lake)]
    return subprocess.Popen(command, cwd=cwd, env=environment(), stdin=pipe, stdout=pipe, stderr=pipe, text=True)


def _has_run(server: Server, step: str) -> bool:
    """Whether the service did such a step of maintenance; a busy machine takes its time."""
    return any(f"step={step}" in line for line in server.log)


def test_readers_see_ever_more_runs_while_the_service_writes(tmp_path: Path) -> None:
    """Appends, finishes, flushes, merges, expiry and clean-up go on under a reader of each kind; nothing errs or
    shrinks."""
    lake = tmp_path / "lake"
    with Server(lake, env=environment(None, **HOSTILE)) as server:
        server.post(record(1, finished_at=None, success=None))
        readers = [reader(lake, tmp_path) for reader in (analyst, looker)]
        enough, number = time.monotonic() + 10, 10
        while time.monotonic() < enough or not (_has_run(server, "merge") or time.monotonic() > enough + 60):
            opened = [record(number + i, finished_at=None, success=None) for i in range(5)]
            assert server.post(*opened).json()["stored"] == 5
            batch = [record(number + i) for i in range(60 if number % 3 else 120)]
            assert server.post(*batch).json()["stored"] == len(batch)
            number += len(batch)
        total = server.client.get("/runs").json()["total"]
        ends = [(*process.communicate(timeout=60), process.returncode) for process in readers]
    assert _has_run(server, "merge")
    assert _has_run(server, "clean")
    assert not [line for line in server.log if "ERROR" in line or "failed" in line]
    for out, err, code in ends:
        assert (code, err) == (0, "")
        looks = [tuple(map(int, line.split())) for line in out.splitlines()]
        fallen = [(before, after) for before, after in pairwise(looks) if after < before]
        assert fallen == []
        assert len(looks) > 5
        assert looks[-1] == (total, total, total)
