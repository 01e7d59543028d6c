"""A lake in PostgreSQL and S3: everything that a lake in a folder does, on one node."""

from __future__ import annotations

import json
import shutil
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from elsewhere import Elsewhere
from loading import opened_store
from support import Server, append_and_die, environment, post, record, runlake

from runlake.errors import Busy, LakeDamaged, LakeError, LakeLocked
from runlake.inspect import verify
from runlake.lake.append import AppendResult
from runlake.lake.catalog import Lake
from runlake.lake.steps import Step
from runlake.model import Instant, RunsQuery, SummaryQuery
from runlake.paths import Paths
from runlake.query import pages, queries, statistics
from runlake.settings import Settings
from runlake.store import Store

pytestmark = pytest.mark.cluster

ODD: Final = "tab\t, quote ' \", back\\slash, new\nline, ünïcödé 🦆, ERROR: no"
DAYS: Final = 4
PRIVATE: Final = "what is in a run"


def runs(first: int, count: int, **fields: Any) -> list[dict[str, Any]]:
    """Finished runs with everything that a run may have."""
    every = {"error": ODD, "success": False, "output": {"text": ODD}, "lease_owner": "w'1", "attempt": 3}
    return [record(number, **every | _times(number) | fields) for number in range(first, first + count)]


def _times(number: int) -> dict[str, Any]:
    """Times of a run on one of DAYS days."""
    day = f"2025-01-{1 + number % DAYS:02}"
    return {"started_at": f"{day}T08:{number % 60:02}:00Z", "finished_at": f"{day}T09:00:00Z"}


def opened(first: int, count: int, **fields: Any) -> list[dict[str, Any]]:
    """Open runs."""
    return [
        record(number, finished_at=None, success=None, lease_owner=ODD, **fields)
        for number in range(first, first + count)
    ]


def answers(store: Store) -> list[Any]:
    """What is stored, by several questions."""
    asked = RunsQuery(limit=10**6, include_errors=True)
    page = store.engine.submit(pages.page, asked).result(60)
    details = [store.engine.submit(queries.detail, run.id).result(60) for run in page.items[::37]]
    asked_too = SummaryQuery(days=60, until=Instant.of("2025-02-01"))
    return [page, details, store.engine.submit(statistics.summary, asked_too).result(60)]


def steps(store: Store, *some: Step) -> None:
    """Do steps of upkeep, in the thread of the test."""
    store.writer.maintenance.run(list(some))


def filled(settings: Settings) -> Store:
    """A store with runs in files, runs in the catalog, and open runs, some of them replaced."""
    store = Store(settings)
    store.load()
    store.start()
    for part in range(3):
        assert post(store, *runs(1000 * part, 250)) == AppendResult(250, 0, 0)
        assert post(store, *runs(1000 * part + 500, 20)) == AppendResult(20, 0, 0)
        assert post(store, *opened(1000 * part + 700, 20)) == AppendResult(20, 0, 0)
        assert post(store, *runs(1000 * part + 700, 5)) == AppendResult(5, 0, 0)
    assert post(store, *runs(0, 250)) == AppendResult(0, 250, 0)
    store.writer.close()  # the lake is the test's now
    return store


def test_it_answers_as_a_lake_in_a_folder(far: Settings, tmp_path: Path) -> None:
    """After appends, each step of upkeep, a restart and a loss of all that the node had."""
    near = Settings(data=str(tmp_path / "near"), maintain_seconds=1000.0)
    with closing(filled(near)) as store:
        expected = answers(store)
    with closing(filled(far)) as store:
        assert answers(store) == expected
        files = len(store.stored.files)
        steps(store, Step.FLUSH)
        assert answers(store) == expected
        steps(store, Step.MERGE)
        assert len(store.stored.files) < files
        steps(store, Step.REWRITE_OPEN)
        assert answers(store) == expected
    for lost in (False, True):
        if lost:
            shutil.rmtree(far.data)
        with opened_store(far, new=True) as store:
            assert answers(store) == expected
            assert post(store, *runs(0, 250), *opened(700, 5)) == AppendResult(0, 250, 5)
    assert verify.check(far).findings == []


