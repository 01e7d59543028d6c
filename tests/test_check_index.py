"""`runlake check` and the saved index: damage is named, what is merely missing or old is not damage."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
import pytest
from loading import opened_store
from support import HOSTILE, Server, environment, post, record, runlake

from runlake import times
from runlake.index.counts import Counts
from runlake.index.saved import LAYOUT, Derived, Folder, Manifest
from runlake.query import verify
from runlake.settings import Settings

KINDS: Final = ("keys", "cells", "buckets", "hours", "days", "tasks", "waiting")
QUIET: Final = Settings(maintain_seconds=1000.0)


def flipped(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


DAMAGES: Final[tuple[Callable[[Path], object], ...]] = (flipped, cut, Path.unlink)


def runs(first: int, count: int, **fields: Any) -> list[dict[str, Any]]:
    return [record(i, success=i % 5 > 0, **fields) for i in range(first, first + count)]


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed lake whose index was saved with rows that waited, and runs of all kinds that came later. Copy it."""
    settings = msgspec.structs.replace(QUIET, data=str(tmp_path_factory.mktemp("indexed") / "lake"))
    with opened_store(settings) as store:
        post(store, *runs(0, 150))
        post(store, *runs(1000, 20))
    shutil.rmtree(Path(settings.data) / "index")
    with opened_store(settings) as store:  # saves it
        store.writer.keeper.run(store.writer.keeper.steps())
        post(store, *runs(2000, 150), record(9999, started_at="2300-01-01", finished_at="2300-01-01", success=False))
        post(store, *runs(3000, 20))
        post(store, *(record(4000 + i, finished_at=None, success=None) for i in range(5)))
    return Path(settings.data)


@pytest.fixture
def indexed(healthy: Path, tmp_path: Path) -> Settings:
    """The settings of a copy of it, to be damaged."""
    return msgspec.structs.replace(QUIET, data=str(shutil.copytree(healthy, tmp_path / "lake")))


def folder(settings: Settings) -> Path:
    return Path(settings.data) / "index"


def findings(settings: Settings) -> list[str]:
    return verify.check(settings).findings


def test_a_healthy_index(indexed: Settings) -> None:
    """Runs that waited when it was saved, or came since, are no disagreement; a change of its folder is none either."""
    assert findings(indexed) == []
    with opened_store(indexed) as store:
        store.writer.keeper.run(store.writer.keeper.steps())
    assert findings(indexed) == []


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file(indexed: Settings, kind: str, damage: Callable[[Path], object]) -> None:
    """It is named, with what follows."""
    (file,) = folder(indexed).glob(f"{kind}-*")
    damage(file)
    (found,) = findings(indexed)
    assert str(file) in found
    assert "the next start makes the index anew" in found


def test_the_command_says_so_until_the_next_start(indexed: Settings) -> None:
    (file,) = folder(indexed).glob("keys-*")
    cut(file)
    done = runlake("check", "--data", indexed.data)
    assert (done.returncode, str(file) in done.stderr, len(done.stderr.splitlines())) == (1, True, 1)
    with opened_store(indexed):
        pass
    done = runlake("check", "--data", indexed.data)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_manifest_that_cannot_be_read(indexed: Settings) -> None:
    for damage in (cut, lambda file: file.write_bytes(b"")):
        file = folder(indexed) / "manifest.json"
        damage(file)
        (found,) = findings(indexed)
        assert str(file) in found


def test_the_index_of_another_lake(indexed: Settings, tmp_path: Path) -> None:
    other = msgspec.structs.replace(QUIET, data=str(tmp_path / "other"))
    with opened_store(other) as store:
        post(store, *runs(0, 150))
    shutil.rmtree(folder(indexed))
    shutil.copytree(folder(other), folder(indexed))
    (found,) = findings(indexed)
    assert str(folder(indexed)) in found
    assert "not of this lake" in found


def test_what_is_missing_or_old_is_no_damage(indexed: Settings) -> None:
    manifest = folder(indexed) / "manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(LAYOUT.encode(), b"runlake index 2"))
    assert findings(indexed) == []
    manifest.unlink()
    assert findings(indexed) == []
    shutil.rmtree(folder(indexed))
    assert findings(indexed) == []


