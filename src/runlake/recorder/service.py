"""A service as the target of records: POST /runs, and a name for the task."""

from __future__ import annotations

import base64
import ssl
import time
import uuid
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

from runlake.errors import UsageError
from runlake.recorder.spool import Outcome

_REFUSED: Final = frozenset({400, 409, 413, 415, 422})  # sent again, it would be refused again


class Service:
    """A service at a URL. `until` is the moment (of time.monotonic) at which it is given up."""

    def __init__(self, url: str, key: str) -> None:
        """Raises UsageError for what is no URL of a service."""
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError:
            port = -1
        if parts.scheme not in {"http", "https"} or not parts.hostname or port == -1 or parts.query or parts.fragment:
            raise UsageError(f"--server: expected something like http://127.0.0.1:8000, not {url!r}")
        self.name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._https, self._host, self._port, self._path = parts.scheme == "https", parts.hostname, port, parts.path
        self._headers = {"Content-Type": "application/json", "User-Agent": "runlake-exec"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        elif parts.username is not None:
            secret = f"{parts.username}:{parts.password or ''}"
            self._headers["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"

    def send(self, run: bytes, until: float) -> tuple[Outcome, str]:
        """Store a record; why it was not stored, too."""
        try:
            status, body = self._ask("POST", "/runs", b'{"runs":[' + run + b"]}", until)
        except (OSError, HTTPException) as exc:
            return Outcome.UNREACHABLE, str(exc) or type(exc).__name__
        if status == 200:
            return Outcome.STORED, ""
        outcome = Outcome.REFUSED if status in _REFUSED else Outcome.UNREACHABLE
        return outcome, f"{status} {_detail(body)}"

    def close(self) -> None:
        """Nothing: each request has a connection of its own."""

    def name_task(self, task: uuid.UUID, name: str, until: float) -> bool:
        """Give a task its name, unless it has one; whether that is done for good."""
        try:
            status, body = self._ask("GET", "/tasks/names", None, until)
            if status != 200:
                return status in {401, 403, 404}
            if str(task) in msgspec.json.decode(body)["names"]:
                return True
            change = msgspec.json.encode({"names": {str(task): {"name": name}}})
            status, _ = self._ask("PUT", "/tasks/names", change, until)
        except (OSError, HTTPException, msgspec.DecodeError, KeyError, TypeError):
            return False
        return status < 500

    def _ask(self, method: str, path: str, body: bytes | None, until: float) -> tuple[int, bytes]:
        left = max(0.05, until - time.monotonic())
        connection = (
            HTTPSConnection(self._host, self._port, timeout=left, context=ssl.create_default_context())
            if self._https
            else HTTPConnection(self._host, self._port, timeout=left)
        )
        try:
            connection.request(method, self._path.rstrip("/") + path, body, self._headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _detail(body: bytes) -> str:
    """What a problem says; the beginning of anything else."""
    try:
        found: Any = msgspec.json.decode(body)
        return " ".join(str(found["detail"]).split())
    except (msgspec.DecodeError, KeyError, TypeError):
        return " ".join(body[:200].decode(errors="replace").split())
