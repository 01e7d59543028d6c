"""One bad file takes down only what needs it: everything else answers, and the log and `check` name the file."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path

import pytest
from damages import BAD, DAMAGES, GOOD, UPKEEP, Damage, answers, half, on
from inprocess import assert_problem
from support import Server, environment, post, runlake

from runlake.errors import Busy, Conflict, LakeDamaged
from runlake.intake import decode_json
from runlake.settings import Settings
from runlake.store import Store


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake of one file of 200 runs on each of two days, its serving database of that snapshot. Copy it."""
    lake = tmp_path_factory.mktemp("bad") / "lake"
    with Server(lake, env=environment(None, RUNLAKE_INLINE_ROWS="0")) as server:
        for day in (BAD, GOOD):
            assert server.post(*(on(day, i) for i in range(200))).json()["stored"] == 200
    shutil.rmtree(lake / "serving")
    with Server(lake):
        pass
    return lake


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_a_bad_file(damage: Damage, healthy: Path, tmp_path: Path) -> None:
    """Other days, their statistics, other runs and appends go on; 500 for the day itself; upkeep does not spin."""
    lake = Path(shutil.copytree(healthy, tmp_path / "lake"))
    folder = lake / "files" / "main" / "finished_runs" / "year=2025" / "month=1" / f"day={BAD}"
    (file,) = folder.iterdir()
    damage(file)
    with Server(lake, env=environment(None, **UPKEEP)) as server:
        answers(server)
        for path in (f"/runs?start_time=2025-01-{BAD:02}&end_time=2025-01-{BAD + 1:02}", f"/runs/{on(BAD, 7)['id']}"):
            logged = len(server.log)
            assert_problem(server.client.get(path), 500, inside=str(lake))
            wait_logged(server, logged, file)
        # Appends go on: of other days, and of the bad file's own.
        for number in range(6):
            new = (on(GOOD + 2, 500 + number), on(BAD, 500 + number))
            assert server.post(*new).json()["stored"] == 2
            assert server.client.get(f"/runs/{new[0]['id']}").status_code == 200
            assert server.client.get(f"/runs/{new[1]['id']}").status_code in (200, 500)  # they share an hour
        # A run that only the bad file could tell from the one sent cannot be judged; its neighbours can.
        assert_problem(server.post(on(BAD, 7)), 503, inside=str(lake))
        time.sleep(2)
        named = [line for line in server.log if "is not merged" in line]
        assert len(named) == 1 and file.name in named[0], named
        assert not any("writing failed" in line and "merge" in line for line in server.log)
        assert any("step=clean" in line for line in server.log), (
            "a file that cannot be merged must not keep clean-up away"
        )
        assert server.post(on(GOOD + 2, 999)).json()["stored"] == 1
    check = runlake("check", "--data", str(lake))
    assert (check.returncode, "Traceback" in check.stderr) == (1, False)
    assert str(file) in check.stderr


def test_cursors_beside_a_bad_file(healthy: Path, tmp_path: Path) -> None:
    """The runs of a file that is not counted are before a page only if they are newer."""
    newer, older = (lake_with_half(healthy, tmp_path / str(day), day) for day in (GOOD, BAD))
    with Server(older) as server:
        found = server.client.get("/runs?limit=50")
        offsets = [found.json()["offset"]]
        while len(offsets) < 4:
            found = server.client.get(found.links["next"]["url"])
            offsets.append(found.json()["offset"])
        assert offsets == [0, 50, 100, 150]
    with Server(newer) as server:
        found = server.client.get("/runs?limit=50&offset=200")
        assert (found.status_code, found.json()["total"]) == (200, 400)


def lake_with_half(healthy: Path, lake: Path, day: int) -> Path:
    """A copy of the lake in which the file of a day is cut, and which has to be counted anew."""
    shutil.copytree(healthy, lake)
    shutil.rmtree(lake / "serving")
    half(next(lake.rglob(f"day={day}/*.parquet")))
    return lake


def wait_logged(server: Server, since: int, file: Path) -> None:
    """The log names the file."""
    deadline = time.monotonic() + 5
    while not any(file.name in line for line in server.log[since:]):
        assert time.monotonic() < deadline, "".join(server.log[since:])
        time.sleep(0.05)


def test_neighbours_of_an_append_that_needs_a_bad_file(healthy: Path, tmp_path: Path) -> None:
    """Of appends that share a commit only the one whose id lies in the file fails."""
    lake = Path(shutil.copytree(healthy, tmp_path / "lake"))
    half(next(lake.rglob(f"day={BAD}/*.parquet")))
    store = Store(Settings(data=str(lake), maintain_seconds=1000.0))
    try:
        store.load()
        bodies = [{"runs": [run]} for run in (on(GOOD, 700), on(BAD, 7), on(BAD, 701), on(GOOD, 7, attempt=2))]
        waiting = [store.writer.submit(decode_json(json.dumps(body).encode()).batch()) for body in bodies]
        store.start()  # they have waited together, so they are one group
        assert [type(future.exception(60)) for future in waiting] == [type(None), Busy, type(None), Conflict]
        assert store.stored.runs == 402
    finally:
        store.close()


def test_retention_that_meets_a_bad_file(healthy: Path, tmp_path: Path) -> None:
    """The error names the file, and small commits stay in the catalog afterwards as before."""
    lake = Path(shutil.copytree(healthy, tmp_path / "lake"))
    bad = next(lake.rglob(f"day={BAD}/*.parquet"))
    half(bad)
    store = Store(Settings(data=str(lake), maintain_seconds=1000.0, retention_days=5))
    try:
        store.load()
        maintenance = store.writer.maintenance
        with pytest.raises(LakeDamaged, match=bad.name):
            maintenance.run(maintenance.pending_steps())
        store.start()
        post(store, on(GOOD, 900))
        assert store.stored.inlined_rows == 1
    finally:
        store.close()
