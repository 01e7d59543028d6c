"""Reading `.sql` files, whose statements each begin with `-- name: …`."""

from __future__ import annotations

import re
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
