"""What a slip must not cost: files of the lake, a value changed without a word, a traceback."""

from __future__ import annotations

import os
import resource
import shutil
import socket
import stat
from pathlib import Path

import httpx
import pyarrow as pa
import pytest
from commands import load, ndjson, refused
from pyarrow import parquet
from support import Server, arrow_stream, environment, record, runlake

import runlake as package

ARROW = {"Content-Type": "application/vnd.apache.arrow.stream"}


@pytest.fixture(scope="module")
def three_runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake of three runs, each in a Parquet file of its own day. Copy it."""
    folder = tmp_path_factory.mktemp("misuse") / "lake"
    with Server(folder, env=environment(None, RUNLAKE_INLINE_ROWS="0")) as server:
        assert server.post(record(1), record(2), record(3)).status_code == 200
    return folder


@pytest.fixture
def lake(three_runs: Path, tmp_path: Path) -> Path:
    """A copy that a test may harm."""
    return Path(shutil.copytree(three_runs, tmp_path / "lake"))


def content(folder: Path) -> dict[str, bytes]:
    """All files of a folder, but for those that a reader makes beside a SQLite file."""
    return {str(file): file.read_bytes() for file in folder.rglob("*") if file.is_file() and file.suffix != ".lock"}


def test_nothing_is_written_into_the_lake(lake: Path, tmp_path: Path) -> None:
    """Neither bad rows nor the answer of a query, by whatever name the file is called."""
    source, before = ndjson(tmp_path / "runs.ndjson", record(9)), content(lake)
    (tmp_path / "link").symlink_to(lake)
    (tmp_path / "file").symlink_to(lake / "catalog.sqlite")
    for name in ("lake/catalog.sqlite", "lake/new", "link/catalog.sqlite", "file", "lake/files/../keys.json"):
        for args in (["import", source, "--rejects", name], ["sql", "SELECT 1", "--output", name]):
            assert "cannot write into the lake" in refused(2, *args, "--data", "lake", cwd=tmp_path)
    assert content(lake) == before


def test_rejects_stay_until_the_load_begins(lake: Path, tmp_path: Path) -> None:
    """A load that is refused leaves those of the last one alone."""
    source, rejects = ndjson(tmp_path / "runs.ndjson", record(9, attempt=0)), tmp_path / "bad"
    rejects.write_text("earlier\n")
    with Server(lake):
        assert "process" in refused(1, "import", source, "--rejects", str(rejects), "--data", str(lake))
        assert rejects.read_text() == "earlier\n"
    assert load(lake, source, "--rejects", str(rejects))["rejected"] == 1
    assert "earlier" not in rejects.read_text()


def test_output_is_text(lake: Path, tmp_path: Path) -> None:
    """Bytes are refused, and not stored as the text of their escapes."""
    ids = pa.array([record(7)["id"]]), pa.array([record(7)["task_id"]])
    names = ["id", "task_id", "output"]
    body = arrow_stream(pa.table([*ids, pa.array([b'{"a":1}'])], names))
    with Server(lake) as server:
        answer = httpx.post(f"{server.url}/runs", content=body, headers=ARROW)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "runs[0].output")
    parquet.write_table(pa.table([*ids, pa.array([b'{"a":1}'])], names), tmp_path / "runs.parquet")
    assert "row 1: output: " in refused(1, "import", "runs.parquet", "--data", "lake", cwd=tmp_path)


def test_an_arrow_body_is_one_stream(lake: Path) -> None:
    """What follows it would be dropped."""
    body = arrow_stream(pa.table({"task_id": [record(7)["task_id"]]}))
    with Server(lake) as server:
        for bad in (body + body, body + b"\0"):
            answer = httpx.post(f"{server.url}/runs", content=bad, headers=ARROW)
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "body")
        large = arrow_stream(pa.table({"task_id": [record(7)["task_id"]], "error": ["x" * (1 << 21)]}))
        answer = httpx.post(f"{server.url}/runs", content=large, headers=ARROW)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "runs[0]")
        assert httpx.get(f"{server.url}/runs").json()["total"] == 3


def test_times_reach_python(lake: Path) -> None:
    """`runlake.attach` gives times as values, not only as text."""
    with package.attach(lake) as con:
        assert con.sql("SELECT min(run_at) FROM lake.runs").fetchall()[0][0].tzinfo is not None


def test_a_file_that_is_gone_is_named(lake: Path) -> None:
    """By a query; `info` says what it can."""
    file = min(lake.rglob("*.parquet"))
    file.unlink()
    assert str(file) in refused(1, "sql", "SELECT count(*) FROM runs", "--data", str(lake))
    done = runlake("info", "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    shown = done.stdout.splitlines()
    assert [line.split()[-1] for line in shown if line.startswith("runs ")] == ["3"]
    assert sum("unknown: a file cannot be read" in line for line in shown) == 2


@pytest.mark.parametrize("damage", [b"", b"text\n" * 100, bytes(8192)])
def test_a_catalog_that_is_none(lake: Path, damage: bytes) -> None:
    """Every command names it, and what to do; nothing is changed."""
    (lake / "catalog.sqlite").write_bytes(damage)
    (lake / "catalog.sqlite-wal").unlink(missing_ok=True)
    for args in (["info"], ["check"], ["maintain"], ["serve", "--port", "0"], ["sql", "SELECT 1"]):
        line = refused(1, *args, "--data", str(lake))
        assert str(lake / "catalog.sqlite") in line
        assert "backup" in line
    assert (lake / "catalog.sqlite").read_bytes() == damage


@pytest.mark.parametrize(
    "setting",
    [
        *["PORT=x", "PORT=", "GRACE_SECONDS=1e308", "RETENTION_DAYS=99999999", "THREADS=9999999", "MEMORY_LIMIT=2"],
        *["CATALOG=sqlite:x", "FILES=/tmp/files", "FILES=s3://bucket", "FILES=s3://bucket/*", "MIRROR_BYTES=0"],
        *["ALLOWED_HOSTS=*", "ALLOWED_HOSTS=runs.lan:80", "ALLOWED_HOSTS=http://runs.lan"],
        *["CORS_ORIGINS=*", "CORS_ORIGINS=null", "CORS_ORIGINS=dash.lan", "CORS_ORIGINS=https://dash.lan/runs"],
        *["CORS_ORIGINS=https://*.lan", "CORS_ORIGINS=https://dash.lan:x", "CORS_ORIGINS=https://a.lan,b.lan"],
    ],
)
def test_settings_out_of_range(lake: Path, setting: str) -> None:
    """The line names the variable."""
    name, _, value = setting.partition("=")
    done = runlake("maintain", "--data", str(lake), env=environment(None, **{f"RUNLAKE_{name}": value}))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert f"RUNLAKE_{name}: " in done.stderr
    assert "regex" not in done.stderr


def test_half_a_place(lake: Path) -> None:
    """A catalog in PostgreSQL with files in a folder, or a catalog in a folder with files in S3: neither is there."""
    assert "set both or neither" in refused(2, "info", "--data", str(lake), RUNLAKE_CATALOG="postgres:")
    address = "postgresql://runlake:hushhush@db.lan/runs"  # of another form: nobody repeats the password in it
    said = refused(2, "info", "--data", str(lake), RUNLAKE_CATALOG=address, RUNLAKE_FILES="s3://bucket/runs")
    assert "RUNLAKE_CATALOG: expected something like" in said and "hushhush" not in said
    assert "set both or neither" in refused(2, "info", "--data", str(lake), RUNLAKE_FILES="s3://bucket/runs")


def test_a_misspelt_setting(lake: Path) -> None:
    """The line names the one that was meant."""
    assert "RUNLAKE_RETENTION_DAYS" in refused(2, "info", "--data", str(lake), RUNLAKE_RETENTON_DAYS="1")


def test_a_folder_whose_name_is_no_text(tmp_path: Path) -> None:
    """One line, whatever goes wrong."""
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe")
    refused(1, "generate", "--runs", "1", "--data", name)


def test_why_nothing_can_listen(tmp_path: Path) -> None:
    """The line says what the system said."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = runlake("serve", "--port", port, "--data", str(tmp_path / "lake"))
    assert done.returncode == 1
    assert "Address already in use" in done.stderr.splitlines()[-1]
    done = runlake("serve", "--host", "999.1.1.1", "--no-auth", "--data", str(tmp_path / "lake"))
    assert done.returncode == 1
    assert "known" in done.stderr.splitlines()[-1]


