"""Prefetching: a thread makes the next item of an iterator while the caller uses the present one."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def prefetched(items: Iterator[T]) -> Generator[T]:
    """The same items, each made by a thread of its own while the caller uses the one before."""
    ready: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def offer(result: tuple[T | None, BaseException | None]) -> None:
        """Hand an item or an error over, unless the caller has stopped."""
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(result, timeout=0.1)
                return

    def work() -> None:
        try:
            for item in items:
                offer((item, None))
                if stopped.is_set():
                    return
            offer((None, None))
        except BaseException as exc:  # noqa: BLE001 - raised again in the thread of the caller
            offer((None, exc))

    thread = threading.Thread(target=work, name="runlake-prefetch", daemon=True)
    thread.start()
    try:
        while True:
            item, failure = ready.get()
            if failure is not None:
                raise failure
            if item is None:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
