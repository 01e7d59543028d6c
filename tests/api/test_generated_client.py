"""A client that openapi-python-client makes of the document works, as it comes.

The generator gets an environment of its own: it needs pydantic, and where that is installed Litestar behaves otherwise.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import golden
import pytest
from support import Server

GENERATOR: Final = "openapi-python-client==0.29.1"
NOT_GENERATED: Final = ["application/x-ndjson", "application/vnd.apache.arrow.stream"]  # it knows JSON and forms only
PROGRAM: Final = """
import json, sys
from datetime import datetime
from uuid import UUID

from client import Client
from client.api.runs import append_runs, get_latest_run, get_run, list_runs
from client.api.statistics import get_histogram, get_task_stats
from client.models import Problem, RunBatch
from client.models.get_histogram_width import GetHistogramWidth
from client.models.list_runs_status_item import ListRunsStatusItem

url, runs, task, unknown = json.loads(sys.stdin.read())
window = {"start_time": datetime.fromisoformat("2025-01-09T00:00:00+00:00"),
          "end_time": datetime.fromisoformat("2025-01-11T12:00:00+00:00")}
with Client(base_url=url, raise_on_unexpected_status=True) as client:
    stored = append_runs.sync(client=client, body=RunBatch.from_dict({"runs": runs}))
    page = list_runs.sync(client=client, task_id=[UUID(task)], status=[ListRunsStatusItem.FAILED],
                          include_errors=True, limit=1, **window)
    run = get_run.sync(page.items[0].id, client=client)
    missing = get_run.sync(UUID(unknown), client=client)
    never = get_latest_run.sync_detailed(UUID(unknown), client=client)
    stats = get_task_stats.sync(UUID(task), client=client, days=3, until=window["end_time"])
    chart = get_histogram.sync(client=client, width=GetHistogramWidth("12h"), **window)
    refused = list_runs.sync(client=client, limit=1000)
assert isinstance(missing, Problem) and isinstance(refused, Problem)
assert (never.status_code, never.parsed) == (200, None)
print(json.dumps({
    "stored": stored.to_dict(), "page": page.to_dict(), "run": run.to_dict(), "missing": missing.to_dict(),
    "stats": stats.to_dict(), "chart": chart.to_dict(), "refused": refused.to_dict(),
}))
"""


def installed(folder: Path) -> Path:
    """The programs of a new environment with the generator."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    pip = [str(folder / "bin" / "pip"), "install", "--quiet", "--disable-pip-version-check", GENERATOR]
    subprocess.run(pip, check=True)
    return folder / "bin"


def generated(programs: Path, schema: bytes, folder: Path) -> str:
    """Generate the package `client` in a folder; returns what the generator says."""
    (folder / "openapi.json").write_bytes(schema)
    options = ["--meta", "none", "--output-path", "client", "--path", "openapi.json"]
    done = subprocess.run(
        [str(programs / "openapi-python-client"), "generate", *options],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.long
def test_a_generated_client_works(tmp_path: Path) -> None:
    programs = installed(tmp_path / "environment")
    with Server(tmp_path / "lake") as server:
        said = generated(programs, server.client.get("/schema").content, tmp_path)
        left_out = re.findall(r"^(?:Unsupported|Cannot|Could not|Failed).*", said, re.MULTILINE)
        assert left_out == [f"Unsupported content type {kind}" for kind in NOT_GENERATED], said
        given = [str(server.url), golden.runs(), golden.NIGHTLY, golden.RUN[:-1] + "0"]
        done = subprocess.run(
            [programs / "python", "-c", PROGRAM],
            cwd=tmp_path,
            input=json.dumps(given),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        assert found["stored"]["stored"] == len(golden.runs())
        assert found["page"]["total"] == found["stats"]["failed_runs"] == 1
        assert found["run"] == found["page"]["items"][0]
        assert found["run"]["id"] == golden.RUN and found["run"]["error"].startswith("ValueError")
        assert found["missing"]["status"] == 404
        assert found["refused"]["errors"][0]["field"] == "limit"
        assert found["chart"]["width"] == "12h"
        assert found["chart"]["total"] == sum(sum(one["runs"]) for one in found["chart"]["series"]) == 13