def test_the_limit_of_open_files(lake: Path) -> None:
    """It is raised as far as it may be for the connections there may be; where that is too little, the log says so."""
    limited = ("prlimit", "--nofile=64:4096")
    with Server(lake, prefix=limited) as server:
        soft, _ = resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE)
        assert soft > 500
    with Server(lake, prefix=("prlimit", "--nofile=64:128")) as server:
        assert resource.prlimit(server.process.pid, resource.RLIMIT_NOFILE) == (128, 128)
        assert any("ulimit" in line for line in server.log)


FAILS_TWICE = """
from runlake.api import service
from runlake.serving.serving import Serving
service._AGAIN = 0.2
load, calls = Serving.load, []
def failing(self, progress=None):
    calls.append(1)
    if len(calls) < 3:
        raise OSError(24, "Too many open files")
    load(self, progress)
Serving.load = failing
"""


def test_loading_is_tried_again(lake: Path) -> None:
    """What was in the way may be gone; the log says what it was, at every level."""
    with Server(lake, env=environment(None, RUNLAKE_LOG_LEVEL="error"), before=FAILS_TWICE) as server:
        assert httpx.get(f"{server.url}/runs").json()["total"] == 3
        assert sum("Too many open files" in line for line in server.log) == 2


def test_what_fails_after_loading_is_told(lake: Path) -> None:
    """By /ready and the log, as what fails in loading is."""
    before = "from runlake.store import Store\nStore.start = lambda self: 1 / 0"
    server = Server(lake, before=before).wait_listening()
    try:
        answer = httpx.get(f"{server.url}/ready")
        while "being loaded" in answer.text:
            answer = httpx.get(f"{server.url}/ready")
        assert (answer.status_code, "the log of the service says why" in answer.text) == (503, True)
    finally:
        assert server.stop() == 0
    assert any("ZeroDivisionError" in line and "loading failed" in line for line in server.log)


