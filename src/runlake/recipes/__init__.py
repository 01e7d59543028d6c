"""Recipes: SELECTs that make runs of what other systems export. Each is a file of SQL, whose comment begins with the
command that makes the export, or its API.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from runlake import statements

_PACKAGE: Final = "runlake.recipes"
_ENDING: Final = ".sql"
NAMES: Final = tuple(
    sorted(file.name.removesuffix(_ENDING) for file in files(_PACKAGE).iterdir() if file.name.endswith(_ENDING))
)


def text(name: str) -> str:
    """The SQL of one of NAMES, comment included."""
    return statements.load(_PACKAGE, f"{name}{_ENDING}")


def about(name: str) -> str:
    """The first line of its comment."""
    return text(name).splitlines()[0].removeprefix("-- ").rstrip(":")
