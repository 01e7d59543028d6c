"""`runlake sql`: forms, relations, limits, and SQL that means harm."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import children
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support import MAIN, Server, environment, record

FORMS: Final = ("table", "csv", "json", "parquet", "arrow")
QUERY: Final = "SELECT id, attempt, started_at, output FROM runs ORDER BY id LIMIT 3"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A running service whose lake has rows in Parquet (150), in the catalog (20) and open (5)."""
    lake = tmp_path_factory.mktemp("sql") / "lake"
    with Server(lake, env=environment(None, RUNLAKE_MAINTAIN_SECONDS="1000")) as server:
        server.post(*(record(i, output={"n": i, "list": [1, "é", None]}) for i in range(150)))
        server.post(*(record(1000 + i) for i in range(20)))
        server.post(*(record(2000 + i, finished_at=None, success=None) for i in range(5)))
        yield server


def sql(lake: Path, query: str, *args: str) -> subprocess.CompletedProcess[bytes]:
    """`runlake sql` with its output as bytes."""
    return children.run(MAIN, "sql", query, "--data", str(lake), *args, env=environment())


def rows(form: str, data: bytes) -> list[dict[str, Any]]:
    """What a program reads from one of the forms."""
    if form == "csv":
        return list(csv.DictReader(io.StringIO(data.decode())))
    if form == "json":
        found: list[dict[str, Any]] = json.loads(data)
        return found
    if form == "parquet":
        return list(pq.read_table(pa.BufferReader(data)).to_pylist())
    return list(pa.ipc.open_stream(data).read_all().to_pylist())


@pytest.mark.parametrize("form", FORMS)
def test_forms(served: Server, tmp_path: Path, form: str) -> None:
    """Each form to standard output and to a file gives the same bytes, which its readers understand."""
    done = sql(served.data, QUERY, "--format", form)
    assert (done.returncode, done.stderr) == (0, b"")
    file = tmp_path / "result"
    to_file = sql(served.data, QUERY, "--format", form, "--output", str(file))
    assert (to_file.returncode, to_file.stdout, to_file.stderr) == (0, b"", b"")
    assert file.read_bytes() == done.stdout
    if form == "table":
        assert [line.split()[0] for line in done.stdout.decode().splitlines()[2:5]] == [
            record(i)["id"] for i in range(3)
        ]
        return
    found = rows(form, done.stdout)
    assert [str(row["id"]) for row in found] == [record(i)["id"] for i in range(3)]
    assert [int(row["attempt"]) for row in found] == [1, 1, 1]
    outputs = [row["output"] if form == "json" else json.loads(row["output"]) for row in found]
    assert [output["n"] for output in outputs] == [0, 1, 2]


def test_json_is_one_array_of_objects(served: Server) -> None:
    """Also when it is empty."""
    assert json.loads(sql(served.data, "FROM runs WHERE false", "--format", "json").stdout) == []
    found = json.loads(sql(served.data, "SELECT 1 AS a, 'x' AS b, NULL AS c", "--format", "json").stdout)
    assert found == [{"a": 1, "b": "x", "c": None}]


def test_relations_see_every_kind_of_row(served: Server) -> None:
    """`runs` is the sum of the two others, while the service runs."""
    query = """SELECT (SELECT count(*) FROM runs) AS runs, (SELECT count(*) FROM finished_runs) AS finished,
        (SELECT count(*) FROM open_runs) AS open, (SELECT count(*) FROM runs WHERE run_at IS NULL) AS undated"""
    found = json.loads(sql(served.data, query, "--format", "json").stdout)
    assert found == [{"runs": 175, "finished": 170, "open": 5, "undated": 0}]
    columns = json.loads(sql(served.data, "SELECT * FROM runs LIMIT 1", "--format", "json").stdout)[0]
    assert set(record(1)) <= set(columns)


def test_timeout(served: Server) -> None:
    """A query over its limit ends with one line and exit code 1."""
    started = time.monotonic()
    heavy = "SELECT count(*) FROM range(1000000000) a, range(1000) b WHERE (a.range * b.range) % 7 = 3"
    done = sql(served.data, heavy, "--timeout", "0.5")
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert b"0.5" in done.stderr
    assert time.monotonic() - started < 20
    assert sql(served.data, "SELECT 1", "--timeout", "0").returncode == 2
    assert sql(served.data, "SELECT 1", "--timeout", "60").returncode == 0


@pytest.mark.parametrize(
    "query", ["", "SELEC", "SELECT nothing FROM runs", "FROM nowhere", "SELECT 1; SELECT 2", "SELECT 'a'::INT", "\n\n)"]
)
def test_wrong_sql_is_one_line(served: Server, query: str) -> None:
    """Exit code 1, a message, no trace, no output."""
    done = sql(served.data, query, "--format", "csv")
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert b"Traceback" not in done.stderr


