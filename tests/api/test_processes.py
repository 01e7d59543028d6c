"""One service and other processes beside it: analysts that attach, commands, many writers, signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from support import HERE, HOSTILE, Server, environment, load_settings, record, runlake


def test_commands_that_read_work_beside_the_service(tmp_path: Path) -> None:
    """`sql`, `info` and `check` see what the service acknowledged: in the catalog, open, and in Parquet."""
    lake = tmp_path / "lake"
    with Server(lake, env=environment(None, **HOSTILE)) as server:
        done = 0
        for round_ in range(1):
            for i in range(20):
                size = 7 if i % 2 else 130
                assert server.post(*(record(done + k) for k in range(size))).json()["stored"] == size
                done += size
            opened = record(10**6 + round_, finished_at=None, success=None)
            assert server.post(opened).json()["stored"] == 1
            count = "SELECT count(*) AS runs, count(*) FILTER (success IS NULL) AS waiting FROM runs"
            sql = runlake("sql", count, "--format", "json", "--data", str(lake))
            assert (sql.returncode, sql.stderr) == (0, "")
            assert json.loads(sql.stdout) == [{"runs": done + round_ + 1, "waiting": round_ + 1}]
            info = runlake("info", "--data", str(lake))
            assert (info.returncode, info.stdout.splitlines()[1].split()) == (0, ["runs", str(done + round_ + 1)])
            check = runlake("check", "--data", str(lake))
            assert check.returncode == 0, check.stderr


def test_a_second_writer_is_sent_away(server: Server) -> None:
    """`serve`, `import`, `generate` and `maintain` end at once with one line that names the holder."""
    lake, source = server.data, server.data.parent / "runs.ndjson"
    source.write_text(json.dumps(record(7)) + "\n")
    assert server.post(record(1)).status_code == 200
    commands = (["serve", "--port", "0"], ["import", str(source)], ["generate", "--runs", "5"], ["maintain"])
    for command in commands:
        started = time.monotonic()
        done = runlake(*command, "--data", str(lake))
        assert done.returncode == 1, command
        assert time.monotonic() - started < 15, command
        assert len(done.stderr.splitlines()) == 1, done.stderr
        assert f"process {server.process.pid}" in done.stderr, done.stderr
    assert server.post(record(2)).json()["stored"] == 1
    assert server.client.get("/runs").json()["total"] == 2
    server.stop(signal.SIGKILL)
    assert runlake("import", str(source), "--data", str(lake)).returncode == 0


def test_a_taken_port_is_one_line(server: Server, tmp_path: Path) -> None:
    """Exit code 1, no trace, and the lock of the other lake is free again."""
    other, port = str(tmp_path / "other"), str(urlsplit(server.url).port)
    done = runlake("serve", "--data", other, "--port", port)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert runlake("generate", "--runs", "5", "--data", other).returncode == 0


def test_sigterm_drains(tmp_path: Path) -> None:
    """Requests in flight get their 200 and are stored; the process ends by itself with 0 within 10 seconds."""
    lake = tmp_path / "lake"
    server = Server(lake).wait_ready()

    def post(number: int) -> str | None:
        body = {"runs": [record(1000 * number + i) for i in range(1000)]}
        try:
            answer = httpx.post(f"{server.url}/runs", json=body, timeout=60)
        except httpx.TransportError:
            return None
        return str(answer.status_code)

    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(post, number) for number in range(8)]
        while server.client.get("/runs").json()["total"] == 0:
            time.sleep(0.01)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 10
        answers = [future.result() for future in waiting]
    assert answers.count("200") >= 1
    assert set(answers) <= {"200", "503", None}, answers
    total = json.loads(runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(lake)).stdout)
    assert total == [{"n": 1000 * answers.count("200")}]
    assert not [line for line in server.log if "ERROR" in line or "Traceback" in line], server.log


def test_sigterm_with_a_slow_client(server: Server) -> None:
    """A client that never ends its body does not keep the service from ending with 0 within 10 seconds."""
    where = urlsplit(server.url)
    with socket.create_connection((where.hostname, where.port or 0)) as slow:
        slow.sendall(
            b"POST /runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
        )
        time.sleep(0.2)
        started = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - started < 10
    assert not [line for line in server.log if "Traceback" in line], server.log


def test_sigterm_while_the_serving_database_is_made(tmp_path: Path) -> None:
    """A stop right after the start is as clean as any other."""
    lake = str(tmp_path / "lake")
    done = runlake("generate", "--runs", "2000", "--days", "700", "--data", lake)
    assert done.returncode == 0, done.stderr
    for pause in (0.0, 0.1):
        server = Server(Path(lake))
        while not server.url and server.process.poll() is None:
            time.sleep(0.001)
        time.sleep(pause)
        started = time.monotonic()
        assert (server.stop(), pause) == (0, pause), "".join(server.log)
        assert time.monotonic() - started < 10
        assert not [line for line in server.log if "Traceback" in line or "failed" in line], (pause, server.log)


def test_many_writers_at_once(server: Server) -> None:
    """16 posters with 30 posts each: all stored once; a bad batch is refused and takes no neighbour down."""
    assert server.post(record(1)).status_code == 200
    bad = ({"runs": [record(50), {"id": "x"}]}, {"runs": [record(51), record(1, success=False)]})

    def work(number: int) -> list[str]:
        ids: list[str] = []
        with httpx.Client(base_url=server.url, timeout=60) as client:
            for i in range(30):
                if number % 4 == 0 and i % 5 == 0:
                    kind = number // 4 % 2
                    assert client.post("/runs", json=bad[kind]).status_code == (400, 409)[kind]
                batch = [record(10**6 * (number + 1) + 10 * i + k) for k in range(1 + i % 3)]
                answer = client.post("/runs", json={"runs": batch})
                assert (answer.status_code, answer.json()["stored"]) == (200, len(batch)), answer.text
                ids += answer.json()["ids"]
                assert client.get(f"/runs/{ids[-1]}").status_code == 200
        return ids

    with ThreadPoolExecutor(16) as pool:
        told = [run_id for ids in pool.map(work, range(16)) for run_id in ids]
    total = server.client.get("/runs").json()["total"]
    pages = [server.client.get("/runs", params={"limit": 200, "offset": at}).json() for at in range(0, total, 200)]
    found = sorted(run["id"] for page in pages for run in page["items"])
    assert found == sorted([*told, record(1)["id"]])


@pytest.mark.parametrize("file", ["default", "flush_always"])
def test_readers_see_whole_snapshots(tmp_path: Path, file: str) -> None:
    """A page of a snapshot holds as many runs as its total says; totals never fall; a 200 is visible at once.

    By HTTP, with the least and the most upkeep; serving/test_reads_while_writing.py has it for every settings file.
    """
    settings = load_settings(HERE / "settings" / f"{file}.json", tmp_path / "lake")
    wrong: list[str] = []
    with Server(tmp_path / "lake", env=environment(settings)) as server:
        done = threading.Event()

        def read() -> None:
            last = 0
            with httpx.Client(base_url=server.url, timeout=60) as client:
                while not done.is_set():
                    answer = client.get("/runs", params={"limit": 200})
                    page: dict[str, Any] = answer.json()
                    ids = {run["id"] for run in page.get("items", [])}
                    if answer.status_code != 200 or not last <= page["total"] == len(page["items"]) == len(ids):
                        wrong.append(f"{answer.status_code} after {last}: {answer.text[:200]}")
                    last = page.get("total", last)

        readers = [threading.Thread(target=read) for _ in range(2)]
        for reader in readers:
            reader.start()
        with httpx.Client(base_url=server.url, timeout=60) as other:
            for number in range(24):
                opened = number % 3 == 0
                run = record(number, id=str(uuid.uuid4()), **({"finished_at": None, "success": None} if opened else {}))
                assert server.post(run, record(10**6 + number)).json()["stored"] == 2
                assert other.get(f"/runs/{run['id']}").status_code == 200
                assert other.get("/runs").json()["total"] == 2 * (number + 1)
                if opened:
                    closed = run | {"finished_at": "2025-02-01T00:00:00Z", "success": True}
                    assert server.post(closed).json()["stored"] == 1
        done.set()
        for reader in readers:
            reader.join()
    assert wrong == []


def test_the_time_zone_of_the_process_does_not_matter(tmp_path: Path) -> None:
    """The same history and the same questions give the very same bytes in New York, Kathmandu and UTC."""
    lake = tmp_path / "lake"
    until = "2025-03-10T05:30:00Z"  # the day after New York changed its clocks
    made = runlake("generate", "--runs", "2000", "--days", "20", "--seed", "3", "--until", until, "--data", str(lake))
    assert made.returncode == 0, made.stderr
    answers = []
    for zone in ("UTC", "America/New_York", "Asia/Kathmandu"):
        with Server(lake, env=environment(None, TZ=zone)) as server:
            late = record(5, started_at="2025-03-09T02:30:00", finished_at="2025-03-09T23:59:59.999999")
            assert server.post(late).status_code == 200
            run = server.client.get("/runs").json()["items"][0]
            paths = [
                "/runs?limit=200",
                "/runs?start_time=2025-03-09&end_time=2025-03-10T03:00:00",
                f"/runs/{run['id']}",
            ]
            paths += [f"/task/{run['task_id']}/latest", f"/task/{run['task_id']}/stats?until={until}"]
            paths += [f"/stats/summary?until={until}", "/stats/summary?days=30&until=2025-03-09T02:30:00"]
            answers.append([server.client.get(path).content for path in paths])
    assert answers[0] == answers[1] == answers[2]
    assert os.environ.get("TZ") != "Asia/Kathmandu"
