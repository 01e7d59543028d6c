"""The application in this process, and the one shape of its errors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import httpx
from beginnings import begin
from litestar.testing import TestClient

from runlake.api.app import create_app
from runlake.api.middleware import RequestMiddleware
from runlake.api.service import Service
from runlake.settings import Settings
from runlake.store import Store

Client = TestClient[RequestMiddleware]


@contextmanager
def serving(settings: Settings, *, wait: float = 30) -> Iterator[Client]:
    """The application in this process, ready, if it gets so in `wait` seconds; with 0 it is not even started."""
    store = Store(begin(settings))
    service = Service(store)
    try:
        with TestClient(create_app(service), "http://127.0.0.1", raise_server_exceptions=False) as client:
            if wait:
                service.start()
                deadline = time.monotonic() + wait
                while client.get("/ready").json()["status"] == 503 and time.monotonic() < deadline:
                    time.sleep(0.01)
            yield client
    finally:
        store.close()


def assert_problem(answer: httpx.Response, status: int, *fields: str, inside: str = "/lake") -> dict[str, Any]:
    """The answer has the one shape; with fields, `errors` names exactly these."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert set(body) == {"type", "title", "status", "detail", "instance"} | ({"errors"} if fields else set())
    assert body["status"] == status
    assert body["title"] == HTTPStatus(status).phrase
    assert body["type"] == "about:blank" or body["type"].startswith("urn:runlake:")
    assert body["instance"] == answer.request.url.path
    assert body["detail"].strip()
    assert [error["field"] for error in body.get("errors", [])] == list(fields)
    assert all(set(error) == {"field", "message"} and error["message"] for error in body.get("errors", []))
    for leak in ("Traceback", 'File "', ".py", ".parquet", "catalog.sqlite", inside):
        assert leak not in answer.text, answer.text
    assert ("retry-after" in answer.headers) == (status == 503)
    return body
