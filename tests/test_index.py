"""The saved index: used when it fits, caught up without a run twice or missing, made anew whenever it does not."""

from __future__ import annotations

import os
import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

import histories
import msgspec
import pytest
from asking import assert_pages, assert_runs, assert_windows
from loading import append, opened_store
from oracle import DAY, Oracle, Row

from runlake.index.saved import Manifest
from runlake.settings import Settings
from runlake.store import Store

Damage = Callable[[Path], object]


def rows(count: int, seed: int = 3) -> list[Row]:
    """Finished runs of five days, and a few open ones."""
    rng = random.Random(seed)
    made = [histories.made(rng, histories.MIDNIGHT - rng.randrange(5 * DAY)) for _ in range(count)]
    return [row for row in made if row["finished_at"] is not None or rng.random() < 0.2]


def folder(settings: Settings) -> Path:
    return Path(settings.data) / "index"


def manifest(settings: Settings) -> Manifest:
    return msgspec.json.decode((folder(settings) / "manifest.json").read_bytes(), type=Manifest)


def assert_answers(store: Store, known: list[Row]) -> None:
    """Every endpoint says what brute force says."""
    oracle, rng = Oracle(known), random.Random(1)
    assert_pages(store, oracle, rng, 12)
    assert_runs(store, oracle, rng)
    assert_windows(store, oracle, rng, 6)


def test_what_was_saved_is_caught_up(settings: Settings) -> None:
    """Runs that waited in the catalog when it was saved and were flushed since, and all that came since."""
    known = rows(260)
    with opened_store(settings) as store:  # saves the index of an empty lake
        append(store, known[:60])
    shutil.rmtree(folder(settings))
    with opened_store(settings) as store:  # saves it with rows that wait
        saved = manifest(settings)
        assert saved.runs == store.index.inlined_rows() > 0
        store.writer.keeper.run(store.writer.keeper.steps())
        append(store, known[60:200])
        append(store, known[200:])
        assert_answers(store, known)
    with opened_store(settings) as store:
        assert manifest(settings) == saved
        assert_answers(store, known)


def test_the_snapshot_that_was_saved_does_not_expire(settings: Settings) -> None:
    known = rows(200)
    hasty = msgspec.structs.replace(settings, grace_seconds=0.0)
    with opened_store(hasty) as store:
        saved = manifest(settings)
        for start in range(0, len(known), 40):
            append(store, known[start : start + 40])
        store.writer.keeper.run(store.writer.keeper.steps())
    with opened_store(hasty) as store:
        assert manifest(settings) == saved
        assert_answers(store, known)


def test_it_is_saved_while_the_service_goes_on(settings: Settings) -> None:
    known = rows(400)
    often = msgspec.structs.replace(settings, index_rows=50, inline_rows=20, flush_rows=60)
    with opened_store(often) as store:
        first, deadline = manifest(settings).snapshot, time.monotonic() + 60
        for start in range(0, len(known), 30):
            append(store, known[start : start + 30])
        while manifest(settings).snapshot == first or manifest(settings).snapshot not in store.index.kept:
            assert time.monotonic() < deadline, "it was never saved"
            time.sleep(0.05)
        assert_answers(store, known)
        append(store, known)
    saved = manifest(settings)
    assert saved.runs > 50
    with opened_store(often) as store:
        assert_answers(store, known)


def flip(file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0x10
    file.write_bytes(content)


def every(change: Callable[[Path], object], names: str) -> Damage:
    def damage(where: Path) -> None:
        files = list(where.glob(names))
        assert files
        for file in files:
            change(file)

    return damage


KINDS: Final = ("manifest", "keys", "cells", "buckets", "hours", "days", "tasks", "waiting")
DAMAGES: Final[dict[str, Damage]] = {
    "gone": shutil.rmtree,
    "empty": every(Path.unlink, "*"),
    "garbage": every(lambda file: file.write_bytes(b"?" * 5000), "*"),
    "cut": every(lambda file: os.truncate(file, file.stat().st_size // 2), "*"),
    "other mark": every(lambda f: f.write_bytes(f.read_bytes().replace(b'"mark":"', b'"mark":"x')), "manifest*"),
    "other layout": every(lambda f: f.write_bytes(f.read_bytes().replace(b"index 4", b"index 0")), "manifest*"),
    **{f"no {name}": every(Path.unlink, f"{name}*") for name in KINDS},
    **{f"flipped {name}": every(flip, f"{name}*") for name in KINDS},
}


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_index_is_made_anew(settings: Settings, name: str) -> None:
    known = rows(150)
    with opened_store(settings) as store:
        append(store, known)
        store.writer.keeper.run(store.writer.keeper.steps())
    DAMAGES[name](folder(settings))
    with opened_store(settings) as store:
        assert manifest(settings).snapshot == store.index.view.snapshot
        assert_answers(store, known)
    with opened_store(settings) as store:
        assert_answers(store, known)


def test_an_index_of_another_lake_is_not_used(settings: Settings, tmp_path: Path) -> None:
    known = rows(120)
    other = msgspec.structs.replace(settings, data=str(tmp_path / "other"))
    for lake, part in ((settings, known[:60]), (other, known[60:])):
        with opened_store(lake) as store:
            append(store, part)
    shutil.rmtree(folder(settings))
    shutil.copytree(folder(other), folder(settings))
    with opened_store(settings) as store:
        assert_answers(store, known[:60])
