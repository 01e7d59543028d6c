"""The serving database: used when it fits, caught up without a run twice or missing, made anew when it does not fit."""

from __future__ import annotations

import os
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import histories
import httpx
import msgspec
import pytest
from asking import assert_pages, assert_runs, assert_windows
from loading import append, opened_store
from oracle import DAY, Oracle, Row, assert_same
from support import Server, append_and_die, environment, post, record, runlake

from runlake import times
from runlake.errors import NotReady
from runlake.model import Instant, RunsQuery, SummaryQuery
from runlake.query import pages, statistics
from runlake.query.engine import Session
from runlake.serving.serving import Serving
from runlake.settings import Settings
from runlake.store import Store

Damage = Callable[[Path], object]


def rows(count: int, seed: int = 3) -> list[Row]:
    """Finished runs of five days, and a few open ones."""
    rng = random.Random(seed)
    made = [histories.made(rng, histories.MIDNIGHT - rng.randrange(5 * DAY)) for _ in range(count)]
    return [row for row in made if row["finished_at"] is not None or rng.random() < 0.2]


def folder(settings: Settings) -> Path:
    return Path(settings.data) / "serving"


@pytest.fixture
def rebuilds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A one for each time that a serving database is made anew."""
    made: list[int] = []
    real = Serving._rebuild

    def counted(self: Serving, progress: Any) -> None:
        made.append(1)
        real(self, progress)

    monkeypatch.setattr(Serving, "_rebuild", counted)
    return made


def assert_answers(store: Store, known: list[Row]) -> None:
    """Every endpoint says what brute force says."""
    oracle, rng = Oracle(known), random.Random(1)
    assert_pages(store, oracle, rng, 12)
    assert_runs(store, oracle, rng)
    assert_windows(store, oracle, rng, 6)


def test_what_was_checkpointed_is_caught_up(settings: Settings, rebuilds: list[int], tmp_path: Path) -> None:
    """Runs that waited in the catalog when it was written and were flushed since, and all that came since."""
    known = rows(260)
    with opened_store(settings, new=True) as store:
        append(store, known[:60])
    early = shutil.copytree(folder(settings), tmp_path / "early")
    with opened_store(settings) as store:
        store.writer.close()  # only one thread may maintain
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
    with opened_store(settings) as store:
        append(store, known[60:200])
        append(store, known[200:])
        assert_answers(store, known)
    for _ in range(2):
        shutil.rmtree(folder(settings))
        shutil.copytree(early, folder(settings))
        with opened_store(settings) as store:
            assert_answers(store, known)
    with opened_store(settings) as store:
        assert_answers(store, known)
    assert len(rebuilds) == 1  # of the empty lake


def test_the_snapshot_of_the_checkpoint_does_not_expire(
    settings: Settings, rebuilds: list[int], tmp_path: Path
) -> None:
    """However short the grace: the next start catches up from there."""
    known = rows(200)
    hasty = msgspec.structs.replace(settings, grace_seconds=0.0, maintain_seconds=1000.0)
    with opened_store(hasty, new=True) as store:
        early = shutil.copytree(folder(settings), tmp_path / "early")
        for start in range(0, len(known), 40):
            append(store, known[start : start + 40])
        store.writer.close()
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
    shutil.rmtree(folder(settings))
    early.rename(folder(settings))
    with opened_store(hasty) as store:
        assert_answers(store, known)
    assert len(rebuilds) == 1


def test_a_second_load_of_a_store_changes_nothing(settings: Settings, rebuilds: list[int]) -> None:
    """As after an error that nobody can tell from a commit."""
    known = rows(150)
    with opened_store(settings, new=True) as store:
        append(store, known)
        store.writer.close()
        for whole in (True, False, False):
            store.serving._whole = whole
            store.load()
            assert_answers(store, known)
    assert len(rebuilds) == 1


def changed(file: Path, *places: float) -> None:
    """Other bytes at some places, given as shares of its length."""
    content = bytearray(file.read_bytes())
    for place in places:
        at = min(int(place * len(content)), len(content) - 16)
        content[at : at + 16] = bytes(byte ^ 0x5A for byte in content[at : at + 16])
    file.write_bytes(content)


def every(change: Damage, names: str) -> Damage:
    def damage(where: Path) -> None:
        files = list(where.glob(names))
        assert files
        for file in files:
            change(file)

    return damage


def half(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def foreign(file: Path) -> None:
    file.write_bytes(b"?" * 50_000)


DAMAGES: Final[dict[str, Damage]] = {
    "gone": shutil.rmtree,
    "empty": every(Path.unlink, "*"),
    "garbage": every(foreign, "*"),
    "cut": every(half, "*"),
    **{f"no {name}": every(Path.unlink, f"{name}*") for name in ("serving", "ids")},
    **{f"{name} cut": every(half, f"{name}*") for name in ("serving", "ids")},
    **{f"{name} of nothing": every(lambda file: file.write_bytes(b""), f"{name}*") for name in ("serving", "ids")},
    **{
        f"{name} changed at {place}": every(lambda file, place=place: changed(file, place), f"{name}*")  # type: ignore[misc]
        for name in ("serving", "ids")
        for place in (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
    },
    "a journal that is not ours": lambda where: (where / "serving.duckdb.wal").write_bytes(b"?" * 5000),
    "half of a new one": lambda where: shutil.copyfile(where / "serving.duckdb", where / "new-serving.duckdb"),
}


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Row]]:
    """A closed lake, its serving database counted and checkpointed, and its rows. Copy it."""
    settings = Settings(data=str(tmp_path_factory.mktemp("served") / "lake"), rollup_rows=100)
    known = rows(700)
    with opened_store(settings) as store:
        for start in range(0, len(known), 230):
            append(store, known[start : start + 230])
        store.writer.close()
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
    return Path(settings.data), known


@pytest.fixture
def copied(healthy: tuple[Path, list[Row]], tmp_path: Path) -> Settings:
    """The settings of a copy of it."""
    return Settings(data=str(shutil.copytree(healthy[0], tmp_path / "lake")), rollup_rows=100)


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_one_is_made_anew(copied: Settings, healthy: tuple[Path, list[Row]], name: str) -> None:
    """At the start, or when a block is read first; never is a wrong answer given."""
    _, known = healthy
    DAMAGES[name](folder(copied))
    with opened_store(copied) as store:
        patient(lambda: assert_answers(store, known))
        post(store, record(1))
        patient(lambda: assert_answers_total(store, len(known) + 1))
    with opened_store(copied) as store:
        assert_answers_total(store, len(known) + 1)


def patient(ask: Callable[[], object]) -> None:
    """Ask until it is ready again."""
    for _ in range(200):
        try:
            ask()
        except NotReady:
            time.sleep(0.05)
        else:
            return
    ask()


def assert_answers_total(store: Store, total: int) -> None:
    assert store.engine.submit(pages.page, RunsQuery(limit=1)).result(60).total == total


def test_one_of_another_lake_is_not_used(settings: Settings, tmp_path: Path, rebuilds: list[int]) -> None:
    """Though it is whole, and its snapshot has the same number."""
    known = rows(120)
    other = msgspec.structs.replace(settings, data=str(tmp_path / "other"))
    for lake, part in ((settings, known[:60]), (other, known[60:])):
        with opened_store(lake, new=True) as store:
            append(store, part)
    shutil.rmtree(folder(settings))
    shutil.copytree(folder(other), folder(settings))
    with opened_store(settings) as store:
        assert_answers(store, known[:60])
    assert len(rebuilds) == 3


def test_one_of_another_layout_is_not_used(
    settings: Settings, rebuilds: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    known = rows(60)
    with monkeypatch.context() as patch:
        patch.setattr("runlake.serving.serving.LAYOUT", "another")
        with opened_store(settings, new=True) as store:
            append(store, known)
    with opened_store(settings) as store:
        assert_answers(store, known)
    assert len(rebuilds) == 2


def test_one_of_a_lake_that_was_restored_without_its_last_runs(
    settings: Settings, rebuilds: list[int], tmp_path: Path
) -> None:
    """It knows a snapshot that the lake does not."""
    known = rows(120)
    with opened_store(settings, new=True) as store:
        append(store, known[:60])
    older = msgspec.structs.replace(settings, data=str(shutil.copytree(settings.data, tmp_path / "older")))
    with opened_store(settings) as store:
        append(store, known[60:])
    shutil.rmtree(folder(older))
    shutil.copytree(folder(settings), folder(older))
    with opened_store(older) as store:
        assert_answers(store, known[:60])
        append(store, known[60:90])
        assert_answers(store, known[:90])
    assert len(rebuilds) == 2


POINTS: Final = [f"{point}:{passes}" for point in ("before-apply", "mid-apply", "mid-checkpoint") for passes in (1, 2)]


STORED: Final = [record(i) for i in range(40)]


@pytest.fixture(scope="module", params=[False, True], ids=["shipped", "small"])
def acknowledged_lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A closed lake of these runs, as shipped or with everything done in small steps. Copy it."""
    settings = Settings(data=str(tmp_path_factory.mktemp("acknowledged") / "lake"))
    if request.param:
        settings = msgspec.structs.replace(settings, rollup_rows=1, inline_rows=3, maintain_seconds=0.001)
    with opened_store(settings) as store:
        post(store, *STORED)
    return settings


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_between_a_commit_and_its_checkpoint(acknowledged_lake: Settings, tmp_path: Path, point: str) -> None:
    """The next start answers all that was acknowledged, and all or nothing of what was not."""
    lake = shutil.copytree(acknowledged_lake.data, tmp_path / "lake")
    settings, stored = msgspec.structs.replace(acknowledged_lake, data=str(lake)), [*STORED]
    for turn in range(2):
        batch = [record(1000 + 100 * turn + i) for i in range(7)]
        acknowledged = append_and_die(settings, batch, point)
        with opened_store(settings) as store:
            found = store.engine.submit(pages.page, RunsQuery(limit=200)).result(60)
            new = {str(run.id) for run in found.items} - {run["id"] for run in stored}
            assert new in ({run["id"] for run in batch}, set()) and (new or not acknowledged)
            stored += batch if new else []
            assert found.total == len(stored)
            whole = SummaryQuery(days=60, until=Instant(times.parse("2025-02-01")))
            counts = store.engine.submit(statistics.summary, whole).result(60)
            assert counts.total_runs == len(stored)
            again = post(store, *stored)
            assert (again.stored, again.duplicates) == (0, len(stored))


