"""The macros of macros.sql, as CREATE MACRO statements."""

from __future__ import annotations

from typing import Final

from runlake import statements

_PARAMETERS: Final = {"duration_bucket": "us", "error_parts": "error", "error_group": "error"}


def _plain(block: str) -> str:
    """A block without its comments."""
    return "\n".join(line for line in block.splitlines() if not line.startswith("--"))


_BLOCKS: Final = {name: _plain(text) for name, text in statements.blocks("runlake", "macros.sql").items()}


def _nested(text: str) -> str:
    """A text with other blocks in place of their `{name}`."""
    for name, block in _BLOCKS.items():
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", _nested(block))
    return text


def definitions(schema: str = "") -> list[str]:
    """The statements that create all macros, in a schema with a dot behind it, or the current one."""
    return [f"CREATE MACRO {schema}{name}({given}) AS {_nested(_BLOCKS[name])}" for name, given in _PARAMETERS.items()]
