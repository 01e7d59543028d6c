"""Answers that are files, of a form that the client chose; they are sent while they are made."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from typing import Final, cast

from litestar.openapi.spec import OpenAPIMediaType, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.response import Stream

from runlake.api.answers import Answer, Req
from runlake.api.context import context_of
from runlake.model import MEDIA_TYPES, Form

_BINARY: Final = OpenAPIMediaType(Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))


def described(examples: Mapping[Form, str]) -> dict[str, OpenAPIMediaType]:
    """The types for the OpenAPI document: the binary ones, and those that have an example here."""
    texts = {
        MEDIA_TYPES[form]: OpenAPIMediaType(Schema(type=OpenAPIType.STRING), example=text)
        for form, text in examples.items()
    }
    return {MEDIA_TYPES["parquet"]: _BINARY, MEDIA_TYPES["arrow"]: _BINARY, **texts}


async def attachment(
    request: Req, pieces: AsyncGenerator[bytes], name: str, form: Form, headers: Mapping[str, str]
) -> Answer[str]:
    """A file with a name, once its first piece is there: so what cannot begin is refused, and is no broken answer.

    Raises what `pieces` raises before the first piece; later the connection breaks.
    """
    return _sent(_whole(request, await anext(pieces, b""), pieces), name, form, headers)


def empty(name: str, form: Form, headers: Mapping[str, str]) -> Answer[str]:
    """The answer to HEAD."""
    return _sent((), name, form, headers)


def _sent(
    body: AsyncIterator[bytes] | Iterable[bytes], name: str, form: Form, headers: Mapping[str, str]
) -> Answer[str]:
    all_headers = {
        **headers,
        "Content-Type": MEDIA_TYPES[form] + ("; charset=utf-8" if form == "csv" else ""),
        "Content-Disposition": f'attachment; filename="{name}.{form}"',
    }
    return cast("Answer[str]", Stream(body, headers=all_headers))


async def _whole(request: Req, first: bytes, pieces: AsyncGenerator[bytes]) -> AsyncIterator[bytes]:
    context = context_of(request)
    context.disconnected = True  # unless it comes to the end
    async with aclosing(pieces):
        yield first
        async for piece in pieces:
            yield piece
    context.disconnected = False
