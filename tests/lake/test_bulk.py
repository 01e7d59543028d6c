"""Imports: all of a file or nothing, with the row that is to blame; every kind of file; twice is once."""

from __future__ import annotations

import gzip
import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pyarrow as pa
import pytest
import support
from beginnings import begin
from loading import load_pieces
from support import post

from runlake.errors import ImportFailed, UsageError
from runlake.inspect import verify
from runlake.intake import decode_json
from runlake.lake import bulk
from runlake.lake.bulk import Reject, Totals
from runlake.model import Run, RunsQuery
from runlake.query import pages
from runlake.sandbox import sources
from runlake.settings import Settings
from runlake.store import Store

Record = dict[str, Any]


def load(
    settings: Settings, *files: Path, select: str | None = None, reject: Callable[[Reject], None] | None = None
) -> Totals:
    """What `runlake import` does."""
    store = Store(begin(settings))
    try:
        store.load()
        pieces = (bulk.Chunk(*piece) for piece in sources.tables(files, select, settings))
        return load_pieces(store, pieces, reject=reject)
    finally:
        store.close()


def runs(settings: Settings) -> list[Run]:
    """Every run of the lake."""
    store = Store(begin(settings))
    try:
        store.load()
        page = store.engine.submit(pages.page, RunsQuery(limit=10**6, include_errors=True)).result(60)
        assert page.total == len(page.items)
        return page.items
    finally:
        store.close()


def upkeep(settings: Settings) -> None:
    store = Store(msgspec.structs.replace(settings, grace_seconds=0.0))
    try:
        store.load()
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
    finally:
        store.close()
    assert verify.check(settings).findings == []


def ndjson(file: Path, *records: Record | str) -> Path:
    lines = [r if isinstance(r, str) else json.dumps(r) for r in records]
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return file


def record(number: int, **fields: Any) -> Record:
    """A finished run of one of two days."""
    day = f"2025-01-{1 + number % 2:02}"
    return support.record(number, **{"started_at": f"{day}T08:00:00Z", "finished_at": f"{day}T08:00:01Z", **fields})


def opened(number: int, **fields: Any) -> Record:
    return record(number, finished_at=None, success=None, **fields)


def outcome(totals: Totals) -> tuple[int, ...]:
    return (totals.received, totals.stored, totals.duplicates, totals.stale, totals.rejected)


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "CHUNK_ROWS", 7)


