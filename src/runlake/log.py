"""Logging: a line of `key=value` pairs (logfmt) for each event.

A thread of its own writes the lines, so a slow or missing reader of the log does not delay the service.
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
LOGGER.addHandler(logging.NullHandler())  # commands print their errors themselves

_PLAIN: Final = re.compile(r"[!#-<>-~]+")  # printable ASCII without blank, quote and equals sign
_MOST: Final = 20_000  # lines that may wait
_PAUSE: Final = 0.05  # seconds in which lines gather before they are written


def event(what: str, **values: object) -> None:
    """Log an event with its values."""
    LOGGER.info(what, extra={"values": values})


def warn(what: str, **values: object) -> None:
    """Log an event that needs attention."""
    LOGGER.warning(what, extra={"values": values})


def line(text: str) -> None:
    """Log formatted pairs at level INFO, without a LogRecord: for each request that would take too long."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _LinesHandler):
            handler.stream.write(f"{head('INFO', time.time())} {text}\n")


def pair(key: str, value: object) -> str:
    """`key=value`, with a JSON string for a value that has blanks, quotes or line ends."""
    text = str(value)
    return f"{key}={text if _PLAIN.fullmatch(text) else json.dumps(text)}"


class Formatter(logging.Formatter):
    """Formats a record as time, level, event and its values; an exception as its text and its trace."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for a record."""
        pairs = [head(record.levelname, record.created), pair("event", record.getMessage())]
        pairs += [pair(key, value) for key, value in getattr(record, "values", {}).items()]
        if record.exc_info and record.exc_info[1]:
            pairs += [
                pair("error", record.exc_info[1]),
                pair("trace", "".join(traceback.format_exception(record.exc_info[1]))),
            ]
        return " ".join(pairs)


def head(level: str, at: float) -> str:
    """The first pairs of a line; `at` is in seconds since the epoch."""
    second = int(at)
    return f"time={_second(second)}.{int((at - second) * 1000):03}Z level={level}"


@lru_cache(2)
def _second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")


class Lines:
    """A text stream whose own thread writes to a file descriptor.

    Not to a file object: a thread that is blocked in one keeps its lock, and the process could not end.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self._pending: deque[str] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="runlake-log", daemon=True)
        self._thread.start()

    def write(self, text: str) -> None:
        """Queue a line. When too many are queued, because nobody reads the log, it is dropped and counted."""
        if len(self._pending) >= _MOST:
            self._dropped += 1
            return
        self._pending.append(text)
        if not self._wake.is_set():
            self._wake.set()

    def flush(self) -> None:
        """Do nothing: the thread writes."""

    def _run(self) -> None:
        while not self._ended.is_set():
            self._wake.wait()
            self._ended.wait(_PAUSE)
            self._wake.clear()
            self._write_pending()

    def _write_pending(self) -> None:
        parts = [self._pending.popleft() for _ in range(len(self._pending))]
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            parts.append(f"{head('WARNING', time.time())} event={json.dumps('log lines dropped')} lines={dropped}\n")
        rest = "".join(parts).encode(errors="backslashreplace")
        try:
            while rest:
                rest = rest[os.write(self._target, rest) :]
        except OSError:
            self._dropped += len(parts)  # the log itself is the only place to report it

    def close(self) -> None:
        """Write the queued lines, for a second at most; a second call does nothing."""
        self._ended.set()
        self._wake.set()
        self._thread.join(1)


class _LinesHandler(logging.StreamHandler[Lines]):
    """The handler that `begin` installs."""


def begin(level: str, target: int) -> Lines:
    """Begin to log to a file descriptor; close the returned Lines at the end.

    `level` is debug, info, warning or error.
    """
    lines = Lines(target)
    handler = _LinesHandler(lines)
    handler.setFormatter(Formatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    return lines
