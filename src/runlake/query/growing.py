"""Parts of questions whose pieces do not add up: their answers to shorter windows that end alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from msgspec.structs import replace

from runlake.model import Filter, Instant
from runlake.query import filters, parts
from runlake.query.engine import Session

Q = TypeVar("Q", bound=Filter)
T = TypeVar("T")


def asked(session: Session, question: Callable[[Session, Q], T], query: Q, check: Callable[[Q], None]) -> T:
    """The answer to a question about a window, after such parts of it as are wanted. Raises what `check` does, which
    looks at the whole window before the first part, and what the question does.
    """
    check(query)
    wanted = filters.with_window(query)
    for part in parts.growing(wanted.low, wanted.high, session.state, in_parts=session.report is not None):
        answer = partial(question, session, replace(query, start_time=Instant(part.since)))
        session.tell(part, answer)
    return answer()