@pytest.fixture(params=[0, 100])
def lake_settings(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    """Small chunks go to files, or stay in the catalog."""
    return msgspec.structs.replace(settings, inline_rows=request.param)


@pytest.mark.usefixtures("small_chunks")
def test_a_bad_row_fails_the_load_and_leaves_nothing(lake_settings: Settings, tmp_path: Path) -> None:
    """In the first chunk or the last, at its end or its beginning."""
    load(lake_settings, ndjson(tmp_path / "before.ndjson", record(1000), opened(1001)))
    upkeep(lake_settings)
    before = runs(lake_settings)
    files = sorted(Path(lake_settings.data).rglob("*.parquet"))
    for bad in (0, 6, 20):
        good = [opened(i) if i % 3 else record(i) for i in range(21)]
        good[bad] |= {"attempt": 0}
        file = ndjson(tmp_path / f"bad-{bad}.ndjson", *good)
        with pytest.raises(ImportFailed) as failed:
            load(lake_settings, file)
        assert f"{file}: row {bad + 1}: attempt: " in failed.value.line()
        assert "nothing was stored" in failed.value.line()
        assert runs(lake_settings) == before
    upkeep(lake_settings)
    assert sorted(Path(lake_settings.data).rglob("*.parquet")) == files


@pytest.mark.usefixtures("small_chunks")
def test_a_conflict_fails_the_load_too(settings: Settings, tmp_path: Path) -> None:
    load(settings, ndjson(tmp_path / "a.ndjson", record(5)))
    file = ndjson(tmp_path / "b.ndjson", *(record(i) for i in range(10, 20)), record(5, attempt=2))
    with pytest.raises(ImportFailed, match=r"b\.ndjson: row 11: id: .*other content"):
        load(settings, file)
    assert len(runs(settings)) == 1


@pytest.mark.usefixtures("small_chunks")
def test_rejects_take_the_bad_rows_and_the_others_load(lake_settings: Settings, tmp_path: Path) -> None:
    load(lake_settings, ndjson(tmp_path / "a.ndjson", record(5), opened(6)))
    records = [record(100 + i) for i in range(21)]
    records[3] = record(5, error="other")
    records[4] = record(6)
    records[7] = {**record(107), "task_id": "x"}
    records[13] = record(104 - 1, error="row 4 is not this")
    records[20] = record(106, attempt=3)
    bad: list[Reject] = []
    totals = load(lake_settings, ndjson(tmp_path / "b.ndjson", *records), reject=bad.append)
    assert [(r.row, r.field) for r in bad] == [(4, "id"), (8, "task_id"), (21, "id")]
    assert [json.loads(bytes(r.record)) for r in bad] == [records[r.row - 1] for r in bad]
    assert outcome(totals) == (21, 18, 0, 0, 3)
    stored = {run.id.int: run for run in runs(lake_settings)}
    assert len(stored) == 19
    assert stored[6].success is True
    assert stored[5].error is None
    assert stored[106].attempt == 1


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("gap", [0, 5, 20])
def test_one_id_many_times_in_a_file(lake_settings: Settings, tmp_path: Path, gap: int) -> None:
    """The repeats fall into the same chunk, the next or a later one."""
    between = [[record(100 * k + i) for i in range(gap)] for k in range(1, 5)]
    file = ndjson(
        tmp_path / "a.ndjson",
        *[opened(1), *between[0]],
        *[opened(1, attempt=2), *between[1]],
        *[record(1, attempt=2), *between[2]],
        *[record(1, attempt=2), opened(1), *between[3]],
        *[opened(2), opened(2)],
    )
    assert outcome(load(lake_settings, file)) == (7 + 4 * gap, 4 + 4 * gap, 2, 1, 0)
    assert outcome(load(lake_settings, file)) == (7 + 4 * gap, 0, 4 + 4 * gap, 3, 0)
    stored = {run.id.int: run for run in runs(lake_settings)}
    assert len(stored) == 2 + 4 * gap
    assert (stored[1].attempt, stored[1].success, stored[2].success) == (2, True, None)


@pytest.mark.usefixtures("small_chunks")
@pytest.mark.parametrize("gap", [0, 6, 20])
def test_a_file_that_contradicts_itself_fails(settings: Settings, tmp_path: Path, gap: int) -> None:
    file = ndjson(tmp_path / "a.ndjson", record(1), *(record(10 + i) for i in range(gap)), record(1, attempt=2))
    with pytest.raises(ImportFailed, match=rf"a\.ndjson: row {gap + 2}: id: "):
        load(settings, file)
    assert runs(settings) == []


@pytest.mark.parametrize("rows", [1, 7, 15])
@pytest.mark.usefixtures("small_chunks")
def test_loading_again_and_after_post_stores_nothing(settings: Settings, tmp_path: Path, rows: int) -> None:
    records = [opened(i, lease_owner="w") if i % 4 == 0 else record(i, output={"n": i}) for i in range(rows)]
    file = ndjson(tmp_path / "a.ndjson", *records)
    store = Store(begin(settings))
    store.load()
    store.start()
    posted = post(store, *records)
    store.close()
    assert posted.stored == rows
    assert outcome(load(settings, file, file)) == (2 * rows, 0, 2 * rows, 0, 0)
    assert outcome(load(settings, file)) == (rows, 0, rows, 0, 0)
    assert len(runs(settings)) == rows


def as_gzip(file: Path, text: str) -> None:
    file.write_bytes(gzip.compress(text.encode()))


def as_zstd(file: Path, text: str) -> None:
    with pa.CompressedOutputStream(str(file), "zstd") as out:
        out.write(text.encode())


def as_plain(file: Path, text: str) -> None:
    file.write_text(text)


FIELDS: Final = ["id", "task_id", "started_at", "finished_at", "success", "attempt", "error", "output"]
RECORDS: Final = [record(i, attempt=i + 1, error=f"e{i}", output={"a": [i, "x"]}) for i in range(20)]
LINES: Final = "".join(json.dumps(r) + "\n" for r in RECORDS)
CSV: Final = "".join(
    ",".join(
        f'"{json.dumps(r[f]) if f == "output" else r[f]}"'.replace('{"a"', '{""a""').replace('"x"', '""x""')
        for f in FIELDS
    )
    + "\n"
    for r in RECORDS
)
TEXTS: Final = {
    "ndjson": LINES,
    "jsonl": LINES,
    "json": json.dumps(RECORDS),
    "csv": ",".join(FIELDS) + "\n" + CSV,
    "tsv": "\t".join(FIELDS) + "\n" + CSV.replace('","', '"\t"'),
}


def every_kind(folder: Path) -> Iterator[Path]:
    """A file of these records in every kind, plain and compressed; Parquet is compressed inside."""
    for kind, text in TEXTS.items():
        for suffix, write in {"": as_plain, ".gz": as_gzip, ".zst": as_zstd}.items():
            file = folder / f"Runs it's.{kind.upper()}{suffix}"
            write(file, text)
            yield file
    plain, file = ndjson(folder / "a.ndjson", *RECORDS), folder / "Runs it's.PARQUET"
    with duckdb.connect() as con:
        con.execute(f"COPY (FROM '{plain}') TO '{str(file).replace(chr(39), chr(39) * 2)}' (FORMAT parquet)")
    yield file


@pytest.mark.usefixtures("small_chunks")
def test_every_kind_of_file_says_the_same(settings: Settings, tmp_path: Path) -> None:
    """The records of all but the first are duplicates, and so are they when they are posted."""
    files = list(every_kind(tmp_path))
    assert outcome(load(settings, *files)) == (20 * len(files), 20, 20 * (len(files) - 1), 0, 0)
    store = Store(begin(settings))
    store.load()
    store.start()
    try:
        answer = store.writer.submit(decode_json(json.dumps({"runs": RECORDS}).encode()).batch()).result(60)
    finally:
        store.close()
    assert (answer.stored, answer.duplicates) == (0, 20)


def test_several_files_are_one_load(settings: Settings, tmp_path: Path) -> None:
    first, second = ndjson(tmp_path / "a.ndjson", record(1)), ndjson(tmp_path / "b.jsonl", record(2), {"id": 5})
    with pytest.raises(ImportFailed, match=r"b\.jsonl"):
        load(settings, first, second)
    assert runs(settings) == []
    with pytest.raises(UsageError, match=r"missing\.csv"):
        load(settings, first, tmp_path / "missing.csv")


def test_any_other_file_is_lines_of_text(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "jobs.log"
    file.write_text('one\ntwo, "quoted\nthree\\\n')
    with pytest.raises(ImportFailed, match="line: unknown field"):
        load(settings, file)
    select = "SELECT md5(line)::uuid AS id, md5('t')::uuid AS task_id, line AS error FROM source"
    assert outcome(load(settings, file, select=select)) == (3, 3, 0, 0, 0)
    assert sorted(str(run.error) for run in runs(settings)) == ["one", "three\\", 'two, "quoted']


@pytest.mark.parametrize("fails", [False, True])
def test_a_load_that_fails_early_ends(settings: Settings, fails: bool) -> None:
    """Also when the sources have ended, or failed, while a good piece still waits behind the bad one."""
    bad = pa.table({"id": ["?"], "task_id": ["?"]})

    def pieces() -> Iterator[bulk.Chunk]:
        yield from (bulk.Chunk("bad", number, bad) for number in range(2))
        if fails:
            raise ImportFailed("the third piece cannot be read")

    def stop(_: Reject) -> None:
        time.sleep(0.5)
        raise ImportFailed("enough")

    errors: list[ImportFailed] = []
    store = Store(begin(settings))
    store.load()

    def work() -> None:
        try:
            load_pieces(store, pieces(), reject=stop)
        except ImportFailed as exc:
            errors.append(exc)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert [str(error) for error in errors] == ["enough"]
    store.close()
