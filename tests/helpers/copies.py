"""Lakes that are filled, copied and counted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Final

from beginnings import begin
from support import environment, record, runlake

from runlake import duck
from runlake.settings import Settings

PARQUET: Final = {"RUNLAKE_INLINE_ROWS": "0"}
COUNT: Final = """
import duckdb, sys
con = duckdb.connect()
for path in sys.argv[2:]:
    con.execute(f"LOAD '{path}'")
address = "ducklake:sqlite:" + sys.argv[1] + "/catalog.sqlite"
con.execute("ATTACH '" + address.replace("'", "''") + "' AS lake (READ_ONLY)")
print(*con.execute("SELECT count(*), count(DISTINCT id) FROM lake.runs").fetchone())
"""


def fill(lake: Path | str, first: int = 0, cwd: Path | None = None, *, new: bool = False) -> None:
    """Ten more runs in Parquet files, by import. All lakes that are not `new` began as copies of the same empty one."""
    source = (cwd or Path(lake).parent) / "source.ndjson"
    if not new:
        begin(Settings(data=str((cwd or Path()) / lake)))
    source.write_text("".join(json.dumps(record(first + i)) + "\n" for i in range(10)))
    done = runlake("import", str(source), "--data", str(lake), env=environment(None, **PARQUET), cwd=cwd)
    assert done.returncode == 0, done.stderr


def count(lake: Path | str) -> int:
    """How many runs `runlake sql` and `runlake check` see; they agree."""
    done = runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(lake))
    assert done.returncode == 0, done.stderr
    check = runlake("check", "--data", str(lake))
    assert check.returncode == 0, check.stderr
    found = int(json.loads(done.stdout)[0]["n"])
    assert check.stdout.split()[1] == f"{found:,}"
    return found


def plain(lake: Path, cwd: Path) -> str:
    """What plain DuckDB in another folder counts: runs, and different ids."""
    wheels = [duck.extension("sqlite_scanner"), duck.extension("ducklake")]
    command = [sys.executable, "-c", COUNT, str(lake), *wheels]
    done = subprocess.run(command, cwd=cwd, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    return done.stdout.strip() or done.stderr


def backup(lake: Path, copy: Path) -> dict[str, int]:
    """The numbers of a backup that must succeed."""
    done = runlake("backup", str(copy), "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    return {" ".join(words): int(value.replace(",", "")) for *words, value in map(str.split, done.stdout.splitlines())}
