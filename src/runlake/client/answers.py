"""Answers of a service: Structs of the model where all is well, errors of the tree where not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, TypeVar

import httpx
import msgspec

from runlake import errors
from runlake.errors import FieldError, RunlakeError, UnknownAnswer
from runlake.model import Problem

A = TypeVar("A")
Read = Callable[[httpx.Response], A]
_URN: Final = "urn:runlake:"
_SHOWN: Final = 200  # characters of an answer that is no problem


def checked(response: httpx.Response) -> httpx.Response:
    """The answer itself when all is well. Raises the error that the service answered."""
    if response.status_code != httpx.codes.OK:
        raise refusal(response)
    return response


@cache
def json(kind: Any) -> Read[Any]:
    """What reads an answer as JSON of this type. It raises UnknownAnswer."""
    decoder = msgspec.json.Decoder(kind)

    def read(response: httpx.Response) -> Any:
        try:
            return decoder.decode(checked(response).content)
        except (msgspec.DecodeError, UnicodeDecodeError) as exc:
            detail = f"{response.url.path}: {exc}"
            raise _with(UnknownAnswer(detail, hint="this is no runlake, or a newer one"), response) from exc

    return read


def text(response: httpx.Response) -> str:
    """An answer as text."""
    return checked(response).text


def refusal(response: httpx.Response) -> RunlakeError:
    """The error of an answer: of the class whose code its type has, else an UnknownAnswer."""
    try:
        problem = msgspec.json.decode(response.content, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        shown = " ".join(response.text[:_SHOWN].split())
        return _with(UnknownAnswer(f"{response.status_code} {response.reason_phrase}: {shown}"), response)
    kind = _KINDS.get(problem.type.removeprefix(_URN), UnknownAnswer)
    found: list[FieldError] = problem.errors or []
    return _with(kind.answered(problem.detail, found), response)


def _with(exc: RunlakeError, response: httpx.Response) -> RunlakeError:
    """The error with what the headers of its answer say."""
    exc.status = response.status_code
    exc.request_id = response.headers.get("x-request-id", "")
    after = response.headers.get("retry-after", "")
    exc.retry_after = float(after) if after.isascii() and after.isdigit() else None
    return exc


def _tree(kind: type[RunlakeError]) -> Iterator[type[RunlakeError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _tree(child)


_KINDS: Final = {kind.code: kind for kind in _tree(errors.RunlakeError)}
