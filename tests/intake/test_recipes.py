"""The recipes, on small exports of each system (exports/), and on later ones of the same system.

Their shapes are those of: the manual page of sacct; "List workflow runs" of GitHub's REST API; the tables
task_instance and task_instance_history of Airflow 2.10; run_results.json of dbt, schema v6; v1.PodList of Kubernetes;
and the examples of opentelemetry-proto for OTLP in JSON.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click.testing
import pytest
from beginnings import begin
from taking import loaded, taken, written

import runlake
from runlake import recipes
from runlake.cli.group import commands
from runlake.lake.bulk import Totals
from runlake.settings import Settings

EXPORTS: Final = Path(__file__).parent / "exports"
FILES: Final = {
    "slurm": ("jobs", ".csv"),
    "github-actions": ("runs", ".ndjson"),
    "airflow": ("tries", ".csv"),
    "dbt": ("run_results", ".json"),
    "kubernetes": ("pods", ".json"),
    "otel": ("spans", ".ndjson"),
}
Row = dict[str, Any]


def export(name: str, *, later: bool = False) -> Path:
    """The small export of a system."""
    stem, ending = FILES[name]
    return EXPORTS / f"{stem}{'-later' if later else ''}{ending}"


def runs_of(name: str, *, later: bool = False) -> list[Row]:
    """What a recipe makes of it."""
    return taken(export(name, later=later), select=recipes.text(name))


def outcomes(name: str) -> list[tuple[bool | None, int]]:
    """Result and attempt of each run, None for an open one."""
    return [(row["success"], row.get("attempt", 1)) for row in runs_of(name)]


def test_every_recipe_has_an_export() -> None:
    assert sorted(FILES) == sorted(recipes.NAMES)


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_is_short_and_says_where_its_source_comes_from(name: str) -> None:
    lines = recipes.text(name).splitlines()
    assert len(lines) <= 40
    assert lines[0] == f"-- {recipes.about(name)}:"
    assert lines[1].startswith("--   ")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("slurm", [(True, 1), (False, 1), (False, 1), (None, 2), (False, 1), (None, 1), (False, 1)]),
        ("github-actions", [(True, 1), (False, 1), (False, 1), (None, 1), (None, 1)]),
        ("airflow", [(True, 1), (False, 1), (False, 2), (None, 1), (None, 1)]),
        ("dbt", [(True, 1), (False, 1), (True, 1), (False, 1)]),
        ("kubernetes", [(None, 1), (None, 1), (False, 1), (False, 1), (True, 2), (True, 1), (False, 1)]),
        ("otel", [(True, 1), (False, 1), (False, 1)]),
    ],
)
def test_results_and_attempts(name: str, expected: list[tuple[bool | None, int]]) -> None:
    """Pods are counted by a window, after which their order is another one."""
    assert sorted(outcomes(name), key=repr) == sorted(expected, key=repr)


@pytest.mark.parametrize(
    ("name", "stored"),
    [("slurm", 3), ("github-actions", 3), ("airflow", 2), ("dbt", 1), ("kubernetes", 2), ("otel", 1)],
)
def test_an_export_loads_once_and_a_later_one_adds_what_is_new(tmp_path: Path, name: str, stored: int) -> None:
    """Runs that were not there, and ends of runs that were open; nothing of what is known is refused. The second time
    all of an export is known."""
    for later, new in ((False, len(runs_of(name))), (True, stored)):
        ids = {row["id"] for row in runs_of(name, later=later)}
        for expected in (new, 0):
            found: Totals = loaded(tmp_path / "lake", export(name, later=later), select=recipes.text(name))
            assert (found.received, found.stored, found.rejected) == (len(ids), expected, 0)


def test_the_import_command_takes_a_recipe(tmp_path: Path) -> None:
    run = click.testing.CliRunner().invoke
    lake = ["--data", str(tmp_path / "lake")]
    done = run(commands, ["import", str(export("slurm")), "--recipe", "slurm", *lake])
    assert done.exit_code == 0, done.stderr
    assert "stored      7" in done.stdout
    both = run(commands, ["import", str(export("slurm")), "--recipe", "slurm", "--select", "FROM source", *lake])
    assert both.exit_code == 2
    assert "one of --recipe and --select" in both.stderr
    unknown = run(commands, ["import", str(export("slurm")), "--recipe", "slrm", *lake])
    assert unknown.exit_code == 2
    assert "slurm" in unknown.stderr


TRIES: Final = """dag_id,task_id,run_id,map_index,try_number,state,hostname,operator,queued_dttm,start_date,end_date
etl,load,r1,-1,1,up_for_retry,w,B,2025-01-15 00:00:01+00,2025-01-15 00:00:03+00,2025-01-15 00:02:00+00
etl,load,r1,-1,1,failed,w,B,2025-01-15 00:00:01+00,2025-01-15 00:00:03+00,2025-01-15 00:01:00+00
"""
SPAN: Final = {
    "resourceSpans": [
        {
            "resource": {
                "attributes": [{"key": "service.name", "value": {"stringValue": text}} for text in ("a", "b")]
            },
            "scopeSpans": [
                {
                    "spans": [
                        {"traceId": "t", "spanId": "s", "name": "n"}
                        | {"startTimeUnixNano": "1736900002000000000", "endTimeUnixNano": "1736900001000000000"}
                    ]
                }
            ],
        }
    ]
}
POD: Final = {
    "metadata": {"uid": str(uuid.UUID(int=1)), "name": "p", "namespace": "n", "labels": {"job-name": "j"}}
    | {"creationTimestamp": "2025-01-15T00:00:00Z"},
    "spec": {},
    "status": {"phase": "Failed", "reason": "Evicted", "message": "no room"},
}


def test_what_systems_do_now_and_then(tmp_path: Path) -> None:
    """Exports that are empty, a try in two tables, an attribute twice, a clock set back, a pod that never started."""

    def made(name: str, file: str, content: str) -> list[Row]:
        return taken(written(tmp_path / file, content), select=recipes.text(name))

    assert made("github-actions", "runs.ndjson", "") == []
    waits = {"id": 1, "run_attempt": 1, "status": "completed", "conclusion": "action_required"}
    assert made("github-actions", "waits.ndjson", json.dumps(waits)) == []
    assert (
        made("dbt", "docs.json", json.dumps({"args": {"which": "generate"}, "results": [{"status": "success"}]})) == []
    )
    (tried,) = made("airflow", "tries.csv", TRIES)
    assert tried["finished_at"] == datetime(2025, 1, 15, 0, 1, tzinfo=UTC)
    (span,) = made("otel", "spans.ndjson", json.dumps(SPAN))
    assert (span["task_name"], span["finished_at"]) == ("a/n", span["started_at"])
    (pod,) = made("kubernetes", "pods.json", json.dumps({"items": [POD]}))
    assert (pod["success"], pod["error"], pod["finished_at"]) == (False, "Evicted: no room", "2025-01-15 00:00:00+00")


NAMES: Final = {
    "slurm": "mia/align",
    "github-actions": "octo-org/octo-repo/CI",
    "airflow": "etl.load",
    "dbt": "model.shop.orders",
    "kubernetes": "shop/report",
    "otel": "shop/GET /orders",
}


@pytest.mark.parametrize("name", recipes.NAMES)
def test_a_recipe_names_its_tasks(tmp_path: Path, name: str) -> None:
    """Those without a name; what somebody called one stays."""
    begin(Settings(data=str(tmp_path / "lake")))
    run = click.testing.CliRunner().invoke
    lake = ["--data", str(tmp_path / "lake")]

    def names() -> dict[str, dict[str, Any]]:
        shown: dict[str, dict[str, Any]] = json.loads(run(commands, ["tasks", *lake]).stdout)["names"]
        return shown

    first = run(commands, ["import", str(export(name)), "--recipe", name, *lake])
    assert first.exit_code == 0, first.stderr
    found = names()
    assert f"named       {len(found)}\n" in first.stdout
    assert {task for (task,) in tasks_of(tmp_path / "lake")} == set(found)
    assert NAMES[name] in {one["name"] for one in found.values()}
    task, *_ = found
    own = json.dumps({"names": {task: {"name": "my own", "tags": ["x"]}}})
    assert run(commands, ["tasks", "-", *lake], input=own).exit_code == 0
    later = run(commands, ["import", str(export(name, later=True)), "--recipe", name, *lake])
    assert f"named       {len(names()) - len(found)}\n" in later.stdout
    assert names()[task] == {"name": "my own", "tags": ["x"], "url": None}


def tasks_of(lake: Path) -> list[tuple[str]]:
    """The tasks that have runs."""
    with runlake.attach(lake) as con:
        return con.execute("SELECT DISTINCT task_id::VARCHAR FROM lake.runs").fetchall()


def test_recipes_are_listed_and_printed() -> None:
    run = click.testing.CliRunner().invoke
    assert [line.split()[0] for line in run(commands, ["recipes"]).stdout.splitlines()] == list(recipes.NAMES)
    assert run(commands, ["recipes", "dbt"]).stdout == recipes.text("dbt").rstrip() + "\n"
