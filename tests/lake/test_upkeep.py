"""Upkeep: what is due is decided without a lake; doing it keeps files few, sorted and no older than they must be."""

from __future__ import annotations

import errno
import statistics
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec
import pytest
from beginnings import begin
from support import post, record

from runlake import duck, times
from runlake.errors import DiskFull, LakeDamaged
from runlake.inspect import verify
from runlake.lake import merging, steps
from runlake.lake.append import AppendResult
from runlake.lake.catalog import DataFile
from runlake.lake.files import new_files
from runlake.lake.steps import DEAD_OPEN_ROWS, State, Step
from runlake.model import Run, RunsQuery
from runlake.query import pages
from runlake.query.engine import Session
from runlake.settings import Settings
from runlake.store import Store

Record = dict[str, Any]

TIDY: Final = [Step.EXPIRE, Step.CLEAN]
SMALL: Final = Settings().small_file_bytes


def files(*days: int, size: int = 1000) -> list[DataFile]:
    return [DataFile(number, f"{number}.parquet", day, 1, size) for number, day in enumerate(days)]


NOTHING: Final = State(files=[], inlined_rows=0, open_rows=0, dead_open_rows=0, since_tidy=0)
EIGHT: Final = files(*[3] * 8)
FULL: Final = [Step.FLUSH, Step.MERGE]
ALL: Final = {"files": EIGHT, "inlined_rows": 9999, "dead_open_rows": 9999, "since_tidy": 601}
CASES: Final[list[tuple[dict[str, Any], list[Step], list[Step]]]] = [
    ({}, [], TIDY),
    ({"since_tidy": 600.0}, TIDY, TIDY),
    ({"inlined_rows": 3999}, [], [*FULL, *TIDY]),
    ({"inlined_rows": 4000}, [Step.FLUSH], [*FULL, *TIDY]),
    ({"files": files(1, 2, 3), "since_tidy": 1e9}, TIDY, TIDY),
    ({"files": files(1, 2, 2), "since_tidy": 600}, [Step.MERGE, *TIDY], [Step.MERGE, *TIDY]),
    ({"files": files(*[3] * 7, *range(4, 20))}, [], [Step.MERGE, *TIDY]),
    ({"files": EIGHT}, [Step.MERGE_SMALL], [Step.MERGE, *TIDY]),
    ({"files": files(*[3] * 8, size=SMALL)}, [], [Step.MERGE, *TIDY]),
    ({"files": files(*[3] * 8, size=SMALL - 1)}, [Step.MERGE_SMALL], [Step.MERGE, *TIDY]),
    ({"dead_open_rows": 1001}, [Step.REWRITE_OPEN], [Step.REWRITE_OPEN, *TIDY]),
    ({"dead_open_rows": 1001, "open_rows": 1}, [], [Step.REWRITE_OPEN, *TIDY]),
    (ALL, [Step.FLUSH, Step.MERGE_SMALL, Step.REWRITE_OPEN, Step.MERGE, *TIDY], [*FULL, Step.REWRITE_OPEN, *TIDY]),
]


@pytest.mark.parametrize(("changes", "due", "everything"), CASES)
def test_what_is_due(changes: dict[str, Any], due: list[Step], everything: list[Step]) -> None:
    state = msgspec.structs.replace(NOTHING, **changes)
    assert steps.plan(state, Settings()) == due
    assert steps.plan_all(state) == everything
    assert merging.days_with_several_files(files(1, 2, 2, 3, 3, 3)) == [2, 3]


def test_the_newest_day_is_not_written_again_for_every_little_file() -> None:
    """When a quarter has come in beside its file; days that are over always, and all of them by hand."""

    def grown(day: int, large: int, little: int) -> list[DataFile]:
        return [DataFile(n, f"{n}.parquet", day, 1, size) for n, size in enumerate([large, *[1000] * little])]

    cases = [(grown(9, 100_000, 24), False), (grown(9, 100_000, 25), True), ([*grown(9, 100_000, 1), *files(3)], False)]
    cases += [([*grown(2, 100_000, 1), *files(9)], True), ([], False), (files(1, 2, 3), False)]
    for live, due in cases:
        state = msgspec.structs.replace(NOTHING, files=live, since_tidy=600.0)
        assert (Step.MERGE in steps.plan(state, Settings(merge_files=100))) == due == steps.worth_merging(live)
    assert Step.MERGE in steps.plan_all(msgspec.structs.replace(NOTHING, files=cases[0][0]))


