"""The routes of the web page: one HTML file for every address, and the scripts and styles that it loads.

None of them holds data, so none needs a key. They are no part of the API: the OpenAPI document does not list them.
"""

from __future__ import annotations

import gzip
import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from litestar import HttpMethod, Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

_STATIC: Final = Path(__file__).parent / "static"
# Scripts, styles and images are our own files; text never becomes HTML, nor code (Trusted Types).
_POLICY: Final = (
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
)
_SHELL: Final = {
    "Content-Security-Policy": "; ".join(_POLICY),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cache-Control": "no-cache",  # to be kept, and asked for again with the tag each time
}
# The name of an asset has a hash of its content.
_ASSET: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "public, max-age=31536000, immutable",
}
# Without a charset: the server adds `; charset=utf-8` to every text type.
_MEDIA_TYPES: Final = {"css": "text/css", "html": "text/html", "js": "text/javascript", "svg": "image/svg+xml"}
_READS: Final = [HttpMethod.GET, HttpMethod.HEAD]
_Req = Request[Any, Any, Any]


class File(Struct, frozen=True):
    """A file of static/ as it is and packed, its media type, and its tag, which is weak: it is of both encodings."""

    content: bytes
    packed: bytes
    media_type: str
    tag: str


def built() -> dict[str, File]:
    """The files of the page by their names. They are read and packed once; and again after a build, which writes
    index.html last, so that a running service shows what `npm run watch` has built.
    """
    return _built((_STATIC / "index.html").stat().st_mtime_ns)


@lru_cache(maxsize=1)
def _built(_: int) -> dict[str, File]:
    found = [_STATIC / "index.html", *(_STATIC / "assets").iterdir()]
    return {file.name: _file(file.name, file.read_bytes()) for file in found}


def _file(name: str, content: bytes) -> File:
    tag = f'W/"{hashlib.blake2b(content, digest_size=8).hexdigest()}"'
    return File(content, gzip.compress(content, 9, mtime=0), _MEDIA_TYPES[name.rpartition(".")[2]], tag)


@route(["/", "/ui", "/ui/{rest:path}"], http_method=_READS, include_in_schema=False)
async def shell(request: _Req) -> Response[bytes]:
    """GET / and GET /ui/…: the HTML of the page. Which part of it is shown, its script decides by the address."""
    return _answer(request, built()["index.html"], _SHELL)


@route("/ui/assets/{name:str}", http_method=_READS, include_in_schema=False)
async def asset(request: _Req, name: FromPath[str]) -> Response[bytes]:
    """GET /ui/assets/…: a file that the page loads. The name of an older build is a 404; HTML would be no script."""
    found = built().get(name)
    if found is None or found.media_type == "text/html":
        raise NotFoundException("the page has no file of this name")
    return _answer(request, found, _ASSET)


def _answer(request: _Req, file: File, headers: dict[str, str]) -> Response[bytes]:
    headers = {**headers, "ETag": file.tag, "Vary": "Accept-Encoding"}
    known = {part.strip() for part in request.headers.get("if-none-match", "").split(",")}
    if file.tag in known or "*" in known:
        return Response(b"", status_code=304, headers=headers)
    if "gzip" not in request.headers.get("accept-encoding", ""):
        return Response(file.content, media_type=file.media_type, headers=headers)
    headers["Content-Encoding"] = "gzip"
    return Response(file.packed, media_type=file.media_type, headers=headers)
