"""The OpenAPI document, and ways through it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest

from runlake.api import openapi
from runlake.api.openapi import OPERATIONS

DOC: Final = openapi.document()
by_operation = pytest.mark.parametrize("op", OPERATIONS, ids=lambda op: op.name)


def resolved(ref: str) -> Any:
    found: Any = DOC
    for part in ref.removeprefix("#/").split("/"):
        found = found[part]
    return found


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Every object of the document, but none inside an example."""
    if isinstance(node, dict):
        yield node
        for key, value in node.items():
            if key not in ("example", "examples", "default"):
                yield from nodes(value)
    elif isinstance(node, list):
        for value in node:
            yield from nodes(value)


def shown(node: dict[str, Any]) -> list[Any]:
    """The examples beside a schema: of a parameter, a header or a body."""
    named = node.get("examples", {})
    return [*([node["example"]] if "example" in node else []), *(entry["value"] for entry in named.values())]
