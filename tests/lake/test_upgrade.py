"""A lake that an older version left, which answered from an index of its own, is served as it is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, Final

import httpx
from oracle import assert_same
from support import HERE, Server, runlake

OLDER: Final = HERE / "older_lake"
UNTIL: Final = "2026-01-04T00:00:00Z"


def answered(name: str) -> Any:
    """An answer of the older version."""
    return json.loads((OLDER / name).read_text())


def test_a_lake_of_an_older_version_opens(tmp_path: Path) -> None:
    """Runs and figures are the same, the old index goes once the serving database is whole, and nothing is wrong."""
    shutil.unpack_archive(OLDER / "lake.tar.gz", tmp_path)
    lake = tmp_path / "lake"
    assert (lake / "index").is_dir()
    with Server(lake) as server:
        runs = httpx.get(f"{server.url}/runs", params={"limit": 200, "include_errors": True}).json()
        summary = httpx.get(f"{server.url}/stats/summary", params={"days": 7, "until": UNTIL}).json()
        assert runs == answered("runs.json")
        assert_same(summary, answered("summary.json"))
        assert not (lake / "index").exists()
        assert server.post({"task_id": runs["items"][0]["task_id"]}).status_code == 200
    assert (lake / "serving" / "serving.duckdb").is_file()
    done = runlake("check", "--data", str(lake))
    assert done.returncode == 0, done.stdout + done.stderr