def made_device(path: Path, minor: int) -> Path:
    """A device like /dev/null (3) or /dev/full (7); skips the test where none can be made."""
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, minor))
        path.open("wb").close()
    except PermissionError:
        pytest.skip("this machine does not let a test make a device")
    return path


def test_a_full_disk_is_not_wrong_usage(lake: Path, tmp_path: Path) -> None:
    """A device like /dev/full takes nothing: the answer of a query fails there as on a full disk."""
    full = made_device(tmp_path / "full", 7)
    query = "SELECT repeat('x', 100000)"
    done = runlake("sql", query, "--output", str(full), "--data", str(lake))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert full.is_char_device()


def test_output_to_what_is_no_file(lake: Path, tmp_path: Path) -> None:
    """A device or a pipe is written to, a link is followed; neither is replaced."""
    device, link = made_device(tmp_path / "device", 3), tmp_path / "link"
    link.symlink_to(tmp_path / "there.csv")
    for output in (device, link):
        done = runlake("sql", "SELECT 1 AS a", "--format", "csv", "--output", str(output), "--data", str(lake))
        assert (done.returncode, done.stderr) == (0, "")
    assert device.is_char_device()
    assert link.is_symlink()
    assert (tmp_path / "there.csv").read_text() == "a\n1\n"
