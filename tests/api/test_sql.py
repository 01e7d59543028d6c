"""POST /sql: answers and files, limits of time, memory and number, attacks, keys; and GET /sql/schema."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hostile_sql import ATTACKS
from inprocess import assert_problem
from locks import bearer
from support import Server, environment, record, runlake

from runlake import access
from runlake.paths import Paths

TYPES: Final = {
    "parquet": "application/vnd.apache.parquet",
    "arrow": "application/vnd.apache.arrow.stream",
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
}
ENDLESS: Final = "SELECT count(*) FROM range(100000000000) a, range(1000) b"
ONE_VALUE: Final = "SELECT md5(repeat('a', 500000000)) FROM range(1000)"  # a call that cannot be interrupted
MANY: Final = "SELECT range AS n, repeat('a', 1000) AS text FROM range(3000000)"
WORD: Final = "nobody_may_read_this_in_a_log"
VALUES: Final = """
SELECT 170141183460469231731687303715884105727::HUGEINT // 10 AS huge, 9007199254740993 AS big,
    1.50::DECIMAL(9, 2) AS dec, 'nan'::DOUBLE AS nan,
    TIMESTAMPTZ '2025-01-11T08:00:00.25Z' AS at, INTERVAL 90 MINUTE AS span, [1, NULL] AS list,
    {'a': 'é"', 'b': [true]} AS struct, '\\xAA'::BLOB AS blob, NULL AS nothing, id, output
FROM runs WHERE id = '00000000-0000-0000-0000-000000000007'
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service whose lake has rows in files (150), in the catalog (20) and open (5)."""
    lake = tmp_path_factory.mktemp("sql") / "lake"
    with Server(lake, env=environment(None, RUNLAKE_MAINTAIN_SECONDS="1000", RUNLAKE_LOG_LEVEL="debug")) as server:
        server.post(*(record(i, output={"n": i, "list": [1, "é", None]}) for i in range(150)))
        server.post(*(record(1000 + i) for i in range(20)))
        server.post(*(record(2000 + i, finished_at=None, success=None) for i in range(5)))
        yield server


def ask(server: Server, query: str, form: str = "", **more: Any) -> httpx.Response:
    headers = {"Accept": TYPES[form].partition(";")[0]} if form else {}
    return server.client.post("/sql", json={"query": query, **more}, headers=headers)


def rows(server: Server, query: str, **more: Any) -> list[Any]:
    answer = ask(server, query, **more)
    assert answer.status_code == 200, answer.text
    found: list[Any] = answer.json()["rows"]
    return found


@contextmanager
def begun(server: Server, query: str) -> Iterator[httpx.Response]:
    """A file whose client has taken its beginning, and takes no more for now."""
    body, headers = {"query": query}, {"Accept": "text/csv"}
    with (
        httpx.Client(base_url=server.url, timeout=60) as client,
        client.stream("POST", "/sql", json=body, headers=headers) as answer,
    ):
        assert answer.status_code == 200
        yield answer


def processes(server: Server) -> list[int]:
    """The processes of queries."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_text()
        except OSError:  # it has ended
            continue
        if parent == server.process.pid and "query_process" in command:
            found.append(int(folder.name))
    return found


def test_an_answer(served: Server) -> None:
    """Rows of files, of the catalog and open ones, of the newest snapshot; its columns have DuckDB's types."""
    answer = ask(served, "SELECT success, count(*) AS n FROM runs GROUP BY ALL ORDER BY n")
    body = answer.json()
    assert body.pop("elapsed_ms") > 0
    snapshot = served.client.get("/ready").json()["snapshot"]
    assert body == {
        "columns": [{"name": "success", "type": "BOOLEAN"}, {"name": "n", "type": "BIGINT"}],
        "rows": [[None, 5], [True, 170]],
        "row_count": 2,
        "truncated": False,
        "snapshot": snapshot,
    }
    assert answer.headers["runlake-snapshot"] == str(snapshot)
    assert answer.headers["content-type"] == "application/json"


