"""One whole answer of each endpoint, in files that a reader can open, and the examples of the OpenAPI document.

`python tests/helpers/golden.py` writes them anew; `test_golden.py` compares.
"""

from __future__ import annotations

import json
import tempfile
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final

import httpx
from inprocess import serving
from support import HERE

import runlake
from runlake.settings import Settings

FOLDER: Final = HERE / "golden"
EXAMPLES: Final = Path(runlake.__file__).parent / "api" / "examples"
MINTED: Final = "0194545f-2870-7b3c-9d2e-4f5a6b7c8d9e"  # stands for an id that is another one each time
MILLISECONDS: Final = 4.2  # stands for how long a query took
BY_HAND: Final = {"getMetrics", "getSchema", "streamRuns"}  # their examples are a part of the answer
RUN: Final = "7f3e4d2c-1a9b-4c8d-9e6f-2b5a8c7d4e9f"
NIGHTLY: Final = "550e8400-e29b-41d4-a716-446655440000"
HOURLY: Final = "0b7d2a34-91c5-4f6e-8a1d-3c5e7f90b2d4"
UNTIL: Final = "2025-01-11T12:00:00Z"
ROUTES: Final = {
    "runs": "/runs?limit=3&include_errors=true",
    "runs-of-a-task": f"/runs?task_id={NIGHTLY}&success=false&start_time=2025-01-01",
    "run": f"/runs/{RUN}",
    "latest": f"/task/{HOURLY}/latest",
    "task-stats": f"/task/{NIGHTLY}/stats?days=3&until={UNTIL}",
    "summary": f"/stats/summary?days=2&until={UNTIL}",
    "longest-runs": "/runs?order=duration&limit=2&fields=id,started_at&start_time=2025-01-09&end_time=2025-01-12",
    "histogram": "/stats/histogram?start_time=2025-01-09&end_time=2025-01-12&tz=Asia/Kolkata&width=1d",
    "histogram-by-owner": "/stats/histogram?start_time=2025-01-09&end_time=2025-01-12&by=owner&buckets=3&success=true",
    "durations": "/stats/durations?start_time=2025-01-09&end_time=2025-01-12&columns=3&points=0",
    "durations-of-few": "/stats/durations?start_time=2025-01-11&end_time=2025-01-12&columns=24",
    "histogram-by-error": "/stats/histogram?start_time=2025-01-09&end_time=2025-01-12&by=error_group&buckets=3",
    "runs-of-a-group": "/runs?error_group=v1:3538b51789b2354c&fields=id,error&include_errors=true",
    "errors": "/errors?start_time=2025-01-09&end_time=2025-01-12&q=rows",
    "error-group": f"/errors/v1:3538b51789b2354c?start_time=2025-01-10&end_time=2025-01-12&task_id={NIGHTLY}",
    "tasks": "/stats/tasks?start_time=2025-01-10&end_time=2025-01-12&spark=2&sort=failed&q=hourly",
    "owners": "/stats/owners?start_time=2025-01-10&end_time=2025-01-12&spark=2",
    "breakdown": "/stats/breakdown?start_time=2025-01-11&end_time=2025-01-12&against=previous&top=3",
    "context": f"/runs/{RUN}/context?days=1",
    "task-names": "/tasks/names",
    "views": "/views",
    "unknown-run": f"/runs/{RUN[:-1]}0",
}


