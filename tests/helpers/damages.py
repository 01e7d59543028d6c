"""Files of a lake made bad, and the answers that need none of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from support import Server, record

Damage = Callable[[Path], object]
UPKEEP: Final = {
    "RUNLAKE_INLINE_ROWS": "0",
    "RUNLAKE_MERGE_FILES": "2",
    "RUNLAKE_MAINTAIN_SECONDS": "0.1",
    "RUNLAKE_TIDY_SECONDS": "0.3",
    "RUNLAKE_GRACE_SECONDS": "0",
}
BAD, GOOD = 3, 17  # days of January


def on(day: int, number: int, **fields: Any) -> dict[str, Any]:
    """A finished run of a day."""
    at = f"2025-01-{day:02}T08:00:"
    times = {"started_at": f"{at}{number % 60:02}Z", "finished_at": f"2025-01-{day:02}T09:00:00Z"}
    return record(1000 * day + number, output={"n": number}, error="x" * 300, **times, **fields)


def gone(file: Path) -> None:
    """Deleted."""
    file.unlink()


def empty(file: Path) -> None:
    """Cut to nothing."""
    file.write_bytes(b"")


def half(file: Path) -> None:
    """Cut in the middle."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def flipped(file: Path) -> None:
    """One bit in sixteen bytes is another one, the footer excepted."""
    content = bytearray(file.read_bytes())
    footer = 8 + int.from_bytes(content[-8:-4], "little")
    for at in range(4, len(content) - footer, 16):
        content[at] ^= 1
    file.write_bytes(content)


DAMAGES: Final[tuple[Damage, ...]] = (gone, empty, half, flipped)


def answers(server: Server) -> None:
    """What does not need the bad file."""
    client = server.client
    page = client.get("/runs", params={"start_time": f"2025-01-{GOOD}", "end_time": "2025-02-01", "limit": 200}).json()
    assert (page["total"], len(page["items"])) == (200, 200)
    assert client.get("/runs", params={"limit": 200}).json()["total"] == 400
    assert client.get(f"/runs/{on(GOOD, 7)['id']}").json()["output"] == {"n": 7}
    until: dict[str, str | int] = {"days": 5, "until": f"2025-01-{GOOD + 1}T06:00:00Z"}
    assert client.get("/stats/summary", params=until).json()["total_runs"] == 200
    task = on(GOOD, 0)["task_id"]
    assert client.get(f"/task/{task}/latest").json()["task_id"] == task
    assert client.get(f"/task/{task}/stats", params=until).json()["total_runs"] > 60
    assert client.get("/ready").status_code == 200