def test_what_was_stored_is_seen_at_once(tmp_path: Path) -> None:
    with Server(tmp_path / "lake") as server:
        for number in range(3):
            server.post(record(number))
            assert rows(server, "SELECT count(*) FROM runs") == [[number + 1]]


def test_values_are_those_of_the_command_line(served: Server) -> None:
    done = runlake("sql", VALUES, "--format", "json", "--data", str(served.data))
    assert done.returncode == 0, done.stderr
    (told,) = json.loads(done.stdout, parse_float=str, parse_int=str)
    answer = json.loads(ask(served, VALUES).content, parse_float=str, parse_int=str)
    assert dict(zip((column["name"] for column in answer["columns"]), answer["rows"][0], strict=True)) == told
    assert told["output"] == {"n": "7", "list": ["1", "é", None]}
    assert told["huge"] == "17014118346046923173168730371588410572"


def test_an_answer_is_cut(served: Server) -> None:
    """At `limit` rows, and at 64 MiB; it says so."""
    for limit, count, cut in ((0, 0, True), (174, 174, True), (175, 175, False)):
        body = ask(served, "SELECT id FROM runs", limit=limit).json()
        assert (len(body["rows"]), body["row_count"], body["truncated"]) == (count, count, cut)
    body = ask(served, "SELECT repeat('x', 1000000) AS x FROM range(100)").json()
    assert (body["row_count"], body["truncated"]) == (67, True)
    assert ask(served, "SELECT 1 FROM range(1001)").json()["row_count"] == 1000


@pytest.mark.parametrize("form", TYPES)
def test_a_file_is_whole_and_can_be_imported(served: Server, tmp_path: Path, form: str) -> None:
    answer = ask(served, "FROM runs", form, limit=1)
    assert (answer.status_code, answer.headers["content-type"]) == (200, TYPES[form])
    assert answer.headers["content-disposition"] == f'attachment; filename="result.{form}"'
    assert "content-encoding" not in answer.headers
    file = tmp_path / f"result.{form}"
    if form == "arrow":
        pq.write_table(pa.ipc.open_stream(answer.content).read_all(), file.with_suffix(".parquet"))
        file = file.with_suffix(".parquet")
    else:
        file.write_bytes(answer.content)
    new = str(tmp_path / "lake")
    done = runlake("import", str(file), "--data", new)
    assert done.returncode == 0 and "stored     " in done.stdout, done.stderr
    ids = json.loads(runlake("sql", "SELECT id FROM runs ORDER BY id", "--format", "json", "--data", new).stdout)
    assert [run["id"] for run in ids] == [run for (run,) in rows(served, "SELECT id FROM runs ORDER BY id")]


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"query": "SELECT nope FROM runs"}, "query", 'column "nope" not found'),
        ({"query": "SELECT 1\nFROM\nnope"}, "query", "line 3: "),
        ({"query": "SELECT 1; SELECT 2"}, "query", "exactly one SELECT"),
        ({"query": "DROP VIEW runs"}, "query", "only a SELECT"),
        ({"query": "SELECT 'a'::INT"}, "query", "Could not convert"),
        ({"query": ""}, "query", "length >= 1"),
        ({"query": "SELECT 1", "limit": 10_001}, "limit", "<= 10000"),
        ({"query": "SELECT 1", "timeout_seconds": 61}, "timeout_seconds", "<= 60"),
        ({"query": "SELECT 1", "timeout_seconds": 0}, "timeout_seconds", "> 0"),
        ({"qery": "SELECT 1"}, "body", "qery"),
        ([], "body", "array"),
    ],
)
def test_what_is_wrong_is_said(served: Server, body: object, field: str, words: str) -> None:
    answer = served.client.post("/sql", json=body)
    problem = assert_problem(answer, 400, field)
    assert words in problem["errors"][0]["message"]


def test_every_attack_is_refused_and_changes_nothing(served: Server) -> None:
    """Each in a process of its own, two at a time."""
    before = {path: path.read_bytes() for path in served.data.parent.rglob("*") if path.is_file()}
    file = min(str(path) for path in before if path.suffix == ".parquet")

    def status(attack: str) -> tuple[str, int]:
        query = attack.replace("{lake}/own.parquet", file).replace("\\n", "\n")
        return attack, ask(served, query.format(lake=served.data, root=served.data.parent)).status_code

    with ThreadPoolExecutor(2) as pool:
        assert [found for found in pool.map(status, ATTACKS) if found[1] != 400] == []
    assert {path: path.read_bytes() for path in before} == before
    assert rows(served, "SELECT count(*) FROM runs") == [[175]]


