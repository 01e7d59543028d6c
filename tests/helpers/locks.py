"""Routes that need a key and routes that need none, and how a key is sent."""

from __future__ import annotations

from support import record

TASK = record(1)["task_id"]
READ_ROUTES = [
    "/runs",
    f"/runs/{record(1)['id']}",
    f"/runs/{record(1)['id']}/context",
    f"/task/{TASK}/latest",
    f"/runs/task/{TASK}/latest",
    f"/task/{TASK}/stats",
    f"/runs/task/{TASK}/stats",
    "/stats/summary",
    "/runs/stats/summary",
    "/errors?start_time=2025-01-01&end_time=2025-01-02",
    "/tasks/names",
    "/views",
    "/metrics",
]
OPEN_ROUTES = [
    "/health",
    "/ready",
    "/about",
    "/schema",
    "/schema/openapi.json",
    "/docs",
    "/docs/http-api",
    "/docs/api",
    "/docs/api/api.js",
]


def bearer(token: str) -> dict[str, str]:
    """The header that sends a key."""
    return {"Authorization": f"Bearer {token}"}
