"""The OpenAPI document, its operations, and ways through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import pytest
from litestar.handlers import HTTPRouteHandler
from msgspec import Struct

from runlake.api import openapi
from runlake.api.openapi import Operation
from runlake.api.routes import ROUTERS

DOC: Final[dict[str, Any]] = msgspec.json.decode(openapi.document(ROUTERS))


class Documented(Struct, frozen=True):
    """An operation of the document, with what its route says of itself."""

    path: str
    method: str
    entry: dict[str, Any]
    facts: Operation

    @property
    def name(self) -> str:
        """Its operationId."""
        name: str = self.entry["operationId"]
        return name

    @property
    def good(self) -> dict[str, Any]:
        """The answer that is no error."""
        answer: dict[str, Any] = self.entry["responses"][str(self.facts.good.value)]
        return answer


def _facts() -> dict[str, Operation]:
    """The facts about each documented route, by operationId."""
    handlers = [h for router in ROUTERS for route in router.routes for h in getattr(route, "route_handlers", [])]
    found = [h.opt["operation"] for h in handlers if isinstance(h, HTTPRouteHandler) and "operation" in h.opt]
    return {operation.name: operation for operation in found}


FACTS: Final = _facts()
OPERATIONS: Final = [
    Documented(path, method, entry, FACTS[entry["operationId"].removesuffix(openapi.OLDER)])
    for path, item in DOC["paths"].items()
    for method, entry in item.items()
]
by_operation = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)


def resolved(ref: str) -> Any:
    found: Any = DOC
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def nodes(node: Any, *, properties: bool = False) -> Iterator[dict[str, Any]]:
    """Every object of the document, but none inside an example; `properties` may have any name."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if properties or key not in ("example", "examples", "default"):
                yield from nodes(value, properties=key == "properties")
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def shown(node: dict[str, Any]) -> list[Any]:
    """The examples beside a schema: of a parameter, a header or a body."""
    named = node.get("examples", {})
    return [*([node["example"]] if "example" in node else []), *(entry["value"] for entry in named.values())]
