"""Entity tags (RFC 9110, 8.8.3): which ones a request knows, and which one it expects."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Final

from litestar import Request, Response

from runlake.lake.names import Expected, anything

ANY: Final = "*"


def quoted(tag: str) -> str:
    """A tag as it stands in a header."""
    return f'"{tag}"'


def _listed(header: str) -> set[str]:
    """The tags of a header, with their quotes."""
    # Apache's mod_deflate appends -gzip to the tag of an answer that it compresses, and does not remove it again.
    return {re.sub('-gzip"$', '"', part.strip().removeprefix("W/")) for part in header.split(",") if part.strip()}


def known(request: Request[Any, Any, Any]) -> set[str]:
    """The tags of answers that the client has; ANY stands for any answer that is there."""
    return _listed(request.headers.get("if-none-match", ""))


def expected(request: Request[Any, Any, Any]) -> Expected:
    """Whether a tag, or None where nothing is stored, is what If-Match expects; without it all is well."""
    header = request.headers.get("if-match")
    if header is None:
        return anything
    wanted = _listed(header)
    return lambda tag: tag is not None and (ANY in wanted or quoted(tag) in wanted)


def of_content(content: bytes) -> str:
    """The tag of a file, as it stands in a header; it is weak, because it stands for every encoding."""
    return f'W/"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'


def is_known(request: Request[Any, Any, Any], tag: str) -> bool:
    """Whether the client has the answer with this tag, which stands as in a header."""
    return not {tag.removeprefix("W/"), ANY}.isdisjoint(known(request))


def with_tag(request: Request[Any, Any, Any], response: Response[Any], tag: str) -> Response[Any]:
    """The answer with its tag; 304 when the client has it already."""
    if is_known(request, quoted(tag)):
        return Response(b"", status_code=304, headers={"ETag": quoted(tag)})
    response.headers["ETag"] = quoted(tag)
    return response
