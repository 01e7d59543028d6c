"""`runlake import` from outside: counts, rejects, SELECTs, wrong files, real traces."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from commands import load, ndjson, refused
from support import TRACES, Server, record, runlake
from traces import LCG, LORA


def test_import_twice_and_after_post(tmp_path: Path) -> None:
    """What is stored already, by import or by POST, is a duplicate."""
    lake, source = tmp_path / "lake", ndjson(tmp_path / "runs.ndjson", *(record(i) for i in range(20)))
    with Server(lake) as server:
        assert server.post(*(record(i) for i in range(5))).json()["stored"] == 5
    expected = {"received": 20, "stored": 15, "duplicates": 5, "stale": 0, "rejected": 0}
    assert load(lake, source) == expected
    assert load(lake, source) == expected | {"stored": 0, "duplicates": 20}
    assert load(lake, source, source)["duplicates"] == 40


def test_import_names_file_row_and_reason(tmp_path: Path) -> None:
    """One bad row: exit code 1, one line, nothing stored, nothing printed."""
    lake, good = tmp_path / "lake", ndjson(tmp_path / "good.ndjson", *(record(i) for i in range(9)))
    bad = ndjson(tmp_path / "bad.ndjson", record(20), record(21, attempt=0), record(22))
    line = refused(1, "import", good, bad, "--data", str(lake))
    assert all(part in line for part in ("bad.ndjson", "row 2", "attempt", "nothing was stored")), line
    check = runlake("check", "--data", str(lake))
    assert (check.returncode, check.stdout.split()[1]) == (0, "0")


def test_import_without_ids_shows_how_to_make_them(tmp_path: Path) -> None:
    """The error of a missing id column carries the expression."""
    source = ndjson(tmp_path / "runs.ndjson", {k: v for k, v in record(1).items() if k != "id"})
    line = refused(1, "import", source, "--data", str(tmp_path / "lake"))
    assert "id" in line
    assert "md5(" in line
    assert "::uuid" in line


def test_import_rejects(tmp_path: Path) -> None:
    """With --rejects good rows load; a bad one is a line of NDJSON that says where and why, and holds the row."""
    lake, rejects = tmp_path / "lake", tmp_path / "bad.ndjson"
    load(lake, ndjson(tmp_path / "first.ndjson", record(1), record(2)))
    rows = [record(1), record(2, success=False), record(3), record(4, task_id="x"), record(5, finished_at=None)]
    source = ndjson(tmp_path / "second.ndjson", *rows)
    found = load(lake, source, "--rejects", str(rejects))
    assert found == {"received": 5, "stored": 1, "duplicates": 1, "stale": 0, "rejected": 3}
    bad = [json.loads(line) for line in rejects.read_text().splitlines()]
    assert [set(item) for item in bad] == [{"file", "row", "field", "reason", "record"}] * 3
    assert [(item["file"], item["row"]) for item in bad] == [(source, 2), (source, 4), (source, 5)]
    assert [item["field"] for item in bad][:2] == ["id", "task_id"]
    assert bad[1]["record"]["task_id"] == "x"
    assert all(item["reason"] for item in bad)


def test_import_select(tmp_path: Path) -> None:
    """--select makes records of anything, and its errors are one line."""
    source = tmp_path / "jobs.csv"
    source.write_text("job,queue,began,ended,code\n1,a,2025-01-01 10:00:00,2025-01-01 10:00:05,0\n")
    select = (
        "SELECT md5('j' || job)::uuid AS id, md5(queue)::uuid AS task_id, began AS started_at,"
        " ended AS finished_at, code = 0 AS success FROM source"
    )
    assert load(tmp_path / "lake", str(source), "--select", select)["stored"] == 1
    for wrong in ("SELECT nothing FROM source", "DROP TABLE x", "SELEC", "SELECT 1; SELECT 2"):
        refused(1, "import", str(source), "--select", wrong, "--data", str(tmp_path / "lake"))


def test_import_of_wrong_files(tmp_path: Path) -> None:
    """A missing file is wrong usage and makes no lake; an unreadable one fails; a reject file must be writable."""
    source = ndjson(tmp_path / "runs.ndjson", record(1))
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nonsense")
    refused(1, "import", "broken.parquet", "--data", "lake", cwd=tmp_path)
    assert load(tmp_path / "lake", source)["stored"] == 1
    assert "missing.csv" in refused(2, "import", "missing.csv", "--data", "none", cwd=tmp_path)
    assert "missing.csv" in refused(2, "import", source, "missing.csv", "--data", "none", cwd=tmp_path)
    refused(2, "import", ".", "--data", "none", cwd=tmp_path)
    refused(2, "import", source, "--rejects", "no/such/folder/bad.ndjson", "--data", "none", cwd=tmp_path)
    assert not (tmp_path / "none").exists()


def test_import_from_folders_that_look_like_partitions(tmp_path: Path) -> None:
    """A file is what it holds; the names of its folders add no columns and change no values."""
    folder = tmp_path / "x=1" / "attempt=7"
    folder.mkdir(parents=True)
    lake = tmp_path / "lake"
    assert load(lake, ndjson(folder / "runs.ndjson", record(1), record(2)))["stored"] == 2
    assert load(lake, ndjson(tmp_path / "same.ndjson", record(1), record(2)))["duplicates"] == 2


def test_rejects_never_overwrite_the_source(tmp_path: Path) -> None:
    """Naming the source as the reject file by mistake must not cost the data."""
    source = ndjson(tmp_path / "runs.ndjson", record(1))
    before = Path(source).read_bytes()
    refused(2, "import", source, "--rejects", source, "--data", str(tmp_path / "lake"))
    assert Path(source).read_bytes() == before


@pytest.mark.parametrize(
    ("file", "select", "rows", "waiting"), [("LCG.swf.gz", LCG, 188041, 0), ("lora_request_trace.csv", LORA, 26823, 33)]
)
def test_real_traces(tmp_path: Path, file: str, select: str, rows: int, waiting: int) -> None:
    """Real histories load whole, once."""
    if not (TRACES / file).is_file():
        pytest.skip(f"the trace {file} is not here")
    lake = tmp_path / "lake"
    found = load(lake, str(TRACES / file), "--select", select)
    assert found == {"received": rows, "stored": rows, "duplicates": 0, "stale": 0, "rejected": 0}
    again = load(lake, str(TRACES / file), "--select", select)
    assert again == {"received": rows, "stored": 0, "duplicates": rows, "stale": 0, "rejected": 0}
    info = dict(line.split(None, 1) for line in runlake("info", "--data", str(lake)).stdout.splitlines())
    assert (info["runs"], info["open"]) == (str(rows), str(waiting))
    assert runlake("check", "--data", str(lake)).returncode == 0
