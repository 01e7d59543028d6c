"""A process that dies at any named point loses nothing it acknowledged, and leaves nothing behind for long."""

from __future__ import annotations

import re
import signal
from pathlib import Path
from typing import Final

import pytest
from commands import wait_clean
from ledger import Ledger
from support import BUSY, Server, environment, runlake

from runlake import failpoints

SOURCES: Final = Path(failpoints.__file__).parent
REQUESTS: Final = 400  # at most, before the point must have been passed
# The first checkpoint of a lake is made before it takes an append; the second one beside them.
PASSES: Final = [*(f"{point}:1" for point in failpoints.POINTS), "after-sync:9", "mid-merge:3", "mid-checkpoint:2"]


@pytest.mark.parametrize("fail_point", PASSES)
def test_kill_at(fail_point: str, tmp_path: Path) -> None:
    """Acknowledged runs are there once, the request that was not answered is there whole or not; nothing is left."""
    lake, ledger = tmp_path / "lake", Ledger(7)
    new = fail_point.startswith("mid-checkpoint")  # how often a lake was checkpointed counts from its making
    server = Server(lake, env=environment(None, RUNLAKE_FAIL_POINT=fail_point, **BUSY), new=new)
    if fail_point != "mid-checkpoint:1":
        server.wait_ready()
        for _ in range(REQUESTS):
            if not ledger.post(server.client, ledger.batch()):
                break
    assert server.process.wait(30) == -signal.SIGKILL, "".join(server.log)[-2000:]
    server.stop()
    with Server(lake, env=environment(None, **BUSY)) as again:
        assert list(ledger.settle(again.client)) == []
        assert list(ledger.check(again.client)) == []
        for _ in range(5):
            assert ledger.post(again.client, ledger.batch()) == 200
        wait_clean(lake)
        assert list(ledger.check(again.client)) == []
    check = runlake("check", "--data", str(lake))
    assert (check.returncode, check.stdout.split()[1]) == (0, f"{len(ledger.acknowledged):,}"), check.stderr


def test_every_point_is_passed_somewhere() -> None:
    """Each name of the list stands in the code at one place, and no other name does; the tests above reach each."""
    texts = [file.read_text() for file in SOURCES.rglob("*.py") if file.name != "failpoints.py"]
    found = [name for text in texts for name in re.findall(r'"((?:before|after|mid)-[a-z-]+)"', text)]
    assert sorted(found) == sorted(failpoints.POINTS)
    assert {name.partition(":")[0] for name in PASSES} == set(failpoints.POINTS)
    explained = re.findall(r"^((?:before|after|mid)-\S+) ", failpoints.__doc__ or "", re.MULTILINE)
    assert tuple(explained) == failpoints.POINTS


@pytest.mark.parametrize("text", ["mid-nothing:1", "mid-flush", "mid-flush:0", "mid-flush:x", ":1"])
def test_a_misspelt_point_is_refused(text: str, tmp_path: Path) -> None:
    """In one line, before anything is made."""
    done = runlake("serve", "--data", str(tmp_path / "lake"), env=environment(None, RUNLAKE_FAIL_POINT=text))
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "mid-checkpoint" in done.stderr
    assert not (tmp_path / "lake").exists()
