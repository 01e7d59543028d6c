"""The demo: it makes a history that goes on, ends without a word, and adds nothing to a lake that is not its own."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
from support import RUNLAKE, environment, runlake

from runlake import access, demo, generate, incidents, times
from runlake.intake import decode_json
from runlake.paths import Paths

SMALL: Final = ("--runs", "20000", "--rate", "20")
PATIENCE: Final = 120.0


@contextmanager
def running(lake: Path, *args: str, said: str = "") -> Iterator[httpx.Client]:
    """A client of a `runlake demo`, as soon as that says where it is; Ctrl-C ends it, and `said` is all it reported."""
    command = [*RUNLAKE, "demo", "--data", str(lake), "--port", "0", *args]
    with tempfile.TemporaryFile("w+") as errors:
        with subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=errors, text=True) as process:
            assert process.stdout is not None
            try:
                url = next(found[1] for line in process.stdout if (found := re.match(r"Open (http://[^ ]+)/ in", line)))
                with httpx.Client(base_url=url, timeout=PATIENCE) as client:
                    yield client
            finally:
                process.send_signal(signal.SIGINT)
                code = process.wait(30)
        errors.seek(0)
        assert (code, errors.read()) == (0, said)


def total(client: httpx.Client, **asked: Any) -> int:
    answer = client.get("/runs", params={"limit": 1, **asked})
    return int(answer.json().get("total", 0)) if answer.status_code == 200 else 0


def wait_for_more(client: httpx.Client, least: int, **asked: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while (found := total(client, **asked)) < least:
        assert time.monotonic() < deadline, found
        time.sleep(0.2)


def test_a_history_that_goes_on(tmp_path: Path) -> None:
    """Runs are queued, run and end; those that were open end, too; all tasks are known ones."""
    lake = tmp_path / "lake"
    with running(lake, *SMALL) as client:
        wait_for_more(client, 20_100)
        recent = {"start_time": times.to_text(times.now() - 60_000_000)}
        wait_for_more(client, 50, **recent, status="success")
        wait_for_more(client, 1, status="queued")
        wait_for_more(client, 1, **recent, status="running")
        assert total(client, status="lost") > 0
        items = client.get("/runs", params={"limit": 200}).json()["items"]
        tasks = {item["task_id"] for item in items}
        named = client.get("/tasks/names").json()["names"]
        assert len(tasks & named.keys()) > 5
        assert {tag for name in named.values() for tag in name["tags"]} >= {"daily", "load"}
        with httpx.Client(base_url=client.base_url) as other:  # it answers while the demo writes
            assert other.get("/stats/summary", params={"days": 1}).json()["total_runs"] > 100
    checked = runlake("check", "--data", str(lake))
    assert checked.returncode == 0, checked.stderr


def test_it_catches_up_with_what_it_missed(tmp_path: Path) -> None:
    """A demo of yesterday shows something in the last hour, and nothing is stored twice."""
    lake = tmp_path / "lake"
    shape = ("--runs", "20000", "--days", str(demo.DAYS), "--tasks", str(demo.TASKS), "--seed", str(demo.SEED))
    until = times.now() - times.DAY_US
    made = runlake("generate", *shape, "--incidents", "--until", times.to_text(until), "--data", str(lake))
    assert made.returncode == 0, made.stderr
    with running(lake, "--rate", "1") as client:
        now = times.now()
        window = {"start_time": times.to_text(until), "end_time": times.to_text(now)}
        wait_for_more(client, 50, start_time=times.to_text(now - 300_000_000))
        hours = client.get("/stats/histogram", params={**window, "width": "3h"}).json()
        runs = [sum(found) for found in zip(*(one["runs"] for one in hours["series"]), strict=True)]
        assert min(runs[1:-1]) > 1_000
    with running(lake, "--rate", "1") as client:
        wait_for_more(client, 80_000)  # once it is ready
        before = total(client)
        wait_for_more(client, before + 3)
        assert total(client) < before + 1_000


def test_nothing_is_added_to_another_lake(tmp_path: Path) -> None:
    """It may hold runs that somebody needs; nor where a key is needed."""
    other, locked = tmp_path / "other", tmp_path / "locked"
    assert runlake("generate", "--runs", "500", "--seed", "8", "--incidents", "--data", str(other)).returncode == 0
    with running(locked, *SMALL) as client:
        wait_for_more(client, 20_001)
    _, token = access.create(Paths.of(locked), ("read",))
    for lake, word, headers in (
        (other, "this lake was not made by the demo", {}),
        (locked, "a key is needed (send Authorization: Bearer and the key)", {"Authorization": f"Bearer {token}"}),
    ):
        with running(lake, "--rate", "1000", said=f"runlake: no runs are added: {word}\n") as client:
            client.headers.update(headers)
            wait_for_more(client, 500)
            before = total(client)
            time.sleep(3 * demo.TICK_SECONDS)
            assert total(client) == before


def test_what_is_sent_of_a_run() -> None:
    """As the API takes it, in the order of its times, and with incidents that go on."""
    since = (times.now() // times.DAY_US + 1) * times.DAY_US + 9 * times.HOUR_US  # tomorrow morning: nights are quiet
    begin = times.to_datetime(since)
    runs = list(takewhile(lambda run: demo._run_at(run) < begin + timedelta(hours=5), demo.runs_since(since, 20_000)))
    assert len(runs) > 2_000 and len({run["id"] for run in runs}) == len(runs)
    assert [demo._run_at(run) for run in runs] == sorted(demo._run_at(run) for run in runs)
    for run in islice(runs, 500):
        sent = list(demo.moments(run))
        assert [when for when, _ in sent] == sorted(when for when, _ in sent)
        body = msgspec.json.encode({"runs": [record for _, record in sent]})
        stored = decode_json(body).batch().rows.to_pylist()
        assert stored[-1] == run
        assert {row["id"] for row in stored} == {run["id"]}
        assert [row["finished_at"] is None for row in stored[:-1]] == [True] * (len(sent) - 1)
    ids = generate.names(demo.TASKS, demo.SEED)["task_id"].to_pylist()
    failing = [run for run in runs if run["task_id"] == ids[incidents.FAILING] and run["finished_at"]]
    assert len(failing) > 20 and not any(run["success"] for run in failing)
    assert ids[incidents.SILENT] not in {run["task_id"] for run in runs}
