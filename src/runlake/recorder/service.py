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

_STORED: Final = (Outcome.STORED, "")
_ANOTHER: Final = (Outcome.UNREACHABLE, "this is no runlake service")
_EXPECTED: Final = "server: expected something like http://127.0.0.1:8000, not {!r}"
_REFUSED: Final = frozenset({400, 409, 413, 415, 422})  # sent again, it would be refused again


class Service:
    """A service at a URL. `until` is the moment (of time.monotonic) at which it is given up."""

    def __init__(self, url: str, key: str) -> None:
        """Raises UsageError for what is no URL of a service."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            raise UsageError(_EXPECTED.format(url)) from None
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise UsageError(_EXPECTED.format(url))
        self.name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path.rstrip('/')}"
        self._https, self._host, self._path = parts.scheme == "https", parts.hostname, parts.path
        self._port = port or (443 if self._https else 80)
        self._headers = {"Content-Type": "application/json", "User-Agent": "runlake-exec"}
        self.credentials: dict[str, str] = {}  # as headers
        if key := key.strip():
            self.credentials["Authorization"] = f"Bearer {key}"
        elif parts.username is not None:
            secret = f"{parts.username}:{parts.password or ''}"
            self.credentials["Authorization"] = f"Basic {base64.b64encode(secret.encode()).decode()}"

    def send(self, run: bytes, until: float) -> tuple[Outcome, str]:
        """Store a record; why it was not stored, too."""
        try:
            status, body = self._ask("POST", "/runs", b'{"runs":[' + run + b"]}", until)
        except (OSError, HTTPException) as exc:
            return Outcome.UNREACHABLE, str(exc) or type(exc).__name__
        if status == 200:
            return _STORED if _object(body).get("received") == 1 else _ANOTHER
        outcome = Outcome.REFUSED if status in _REFUSED else Outcome.UNREACHABLE
        return outcome, f"{status} {_detail(body)}"

    def close(self) -> None:
        """Nothing: each request has a connection of its own."""

    def name_task(self, task: uuid.UUID, name: str, until: float) -> bool:
        """Give a task its name, unless it has one; whether that is done for good."""
        try:
            status, body = self._ask("GET", "/tasks/names", None, until)
            if status != 200:
                return status == 403
            if (names := _object(body).get("names")) is None or str(task) in names:
                return names is not None
            change = msgspec.json.encode({"names": {str(task): {"name": name}}})
            status, _ = self._ask("PUT", "/tasks/names", change, until)
        except (OSError, HTTPException, ValueError):
            return False
        return status in {200, 403}

    def _ask(self, method: str, path: str, body: bytes | None, until: float) -> tuple[int, bytes]:
        left = max(0.05, until - time.monotonic())
        connection = (
            HTTPSConnection(self._host, self._port, timeout=left, context=ssl.create_default_context())
            if self._https
            else HTTPConnection(self._host, self._port, timeout=left)
        )
        try:
            connection.request(method, self._path.rstrip("/") + path, body, self._headers | self.credentials)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def _object(body: bytes) -> dict[str, Any]:
    """The JSON object of an answer; an empty one for anything else, a page of a portal, say."""
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (ValueError, msgspec.DecodeError):
        return {}


def _detail(body: bytes) -> str:
    """What a problem says; the beginning of anything else."""
    return " ".join(str(_object(body).get("detail", body[:200].decode(errors="replace"))).split())
