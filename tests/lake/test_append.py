"""Group commit: which batches share a transaction."""

from __future__ import annotations

import json
import threading
from concurrent.futures import Future
from typing import Any, Final

import pytest
from support import record

from runlake.intake import decode_json
from runlake.lake import append, write
from runlake.lake.append import AppendResult
from runlake.store import Store

PATIENCE: Final = 30.0


def submit(store: Store, number: int) -> Future[AppendResult]:
    return store.writer.submit(decode_json(json.dumps({"runs": [record(number)]}).encode()))


def test_clients_that_would_take_turns_are_one_group(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """One comes while the other's run is committed: their next runs share a commit."""
    monkeypatch.setattr(append, "_GATHER", PATIENCE)
    began, goes_on = threading.Event(), threading.Event()
    real, start = write.commit_rows, store.serving.snapshot

    def held(*args: Any) -> Any:
        began.set()
        assert goes_on.wait(PATIENCE)
        return real(*args)

    monkeypatch.setattr(write, "commit_rows", held)
    first = submit(store, 0)
    assert began.wait(PATIENCE)
    other = submit(store, 1)
    goes_on.set()
    assert first.result(PATIENCE) == AppendResult(1, 0, 0)
    again = submit(store, 2)
    assert [other.result(PATIENCE), again.result(PATIENCE)] == [AppendResult(1, 0, 0)] * 2
    assert store.serving.snapshot == start + 2
