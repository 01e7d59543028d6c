"""The clock of the machine jumps, back and forth: nothing is lost, nothing stalls, nothing is deleted too early."""

from __future__ import annotations

import time
import uuid
from pathlib import Path
from typing import Any, Final

from clocks import NOTICED_SECONDS, faked
from ledger import Ledger
from support import BUSY, Server, environment, runlake

JUMPS: Final = ("-3d", "+2d", "-400d", "+0")


def untimed(number: int) -> dict[str, Any]:
    """A queued run that says nothing of when."""
    return {"id": str(uuid.UUID(int=number)), "task_id": str(uuid.UUID(int=1))}


def test_the_clock_jumps(tmp_path: Path) -> None:
    """While a service appends, flushes, merges, saves its index and cleans; and between two of them."""
    lake, clock, ledger = tmp_path / "lake", tmp_path / "clock", Ledger(5)
    clock.write_text("+0")
    env = environment(None, **BUSY, **faked(clock))
    with Server(lake, env=env) as server:
        for jump in JUMPS:
            clock.write_text(jump)
            time.sleep(NOTICED_SECONDS)
            for _ in range(6):
                assert ledger.post(server.client, ledger.batch()) == 200
            assert list(ledger.check(server.client)) == []
            wait_upkeep(server)
        assert not [line for line in server.log if "ERROR" in line or "Traceback" in line], server.log
    clock.write_text("-30d")
    with Server(lake, env=env) as server:
        assert list(ledger.check(server.client)) == []
        for _ in range(6):
            assert ledger.post(server.client, ledger.batch()) == 200
        wait_upkeep(server)
        assert list(ledger.check(server.client)) == []
        made = server.post(untimed(9)).json()["ids"][0]
        stored = server.client.get(f"/runs/{made}").json()["created_at"]
        assert stored < time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - 29 * 86_400)), stored
        assert server.post(untimed(9)).json()["duplicates"] == 1
        assert not [line for line in server.log if "ERROR" in line or "Traceback" in line], server.log
    check = runlake("check", "--data", str(lake))
    assert check.returncode == 0, check.stderr
    with Server(lake) as server:
        assert server.client.get("/runs").json()["total"] == len(ledger.acknowledged) + 1


def wait_upkeep(server: Server) -> None:
    """Return when the service has cleaned up once more; it measures pauses by a clock that does not jump."""
    before, deadline = sum("step=clean" in line for line in server.log), time.monotonic() + 20
    while sum("step=clean" in line for line in server.log) == before:
        assert time.monotonic() < deadline, "".join(server.log)[-3000:]
        time.sleep(0.05)
