"""The handbook and the API browser. All files that they load are part of this package, so they work without internet.

The handbook is docs/ of the repository, made into HTML by `make docs`. The browser is swagger-ui-dist 5.35.0, its files
unmodified; its licences lie beside them.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, Final

from litestar import HttpMethod, Request, Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from msgspec import Struct

from runlake.api import tags

# The pages of the handbook, in the order of its navigation; each is docs/<name>.md.
PAGES: Final = (
    "index",
    "page",
    "http-api",
    "analysts",
    "imports",
    "commands",
    "python-client",
    "operations",
    "backup",
    "settings",
    "cli",
    "design",
    "benchmarks",
    "contributing",
    "changelog",
)
START: Final = "index"
# What pages show, or link to, beside pages.
FILES: Final = ("runlake.service", "page-overview.png", "page-runs.png", "page-run.png")

# Without a charset: the server adds `; charset=utf-8` to every text type.
_MEDIA_TYPES: Final = {
    "css": "text/css",
    "html": "text/html",
    "js": "text/javascript",
    "png": "image/png",
    "service": "text/plain",
    "txt": "text/plain",
}


def _headers(*policy: str) -> dict[str, str]:
    closed = ("default-src 'none'", *policy, "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'")
    return {
        "Content-Security-Policy": "; ".join(closed),
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",  # to be kept, and asked for again with the tag each time
    }


# The browser loads our own files only. The handbook has no scripts.
HANDBOOK_HEADERS: Final = _headers("style-src 'self'", "img-src 'self'")
# No inline scripts or style sheets. Swagger UI needs style attributes, and icons from data URLs.
BROWSER_HEADERS: Final = _headers(
    "script-src 'self'",
    "style-src 'self'",
    "style-src-attr 'unsafe-inline'",
    "img-src 'self' data:",
    "connect-src 'self'",
)


# The files below static/ by the names that they are asked for; every other name is a 404.
HANDBOOK: Final[dict[str, str]] = {
    **{name: f"handbook/{name}.html" for name in PAGES},
    **{name: f"handbook/{name}" for name in FILES},
    "favicon-32x32.png": "favicon-32x32.png",
    "handbook.css": "handbook.css",
}
_BROWSER_PAGE: Final = "api.html"
BROWSER: Final[dict[str, str]] = {
    name: name
    for name in (
        _BROWSER_PAGE,
        "api.js",
        "swagger-ui-bundle.js",
        "swagger-ui-bundle.js.LICENSE.txt",
        "swagger-ui.css",
    )
}


class Asset(Struct, frozen=True):
    """The content of a file, its media type, and its tag, which is weak: it stands for every encoding."""

    content: bytes
    media_type: str
    tag: str


@cache
def asset(path: str) -> Asset:
    """The file `path` below static/."""
    content = files("runlake.api").joinpath("static", path).read_bytes()
    return Asset(content, _MEDIA_TYPES[path.rpartition(".")[2]], tags.of_content(content))


@route(["/docs", "/docs/{name:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False)
async def handbook(request: Request[Any, Any, Any], name: FromPath[str] = START) -> Response[bytes]:
    """GET /docs: a page of the handbook, or a file that pages load."""
    return _answer(request, HANDBOOK.get(name), HANDBOOK_HEADERS)


@route(["/docs/api", "/docs/api/{name:str}"], http_method=[HttpMethod.GET, HttpMethod.HEAD], include_in_schema=False)
async def api_browser(request: Request[Any, Any, Any], name: FromPath[str] = _BROWSER_PAGE) -> Response[bytes]:
    """GET /docs/api: the OpenAPI document as a page, or a file that it loads."""
    return _answer(request, BROWSER.get(name), BROWSER_HEADERS)


def _answer(request: Request[Any, Any, Any], path: str | None, headers: dict[str, str]) -> Response[bytes]:
    if path is None:
        raise NotFoundException("there is no page of this name")
    found = asset(path)
    headers = {**headers, "ETag": found.tag}
    if tags.is_known(request, found.tag):
        return Response(b"", status_code=304, headers=headers)
    return Response(found.content, media_type=found.media_type, headers=headers)