def test_a_question_sees_one_snapshot_to_its_end(settings: Settings) -> None:
    """A reader is held open for some seconds: appends, counts, flushes, merges and checkpoints go on beside it."""
    known = rows(900)
    busy = msgspec.structs.replace(
        settings,
        rollup_rows=30,
        flush_rows=60,
        merge_files=2,
        maintain_seconds=0.01,
        tidy_seconds=0.1,
        grace_seconds=0.0,
        query_seconds=600.0,
    )
    whole = SummaryQuery(days=30, until=Instant(histories.NOON))
    seen: list[tuple[int, int, int, int]] = []
    begun, ended = threading.Event(), threading.Event()

    def held(session: Session) -> None:
        while not ended.is_set():
            page = pages.page(session, RunsQuery(limit=200))
            total = statistics.summary(session, whole).total_runs
            seen.append((session.state.snapshot, page.total, len(page.items), total))
            begun.set()
            time.sleep(0.05)

    with opened_store(busy) as store:
        append(store, known[:300])
        question = store.engine.submit(held)
        assert begun.wait(60)
        base, until = store.serving._base, time.monotonic() + 3
        for start in range(300, 900, 20):
            append(store, known[start : start + 20])
            assert_answers_total(store, start + 20 if start + 20 < len(known) else len(known))
        while time.monotonic() < until or store.serving._base == base:
            assert time.monotonic() < until + 60, "no checkpoint beside a reader"
            time.sleep(0.05)
        ended.set()
        question.result(60)
        assert len(set(seen)) == 1, set(seen)
        expected = Oracle(known[:300])
        total = expected.summary(days=30, until=histories.NOON)["total_runs"]
        assert seen[0][1:] == (expected.page()["total"], 200, total)
        assert_answers(store, known)
    with opened_store(busy) as store:
        assert_answers(store, known)


