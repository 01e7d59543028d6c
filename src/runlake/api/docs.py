"""The docs page and all files that it loads. They are part of this package, so the page works without internet.

Swagger UI is swagger-ui-dist 5.35.0, its files unmodified; its licences lie beside them.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from msgspec import Struct

# Without a charset: the server adds `; charset=utf-8` to every text type.
_MEDIA_TYPES: Final = {
    "docs.html": "text/html",
    "docs.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui-bundle.js.LICENSE.txt": "text/plain",
    "swagger-ui.css": "text/css",
}

# With this policy the browser loads our files only, and no inline scripts or style sheets. Swagger UI needs style
# attributes, and icons from data URLs.
HEADERS: Final[dict[str, str]] = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "style-src-attr 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Referrer-Policy": "no-referrer",
}


class Asset(Struct, frozen=True):
    """The content of one file of the docs page, and its media type."""

    content: bytes
    media_type: str


def _load() -> dict[str, Asset]:
    folder = files("runlake.api").joinpath("static")
    return {name: Asset(folder.joinpath(name).read_bytes(), kind) for name, kind in _MEDIA_TYPES.items()}


ASSETS: Final[dict[str, Asset]] = _load()
