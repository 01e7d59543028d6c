"""The spool and the lease: what cannot be waited for with real time and real disks."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from runlake.recorder import recording, spool
from runlake.recorder.child import Ended
from runlake.recorder.recording import Recording
from runlake.recorder.report import Report
from runlake.recorder.spool import Outcome, Spool


class Listener:
    """A target that keeps what it gets."""

    name = "listener"

    def __init__(self) -> None:
        self.runs: list[dict[str, object]] = []
        self.renewed = threading.Event()

    def send(self, run: bytes, until: float) -> tuple[Outcome, str]:
        assert until > time.monotonic() - 1
        self.runs.append(msgspec.json.decode(run))
        if len(self.runs) >= 4:
            self.renewed.set()
        return Outcome.STORED, ""

    def close(self) -> None:
        """Nothing to hold."""

    def name_task(self, task: object, name: str, until: float) -> bool:
        return True


def test_a_lease_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording, "RENEWAL_SECONDS", 0.02)
    said: list[str] = []
    target, report = Listener(), Report("x", datetime.now(UTC))
    made = Recording(target.name, lambda: target, tmp_path, report, said.append)
    made.begin()
    assert target.renewed.wait(30)
    made.finish(Ended(0, datetime.now(UTC), datetime.now(UTC)))
    leases = [str(run["leased_until"]) for run in target.runs[:-1]]
    assert leases == sorted(set(leases)) and len(leases) >= 3
    assert target.runs[-1]["success"] is True
    assert (said, Spool(tmp_path / "spool", said.append).pending()) == ([], [])


def test_the_oldest_go_when_it_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "MOST_BYTES", 2_000)
    said: list[str] = []
    made = Spool(tmp_path / "spool", said.append)
    for number in range(20):
        made.add("there", b'{"n": %d, "text": "%s"}' % (number, b"x" * 300))
    found = [msgspec.json.decode(path.read_bytes())["run"]["n"] for path in made.pending()]
    assert found == list(range(20 - len(found), 20)) and 4 <= len(found) <= 6
    assert len(said) == 20 - len(found) and "oldest records are gone" in said[0]


def test_files_that_are_no_records_stop_nothing(tmp_path: Path) -> None:
    made = Spool(tmp_path / "spool", lambda _: None)
    made.add("there", b"{}")
    (tmp_path / "spool" / "0.json").write_text("no")
    (tmp_path / "spool" / ".half.json").write_text("{")
    got: list[bytes] = []

    def send(run: bytes) -> tuple[Outcome, str]:
        got.append(run)
        return Outcome.STORED, ""

    assert made.send("there", send, time.monotonic()) == ""
    assert got == [b"{}"]
