"""Reading `.sql` files, whose statements each begin with `-- name: …`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

_BLOCK: Final = re.compile(r"^-- name: *([a-z_]+) *\n", re.MULTILINE)


def load(package: str, name: str) -> str:
    """The text of one `.sql` file of a package."""
    return files(package).joinpath(name).read_text(encoding="utf-8")


def blocks(package: str, name: str) -> dict[str, str]:
    """The named statements of one `.sql` file."""
    parts = _BLOCK.split(load(package, name))
    return dict(zip(parts[1::2], (part.strip().rstrip(";") for part in parts[2::2]), strict=True))


def plain(block: str) -> str:
    """A block without its comments."""
    return "\n".join(line for line in block.splitlines() if not line.startswith("--"))


def nested(block: str, parts: Mapping[str, str]) -> str:
    """A block with parts in place of their `{name}`, and in these the parts that they name in turn."""
    for name, part in parts.items():
        if f"{{{name}}}" in block:
            block = block.replace(f"{{{name}}}", nested(part, parts))
    return block
