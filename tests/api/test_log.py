"""Logs are lines of key=value, each request has an id that leads to its line, and no secret is in any."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import time
from pathlib import Path
from threading import Thread

import httpx
import pytest
from support import RUNLAKE, Server, environment, record

from runlake import access, log
from runlake.paths import Paths

_PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^\s"=]+)')


def pairs(line: str) -> dict[str, str]:
    """A line taken apart; fails when it is not made of pairs throughout."""
    assert _PAIR.sub("", line).strip() == "", line
    return {key: json.loads(text) if text[0] == '"' else text for key, text in _PAIR.findall(line)}


def events(server: Server) -> list[dict[str, str]]:
    return [pairs(line) for line in server.log if line.startswith("time=")]


FAILS = """
from runlake.query import queries
def fails(*args, **kw):
    raise ZeroDivisionError("by\\nnothing = \\"0\\"")
queries.latest = fails
"""


def test_requests_and_events(tmp_path: Path) -> None:
    """Every line is pairs; ids, templates, statuses, sizes are right; a failure says its id in answer and log."""
    task = record(1)["task_id"]
    with Server(tmp_path / "lake", before=FAILS) as server:
        ask = server.client
        assert server.post(record(1)).headers["x-request-id"]
        mine = ask.get(f"/runs/{record(1)['id']}?x=geheim", headers={"X-Request-ID": "a.b:C_1-2"})
        assert (mine.status_code, mine.headers["x-request-id"]) == (400, "a.b:C_1-2")
        failed = ask.get(f"/task/{task}/latest")
        for bad in ("", "x" * 65, "a b", 'a"b', "a\tb", "ä".encode()):
            answer = ask.get("/health", headers=[(b"x-request-id", bad if isinstance(bad, bytes) else bad.encode())])
            assert re.fullmatch("[0-9a-f]{16}", answer.headers["x-request-id"])
        gone = ask.get("/nope/geheim")
        assert ask.head("/runs").headers["x-request-id"]
    found = events(server)
    by_id = {each["id"]: each for each in found if each["event"] == "request"}
    shown = by_id["a.b:C_1-2"]
    assert (shown["level"], shown["method"], shown["route"], shown["status"]) == (
        "INFO",
        "GET",
        "/runs/{run_id}",
        "400",
    )
    assert int(shown["bytes"]) == len(mine.content) and float(shown["ms"]) > 0
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", shown["time"])
    assert by_id[gone.headers["x-request-id"]]["route"] == "(none)"
    assert failed.status_code == 500 and failed.headers["x-request-id"] in failed.json()["detail"]
    (failure,) = [each for each in found if each["event"] == "request failed"]
    assert failure["id"] == failed.headers["x-request-id"] and failure["level"] == "ERROR"
    assert failure["error"] == 'by\nnothing = "0"' and "ZeroDivisionError" in failure["trace"]
    assert {"ready", "request"} <= {each["event"] for each in found}
    assert "geheim" not in "".join(server.log)


def test_no_secret_is_in_any_log(tmp_path: Path) -> None:
    """Not of good keys, of bad ones, or of keys in the wrong place; the id of a key is what tells them apart."""
    key, token = access.create(Paths.of(tmp_path / "lake"), ("read", "write"))
    env = environment(None, RUNLAKE_LOG_LEVEL="debug")
    server = Server(tmp_path / "lake", env=env).wait_listening()
    try:
        good, bad = {"Authorization": f"Bearer {token}"}, {"Authorization": f"Bearer {token[:-4]}beef"}
        deadline = time.monotonic() + 30
        while httpx.get(f"{server.url}/ready", headers=good).status_code != 200:
            assert time.monotonic() < deadline
        body, kind = {"runs": [record(1, output="geheim", bad="geheim")]}, {"Content-Type": "application/json"}
        assert httpx.post(f"{server.url}/runs", json=body, headers=good).status_code == 400
        assert httpx.post(f"{server.url}/runs", content=b"{geheim", headers=good | kind).status_code == 400
        assert httpx.get(f"{server.url}/runs", headers=bad).status_code == 401
        assert httpx.get(f"{server.url}/runs?key={token}", headers=good).status_code == 400
        assert httpx.get(f"{server.url}/runs?key={token}").status_code == 401
    finally:
        assert server.stop() == 0
    text = "".join(server.log)
    assert not [word for word in (token, token.split("_")[2], token[:-4], key.hash, "geheim") if word in text]
    assert f"key={key.id}" in text


def test_the_level_is_a_setting(tmp_path: Path) -> None:
    with Server(tmp_path / "lake", env=environment(None, RUNLAKE_LOG_LEVEL="warning")) as server:
        assert server.client.get("/health").status_code == 200
    assert [line for line in server.log if "serving on" not in line] == []


@pytest.mark.parametrize("text", ["a b", 'a"b', "a=b", "", "ä\n", "\x1b[2J", "\u2028", "x\r\ny=z", "\ud800"])
def test_any_value_stays_in_its_pair(text: str) -> None:
    line = log.pair("key", text)
    assert pairs(line) == {"key": text}
    assert line.isprintable()


def test_a_slow_reader_of_logs_holds_nobody_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is too much is dropped, and counted."""
    monkeypatch.setattr(log, "_MOST", 10_000)
    reading, writing = os.pipe()
    lines = log.Lines(writing)

    def ended_later() -> None:
        time.sleep(1)
        lines.close()
        os.close(writing)

    started = time.monotonic()
    for number in range(30_000):
        lines.write(f"event=x n={number} {'x' * 80}\n")
    assert time.monotonic() - started < 5
    with os.fdopen(reading) as pipe:
        Thread(target=ended_later).start()
        written = [pairs(line.replace("x" * 80, "")) for line in pipe]
    lost = sum(int(each["lines"]) for each in written if each["event"] == "log lines dropped")
    assert lost + len([each for each in written if each["event"] == "x"]) == 30_000
    assert lost > 5_000


def test_a_log_that_nobody_reads(tmp_path: Path) -> None:
    """The pipe fills, the service goes on, and it ends as ever."""
    command = [*RUNLAKE, "serve", "--data", str(tmp_path / "lake"), "--port", "0"]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"serving on (http://[^ ,]+)", process.stderr.readline())
        assert found
        with httpx.Client(base_url=found[1]) as client:
            for _ in range(2_000):
                assert client.get("/health", headers={"X-Request-ID": "x" * 64}).status_code == 200
        process.terminate()
        assert process.wait(15) == 0


def test_records_of_other_libraries_are_lines_too() -> None:
    entry = logging.LogRecord("other", logging.WARNING, "x.py", 1, "two\nlines %s", ("=",), None)
    assert pairs(log.Formatter().format(entry)) | {"time": ""} == {
        "time": "",
        "level": "WARNING",
        "event": "two\nlines =",
    }
