"""A serving database that is made while a file cannot be read: all is answered that needs no run of that file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec
import pytest
from asking import page
from damages import BAD, DAMAGES, GOOD, UPKEEP, Damage, answers, half, on
from inprocess import assert_problem
from loading import opened_store
from support import Server, environment, post, runlake

from runlake import times
from runlake.settings import Settings

ENV: Final = environment(None, **UPKEEP)


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake of 200 runs on each of two days, its last checkpoint that of the empty lake. Copy it."""
    lake = tmp_path_factory.mktemp("unread") / "lake"
    early = lake.with_name("early")
    with opened_store(settings_of(lake)) as store:
        shutil.copytree(lake / "serving", early)
        for day in (BAD, GOOD):
            post(store, *(on(day, i) for i in range(200)))
    shutil.rmtree(lake / "serving")
    early.rename(lake / "serving")
    return lake


@pytest.fixture
def lake(healthy: Path, tmp_path: Path) -> Path:
    """A copy of it."""
    return Path(shutil.copytree(healthy, tmp_path / "lake"))


def bad_file(lake: Path) -> Path:
    (file,) = lake.rglob(f"day={BAD}/*.parquet")
    return file


def get(client: httpx.Client, path: str, **query: Any) -> httpx.Response:
    return client.get(path, params=query)


def fails(lake: Path, client: httpx.Client) -> None:
    """What needs the bad file, or may need it."""
    bad, task = on(BAD, 7), on(BAD, 7)["task_id"]
    unknown = "00000000-0000-4000-8000-00000000ffff"
    asked: list[tuple[str, dict[str, Any]]] = [
        (f"/runs/{bad['id']}", {}),
        (f"/runs/{unknown}", {}),
        (f"/task/{unknown}/latest", {}),
        ("/runs", {"success": "true"}),
        ("/runs", {"task_id": task}),
        ("/runs", {"start_time": f"2025-01-{BAD:02}"}),
        ("/runs", {"offset": 200}),
        (f"/task/{task}/stats", {"until": "2025-01-20", "days": 30}),
        ("/stats/summary", {"until": "2025-01-20", "days": 30}),
        ("/errors", {"start_time": f"2025-01-{GOOD:02}", "end_time": f"2025-01-{GOOD + 1}"}),  # is a group new?
        # The window before it is compared with, and touches the day.
        ("/stats/summary", {"until": f"2025-01-{GOOD + 1}T06:00:00Z", "days": 10}),
    ]
    for path, query in asked:
        assert_problem(get(client, path, **query), 500, inside=str(lake))


@pytest.mark.parametrize("how", ["made anew", "caught up"])
@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_the_service_answers_without_the_file(lake: Path, tmp_path: Path, damage: Damage, how: str) -> None:
    """Questions of other days work, appends wait; once the file is back so is everything, without a restart."""
    file = bad_file(lake)
    good = shutil.copyfile(file, tmp_path / "good")
    damage(file)
    if how == "made anew":
        shutil.rmtree(lake / "serving")
    with Server(lake, env=ENV) as server:
        client = server.client
        answers(server)
        assert get(client, "/runs", offset=150, limit=50).json()["has_more"] is True
        assert (past := get(client, "/runs", offset=400).json())["total"] == 400 and past["items"] == []
        fails(lake, client)
        answer = server.post(on(GOOD, 500))
        assert_problem(answer, 503)
        assert "cannot be read" in answer.json()["detail"]
        assert "runlake_unreadable_files 1.0" in client.get("/metrics").text
        named = [line for line in server.log if "is not counted" in line]
        assert len(named) == 1 and file.name in named[0], named
        file.parent.mkdir(parents=True, exist_ok=True)  # clean-up may have removed the empty folder meanwhile
        shutil.copyfile(good, file)
        server.until(lambda: server.post(on(GOOD, 500)).status_code == 200)
        assert client.get(f"/runs/{on(BAD, 7)['id']}").json()["output"] == {"n": 7}
        assert get(client, "/runs", success="true").json()["total"] == 401
        assert server.post(on(BAD, 7)).json()["duplicates"] == 1
        assert "runlake_unreadable_files 0.0" in client.get("/metrics").text
    check = runlake("check", "--data", str(lake))
    assert (check.returncode, check.stderr) == (0, "")


def settings_of(lake: Path, **changes: Any) -> Settings:
    return msgspec.structs.replace(Settings(data=str(lake), inline_rows=0, maintain_seconds=1000.0), **changes)


def test_a_load_of_more_runs_is_refused(lake: Path) -> None:
    """Whether they are stored is not known; one line names the file."""
    file = bad_file(lake)
    half(file)
    shutil.rmtree(lake / "serving")
    done = runlake("generate", "--runs", "10", "--data", str(lake))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert str(file) in done.stderr


def test_a_file_that_was_merged_before_it_was_counted(lake: Path, tmp_path: Path) -> None:
    """It came back: its runs are counted with the file that they are in now."""
    with opened_store(settings_of(lake)) as store:
        post(store, *(on(BAD, 300 + i) for i in range(5)))
    file = max(lake.rglob(f"day={BAD}/*.parquet"), key=lambda file: file.stat().st_size)
    good = shutil.copyfile(file, tmp_path / "good")
    half(file)
    shutil.rmtree(lake / "serving")
    with opened_store(settings_of(lake, grace_seconds=0.0)) as store:
        assert [bad.path for bad in store.serving.unreadable] == [str(file)]
        shutil.copyfile(good, file)
        store.writer.close()
        maintenance = store.writer.maintenance
        maintenance.run(maintenance.pending_steps())
        day = times.parse(f"2025-01-{BAD:02}")
        assert len([live for live in store.stored.files if live.day == day // times.DAY_US]) == 1
        file.unlink(missing_ok=True)
        assert not store.serving.unreadable
        assert page(store)["total"] == 405
        window = {"start_time": day, "end_time": day + times.DAY_US}
        assert page(store, **window)["total"] == 205


def test_retention_drops_the_day_of_a_file_that_is_not_counted(lake: Path) -> None:
    """Then nothing of it is missing any more."""
    with opened_store(settings_of(lake)) as store:
        post(store, *(on(GOOD, 300 + i) for i in range(5)))
    shutil.rmtree(lake / "serving")
    file = bad_file(lake)
    good = file.read_bytes()
    half(file)
    with opened_store(settings_of(lake, retention_days=5)) as store:
        assert [bad.path for bad in store.serving.unreadable] == [str(file)]
        file.write_bytes(good)  # DuckLake opens the files of the days that it drops
        store.writer.close()
        store.writer.maintenance.run(store.writer.maintenance.pending_steps())
        assert not store.serving.unreadable
        assert page(store)["total"] == 205