def runs() -> list[dict[str, Any]]:
    """Twelve finished runs of two tasks over three days, one that is running and one that is queued."""
    found: list[dict[str, Any]] = []
    for number in range(12):
        day, failed, nightly = 9 + number // 4, number % 5 == 3, number % 2 == 0
        found.append(
            {
                "id": RUN if number == 8 else f"0194{number:04x}-0000-7000-8000-000000000000",
                "task_id": NIGHTLY if nightly else HOURLY,
                "lease_owner": f"worker-{1 + number % 3}",
                "created_at": f"2025-01-{day:02}T0{number % 4 * 2}:59:58Z",
                "started_at": f"2025-01-{day:02}T0{number % 4 * 2 + 1}:00:00Z",
                "finished_at": f"2025-01-{day:02}T0{number % 4 * 2 + 1}:00:{2 + number:02}.5Z",
                "success": not failed,
                "error": f"ValueError: no rows of day {day}" if failed else None,
                "attempt": 2 if number == 4 else 1,
                "output": {"rows": 100 + number} if not failed else None,
            }
        )
    running = {"task_id": HOURLY, "started_at": "2025-01-11T09:00:00Z", "created_at": "2025-01-11T08:59:00Z"}
    queued = {"task_id": NIGHTLY, "created_at": "2025-01-11T10:00:00Z"}
    for number, run in enumerate((running, queued)):
        found.append({"id": f"0194ffff-0000-7000-8000-00000000000{number}", **run})
    return found


NAMES: Final = {
    NIGHTLY: {"name": "night work", "tags": ["etl", "reports"]},
    HOURLY: {"name": "hourly", "url": "https://wiki.example.com/hourly"},
}
VIEWS: Final = {"failures": "range=7d&status=failed", "old": "range=30d"}


def name_things(client: httpx.Client) -> None:
    """Names of the two tasks, and two shared views."""
    assert client.put("/tasks/names", json={"names": NAMES}).status_code == 200
    for name, query in VIEWS.items():
        assert client.put(f"/views/{name}", json={"query": query}).status_code == 200


def answers(folder: Path) -> dict[str, Any]:
    """The answer to each of ROUTES: status, and body as JSON."""
    with serving(Settings(data=str(folder / "lake"))) as client:
        assert client.post("/runs", json={"runs": runs()}).json()["stored"] == len(runs())
        name_things(client)
        got = {name: client.get(route) for name, route in ROUTES.items()}
        return {name: {"route": ROUTES[name], "status": a.status_code, "body": a.json()} for name, a in got.items()}


def examples(folder: Path) -> dict[str, dict[str, Any]]:
    """The examples by operation, each with the answer that the service gives: that of a change in a lake of its own."""
    found = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in sorted(EXAMPLES.glob("*.json"))}
    asked = [of_operation for name, of_operation in found.items() if name != "streamRuns"]  # which has no end
    every = [example for of_operation in asked for example in of_operation.values()]
    for reads in (False, True):
        with serving(Settings(data=str(folder / f"examples-{reads}"))) as client:
            if reads:
                client.post("/runs", json={"runs": runs()})
            name_things(client)
            for example in (one for one in every if one["request"].startswith(("GET ", "POST /sql")) is reads):
                method, path = example["request"].split(" ")
                answer = client.request(method, path, json=example.get("body"))
                assert answer.is_success, answer.text
                if answer.status_code == HTTPStatus.NO_CONTENT:
                    continue
                is_json = answer.headers["content-type"] == "application/json"
                example["answer"] = answer.json() if is_json else answer.text
                if path == "/sql":
                    example["answer"]["elapsed_ms"] = MILLISECONDS
                for place, record in enumerate(example.get("body", {}).get("runs", [])):
                    if "id" not in record:
                        example["answer"]["ids"][place] = MINTED
    return found


def text(answer: Any) -> str:
    """As it lies in its file; fractions to nine digits, as another processor may compute the last ones otherwise."""
    rounded = json.loads(json.dumps(answer), parse_float=lambda number: round(float(number), 9))
    return json.dumps(rounded, indent=2) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        for name, answer in answers(Path(temporary)).items():
            (FOLDER / f"{name}.json").write_text(text(answer), encoding="utf-8")
        for name, shown in examples(Path(temporary)).items():
            if name not in BY_HAND:
                (EXAMPLES / f"{name}.json").write_text(text(shown), encoding="utf-8")
