"""What an import makes of rows that are hardly rows: the good ones load, the bad ones are written as they came."""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from beginnings import begin
from commands import load, ndjson, refused
from support import environment, record, runlake

from runlake.errors import ImportFailed
from runlake.intake import lines as lines_module
from runlake.sandbox import sources
from runlake.settings import Settings

BAD_LINES = {
    "NaN": b'{"id":"%b","task_id":"%b","output":NaN}',
    "comma": b'{"id":"%b","task_id":"%b","output":[1,]}',
    "deep": b'{"id":"%b","task_id":"%b","output":' + b"[" * 5000 + b"]" * 5000 + b"}",
    "huge": b'{"id":"%b","task_id":"%b","attempt":1e400}',
    "both": b'{"id":"%b","task_id":"%b","attempt":0,"output":1e400}',
    "utf-8": b'{"id":"%b","task_id":"%b","error":"\xff"}',
    "surrogate": b'{"id":"%b","task_id":"%b","error":"\\ud800"}',
    "cut short": b'{"id":"%b","task_id":"%b',
    "no JSON": b"%b %b",
}
TIMES = (
    "TIMESTAMP '10000-01-01'",
    "TIMESTAMPTZ '10000-01-01'",
    "TIMESTAMP 'infinity'",
    "TIMESTAMPTZ '-infinity'",
    "TIMESTAMP_MS 'infinity'",
    "TIMESTAMP_S '290000-01-01'",
    "TIMESTAMP '0044-03-15 (BC)'",
    "DATE '10000-01-01'",
    "DATE 'infinity'",
)


def made(number: int, bad: bytes) -> bytes:
    """A bad line with the ids of a record."""
    return bad % (record(number)["id"].encode(), record(number)["task_id"].encode())


def bad_lines() -> bytes:
    """A good line, all bad ones with blank lines between, and a good line; the last one has no end."""
    lines = [made(number, bad) for number, bad in enumerate(BAD_LINES.values(), 10)]
    return b"\n\n".join([json.dumps(record(1)).encode(), *lines, json.dumps(record(2)).encode()])


def refusal(file: Path, lake: Path) -> str:
    """The line that says why an import of the file ends. A lake that is not there is copied from an empty one."""
    begin(Settings(data=str(lake)))
    return refused(1, "import", str(file), "--data", str(lake))


@pytest.mark.parametrize("suffix", [".ndjson", ".jsonl.gz", ".ndjson.zst"])
def test_lines_that_are_no_records(tmp_path: Path, suffix: str) -> None:
    """With --rejects a line that is no JSON is a bad row like others; blank lines are no rows."""
    file, rejects = tmp_path / f"runs{suffix}", tmp_path / "bad"
    with pa.output_stream(str(file)) as out:  # compressed as the name says
        out.write(bad_lines())
    found = load(tmp_path / "lake", str(file), "--rejects", str(rejects))
    assert found == {"received": 11, "stored": 2, "duplicates": 0, "stale": 0, "rejected": 9}
    lines = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(2, 11))
    assert all(line["reason"] for line in lines)
    came = {name: line["record"] for name, line in zip(BAD_LINES, lines, strict=True)}
    assert came["NaN"] == made(10, BAD_LINES["NaN"]).decode() + "\n"
    assert came["huge"] == {"id": record(13)["id"], "task_id": record(13)["task_id"], "attempt": math.inf}
    assert came["utf-8"].endswith('"error":"\ufffd"}\n')
    assert came["cut short"].endswith(record(17)["task_id"] + "\n")


def test_lines_that_are_no_records_without_rejects(tmp_path: Path) -> None:
    """The first one ends the load, in one line; a damaged archive does, too."""
    file = tmp_path / "runs.ndjson"
    for number, bad in enumerate(BAD_LINES.values()):
        file.write_bytes(b"\n".join([json.dumps(record(1)).encode(), made(number + 10, bad)]))
        line = refusal(file, tmp_path / "lake")
        assert f"{file}: row 2: " in line
        assert "nothing was stored" in line
    packed = tmp_path / "runs.ndjson.gz"
    packed.write_bytes(gzip.compress(bad_lines() * 100)[:-100])
    assert str(packed) in refusal(packed, tmp_path / "lake")
    packed.write_bytes(b"no archive")
    assert str(packed) in refusal(packed, tmp_path / "lake")


