"""What is tried again, and when: no request of a client is sent twice for any other reason."""

from __future__ import annotations

import sys
import time
from typing import Any, Final

from msgspec import Struct

from runlake.client.calls import Call
from runlake.errors import RunlakeError, Timeout, Unreachable

_FIRST_PAUSE: Final = 0.1  # seconds, where the service does not say how long
_LONGEST_PAUSE: Final = 2.0
_PASSING: Final = frozenset({429, 502, 503, 504})  # 502 and 504: a proxy whose service is being started


class Policy(Struct, frozen=True):
    """Reads are tried `tries` times at most. Appends are tried for so many seconds, as they have ids: what is stored
    already is a duplicate; and so long is a stream asked for that broke off. Other changes are tried once.
    """

    tries: int
    seconds: float

    def begin(self, call: Call[Any]) -> Tries:
        """The tries of a call."""
        most = {"read": self.tries, "append": sys.maxsize, "follow": sys.maxsize, "change": 1}[call.effect]
        return Tries(most, time.monotonic() + self.seconds)


class Tries:
    """The tries of one call, of which the first one is under way."""

    def __init__(self, most: int, until: float) -> None:
        self._left, self._until = most - 1, until
        self._pause = _FIRST_PAUSE

    def pause(self, exc: RunlakeError) -> float:
        """The seconds until the next try. Raises the error when there is none."""
        pause = self._pause if exc.retry_after is None else exc.retry_after
        if not _is_passing(exc) or self._left <= 0 or time.monotonic() + pause > self._until:
            raise exc
        self._left -= 1
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        return pause


def _is_passing(exc: RunlakeError) -> bool:
    """Whether the same request may fare better later; a question that takes too long takes as long again."""
    return isinstance(exc, Unreachable) or (exc.status in _PASSING and not isinstance(exc, Timeout))
