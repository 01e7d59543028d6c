"""Retention: whole days go, for good, and everything that counts or lists agrees afterwards."""

from __future__ import annotations

import json
import os
import random
import threading
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import children
import histories
import msgspec
import pytest
from asking import assert_pages, assert_runs, assert_windows
from beginnings import begin
from loading import append, loaded, opened_store
from oracle import DAY, Oracle, Row, run_at
from support import SETTINGS_FILES, Server, environment, record, runlake

from runlake import duck, times
from runlake.inspect import verify
from runlake.lake import retention
from runlake.lake.append import AppendResult
from runlake.lake.catalog import DataFile
from runlake.lake.steps import Step
from runlake.model import Instant, RunsQuery, SummaryQuery
from runlake.query import pages, statistics
from runlake.query.engine import Session
from runlake.settings import Settings
from runlake.store import Store

TODAY: Final = 20_000
# Upkeep that dies in the middle of a retention: with its files there and nothing committed, or right after.
DYING: Final = """
import os, sys
from runlake.lake import catalog, retention
from runlake.lake.files.new_files import NewFiles
from runlake.settings import Settings
from runlake.store import Store
store = Store(Settings(data=sys.argv[1], retention_days=int(sys.argv[2])))
store.load()
if sys.argv[3] == "before":
    NewFiles.sync = lambda _: os._exit(9)
else:
    retention.Commit = lambda **_: os._exit(9)
store.writer.maintenance.run(store.writer.maintenance.pending_steps())
"""
KEEP: Final = 9
HISTORIES: Final = ("random_mixed", "future", "edges")


@pytest.mark.parametrize(
    ("days", "keep", "horizon"),
    [
        ([], 7, None),
        ([1, TODAY], 0, None),
        ([TODAY - 7, TODAY], 7, None),
        ([TODAY - 8, TODAY], 7, TODAY - 7),
        ([1, TODAY - 8, TODAY - 1], 7, TODAY - 8),  # the newest run is of yesterday
        ([1, 100], 7, 93),  # nobody writes any more, or the clock is years ahead
        ([TODAY - 90, TODAY - 80, TODAY + 1, 10**6], 7, TODAY - 87),  # runs of the future do not count
        ([TODAY + 1, TODAY + 90], 7, None),  # a clock that is behind
    ],
)
def test_what_is_due(days: list[int], keep: int, horizon: int | None) -> None:
    assert retention.due(days, TODAY, keep) == horizon


def test_a_step_drops_a_few_days() -> None:
    """At least one day, at most 32, and no more than two million runs if it is more than one day."""

    def files(*rows: int) -> list[DataFile]:
        return [DataFile(i, f"{i}.parquet", i, count, 1) for i, count in enumerate(rows)]

    assert retention.next_horizon(files(*[1] * 100), [], 90) == 32
    assert retention.next_horizon(files(*[1] * 100), [], 20) == 20
    assert retention.next_horizon(files(*[10**7] * 5), [], 3) == 1
    assert retention.next_horizon(files(*[10**6] * 5), [], 4) == 2
    assert retention.next_horizon([], [3, 5, 80], 60) == 60