@pytest.mark.parametrize("query", [ENDLESS, ONE_VALUE])
def test_a_query_is_ended_at_its_time(served: Server, query: str) -> None:
    started = time.monotonic()
    problem = assert_problem(ask(served, query, timeout_seconds=0.5), 503)
    assert problem["type"] == "urn:runlake:too-long" and "0.5 s" in problem["detail"]
    assert time.monotonic() - started < 15
    assert processes(served) == []


def test_a_query_ends_with_its_memory(tmp_path: Path) -> None:
    """DuckDB's limit, spilling, and the limit of the process where DuckDB does not count."""
    with Server(tmp_path / "lake", env=environment(None, RUNLAKE_SQL_MEMORY="100MB")) as server:
        problem = assert_problem(ask(server, "SELECT list(range) FROM range(1000000000)"), 400, "query")
        assert "Out of Memory" in problem["detail"]
        sort = "SELECT count(*) FROM (SELECT range, repeat('x', 40) AS x FROM range({}) ORDER BY hash(range))"
        assert rows(server, sort.format(2_000_000) + " WHERE x <> ''", timeout_seconds=60) == [[2_000_000]]
        problem = assert_problem(ask(server, "SELECT repeat('é', 300000000) AS a FROM range(4)"), 400, "query")
        assert server.client.get("/ready").status_code == 200


def test_a_crash_harms_nobody(served: Server) -> None:
    """Nor does it harm the next query."""
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, served, ENDLESS, timeout_seconds=60)
        served.until(lambda: len(processes(served)) == 1)
        time.sleep(1)  # its query has begun
        os.kill(processes(served)[0], signal.SIGSEGV)
        problem = assert_problem(answer.result(30), 400, "query")
    assert "ended its process" in problem["detail"]
    assert rows(served, "SELECT 1") == [[1]]


def test_a_file_that_is_gone_is_no_fault_of_the_query(tmp_path: Path) -> None:
    with Server(tmp_path / "lake", env=environment(None, RUNLAKE_INLINE_ROWS="0")) as server:
        server.post(record(1))
        (file,) = server.data.rglob("*.parquet")
        content = file.read_bytes()
        file.unlink()
        assert_problem(ask(server, "FROM runs"), 500)
        assert_problem(ask(server, "FROM runs", "csv"), 500)
        file.write_bytes(content)
        assert len(rows(server, "FROM runs")) == 1


def test_two_at_once(served: Server) -> None:
    """The third is refused until one of the two has ended; a client that vanishes ends its own."""
    with begun(served, MANY), begun(served, MANY):
        refused = ask(served, "SELECT 1")
        assert refused.status_code == 429 and refused.json()["type"] == "urn:runlake:too-many"
        assert refused.headers["retry-after"] == "1"
    served.until(lambda: ask(served, "SELECT 1").status_code == 200)
    served.until(lambda: processes(served) == [])


def test_a_client_that_vanishes_while_it_waits(served: Server) -> None:
    def vanish() -> None:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{served.url}/sql", json={"query": ENDLESS, "timeout_seconds": 60}, timeout=1.5)

    thread = threading.Thread(target=vanish)
    thread.start()
    served.until(lambda: len(processes(served)) == 1)
    thread.join()
    served.until(lambda: processes(served) == [])


def test_a_failure_half_way_breaks_the_connection(served: Server) -> None:
    """At an error, and at its time; what begins with an error is refused."""
    halfway = "SELECT if(range = 100000, error('boom'), range) AS n, repeat('a', 1000) AS text FROM range(200000)"
    with begun(served, halfway) as answer, pytest.raises(httpx.RemoteProtocolError):
        for _ in answer.iter_bytes():
            pass
    slow = {"query": "FROM range(100000000000)", "timeout_seconds": 1}
    with (
        served.client.stream("POST", "/sql", json=slow, headers={"Accept": "text/csv"}) as answer,
        pytest.raises(httpx.RemoteProtocolError),
    ):
        for _ in answer.iter_bytes():
            pass
    assert_problem(ask(served, "SELECT error('boom')", "csv"), 400, "query")


