"""The macros of macros.sql, as statements that create them."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

from runlake import statements

_PARAMETERS: Final = {"duration_bucket": "us", "error_parts": "error", "error_group": "error"}
_BLOCKS: Final = {name: statements.plain(text) for name, text in statements.blocks("runlake", "macros.sql").items()}


def definitions(schema: str = "") -> list[str]:
    """The statements that create all macros, in a schema with a dot behind it, or the current one, or put them in place
    of others of their names.
    """
    bodies = {name: statements.nested(_BLOCKS[name], _BLOCKS) for name in _PARAMETERS}
    return [f"CREATE OR REPLACE MACRO {schema}{name}({given}) AS {bodies[name]}" for name, given in _PARAMETERS.items()]


# Other texts have another mark. What is kept of their answers is made anew where the mark is another one.
MARK: Final = f"macros {blake2b(''.join(definitions()).encode(), digest_size=8).hexdigest()}"