def doctored(settings: Settings, change: Callable[[Derived], Derived]) -> None:
    """The saved index written again with a change, and checksums that fit."""
    saved = Folder(folder(settings))
    manifest = msgspec.json.decode((folder(settings) / "manifest.json").read_bytes(), type=Manifest)
    known = saved.open(manifest.snapshot)
    copies = Counts(*(np.array(getattr(known.counts[0], name)) for name in ("cells", "buckets", "hours", "days")))
    known = Derived(tuple(np.array(part) for part in known.keys), (copies,), known.tasks, known.waiting)
    saved.prepare(manifest.snapshot)
    saved.write(manifest.snapshot, change(known))
    saved.commit(manifest.mark, manifest.snapshot, manifest.runs, manifest.first_day)


def one_key_less(known: Derived) -> Derived:
    return msgspec.structs.replace(known, keys=(known.keys[0][1:],))


def another_key(known: Derived) -> Derived:
    known.keys[0][3] ^= np.uint64(1 << 40)
    known.keys[0].sort()
    return known


def a_failure_too_many(known: Derived) -> Derived:
    known.counts[0].hours["bad"][2] += 1
    return known


def a_cell_turned(known: Derived) -> Derived:
    cell = known.counts[0].cells[np.flatnonzero(known.counts[0].cells["good"])[0] :][:1]
    cell["good"] -= 1
    cell["bad"] += 1
    return known


def nobody_waits(known: Derived) -> Derived:
    return msgspec.structs.replace(known, waiting=known.waiting[:0])


@pytest.mark.parametrize(
    "change", [one_key_less, another_key, a_failure_too_many, a_cell_turned, nobody_waits], ids=lambda f: f.__name__
)
def test_whole_files_that_disagree_with_the_lake(indexed: Settings, change: Callable[[Derived], Derived]) -> None:
    """Of one day or of many, it is one line."""
    doctored(indexed, lambda known: known)
    assert findings(indexed) == []
    doctored(indexed, change)
    (found,) = findings(indexed)
    assert str(folder(indexed)) in found
    assert "2025-01-" in found


def test_a_lake_that_was_restored_without_its_last_runs(indexed: Settings, tmp_path: Path) -> None:
    """The index knows a snapshot that the lake does not."""
    older = Path(shutil.copytree(indexed.data, tmp_path / "older"))
    shutil.rmtree(folder(indexed))
    with opened_store(indexed) as store:
        post(store, *runs(5000, 150))
    shutil.rmtree(folder(indexed))
    with opened_store(indexed):
        pass
    shutil.rmtree(older / "index")
    shutil.copytree(folder(indexed), older / "index")
    (found,) = findings(msgspec.structs.replace(indexed, data=str(older)))
    assert "not of this lake" in found


def test_days_that_retention_dropped_since(indexed: Settings, tmp_path: Path) -> None:
    """What was saved still counts them, and is used all the same."""
    before = Path(shutil.copytree(folder(indexed), tmp_path / "index"))
    newest = times.parse("2025-01-28") // times.DAY_US
    with opened_store(msgspec.structs.replace(indexed, retention_days=10)) as store:
        store.writer.keeper.run(store.writer.keeper.steps())
        assert store.index.horizon == newest - 10
    assert findings(indexed) == []
    shutil.rmtree(folder(indexed))
    shutil.copytree(before, folder(indexed))
    assert findings(indexed) == []


def test_a_bad_file_of_the_lake_is_not_told_twice(indexed: Settings) -> None:
    """Neither its day nor the index suffers for a file that cannot be read, also one that came since."""
    for file in (Path(indexed.data) / "files").rglob("day=7/*.parquet"):
        cut(file)
    found = findings(indexed)
    assert found
    assert not [line for line in found if "index" in line], found


def test_while_the_service_saves_it_again_and_again(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    env = environment(
        None, **{**HOSTILE, "RUNLAKE_GRACE_SECONDS": "0"}, RUNLAKE_INDEX_ROWS="3", RUNLAKE_LOG_LEVEL="info"
    )
    with Server(lake, env=env) as server:
        for turn in range(60):
            assert server.post(*runs(20 * turn, 20)).json()["stored"] == 20
            if turn % 20 == 19:
                done = runlake("check", "--data", str(lake))
                assert (done.returncode, done.stderr) == (0, "")
        assert sum("index saved" in line for line in server.log) > 3
