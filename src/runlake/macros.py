"""The macros of macros.sql, as CREATE MACRO statements."""

from __future__ import annotations

from typing import Final

from runlake import statements

_PARAMETERS: Final = {"duration_bucket": "us", "error_parts": "error", "error_group": "error"}


_BLOCKS: Final = {name: statements.plain(text) for name, text in statements.blocks("runlake", "macros.sql").items()}


def definitions(schema: str = "") -> list[str]:
    """The statements that create all macros, in a schema with a dot behind it, or the current one."""
    bodies = {name: statements.nested(_BLOCKS[name], _BLOCKS) for name in _PARAMETERS}
    return [f"CREATE MACRO {schema}{name}({given}) AS {bodies[name]}" for name, given in _PARAMETERS.items()]