def test_replaced_files_go_after_the_grace(far: Settings, elsewhere: Elsewhere) -> None:
    """By their age on PostgreSQL's clock; and the snapshots that name them."""
    with closing(filled(far)) as store:
        steps(store, Step.FLUSH, Step.MERGE)
        before = elsewhere.objects(far)
        steps(store, Step.EXPIRE, Step.CLEAN)
        assert elsewhere.objects(far) == before
        assert store.lake.snapshots() > 1
    with closing(Store(msgspec.structs.replace(far, grace_seconds=0.0))) as store:
        store.load()
        steps(store, Step.EXPIRE)
        time.sleep(0.1)  # a file is replaced when its snapshot expires
        steps(store, Step.CLEAN)
        assert store.lake.snapshots() <= 2  # with the one that the next start begins from
        live = {Path(file).name for file in store.lake.every_file()}
        assert {path.name for path in elsewhere.objects(far)} == live
        expected = answers(store)
    with opened_store(far, new=True) as store:
        assert answers(store) == expected


def test_retention(far: Settings) -> None:
    with closing(filled(far)) as store:
        assert len(store.stored.files) > 1
    with closing(Store(msgspec.structs.replace(far, retention_days=1))) as store:
        store.load()
        steps(store, Step.RETAIN)
        assert len({file.day for file in store.stored.files}) == 2
        kept = answers(store)
    with opened_store(far, new=True) as store:
        assert answers(store) == kept
    assert verify.check(far).findings == []


def test_options_are_those_of_the_settings(far: Settings, elsewhere: Elsewhere) -> None:
    for codec in ("lz4_raw", "zstd"):
        with closing(filled(msgspec.structs.replace(far, parquet_codec=codec))):
            pass
        found = elsewhere.ask(far, "SELECT key, value FROM ducklake_metadata WHERE scope IS NULL")
        assert sorted(found) == sorted(set(found))
        assert {("parquet_compression", codec), ("parquet_version", "V2"), ("data_path", f"{far.files}/")} <= set(found)
        far = elsewhere.settings(Path(far.data).with_name("other"), maintain_seconds=1000.0)


def test_the_mirror_is_bounded(far: Settings, elsewhere: Elsewhere) -> None:
    """A mirror of one byte: each statement has its files, and leaves none."""
    with closing(filled(far)) as store:
        expected = answers(store)
    shutil.rmtree(far.data)
    with opened_store(msgspec.structs.replace(far, mirror_bytes=1), new=True) as store:
        assert answers(store) == expected
        assert not list(Paths.of(far.data).mirror.rglob("*.parquet"))
    with opened_store(far, new=True) as store:
        assert answers(store) == expected
        copies = {path.name: path.read_bytes() for path in Paths.of(far.data).mirror.rglob("*.parquet")}
        assert copies
        stored = {path.name: path.read_bytes() for path in elsewhere.objects(far)}
        assert copies.items() <= stored.items()


