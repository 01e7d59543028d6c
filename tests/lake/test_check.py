"""`runlake check` finds what is wrong with a lake, and damaged lakes are told in one line."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from beginnings import begin
from by_hand import by_hand
from commands import live_files
from support import Server, environment, post, record, runlake

from runlake.errors import Busy
from runlake.inspect import verify
from runlake.intake import decode_json
from runlake.lake import admit
from runlake.lake.catalog import Lake
from runlake.paths import Paths, day_of
from runlake.settings import Settings
from runlake.store import Store


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake: 28 Parquet files of 150 runs, 20 runs in the catalog, 5 open. Copy it."""
    lake = tmp_path_factory.mktemp("check") / "lake"
    store = Store(begin(Settings(data=str(lake), maintain_seconds=1000.0)))
    store.load()
    store.start()
    post(store, *(record(i, output={"text": "x" * 200, "n": i}) for i in range(150)))
    post(store, *(record(1000 + i) for i in range(20)))
    post(store, *(record(2000 + i, finished_at=None, success=None) for i in range(5)))
    store.close()
    return lake


@pytest.fixture
def lake(healthy: Path, tmp_path: Path) -> Path:
    """A copy of the healthy lake, to be damaged."""
    return Path(shutil.copytree(healthy, tmp_path / "lake"))


def files(lake: Path) -> list[Path]:
    """The live Parquet files, in order."""
    return sorted(map(Path, live_files(lake)))


def findings(lake: Path) -> list[str]:
    """What a failing check lists; it must fail, without a trace."""
    done = runlake("check", "--data", str(lake))
    assert done.returncode == 1, done.stdout
    assert "Traceback" not in done.stderr
    assert re.search(rf"^wrong +{len(done.stderr.splitlines())}$", done.stdout, re.MULTILINE), done.stdout
    return done.stderr.splitlines()


def test_files_that_are_replaced_while_they_are_read(lake: Path) -> None:
    """A merge and a clean-up in between are no damage; without an end to them, nothing can be said."""
    settings = Settings(data=str(lake), maintain_seconds=1000.0, inline_rows=0)

    def replace() -> None:
        store = Store(settings)
        store.load()
        store.start()
        post(store, *(record(10_000 * replaced + i) for i in range(150)))
        store.close()
        done = runlake("maintain", "--data", str(lake), env=environment(None, RUNLAKE_GRACE_SECONDS="0"))
        assert done.returncode == 0, done.stderr

    replaced = 0
    for times in (1, 1000):
        most = replaced + times

        def progress(done: int, _: int, most: int = most) -> None:
            nonlocal replaced
            if done == 1 and replaced < most:
                replaced += 1
                replace()

        if times == 1:
            report = verify.check(settings, progress)
            assert (report.findings, replaced) == ([], 1)
        else:
            with pytest.raises(Busy, match="replaced faster"):
                verify.check(settings, progress)