def test_the_service_ends_while_queries_run(tmp_path: Path) -> None:
    server = Server(tmp_path / "lake").wait_ready()
    with begun(server, MANY) as answer:
        assert server.stop() == 0
        with pytest.raises(httpx.TransportError):
            for _ in answer.iter_bytes():
                pass
    assert processes(server) == []


def test_files_stay_while_a_query_reads_them(tmp_path: Path) -> None:
    """With no grace, what is merged meanwhile goes after the query."""
    eager = {
        f"RUNLAKE_{name}_SECONDS": value for name, value in {"GRACE": "0", "TIDY": "0.2", "MAINTAIN": "0.1"}.items()
    }
    with Server(tmp_path / "lake", env=environment(None, **eager, RUNLAKE_INLINE_ROWS="0")) as server:
        for number in range(3):
            server.post(record(28 * number))
        big = "SELECT id, range FROM runs, range(3000000)"
        with begun(server, big) as answer:
            kept = set(server.data.rglob("*.parquet"))
            for number in range(3, 20):
                server.post(record(28 * number))
            server.until(lambda: any("step=merge" in line for line in server.log))
            time.sleep(1)  # rounds of upkeep
            assert kept <= set(server.data.rglob("*.parquet"))
            answer.close()
        server.until(lambda: not kept & set(server.data.rglob("*.parquet")))


def test_who_may_ask(tmp_path: Path) -> None:
    """A key that reads; a browser with its session, for a page of the service only."""
    with Server(tmp_path / "lake") as server:
        paths = Paths.of(server.data)
        reads, writes = (access.create(paths, (scope,))[1] for scope in access.SCOPES)
        body = {"query": "SELECT 1"}

        def status(**headers: str) -> int:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return httpx.post(f"{server.url}/sql", json=body, headers=named, timeout=60).status_code

        assert status() == 401
        assert status(**bearer(writes)) == 403
        assert status(**bearer(reads)) == 200
        session = httpx.post(f"{server.url}/session", headers=bearer(reads)).headers["set-cookie"].partition(";")[0]
        assert status(Cookie=session, Origin=server.url, Sec_Fetch_Site="same-origin") == 200
        assert status(Cookie=session) == 401
        assert status(Cookie=session, Origin="https://evil.example.com", Sec_Fetch_Site="cross-site") == 403


def test_no_text_of_a_query_is_logged(served: Server) -> None:
    for query in (f"SELECT '{WORD}'", f"SELECT {WORD}", f"SELECT error('{WORD}')", f"SELECT '{WORD}' FROM ("):
        ask(served, query)
    served.until(lambda: any("route=/sql" in line for line in served.log))
    assert WORD not in "".join(served.log)


def test_the_schema(served: Server) -> None:
    """Its relations have the columns that queries see, its macros and its examples run."""
    schema = served.client.get("/sql/schema").json()
    assert [relation["name"] for relation in schema["relations"]] == [
        "runs",
        "finished_runs",
        "open_runs",
        "task_names",
    ]
    for relation in schema["relations"]:
        told = [(column["name"], column["type"]) for column in relation["columns"]]
        found = ask(served, f"FROM {relation['name']}").json()["columns"]
        assert told == [(column["name"], column["type"]) for column in found]
        assert relation["doc"] and all(column["doc"] for column in relation["columns"])
    assert {macro["name"] for macro in schema["macros"]} == {"duration_bucket", "error_group"}
    for macro in schema["macros"]:
        assert len(rows(served, f"SELECT {macro['name']}({', '.join(['NULL'] * len(macro['parameters']))})")) == 1
    assert len({example["title"] for example in schema["examples"]}) == len(schema["examples"]) > 3
    for example in schema["examples"]:
        assert ask(served, example["sql"]).status_code == 200, example
