"""Where a client sends, and as whom: arguments say it, else the settings."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import httpx
from msgspec import Struct

from runlake import settings
from runlake.client.retries import Policy
from runlake.errors import Unreachable, UsageError
from runlake.recorder.service import Service

_CONNECT_SECONDS = 5.0


class Setup(Struct, frozen=True):
    """The service as recorded blocks know it, what httpx is made with, and what is tried again."""

    service: Service
    options: dict[str, Any]
    policy: Policy

    @classmethod
    def of(cls, server: str | None, key: str | None, *, tries: int, patience: float, timeout: float) -> Setup:
        """The setup of arguments. Raises UsageError."""
        if server is None or key is None:
            known = settings.load()
            server, key = known.server if server is None else server, known.key if key is None else key
        if not server:
            raise UsageError("no server is given", hint="say Client(server=…), or set RUNLAKE_SERVER")
        service = Service(server, key)
        options = {
            "base_url": service.name,
            "headers": {"User-Agent": f"runlake-client/{version('runlake')}"} | service.credentials,
            "timeout": httpx.Timeout(timeout, connect=_CONNECT_SECONDS),
        }
        return cls(service, options, Policy(tries, patience))


def unreachable(exc: httpx.RequestError) -> Unreachable:
    """The error for a service that does not answer, or stops half-way."""
    return Unreachable(f"{exc.request.url}: {exc or type(exc).__name__}")