def test_lines_of_any_length(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some lines are handed on at a time, not more than there is memory for; a mark before the first is skipped."""
    monkeypatch.setattr(lines_module, "CHUNK_BYTES", 1000)
    file = tmp_path / "runs.ndjson"
    lines = [f"{i:0300}".encode() + b"\r\n" for i in range(10)]
    file.write_bytes(b"\xef\xbb\xbf" + b"".join(lines))
    found = list(sources.tables([file], None, settings))
    assert [(row, rows.num_rows) for _, row, rows in found] == [(1, 4), (5, 4), (9, 2)]
    assert [line for *_, rows in found for line in rows.column(0).to_pylist()] == lines
    file.write_bytes(b"".join(lines) + b"x" * 1000)
    with pytest.raises(ImportFailed, match=r"row 11: .* 1000 bytes"):
        list(sources.tables([file], None, settings))


def test_times_that_python_has_no_values_for(tmp_path: Path) -> None:
    """A bad row like others, which names the field."""
    rejects, files = tmp_path / "bad", [tmp_path / f"{number}.parquet" for number in range(len(TIMES))]
    for moment, file in zip(TIMES, files, strict=True):
        duckdb.sql(f"""COPY (SELECT md5('a')::uuid AS id, md5('t')::uuid AS task_id, {moment} AS started_at
            UNION ALL SELECT md5('b')::uuid, md5('t')::uuid, '2025-01-01') TO '{file}'""")
        assert "row 1: started_at: " in refusal(file, tmp_path / "lake")
    found = load(tmp_path / "lake", *map(str, files), "--rejects", str(rejects))
    assert (found["stored"], found["duplicates"], found["rejected"]) == (1, len(TIMES) - 1, len(TIMES))
    for line in rejects.read_text().splitlines():
        bad = json.loads(line)
        assert (bad["row"], bad["field"]) == (1, "started_at")
        assert bad["record"]["started_at"].replace("-", "").strip("<")


def test_nanoseconds_need_no_pandas(tmp_path: Path) -> None:
    """It comes with the development tools only."""
    file, without = tmp_path / "runs.parquet", tmp_path / "without"
    without.mkdir()
    (without / "pandas.py").write_text("raise ImportError")
    duckdb.sql(f"""COPY (SELECT md5('a')::uuid AS id, md5('t')::uuid AS task_id, 0 AS attempt,
        TIMESTAMP_NS '2025-01-01 00:00:00.123456789' AS started_at) TO '{file}'""")
    env = environment(None, PYTHONPATH=str(without))
    done = runlake("import", str(file), "--rejects", "bad", "--data", "lake", env=env, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads((tmp_path / "bad").read_text())["record"]["started_at"] == "2025-01-01 00:00:00.123456789"


@pytest.mark.parametrize("kind", ["VARCHAR", "BLOB"])
def test_a_column_named_as_ours(tmp_path: Path, kind: str) -> None:
    """What marks rows that are texts inside cannot come from outside."""
    file = tmp_path / "runs.parquet"
    duckdb.sql(f"COPY (SELECT '{{}}'::{kind} AS json_record) TO '{file}'")
    assert "json_record: unknown field" in refusal(file, tmp_path / "lake")


@pytest.mark.parametrize("mark", [",", ";", "\t"])
@pytest.mark.parametrize("fields", [2, 4])
def test_a_csv_row_of_another_length(tmp_path: Path, mark: str, fields: int) -> None:
    """Fails with file and line, and is not taken for a sign that the file has one column."""
    row = [record(2)["id"], record(2)["task_id"], "2025-01-01", "x"]
    rows = [["id", "task_id", "started_at"], row[:3], row[:fields], row[:3]]
    file = tmp_path / "runs.csv"
    file.write_text("".join(mark.join(row) + "\n" for row in rows))
    line = refusal(file, tmp_path / "lake")
    assert str(file) in line
    assert "Line: 3" in line


def test_numbers_beyond_double(tmp_path: Path) -> None:
    """In a query they are infinite, as DuckDB has it."""
    lake = tmp_path / "lake"
    load(lake, ndjson(tmp_path / "runs.ndjson", record(1)))
    done = runlake("sql", "SELECT 1e400 > 1 AS a, -1e400 < 1 AS b", "--format", "csv", "--data", str(lake))
    assert (done.stdout, done.stderr) == ("a,b\ntrue,true\n", "")
