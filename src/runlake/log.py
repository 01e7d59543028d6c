"""Logs: one line an event, `key=value` throughout (logfmt), on standard error.

Lines are written by a thread of their own: a reader of them who is slow, or gone, holds nobody up.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

LOGGER: Final = logging.getLogger("runlake")
LOGGER.addHandler(logging.NullHandler())  # commands say what is wrong themselves, in one line

_PLAIN: Final = re.compile(r"[!#-<>-~]+")  # printable ASCII but the blank, quote and equals sign
_MOST: Final = 20_000  # lines that may wait
_PAUSE: Final = 0.05  # seconds in which lines gather
_STATE: Final[list[Lines]] = []  # where lines go, once logging has begun


def event(what: str, **values: object) -> None:
    """Log an event with its values."""
    LOGGER.info(what, extra={"values": values})


def warn(what: str, **values: object) -> None:
    """Log an event that somebody should look at."""
    LOGGER.warning(what, extra={"values": values})


def line(text: str) -> None:
    """Log pairs that are a line already, past the machinery of logging: for what happens with each request."""
    if _STATE:
        _STATE[0].write(f"{head('INFO', time.time())} {text}\n")


def pair(key: str, value: object) -> str:
    """`key=value`; a value with anything unusual in it is a JSON string, so a line stays a line."""
    text = str(value)
    return f"{key}={text if _PLAIN.fullmatch(text) else json.dumps(text)}"


class Formatter(logging.Formatter):
    """time, level, event and the values of the event; of an exception its text, and its trace in one value."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        pairs = [head(record.levelname, record.created), pair("event", record.getMessage())]
        pairs += [pair(key, value) for key, value in getattr(record, "values", {}).items()]
        if record.exc_info and record.exc_info[1]:
            pairs += [
                pair("error", record.exc_info[1]),
                pair("trace", "".join(traceback.format_exception(record.exc_info[1]))),
            ]
        return " ".join(pairs)


def head(level: str, at: float) -> str:
    """How every line begins; `at` is in seconds since the epoch."""
    second = int(at)
    return f"time={_second(second)}.{int((at - second) * 1000):03}Z level={level}"


@lru_cache(2)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Lines:
    """A text stream that keeps what is written until its thread has passed it on to a file descriptor.

    Not to a file object: a thread that is stuck in one would keep its lock, and the process could not end.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._waiting: deque[str] = deque()
        self._lost = 0
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runlake-log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue text; when nobody reads the log, what is too much is counted and dropped."""
        if len(self._waiting) >= _MOST:
            self._lost += 1
            return
        self._waiting.append(text)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Nothing: the thread does it."""

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._ended.wait(_PAUSE)
            self._wake.clear()
            self._pass_on()

    def _pass_on(self) -> None:
        parts = [self._waiting.popleft() for _ in range(len(self._waiting))]
        if self._lost:
            lost, self._lost = self._lost, 0
            parts.append(f"{head('WARNING', time.time())} event={json.dumps('log lines dropped')} lines={lost}\n")
        left = "".join(parts).encode(errors="backslashreplace")
        try:
            while left:
                left = left[os.write(self._target, left) :]
        except OSError:
            self._lost += len(parts)  # there is nowhere to say it

    def close(self) -> None:
        """Write what waits, for at most a second; a second call does nothing."""
        self._ended.set()
        self._wake.set()
        self._thread.join(1)


def begin(level: str, target: int) -> Lines:
    """Log to a file descriptor from now on; close the Lines at the end. `level` is debug, info, warning or error."""
    lines = Lines(target)
    handler = logging.StreamHandler(lines)
    handler.setFormatter(Formatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    _STATE[:] = [lines]
    return lines