HASTY: Final = {"RUNLAKE_MAINTAIN_SECONDS": "0.05", "RUNLAKE_ROLLUP_ROWS": "50", "RUNLAKE_HOT_DAYS": "0"}


def asked(client: httpx.Client) -> Iterator[httpx.Response]:
    """Questions that together read most tables."""
    until = {"until": "2025-02-01"}
    yield client.get("/runs", params={"limit": 200})
    yield client.get("/runs", params={"task_id": record(1)["task_id"], "offset": 60})
    yield client.get(f"/runs/{record(5)['id']}")
    yield client.get(f"/task/{record(1)['task_id']}/latest")
    yield client.get("/stats/summary", params={**until, "days": 60})
    yield client.get(f"/task/{record(1)['task_id']}/stats", params={**until, "days": 60})


def test_a_corrupt_block_under_a_service(tmp_path: Path) -> None:
    """Questions answer right, or 503 for a while; nothing is lost, and appends go on."""
    lake = tmp_path / "lake"
    with Server(lake, env=environment(None, **HASTY)) as server:
        for start in range(0, 600, 150):
            assert server.post(*(record(start + i) for i in range(150))).status_code == 200
        right = [answer.json() for answer in asked(server.client)]
    file = lake / "serving" / "serving.duckdb"
    with Server(lake, env=environment(None, **HASTY)) as server:
        # All but what is read at the start: the service has not yet read the blocks of its tables.
        changed(file, *(share / 97 for share in range(12, 97)))
        statuses = set[int]()
        deadline = time.monotonic() + 60
        while True:
            answers = list(asked(server.client))
            statuses |= {answer.status_code for answer in answers}
            for answer, expected in zip(answers, right, strict=True):
                assert answer.status_code in (200, 503), answer.text
                if answer.status_code == 200:
                    assert_same(answer.json(), expected)
            if all(answer.status_code == 200 for answer in answers):
                break
            assert time.monotonic() < deadline, "".join(server.log)
            time.sleep(0.1)
        assert server.post(*(record(700 + i) for i in range(9))).json()["stored"] == 9
        assert server.client.get("/runs").json()["total"] == 609
    with Server(lake) as server:
        assert server.client.get("/runs").json()["total"] == 609
    assert runlake("check", "--data", str(lake)).returncode == 0


def test_the_service_killed_again_and_again(tmp_path: Path) -> None:
    """Checkpoints, counts and commits are cut at any moment: every start answers what was acknowledged."""
    lake, stored = tmp_path / "lake", 0
    rng = random.Random(5)
    for turn in range(6):
        server = Server(lake, env=environment(None, **HASTY, RUNLAKE_FLUSH_ROWS="40")).wait_ready()
        try:
            assert server.client.get("/runs").json()["total"] == stored
            until = {"until": "2025-02-01", "days": "60"}
            assert server.client.get("/stats/summary", params=until).json()["total_runs"] == stored
            for _ in range(rng.randrange(3, 12)):
                batch = [record(10_000 * turn + stored + i) for i in range(rng.choice([1, 9, 120]))]
                stored += int(server.post(*batch).json()["stored"])
        finally:
            server.stop(signal.SIGKILL)
    assert runlake("check", "--data", str(lake)).returncode == 0