def test_only_one_process_writes(
    far: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture, elsewhere: Elsewhere
) -> None:
    """A second one is refused; once PostgreSQL has dropped the lock of the first one, that is, without its rows."""
    other = msgspec.structs.replace(far, data=str(tmp_path / "other"))
    with opened_store(far, new=True) as first:
        assert post(first, *runs(0, 10)) == AppendResult(10, 0, 0)
        for again in (far, other):
            with pytest.raises(LakeLocked):
                Store(again)
        elsewhere.ask(far, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'")
        with opened_store(other, new=True) as second:
            for count in (10, 250):  # inlined, and in a file
                with pytest.raises(Busy):
                    post(first, *runs(1000, count, error=PRIVATE))
            assert post(second, *runs(0, 10), *runs(2000, 300)) == AppendResult(300, 10, 0)
            assert answers(second)[0].total == 310
        assert "another process writes to this lake" in caplog.text
        assert PRIVATE not in caplog.text
        assert PRIVATE.encode().hex() not in caplog.text
    assert verify.check(far).findings == []


@pytest.mark.parametrize("point", ["before-write", "after-write", "after-sync", "after-commit"])
def test_a_kill_while_writing(far: Settings, elsewhere: Elsewhere, point: str) -> None:
    """All of a batch is stored or nothing; what is left in the store goes with a clean-up."""
    with opened_store(far, new=True) as store:
        assert post(store, *runs(0, 300)) == AppendResult(300, 0, 0)
    whole = len(elsewhere.objects(far))
    assert not append_and_die(far, [*runs(5000, 200), *opened(6000, 3)], f"{point}:1")
    stored = point == "after-commit"
    assert (len(elsewhere.objects(far)) > whole) == (point != "before-write")
    with opened_store(far, new=True) as store:
        assert answers(store)[0].total == (503 if stored else 300)
        assert post(store, *runs(5000, 200)) == AppendResult(*((0, 200) if stored else (200, 0)), 0)
    with closing(Store(msgspec.structs.replace(far, grace_seconds=0.0))) as store:
        store.load()
        time.sleep(1.1)  # S3 tells times in seconds
        steps(store, Step.CLEAN)
        assert {path.name for path in elsewhere.objects(far)} == {Path(file).name for file in store.lake.every_file()}
    assert verify.check(far).findings == []


def test_connections_that_end(far: Settings, elsewhere: Elsewhere) -> None:
    """PostgreSQL drops all but the lock: the next commit works, or fails and is repeated by its caller."""
    with opened_store(far, new=True) as store:
        for turn in range(3):
            post(store, *runs(1000 * turn, 10), *runs(1000 * turn + 500, 150))
            elsewhere.ask(
                far,
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND pid NOT IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')",
            )
            for _ in range(5):
                try:
                    post(store, *runs(1000 * turn + 700, 10))
                    break
                except Busy:
                    time.sleep(0.1)
        assert answers(store)[0].total == 3 * 170
    assert verify.check(far).findings == []


def test_an_object_that_is_gone(far: Settings, elsewhere: Elsewhere) -> None:
    """`check` and `sql` name it; what needs it fails, and all else goes on."""
    with closing(filled(far)):
        pass
    shutil.rmtree(far.data)
    gone = elsewhere.objects(far)[0]
    kept = gone.read_bytes()
    elsewhere.put(gone, None)
    (finding,) = verify.check(far).findings
    assert gone.name in finding
    done = runlake("sql", "SELECT count(error) FROM runs", env=environment(far))
    assert (done.returncode, done.stdout) == (1, "")
    assert f"a file of the lake is gone: {far.files}" in done.stderr and gone.name in done.stderr
    with opened_store(far, new=True) as store:
        assert [Path(file.path).name for file in store.serving.unreadable] == [gone.name]
        with pytest.raises(LakeDamaged):
            answers(store)
    elsewhere.put(gone, kept)
    with opened_store(far, new=True) as store:
        assert answers(store)[0].total == 3 * 290


def test_the_commands(far: Settings, tmp_path: Path) -> None:
    """All of them that know a lake."""
    env = environment(far, XDG_STATE_HOME=str(tmp_path / "state"))

    def said(*args: str, code: int = 0, **more: str) -> str:
        done = runlake(*args, env=env | more, cwd=tmp_path)
        assert done.returncode == code, (args, done.stderr)
        return done.stdout if code == 0 else done.stderr

    assert "there is no lake in postgres:" in said("check", code=1)
    said("generate", "--runs", "2000", "--days", "3", "--tasks", "5", "--seed", "1")
    (tmp_path / "runs.ndjson").write_text("".join(json.dumps(run) + "\n" for run in runs(0, 150)))
    assert "stored      150" in said("import", "runs.ndjson")
    assert "duplicates  150" in said("import", "runs.ndjson")
    assert "would do" in said("maintain", "--dry-run")
    assert "done" in said("maintain")
    info = dict(line.split(maxsplit=1) for line in said("info").splitlines())
    assert (info["runs"], info["catalog"][:9]) == ("2150", "postgres:")
    files = said("info", "--files").splitlines()
    assert files and all(file.startswith(f"{far.files}/main/finished_runs/year=") for file in files)
    query = "SELECT count(*) AS n, count(created_at) AS o FROM runs"
    assert json.loads(said("sql", query, "--format", "ndjson")) == {"n": 2150, "o": 2150}
    assert "SELECT" in said("sql", f"COPY runs TO '{files[0]}'", code=1)
    assert said("sql", f"FROM read_parquet('{files[0].rpartition('/')[0]}/*.parquet')", code=1)
    assert said("sql", f"FROM read_text('{far.files}/../other')", code=1)
    assert "pg_dump" in said("backup", str(tmp_path / "copy"), code=2)
    for _ in range(10):  # on a busy machine a record is kept, and the next call sends it
        said("exec", "--task", "nightly", "--", "true")
        if (total := json.loads(said("sql", query, "--format", "ndjson"))["n"]) > 2150:
            break
    assert total > 2150
    said("tasks")
    assert said("check").split()[:2] == ["runs", f"{total:,}"]
    assert "set both or neither" in said("info", code=2, RUNLAKE_FILES="")
    assert "password" in said("info", code=2, RUNLAKE_CATALOG=far.catalog + " password=secret")


def test_the_service(far: Settings) -> None:
    """Its routes, beside `check`, with upkeep at every turn."""
    busy = environment(
        far, RUNLAKE_FLUSH_ROWS="50", RUNLAKE_MERGE_FILES="2", RUNLAKE_MAINTAIN_SECONDS="0.05",
        RUNLAKE_TIDY_SECONDS="0.3", RUNLAKE_GRACE_SECONDS="5", RUNLAKE_MIRROR_BYTES="20000",
    )  # fmt: skip
    with Server(Path(far.data), env=busy, new=True) as server:
        total = 0
        for turn in range(12):
            body = runs(1000 * turn, 40 if turn % 3 else 200)
            assert server.post(*body).json()["stored"] == len(body)
            total += len(body)
            assert server.client.get("/runs?limit=50").json()["total"] == total
            assert server.client.get(f"/runs/{body[7]['id']}").json()["output"] == {"text": ODD}
        found = server.client.post("/sql", json={"query": "SELECT count(output), max(attempt) FROM runs"})
        assert found.json()["rows"] == [[total, 3]], found.text
        assert len(server.client.get("/export/runs?format=ndjson").text.splitlines()) == total
        assert server.client.get("/stats/summary?until=2025-02-01&days=60").json()["total_runs"] == total
        assert "runlake_catalog_bytes" in server.client.get("/metrics").text
        checked = runlake("check", env=environment(far))
        assert (checked.returncode, checked.stderr) == (0, "")
        server.until(lambda: any("step=clean" in line for line in server.log))
        assert server.client.get("/runs?limit=1").json()["total"] == total
    assert not [line for line in server.log if "ERROR" in line]


def test_two_readers_of_one_file(far: Settings) -> None:
    """Many questions at once fetch a file once, and all get it."""
    with closing(filled(far)) as store:
        expected = answers(store)
    shutil.rmtree(Paths.of(far.data).mirror)
    with opened_store(msgspec.structs.replace(far, read_threads=4), new=True) as store:
        found: list[Any] = []
        threads = [threading.Thread(target=lambda: found.append(answers(store))) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [expected] * 6


def test_a_database_that_does_not_answer(far: Settings, tmp_path: Path) -> None:
    """One line, and no wait."""
    nowhere = msgspec.structs.replace(far, catalog="postgres:host=127.0.0.1 port=9 dbname=x user=y")
    for write in (False, True):
        with pytest.raises(LakeError, match=r"127\.0\.0\.1"):
            Lake(Paths.of(nowhere.data), nowhere, write=write)