def test_large_days_are_merged_one_at_a_time() -> None:
    """A step merges no more rows than it must; a day is the least there is."""

    def of(*rows: int) -> list[DataFile]:
        return [DataFile(n, f"{n}.parquet", n // 2, count, 1) for n, count in enumerate(rows)]

    assert steps.days_per_step([]) == steps.days_per_step(of(1, 1, 5, 5)) == steps.MERGES_PER_STEP
    assert steps.days_per_step(of(10, 10, 40_000, 60_000)) == 5
    assert steps.days_per_step(of(400_000, 400_000)) == 1


@contextmanager
def opened(settings: Settings, **changes: Any) -> Iterator[Store]:
    """A store whose writer does not run, so that upkeep may be done by hand."""
    store = Store(begin(msgspec.structs.replace(settings, **changes)))
    try:
        store.load()
        yield store
    finally:
        store.close()


@contextmanager
def running(settings: Settings, **changes: Any) -> Iterator[Store]:
    with opened(settings, **changes) as store:
        store.start()
        yield store


def run(number: int, day: int = 1, **fields: Any) -> Record:
    at = f"2025-01-{day:02}T{number % 24:02}:{number * 7 % 60:02}:00Z"
    return record(number, **{"started_at": at, "finished_at": "2025-02-01", **fields})


def read(store: Store) -> list[Run]:
    page = store.engine.submit(pages.page, RunsQuery(limit=10**6, include_errors=True)).result(60)
    assert page.total == len(page.items)
    return page.items


def upkeep(store: Store) -> list[Step]:
    steps = store.writer.maintenance.pending_steps()
    store.writer.maintenance.run(steps)
    return steps


def on_disk(settings: Settings) -> set[str]:
    return {str(path) for path in (Path(settings.data) / "files").rglob("*.parquet")}


def test_small_files_of_a_day_become_one_sorted_file(settings: Settings) -> None:
    with running(settings, inline_rows=0) as store:
        for start in range(6):
            post(store, *(run(start + 6 * i) for i in range(100)), run(1000 + start, day=2 + start % 2))
        before = read(store)
        assert len(store.stored.files) == 6 + 6
    with opened(settings, grace_seconds=3600.0) as store:
        assert upkeep(store) == [Step.MERGE, *TIDY]
        assert sorted(file.rows for file in store.stored.files) == [3, 3, 600]
        assert read(store) == before
        assert upkeep(store) == TIDY
        _check_sorted(store.stored.files)
    with opened(settings, grace_seconds=0.0) as store:
        upkeep(store)
        assert on_disk(settings) == {file.path for file in store.stored.files}
        assert read(store) == before
    assert verify.check(settings).findings == []


def snapshots(settings: Settings) -> int:
    """How many snapshots the catalog has; asked when nobody writes."""
    with duck.connect(threads=1, memory_limit="256MB") as con:
        con.execute(f"LOAD {duck.literal(duck.extension('sqlite_scanner'))}")
        con.execute(f"ATTACH {duck.literal(Path(settings.data) / 'catalog.sqlite')} AS c (TYPE sqlite, READ_ONLY)")
        return int(con.execute("SELECT count(*) FROM c.ducklake_snapshot").fetchall()[0][0])


def test_replaced_files_and_old_snapshots_stay_for_the_grace_period(settings: Settings) -> None:
    """Also when the period began today: other processes read them. (An hour at least: the tests' lake is older.)"""
    with running(settings, inline_rows=0) as store:
        for start in range(4):
            post(store, run(start))
    old, count = on_disk(settings), snapshots(settings)
    since_midnight = times.now() % times.DAY_US / 1e6
    with opened(settings, grace_seconds=max(3600.0, since_midnight / 2)) as store:
        assert upkeep(store) == [Step.MERGE, *TIDY]
    assert (snapshots(settings), len(on_disk(settings) & old)) == (count + 1, 4)
    with opened(settings, grace_seconds=0.0) as store:
        upkeep(store)
    # The newest; the last checkpoint, from which the next start catches up, is of it.
    assert (snapshots(settings), len(on_disk(settings) & old)) == (1, 0)


def _check_sorted(live: Sequence[DataFile]) -> None:
    with duckdb.connect() as con:
        for file in live:
            order = "lag((run_at, id)) OVER (ORDER BY file_row_number) <= (run_at, id)"
            statement = f"SELECT count(*) FILTER (wrong) FROM (SELECT {order} AS wrong FROM read_parquet($file))"
            assert con.execute(statement, {"file": file.path}).fetchone() == (0,)


def test_a_flush_moves_rows_of_the_catalog_to_sorted_files(settings: Settings) -> None:
    with running(settings) as store:
        for start in range(6):
            post(store, *(run(start + 6 * i, day=1 + i % 2) for i in range(60)))
        post(store, run(5000, finished_at=None, success=None))
        before = read(store)
        assert store.stored.inlined_rows == 360
        assert on_disk(settings) == set()
    with opened(settings) as store:
        assert upkeep(store) == [*FULL, *TIDY]
        assert store.stored.inlined_rows == 0
        assert [file.rows for file in store.stored.files] == [180, 180]
        assert read(store) == before
        _check_sorted(store.stored.files)
        assert store.writer.maintenance.pending_steps() == TIDY


def test_many_days_are_merged_in_bounded_steps(settings: Settings) -> None:
    days = 2 * steps.MERGES_PER_STEP + 3
    dates = [f"2024-{1 + i // 28:02}-{1 + i % 28:02}" for i in range(days)]
    with running(settings, inline_rows=0) as store:
        for start in range(2):
            post(store, *(record(start * days + i, started_at=dates[i], finished_at=dates[i]) for i in range(days)))
        before = read(store)
    with opened(settings, grace_seconds=0.0) as store:
        upkeep(store)
        assert [file.rows for file in store.stored.files] == [2] * days
        assert read(store) == before
        assert on_disk(settings) == {file.path for file in store.stored.files}


def test_a_clean_up_waits_for_the_oldest_question(settings: Settings) -> None:
    """Without any grace: files go when the last question that may read them is over."""
    with running(settings, inline_rows=0) as store:
        for start in range(3):
            post(store, *(run(start * 30 + i) for i in range(30)))
    quick = {"grace_seconds": 0.0, "tidy_seconds": 0.001, "maintain_seconds": 0.001}
    begun, go_on = threading.Event(), threading.Event()

    def late(session: Session) -> int:
        begun.set()
        assert go_on.wait(60)
        return len(pages.page(session, RunsQuery(limit=200)).items)

    with opened(settings, **quick) as store:
        old = on_disk(settings)
        assert len(old) == 3

        def turns() -> set[str]:
            for _ in range(20):
                store.writer.maintenance.run_one_step()
                time.sleep(0.002)
            return on_disk(settings)

        asked = store.engine.submit(late)
        assert begun.wait(60)
        assert len(turns()) == 4
        assert turns() > old
        go_on.set()
        assert asked.result(60) == 90
        assert turns() == {file.path for file in store.stored.files}
        assert len(read(store)) == 90


def test_upkeep_comes_by_itself(settings: Settings) -> None:
    with running(settings, flush_rows=100, merge_files=2, maintain_seconds=0.01) as store:
        for start in range(6):
            post(store, *(run(100 * start + i) for i in range(60)))
        deadline = time.monotonic() + 30
        while store.stored.inlined_rows >= 100 or len(store.stored.files) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert len(read(store)) == 360


def renewed(ids: list[int], attempt: int, *, done: bool = False) -> list[Record]:
    end: Record = {} if done else {"finished_at": None, "success": None}
    return [run(i, attempt=attempt, lease_owner="worker", **end) for i in ids]


def live_through(settings: Settings, cycles: int) -> list[float]:
    """Groups of runs that open, are renewed and finish: nothing may grow but the history. Seconds of each append."""
    slow: list[float] = []
    with running(settings, maintain_seconds=0.2) as store:
        post(store, *renewed([*range(10**6, 10**6 + 5)], 1))
        for start in range(0, cycles, 50):
            ids = [*range(start, start + 50)]
            for step in (renewed(ids, 1), renewed(ids, 2), renewed(ids, 2, done=True)):
                began = time.perf_counter()
                assert post(store, *step) == AppendResult(50, 0, 0)
                slow.append(time.perf_counter() - began)
        assert len(read(store)) == cycles + 5
        assert store.stored.open_runs.keys() == {uuid.UUID(int=i).bytes for i in range(10**6, 10**6 + 5)}
    with opened(settings) as store:
        # What may be dead: the allowance, and what one maintenance interval may add.
        assert store.lake.dead_open_rows() <= 5 + DEAD_OPEN_ROWS + 2 * 50 * 50
        assert store.lake.execute("open").num_rows == 5
    assert verify.check(settings).findings == []
    return slow


def test_open_runs_stay_small(settings: Settings) -> None:
    live_through(settings, 2_000)


@pytest.mark.long
def test_open_runs_stay_small_for_long(settings: Settings) -> None:
    """And appends quick, on a machine that does nothing else."""
    slow = live_through(settings, 10_000)
    assert statistics.median(slow[-20:]) < 2 * statistics.median(slow[:20]) + 0.03


def _full(_: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_at_sync_stores_nothing_and_says_so(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(settings, inline_rows=0) as store:
        post(store, run(1))
        monkeypatch.setattr(new_files, "fsync", _full)
        with pytest.raises(DiskFull):
            post(store, run(2), run(3, finished_at=None, success=None))
        monkeypatch.undo()
        assert len(read(store)) == 1
        assert post(store, run(2), run(3)) == AppendResult(2, 0, 0)
    assert verify.check(settings).findings == []


def test_upkeep_that_fails_does_not_end_the_writing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with running(settings, inline_rows=10, flush_rows=5, maintain_seconds=0.01) as store:
        monkeypatch.setattr(new_files, "fsync", _full)
        for start in range(4):
            assert post(store, *(run(5 * start + i) for i in range(5))) == AppendResult(5, 0, 0)
            time.sleep(0.1)
        monkeypatch.undo()
        assert post(store, run(100)) == AppendResult(1, 0, 0)
        assert len(read(store)) == 21
    assert verify.check(settings).findings == []


def test_work_that_fails_rests_and_holds_up_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge that fails every time is tried less and less often; what comes after it in the plan is done."""
    tries: list[Step] = []
    real = steps.run

    def counted(step: Step, *args: Any) -> Any:
        tries.append(step)
        if step in (Step.MERGE_SMALL, Step.MERGE):
            raise LakeDamaged("a file cannot be read")
        return real(step, *args)

    with running(settings, inline_rows=0, maintain_seconds=1000.0) as store:
        for start in range(2):
            post(store, run(start))
    monkeypatch.setattr(steps, "run", counted)
    with opened(settings, merge_files=2, maintain_seconds=0.02, tidy_seconds=0.02) as store:
        until = time.monotonic() + 1
        while time.monotonic() < until:
            with suppress(LakeDamaged):
                store.writer.maintenance.run_one_step()
        assert 2 <= tries.count(Step.MERGE_SMALL) <= 8
        assert tries.count(Step.CLEAN) > tries.count(Step.MERGE_SMALL)


def test_files_that_are_gone_leave_nothing_in_memory(settings: Settings) -> None:
    """DuckDB would keep what it has read of each file, and upkeep replaces files for years."""
    store = Store(begin(msgspec.structs.replace(settings, inline_rows=0, maintain_seconds=1000.0)))
    store.load()
    store.start()
    for start in range(0, 200, 50):
        post(store, *(record(start + i) for i in range(50)))
    store.writer.close()  # the lake is ours now
    files = len(store.stored.files)
    while (merges := steps.merges_of(Step.MERGE, store.stored.files, (), settings)) and (
        commit := steps.run(Step.MERGE, store.lake, merges, (), ())
    ):
        store.stored.apply(commit)
    assert len(store.stored.files) < files
    kept = store.lake._con.execute("SELECT count(*) FROM duckdb_external_file_cache()").fetchone()
    assert kept == (0,)
    store.close()