def test_a_healthy_lake(lake: Path) -> None:
    """Exit code 0 and nothing on standard error; also after all upkeep, and when it is empty."""
    done = runlake("check", "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["runs", "175", "files", "28", "wrong", "0"]
    assert runlake("maintain", "--data", str(lake)).returncode == 0
    assert runlake("check", "--data", str(lake)).stdout.split() == ["runs", "175", "files", "28", "wrong", "0"]


def test_an_empty_lake(tmp_path: Path) -> None:
    """No runs are no error."""
    with Server(tmp_path / "lake", new=True):
        pass
    done = runlake("check", "--data", str(tmp_path / "lake"))
    assert (done.returncode, done.stdout.split()) == (0, ["runs", "0", "files", "0", "wrong", "0"])


def test_a_deleted_file(lake: Path) -> None:
    """Each missing file is named."""
    gone = files(lake)[3:5]
    for file in gone:
        file.unlink()
    found = findings(lake)
    assert [any(str(file) in line for line in found) for file in gone] == [True, True]
    assert len(found) == 2


@pytest.mark.parametrize("keep", [0, 100, -1])
def test_a_truncated_file(lake: Path, keep: int) -> None:
    """A file cut anywhere is named."""
    file = files(lake)[7]
    file.write_bytes(file.read_bytes()[:keep])
    found = findings(lake)
    assert all(str(file) in line for line in found)


def test_a_flipped_bit(lake: Path) -> None:
    """Damage in the pages is found, also where a value is merely another one."""
    file = files(lake)[9]
    good = file.read_bytes()
    end = len(good) - 8 - int.from_bytes(good[-8:-4], "little")
    places = range(40, end, max(1, end // 6))
    for place in places:
        file.write_bytes(good[:place] + bytes([good[place] ^ 0x10]) + good[place + 1 :])
        done = runlake("check", "--data", str(lake))
        assert "Traceback" not in done.stderr
        assert (done.returncode, str(file) in done.stderr) == (1, True), place


def test_another_valid_file_in_its_place(lake: Path) -> None:
    """A file with other rows, or with rows of another day, is named."""
    first, second, third, *_ = files(lake)
    pq.write_table(pq.read_table(first, partitioning=None).slice(0, 1), first, compression="zstd")
    shutil.copyfile(third, second)
    found = findings(lake)
    assert any(str(first) in line and "runs" in line for line in found)
    assert any(str(second) in line and "day" in line for line in found)
    assert any("times" in line for line in found), "the ids of the third file are there twice now"


@pytest.mark.parametrize("number", [5, 1005, 2003], ids=["in Parquet", "in the catalog", "open"])
def test_an_id_stored_twice(lake: Path, number: int) -> None:
    """Wherever its two copies are."""
    wanted = record(number, error="another")
    opened = Lake(Paths.of(lake), Settings(), write=True)
    body = '{"runs": [' + str(wanted).replace("'", '"').replace("True", "true") + "]}"
    rows = decode_json(body.encode()).batch().rows
    with opened.transaction(), opened.given(finished=rows):
        opened.execute("add_finished")
    opened.close()
    assert admit.uuid_text(bytes.fromhex(wanted["id"].replace("-", ""))) == wanted["id"]
    found = findings(lake)
    assert [line for line in found if wanted["id"] in line and "2 times" in line] == found


def test_rows_that_break_a_rule(lake: Path) -> None:
    """Rows that never passed the door: success without an end, wherever they are."""
    with by_hand(lake) as con:
        con.execute("UPDATE lake.open_runs SET success = true WHERE id = $id", {"id": record(2001)["id"]})
    assert any(record(2001)["id"] in line for line in findings(lake))


def test_days_that_retention_should_have_dropped(lake: Path) -> None:
    """The first day kept is a fact of the lake; a file before it is named."""
    opened = Lake(Paths.of(lake), Settings(), write=True)
    live = sorted(files(lake), key=lambda file: day_of(str(file)))
    opened.execute("create_retention")
    opened.execute("add_horizon", {"day": day_of(str(live[2]))})
    opened.close()
    assert {line.split(": lies before")[0] for line in findings(lake)} == {str(file) for file in live[:2]}


def fails_in_one_line(lake: Path) -> str:
    """What every command says of this lake: one line, exit code 1."""
    said = ""
    for command in (["check"], ["sql", "SELECT 1"], ["generate", "--runs", "1"], ["serve"]):
        done = runlake(*command, "--data", str(lake), env=environment(None, RUNLAKE_PORT="0"))
        assert "Traceback" not in done.stderr, (command, done.stderr)
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), (command, done.returncode, done.stderr)
        said = done.stderr
    return said


@pytest.mark.parametrize("layout", ["'runlake layout 3'", "NULL"])
def test_an_unknown_layout(lake: Path, layout: str) -> None:
    """A lake of another version is not touched."""
    with by_hand(lake) as con:
        con.execute(f"COMMENT ON TABLE lake.finished_runs IS {layout}")
    assert "layout" in fails_in_one_line(lake)


@pytest.mark.parametrize("garbage", [b"garbage" * 1000, b"SQLite format 3\0" + bytes(4080)], ids=["text", "header"])
def test_a_damaged_catalog(lake: Path, garbage: bytes) -> None:
    """Nobody makes a new lake over a catalog that cannot be read."""
    (lake / "catalog.sqlite").write_bytes(garbage)
    assert str(lake) in fails_in_one_line(lake)
    assert (lake / "catalog.sqlite").read_bytes() == garbage


def test_a_catalog_that_is_gone(lake: Path) -> None:
    """Files without a catalog are no lake to read, and nobody silently begins an empty one beside them."""
    (lake / "catalog.sqlite").unlink()
    done = runlake("check", "--data", str(lake))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)


def test_a_missing_folder(tmp_path: Path) -> None:
    """One line, and it is not made."""
    done = runlake("check", "--data", str(tmp_path / "none"))
    assert (done.returncode, len(done.stderr.splitlines())) == (1, 1)
    assert str(tmp_path / "none") in done.stderr
    assert not (tmp_path / "none").exists()
