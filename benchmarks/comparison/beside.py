"""What the mixed load loses beside something that never ends."""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from benchmarks.comparison import wrk
from benchmarks.comparison.figures import Timing
from msgspec import Struct

CONNECTIONS: Final = 16


class Work(Struct, frozen=True):
    """What goes on beside: `once` works until its event is set and returns how often; `at_once` threads call it."""

    name: str
    once: Callable[[threading.Event], int]
    at_once: int = 1


def lost(port: int, file: Path, work: Work, turns: int, seconds: int) -> float:
    """The share of the requests a second that is lost, asked in turns alone and beside; it is printed, too."""
    wrk.gets(port, file, CONNECTIONS, seconds)  # warms up
    alone: list[Timing] = []
    beside: list[Timing] = []
    done = 0
    for _ in range(turns):
        alone.append(wrk.gets(port, file, CONNECTIONS, seconds))
        ended = threading.Event()
        with ThreadPoolExecutor(work.at_once) as pool:
            working = [pool.submit(work.once, ended) for _ in range(work.at_once)]
            try:
                beside.append(wrk.gets(port, file, CONNECTIONS, seconds))
            finally:
                ended.set()
            done += sum(one.result() for one in working)
    for name, found in (("alone", alone), (f"beside {work.name}", beside)):
        rate, p50, p99 = (statistics.median(getattr(one, figure) for one in found) for figure in ("rate", "p50", "p99"))
        print(f"mixed load {name}: {rate:.1f} requests/s, p50 {p50:.0f} ms, p99 {p99:.0f} ms", flush=True)
    share = 1 - statistics.median(two.rate / one.rate for one, two in zip(alone, beside, strict=True))
    print(f"lost: {share:.0%}, beside {done / (turns * seconds):.2f} a second", flush=True)
    return share