def kept(rows: tuple[Row, ...]) -> tuple[list[Row], list[Row]]:
    """(rows that stay, rows that go) by brute force."""
    past = [run_at(row) // DAY for row in rows if row["finished_at"] is not None and run_at(row) <= times.now()]
    horizon = (max(past) - KEEP) * DAY
    goes = [row for row in rows if row["finished_at"] is not None and run_at(row) < horizon]
    gone = {row["id"] for row in goes}
    return [row for row in rows if row["id"] not in gone], goes


def catalog(settings: Settings, query: str) -> int:
    """A number from the catalog's own tables, as `c`; asked when nobody writes."""
    with duck.connect(threads=1, memory_limit="256MB") as con:
        con.execute(f"LOAD {duck.literal(duck.extension('sqlite_scanner'))}")
        con.execute(f"ATTACH {duck.literal(Path(settings.data) / 'catalog.sqlite')} AS c (TYPE sqlite, READ_ONLY)")
        return int(con.execute(query).fetchall()[0][0])


def retain(settings: Settings) -> retention.Dropped:
    """Everything that is due, done by hand."""
    store = Store(begin(msgspec.structs.replace(settings, retention_days=KEEP, grace_seconds=0.0)))
    try:
        store.load()
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
        return store.writer.maintenance.dropped
    finally:
        store.close()


def assert_no_deletions(settings: Settings) -> None:
    """No reader has to merge anything: the days went by metadata only; and their bytes are gone."""
    assert verify.check(settings).findings == []
    assert catalog(settings, "SELECT count(*) FROM c.ducklake_delete_file") == 0
    tables = "FROM duckdb_tables() WHERE database_name = 'c' AND table_name LIKE 'ducklake_inlined_delete_%'"
    assert catalog(settings, f"SELECT coalesce(sum(estimated_size), 0) {tables}") == 0
    with opened_store(settings) as store:
        on_disk = {str(path) for path in store.lake.paths.table("finished_runs").rglob("*")}
        assert {path for path in on_disk if path.endswith(".parquet")} == {file.path for file in store.stored.files}
        assert {path for path in on_disk if "day=" in path and not path.endswith(".parquet")} == {
            str(Path(file.path).parent) for file in store.stored.files
        }


# Every history and every settings file; all pairs of them are for the long run.
USUAL: Final = {("default", name) for name in HISTORIES} | {(file.stem, "random_mixed") for file in SETTINGS_FILES}


@pytest.mark.parametrize(
    ("any_settings", "name"),
    [
        pytest.param(
            file,
            name,
            id=f"{file.stem}-{name}",
            marks=() if (file.stem, name) in USUAL else pytest.mark.long,
        )
        for file in SETTINGS_FILES
        for name in HISTORIES
    ],
    indirect=["any_settings"],
)
def test_everything_agrees_after_days_went(any_settings: Settings, name: str) -> None:
    """Lists, details and statistics are those of the rows that stay; dropped rows sent again are stale."""
    rng = random.Random(name)
    rows = histories.history(name)
    stay, goes = kept(rows)
    assert goes
    assert any(run_at(row) < run_at(goes[0]) for row in stay if row["finished_at"] is None) or name == "future"
    quiet = msgspec.structs.replace(any_settings, tidy_seconds=1e9)
    with loaded(quiet, rows, rng):
        pass
    gone = retain(quiet)
    assert (gone.runs, gone.days) == (len(goes), len({run_at(row) // DAY for row in goes}))
    assert (gone.first, gone.last) == (min(map(run_at, goes)) // DAY, max(map(run_at, goes)) // DAY)
    if name == "random_mixed":
        assert_no_deletions(quiet)
    oracle = Oracle(stay)
    with opened_store(quiet) as store:
        assert append(store, goes) == AppendResult(0, 0, len(goes))
        assert append(store, stay) == AppendResult(0, len(stay), 0)
        assert_pages(store, oracle, rng, 15)
        assert_runs(store, oracle, rng)
        assert_windows(store, oracle, rng, 6)
    assert retain(quiet).runs == 0
    report = verify.check(quiet)
    assert (report.findings, report.runs) == ([], len(stay))


def test_a_question_that_began_before_still_answers(settings: Settings) -> None:
    """What it saw when it began, it sees to its end; the next one sees that days went."""
    rng = random.Random(3)
    rows = [histories.made(rng, histories.NOON - rng.randrange(30 * DAY)) for _ in range(300)]
    stay, _ = kept(tuple(rows))
    begun, go_on = threading.Event(), threading.Event()

    def late(session: Session) -> list[int]:
        assert session.state.snapshot >= 0  # the first statement fixes the snapshot
        begun.set()
        assert go_on.wait(60)
        return counted(session)

    counts = msgspec.structs.replace(settings, rollup_rows=50)
    with opened_store(msgspec.structs.replace(counts, retention_days=KEEP, maintain_seconds=1e9)) as store:
        append(store, rows[:250])
        append(store, rows[250:])
        store.writer.close()  # upkeep is ours now
        asked = store.engine.submit(late)
        assert begun.wait(60)
        store.writer.maintenance.run([Step.FLUSH, Step.RETAIN])
        assert store.engine.submit(counted).result(60) == in_windows(stay)
        go_on.set()
        assert asked.result(60) == in_windows(rows)
    with opened_store(counts) as store:
        assert_windows(store, Oracle(stay), rng, 4)
        # The checkpoint was used as it is, and knows nothing of the days that went.
        assert len(store.serving.ids) == len(stay)
        with store.serving.readers.reading() as cursor:
            ((first,),) = cursor.execute("SELECT min(day) FROM task_day").fetchall()
        assert first == min(map(run_at, stay)) // DAY


WINDOWS: Final = (5, 30)


def counted(session: Session) -> list[int]:
    """The runs of the list, and of some windows."""
    asked = [SummaryQuery(days=days, until=Instant(histories.NOON)) for days in WINDOWS]
    totals = [statistics.summary(session, query).total_runs for query in asked]
    return [pages.page(session, RunsQuery(limit=1)).total, *totals]


def in_windows(rows: Sequence[Row]) -> list[int]:
    """The same by brute force."""
    starts = [histories.NOON - days * DAY for days in WINDOWS]
    return [len(rows), *(sum(start <= run_at(row) <= histories.NOON for row in rows) for start in starts)]


def test_an_open_run_goes_by_its_end_only(settings: Settings) -> None:
    """However old; when it ends before the horizon, it has ended, and its record is not kept."""
    rng = random.Random(1)
    old = histories.opened(rng, histories.NOON - 50 * DAY)
    done = [histories.made(rng, histories.NOON - day * DAY) for day in range(30)]
    with opened_store(settings) as store:
        append(store, [old, *done])
    assert retain(settings).days == 30 - KEEP - 1
    with opened_store(settings) as store:
        assert set(store.stored.open_runs) == {old["id"].bytes}
        renewed = old | {"attempt": 7}
        assert append(store, [renewed]) == AppendResult(1, 0, 0)
        ended = renewed | {"finished_at": histories.NOON, "success": True}
        assert append(store, [ended]) == AppendResult(0, 0, 1)
        assert (store.stored.open_runs, store.stored.runs) == ({}, KEEP + 1)
        # Started within the days that are kept, it would have been.
        late = ended | {"started_at": histories.NOON}
        assert append(store, [late]) == AppendResult(1, 0, 0)
        assert append(store, [late | {"error": "x"}, old][1:]) == AppendResult(0, 0, 1)
    assert verify.check(settings).findings == []


def now_runs(days: int, a_day: int, today: int) -> list[dict[str, Any]]:
    """Finished runs of the days until today, some of that; it may be over before they are stored."""
    midnight = today * DAY
    return [
        record(
            1000 * day + i,
            started_at=times.to_text(midnight - day * DAY + i),
            finished_at=times.to_text(midnight - day * DAY + i + 1),
        )
        for day in range(days)
        for i in range(a_day)
    ]


def test_the_service_retains_by_itself(tmp_path: Path) -> None:
    """Over HTTP; the horizon outlives the setting, a restart, a backup; the bytes leave after the grace."""
    lake, copy = tmp_path / "lake", tmp_path / "copy"
    runs = now_runs(20, 15, retention.today())
    old = runs[90:]
    quick = {"RUNLAKE_MAINTAIN_SECONDS": "0.05", "RUNLAKE_TIDY_SECONDS": "0.3", "RUNLAKE_GRACE_SECONDS": "0.5"}
    with Server(lake, env=environment(None, **quick)) as server:
        for start in range(0, len(runs), 60):
            assert server.post(*runs[start : start + 60]).json()["stored"] == 60
    with Server(lake, env=environment(None, **quick, RUNLAKE_RETENTION_DAYS="5")) as server:
        deadline = time.monotonic() + 60
        folder = lake / "files" / "main" / "finished_runs"
        while (
            server.client.get("/runs").json()["total"] > 90
            or sum(name.startswith("day=") for _, names, _ in os.walk(folder) for name in names) > 6
            or not any("step=retain" in line for line in server.log)  # lines of the log gather for a moment
        ):
            assert time.monotonic() < deadline, "".join(server.log)
            time.sleep(0.1)
        assert any("step=retain" in line and "runs=210" in line and "days=14" in line for line in server.log)
        assert server.post(*old[:3], runs[0]).json() | {"ids": 0} == {
            "received": 4,
            "stored": 0,
            "duplicates": 1,
            "stale": 3,
            "ids": 0,
        }
        assert server.client.get(f"/runs/{old[0]['id']}").status_code == 404
        assert not [line for line in server.log if "ERROR" in line]
    assert runlake("backup", str(copy), "--data", str(lake)).returncode == 0
    for place in (lake, copy):
        source = tmp_path / "again.ndjson"
        source.write_text("".join(json.dumps(run) + "\n" for run in runs))
        done = runlake("import", str(source), "--data", str(place), env=environment(None, RUNLAKE_RETENTION_DAYS=""))
        assert done.stdout.split()[1::2] == ["300", "0", "90", "210", "0"], done.stderr
        check = runlake("check", "--data", str(place))
        assert (check.returncode, check.stdout.split()[1]) == (0, "90")


def content(lake: Path) -> dict[Path, bytes]:
    """Every file, but for what a reader of a SQLite file leaves beside it; that holds nothing."""
    files = {path: path.read_bytes() for path in lake.rglob("*") if path.is_file()}
    assert files.pop(lake / "catalog.sqlite-wal", b"") == b""
    files.pop(lake / "catalog.sqlite-shm", None)
    return files


def test_maintain_says_what_goes(tmp_path: Path) -> None:
    """A dry run says the same and writes nothing, also beside the service, which a real one does not disturb."""
    lake = tmp_path / "lake"
    retain = ["maintain", "--retain-days", "5", "--data", str(lake)]
    today = retention.today()
    runs = now_runs(12, 20, today)
    with Server(lake) as server:
        server.post(*runs[:230])
        server.post(*runs[230:])
        locked = runlake(*retain)
        assert (locked.returncode, locked.stdout, len(locked.stderr.splitlines())) == (1, "", 1)
        assert f"process {server.process.pid}" in locked.stderr
        beside = runlake(*retain, "--dry-run")
        assert (beside.returncode, beside.stderr) == (0, "")
        assert server.client.get("/runs").json()["total"] == 240
    before = content(lake)
    foretold = runlake(*retain, "--dry-run").stdout
    assert content(lake) == before
    assert foretold == beside.stdout
    done = runlake(*retain)
    assert (done.returncode, done.stderr) == (0, "")

    first, last = times.to_date(today - 11), times.to_date(today - 6)
    for text, how in ((foretold, "would drop"), (done.stdout, "dropped")):
        assert f"{how} days" in text
        assert f"6 ({first} to {last})" in text
        assert [line.split()[-1] for line in text.splitlines() if line.startswith(f"{how} runs")] == ["120"]
    again = runlake(*retain, "--dry-run").stdout
    assert "retention" not in again
    assert again.split("days")[1].split()[0] == "0"
    assert runlake("check", "--data", str(lake)).stdout.split()[1] == "120"


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_leaves_all_days_or_none(settings: Settings, when: str) -> None:
    """The days, the horizon and what is derived go together; the next upkeep does what is left."""
    rng = random.Random(4)
    rows = [histories.made(rng, histories.NOON - day * DAY) for day in range(20) for _ in range(9)]
    with loaded(settings, rows, rng) as store:
        append(store, [histories.made(rng, histories.NOON - 15 * DAY)])
        assert store.stored.inlined_rows > 0
    done = children.run(DYING, settings.data, str(KEEP), when, env=environment())
    assert (done.returncode, done.stderr) == (9, b"")
    with opened_store(settings) as store:
        total, horizon = store.stored.runs, store.stored.horizon
        again = append(store, rows)
    if when == "before":
        assert (total, horizon, again) == (181, None, AppendResult(0, 180, 0))
    else:
        assert (total, again) == (9 * (KEEP + 1), AppendResult(0, 9 * (KEEP + 1), 9 * (19 - KEEP)))
        assert horizon == histories.NOON // DAY - KEEP
    assert retain(settings).runs == (181 - 9 * (KEEP + 1) if when == "before" else 0)
    assert_no_deletions(settings)
    assert verify.check(settings).runs == 9 * (KEEP + 1)


def test_many_days_go_in_bounded_steps(settings: Settings) -> None:
    """Ten commits or so for a year, each with its own horizon; and nothing for a clock that is years ahead."""
    rng = random.Random(2)
    rows = [histories.made(rng, histories.MIDNIGHT - day * DAY + 5, took=7) for day in range(100)]
    with opened_store(settings) as store:
        append(store, rows)
    assert retain(settings).runs == 100 - KEEP - 1
    assert catalog(settings, "SELECT count(*) FROM c.ducklake_table WHERE table_name = 'retention'") == 1
    with opened_store(settings) as store:
        assert store.lake.execute("horizon").column(0)[0].as_py() == store.stored.horizon
        assert store.stored.horizon == histories.MIDNIGHT // DAY - KEEP
        assert len(store.lake.files()) == KEEP + 1
        unknown = histories.made(rng, (store.stored.horizon or 0) * DAY - 1, id=uuid.UUID(int=5))
        first = unknown | {"started_at": unknown["started_at"] + 1, "finished_at": unknown["started_at"] + 2}
        assert append(store, [unknown]) == AppendResult(0, 0, 1)
        assert append(store, [first]) == AppendResult(1, 0, 0)
