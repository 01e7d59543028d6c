"""The pages of the documentation."""

from __future__ import annotations

from typing import Final

from litestar import HttpMethod, Response, route
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from runlake.api import docs


@route(["/docs", "/docs/{name:str}"], http_method=(HttpMethod.GET, HttpMethod.HEAD), include_in_schema=False)
async def docs_page(name: FromPath[str] = "docs.html") -> Response[bytes]:
    """GET /docs: the OpenAPI document as a page; nothing is loaded from other hosts."""
    asset = docs.ASSETS.get(name)
    if asset is None:
        raise NotFoundException(f"there is no page {name}")
    return Response(asset.content, media_type=asset.media_type, headers=docs.HEADERS)


HANDLERS: Final = [docs_page]
