"""Bad input at scale: a real server answers whatever comes with a 200 or a problem, and stores nothing by half."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from fuzzer import BODIES, Fuzzer
from support import Server, environment, runlake

CASES: Final = 200
LONG: Final = 50  # times as many


@pytest.fixture
def fuzzer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Fuzzer]:
    """A server of its own, without upkeep, so that only requests change the store; what it stored must be sound."""
    with Server(tmp_path / "lake", env=environment(None, RUNLAKE_MAINTAIN_SECONDS="1000")) as server:
        tried = Fuzzer(server)
        yield tried
        assert server.process.poll() is None, "".join(server.log)[-3000:]
        assert not [line for line in server.log if "Traceback" in line], "".join(server.log)[-3000:]
    check = runlake("check", "--data", str(tmp_path / "lake"))
    assert check.returncode == 0, check.stderr
    with capsys.disabled():
        print(f"\n{tried.tried.total()} cases tried: {dict(sorted(tried.tried.items()))}")


@pytest.mark.parametrize("kind", BODIES)
def test_bodies(fuzzer: Fuzzer, kind: str) -> None:
    """Bodies of each type."""
    fuzzer.bodies(kind, CASES)


def test_a_body_that_expands(fuzzer: Fuzzer) -> None:
    """A few kilobytes that stand for many megabytes are refused."""
    fuzzer.bomb(300 << 20)


def test_operations(fuzzer: Fuzzer) -> None:
    """Every operation of the OpenAPI document: each answer is one that the document names."""
    fuzzer.operations(CASES // 20)


@pytest.mark.long
@pytest.mark.parametrize("kind", BODIES)
def test_many_bodies(fuzzer: Fuzzer, kind: str) -> None:
    """The same for some minutes."""
    fuzzer.bodies(kind, LONG * CASES)


@pytest.mark.long
def test_many_operations(fuzzer: Fuzzer) -> None:
    """The same for some minutes."""
    fuzzer.operations(LONG * CASES // 20)
