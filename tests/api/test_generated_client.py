"""Clients that two generators make of the document work, as they come; one of these is a program of Java.

The generators get environments of their own: they need pydantic, with which Litestar behaves otherwise.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import golden
import pytest
from support import Server

GENERATOR: Final = "openapi-python-client==0.29.1"
JAVA_GENERATOR: Final = "openapi-generator-cli==7.26.0"  # its wheel has the program of Java
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


# The same with the other client: it gives texts where the first one gives JSON, and raises.
JAVA_PROGRAM: Final = """
import json, sys
from datetime import datetime
from uuid import UUID

from client import ApiClient, ApiException, Configuration, RunBatch, RunsApi, StatisticsApi

url, runs, task, unknown = json.loads(sys.stdin.read())
window = {"start_time": datetime.fromisoformat("2025-01-09T00:00:00+00:00"),
          "end_time": datetime.fromisoformat("2025-01-11T12:00:00+00:00")}


def problem(call):
    try:
        call()
    except ApiException as exc:
        return json.loads(exc.body)


with ApiClient(Configuration(host=url)) as client:
    api, statistics = RunsApi(client), StatisticsApi(client)
    stored = api.append_runs(RunBatch.from_dict({"runs": runs}))
    page = api.list_runs(task_id=[UUID(task)], status=["failed"], include_errors=True, limit=1, **window)
    run = api.get_run(page.items[0].id)
    missing = problem(lambda: api.get_run(UUID(unknown)))
    assert api.get_latest_run(UUID(unknown)) is None
    stats = statistics.get_task_stats(UUID(task), days=3, until=window["end_time"])
    chart = statistics.get_histogram(width="12h", **window)
    refused = problem(lambda: statistics.get_histogram(width="1s", **window))
print(json.dumps({
    "stored": json.loads(stored.to_json()), "page": json.loads(page.to_json()), "run": json.loads(run.to_json()),
    "missing": missing, "stats": json.loads(stats.to_json()), "chart": json.loads(chart.to_json()), "refused": refused,
}))
"""


def installed(folder: Path, *packages: str) -> Path:
    """The programs of a new environment with these packages."""
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    add(folder / "bin", *packages)
    return folder / "bin"


def add(programs: Path, *packages: str) -> None:
    pip = [str(programs / "pip"), "install", "--quiet", "--disable-pip-version-check", *packages]
    subprocess.run(pip, check=True)


def generated(programs: Path, schema: bytes, folder: Path, *command: str) -> str:
    """What a generator says that makes the package `client` in a folder."""
    (folder / "openapi.json").write_bytes(schema)
    done = subprocess.run(
        [str(programs / command[0]), *command[1:]],
        cwd=folder,
        env={**os.environ, "PATH": f"{programs}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def told(programs: Path, program: str, server: Server, folder: Path) -> dict[str, Any]:
    """What a program with the client in a folder finds out from a service; the parts that every client finds alike."""
    given = [str(server.url), golden.runs(), golden.NIGHTLY, golden.RUN[:-1] + "0"]
    done = subprocess.run(
        [programs / "python", "-c", program],
        cwd=folder,
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
    assert found["chart"]["width"] == "12h"
    assert found["chart"]["total"] == sum(sum(one["runs"]) for one in found["chart"]["series"]) == 13
    return found


@pytest.mark.long
def test_a_generated_client_works(tmp_path: Path) -> None:
    programs = installed(tmp_path / "environment", GENERATOR)
    options = ["--meta", "none", "--output-path", "client", "--path", "openapi.json"]
    with Server(tmp_path / "lake") as server:
        schema = server.client.get("/schema").content
        said = generated(programs, schema, tmp_path, "openapi-python-client", "generate", *options)
        left_out = re.findall(r"^(?:Unsupported|Cannot|Could not|Failed).*", said, re.MULTILINE)
        assert left_out == [f"Unsupported content type {kind}" for kind in NOT_GENERATED], said
        assert told(programs, PROGRAM, server, tmp_path)["refused"]["errors"][0]["field"] == "limit"


@pytest.mark.long
@pytest.mark.skipif(shutil.which("java") is None, reason="the generator is a program of Java")
def test_a_client_of_openapi_generator_works(tmp_path: Path) -> None:
    programs = installed(tmp_path / "environment", JAVA_GENERATOR)
    options = ["-g", "python", "-i", "openapi.json", "-o", "out", "--package-name", "client"]
    with Server(tmp_path / "lake") as server:
        schema = server.client.get("/schema").content
        generated(programs, schema, tmp_path, "openapi-generator-cli", "generate", *options)
        add(programs, "-r", str(tmp_path / "out" / "requirements.txt"))
        assert told(programs, JAVA_PROGRAM, server, tmp_path / "out")["refused"]["errors"][0]["field"] == "width"
