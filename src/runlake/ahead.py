"""Making the next item while the present one is used."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator
from contextlib import suppress
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, with the next one made in a thread of its own while this one is used."""
    ready: queue.Queue[tuple[T | None, BaseException | None]] = queue.Queue(maxsize=1)
    stopped = threading.Event()

    def offer(made: tuple[T | None, BaseException | None]) -> None:
        """Hand over what was made, unless nobody wants it any more."""
        while not stopped.is_set():
            with suppress(queue.Full):
                ready.put(made, timeout=0.1)
                return

    def work() -> None:
        try:
            for item in items:
                offer((item, None))
                if stopped.is_set():
                    return
            offer((None, None))
        except BaseException as exc:  # noqa: BLE001 - raised again where the items are used
            offer((None, exc))

    thread = threading.Thread(target=work, name="runlake-read-ahead", daemon=True)
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
