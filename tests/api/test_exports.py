"""GET /export/runs over HTTP: slow, vanishing and many clients, files that go or break meanwhile."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import httpx
import pytest
from inprocess import assert_problem
from support import Server, environment, record, runlake

from runlake.model import Form

TYPES: Final[dict[Form, str]] = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
}
RUNS: Final = 120_000  # as NDJSON more than all buffers between the service and a client that takes nothing
SECONDS: Final = 30.0


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of many days, which tests copy."""
    lake = tmp_path_factory.mktemp("made") / "lake"
    done = runlake("generate", "--runs", str(RUNS), "--days", "20", "--data", str(lake))
    assert done.returncode == 0, done.stderr
    return lake


@pytest.fixture(scope="module")
def served(made: Path) -> Iterator[Server]:
    """A service of it; tests only read."""
    with Server(made) as server:
        yield server


@contextmanager
def begun(server: Server, **query: str) -> Iterator[httpx.Response]:
    """An export whose client has taken its first bytes, and takes no more for now."""
    with (
        httpx.Client(base_url=server.url, timeout=SECONDS) as client,
        client.stream("GET", "/export/runs", params={"format": "ndjson", **query}) as answer,
    ):
        assert answer.status_code == 200
        yield answer


def is_free(server: Server) -> bool:
    return server.client.head("/export/runs").status_code == 200


@pytest.mark.parametrize("form", TYPES)
def test_every_format_over_http(served: Server, form: Form) -> None:
    answer = served.client.get("/export/runs", params={"format": form, "success": "false"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
    assert answer.headers["content-disposition"] == f'attachment; filename="runs.{form}"'
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["runlake-total"]) == served.client.get("/runs?success=false").json()["total"] > 0
    tag = answer.headers["etag"]
    again = served.client.get(
        "/export/runs", params={"format": form, "success": "false"}, headers={"If-None-Match": tag}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_too_many_at_once(served: Server) -> None:
    """The third is refused until one of two has ended; clients that vanish end theirs."""
    with begun(served), begun(served):
        refused = served.client.get("/export/runs")
        assert refused.status_code == 429
        assert refused.headers["content-type"] == "application/problem+json"
        assert served.client.get("/runs?limit=1").status_code == 200  # others go on
    served.until(lambda: is_free(served))
    with begun(served) as one, begun(served) as two:
        counts = [sum(chunk.count(b"\n") for chunk in answer.iter_bytes()) for answer in (one, two)]
    assert counts == [RUNS, RUNS]
    served.until(lambda: is_free(served))


def files_of(lake: Path) -> set[Path]:
    return set((lake / "files").rglob("*.parquet"))


def day_of(file: Path) -> date:
    year, month, day = (int(part.split("=")[1]) for part in file.parts[-4:-1])
    return date(year, month, day)


def test_of_one_snapshot(tmp_path: Path) -> None:
    """What is stored while a client takes its time is not in its export, and files of it stay until it has all.

    Days are merged and cleaned at once; the client reads on afterwards.
    """
    lake, today = tmp_path / "lake", f"{datetime.now(UTC):%Y-%m-%d}"
    assert runlake("generate", "--runs", str(RUNS), "--days", "8", "--data", str(lake)).returncode == 0
    eager = {"GRACE": "0", "TIDY": "0.2", "MAINTAIN": "0.1"}
    env = environment() | {f"RUNLAKE_{name}_SECONDS": value for name, value in eager.items()}
    env["RUNLAKE_INLINE_ROWS"] = "0"
    with Server(lake, env=env) as server:
        for number in range(2):
            server.post(record(number, started_at=today, finished_at=today))
        before = files_of(lake)
        with begun(server) as answer:
            total, since = int(answer.headers["runlake-total"]), len(server.log)
            for number in range(10, 40):
                server.post(record(number, started_at=today, finished_at=today))
            server.until(lambda: any("step=merge" in line for line in server.log[since:]))
            time.sleep(1)  # rounds of upkeep
            kept = before & files_of(lake)
            ids = [json.loads(line)["id"] for line in answer.iter_lines()]
        assert len(ids) == len(set(ids)) == total
        assert kept == before
        server.until(lambda: not before <= files_of(lake))  # afterwards what was replaced goes


def test_a_failure_half_way_breaks_the_connection(made: Path, tmp_path: Path) -> None:
    """A file breaks while it is exported: the answer never ends as if it were whole. One that begins so is refused."""
    lake = tmp_path / "lake"
    assert runlake("backup", str(lake), "--data", str(made)).returncode == 0
    with Server(lake) as server:
        damaged = min(files_of(lake), key=day_of)
        content, end = damaged.read_bytes(), day_of(damaged) + timedelta(days=1)
        with begun(server) as answer:
            damaged.write_bytes(content[:100])
            with pytest.raises(httpx.RemoteProtocolError):
                for _ in answer.iter_bytes():
                    pass
        server.until(lambda: is_free(server))
        server.until(lambda: any("an export failed" in line for line in server.log))
        assert_problem(server.client.get(f"/export/runs?format=csv&end_time={end}"), 500)
        damaged.write_bytes(content)
        assert server.client.get(f"/export/runs?format=csv&end_time={end}").status_code == 200


def test_a_client_that_takes_nothing_is_dropped(made: Path, tmp_path: Path) -> None:
    """Or it would keep the only place, and the files, for ever."""
    lake = tmp_path / "lake"
    assert runlake("backup", str(lake), "--data", str(made)).returncode == 0
    impatient = "from runlake.api import protocol\nprotocol.STALL_SECONDS = 1.0\n"
    with (
        Server(lake, before=impatient, env=environment() | {"RUNLAKE_EXPORTS": "1"}) as server,
        begun(server) as answer,
    ):
        assert not is_free(server)
        server.until(lambda: is_free(server))
        with pytest.raises(httpx.RemoteProtocolError):
            for _ in answer.iter_bytes():
                pass


def test_the_service_ends_while_an_export_runs(made: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    assert runlake("backup", str(lake), "--data", str(made)).returncode == 0
    server = Server(lake)
    server.wait_ready()
    with begun(server) as answer:
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(SECONDS) == 0
        assert time.monotonic() - began < 12
        with pytest.raises(httpx.TransportError):
            for _ in answer.iter_bytes():
                pass
    server.stop()
    assert runlake("check", "--data", str(lake)).returncode == 0