def test_a_failed_query_leaves_the_output_file_alone(served: Server, tmp_path: Path) -> None:
    """What a good query wrote before is not lost to a bad one; an unwritable file is wrong usage."""
    file = tmp_path / "result.csv"
    assert sql(served.data, "SELECT 1 AS a", "--format", "csv", "--output", str(file)).returncode == 0
    assert sql(served.data, "SELECT nothing", "--format", "csv", "--output", str(file)).returncode == 1
    assert file.read_text() == "a\n1\n"
    done = sql(served.data, "SELECT 1", "--output", str(tmp_path / "no" / "file"))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


HOSTILE: Final = [
    "ATTACH '{lake}/catalog.sqlite' AS c (TYPE sqlite)",
    "ATTACH 'ducklake:sqlite:{lake}/catalog.sqlite' AS lake",
    "ATTACH '{outside}/new.db' AS d",
    "COPY (SELECT 1) TO '{outside}/copied.csv'",
    "COPY runs TO '{lake}/catalog.sqlite'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '{outside}/explained.csv'",
    "EXPLAIN COPY (SELECT 1) TO '{outside}/explained.csv'",
    "EXPORT DATABASE '{outside}/export'",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_text('{outside}/secret.txt')",
    "SELECT * FROM '{outside}/secret.csv'",
    "SELECT * FROM read_csv('{outside}/*.csv')",
    "SELECT * FROM read_blob('{lake}/catalog.sqlite')",
    "SELECT * FROM read_blob('{lake}/files/../catalog.sqlite')",
    "SELECT * FROM read_blob('{lake}/writer.lock')",
    "SELECT * FROM sqlite_scan('{lake}/catalog.sqlite', 'ducklake_snapshot')",
    "SELECT * FROM read_parquet('{lake}/files/other.parquet')",
    "SELECT * FROM ducklake_cleanup_old_files('lake')",
    "SELECT (SELECT content FROM read_text('/etc/passwd')) FROM runs",
    "SELECT * FROM query('SELECT * FROM read_text(''/etc/passwd'')')",
    "INSTALL sqlite; SELECT 1",
    "LOAD sqlite",
    "SET enable_external_access = true",
    "PRAGMA enable_external_access",
    "CREATE TABLE t AS SELECT 1",
    "INSERT INTO open_runs SELECT * FROM open_runs",
    "DELETE FROM open_runs",
    "DROP VIEW runs",
    "CALL enable_logging()",
    "SELECT * FROM enable_profiling('{outside}/profile.json')",
    "SELECT getenv('HOME')",
    "WITH x AS (DELETE FROM open_runs RETURNING *) FROM x",
    "FROM glob('/etc/*')",
]


# All attacks in one process, which has to survive them.
ATTACKER: Final = """
import json, sys
from click.testing import CliRunner
from runlake.cli.group import commands
results = []
for query in json.load(sys.stdin):
    done = CliRunner().invoke(commands, ["sql", query, "--format", "csv", "--data", sys.argv[1]])
    results.append([done.exit_code, done.stdout, done.stderr])
print(json.dumps(results))
"""


def fingerprints(*folders: Path) -> dict[str, str]:
    """A hash of every file, except SQLite's shared memory, which readers use too."""
    files = [
        file for folder in folders for file in folder.rglob("*") if file.is_file() and file.suffix != ".sqlite-shm"
    ]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_hostile_sql_changes_nothing(served: Server, tmp_path: Path) -> None:
    """Each attack is refused in one line with exit code 1, prints nothing, and no file differs after all of them."""
    (tmp_path / "secret.txt").write_text("hidden")
    (tmp_path / "secret.csv").write_text("a\nhidden\n")
    before = fingerprints(served.data, tmp_path)
    queries = [a.replace("{lake}", str(served.data)).replace("{outside}", str(tmp_path)) for a in HOSTILE]
    command = [sys.executable, "-c", ATTACKER, str(served.data)]
    text = json.dumps(queries)
    done = subprocess.run(
        command, input=text, cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    wrong = [
        (attack, result)
        for attack, result in zip(HOSTILE, results, strict=True)
        if result[:2] != [1, ""] or len(result[2].splitlines()) != 1
    ]
    assert wrong == []
    assert {k: v for k, v in fingerprints(served.data, tmp_path).items() if "-wal" not in k} == {
        k: v for k, v in before.items() if "-wal" not in k
    }
    assert served.client.get("/runs").json()["total"] == 175
