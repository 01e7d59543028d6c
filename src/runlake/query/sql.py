"""The statements of lists, details and the state by name, with the columns of a run in their places.

`{name}` in a statement stands for a constant below or for another block. Only `{branches}` is filled in later, with
blocks, by Union. Values are always bound.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from runlake import statements
from runlake.columns import COLUMNS, select_list

_PARAMETER: Final = re.compile(r"\$([a-z_]+[0-9]*)")
_CONSTANTS: Final = {
    "run": select_list(),
    # In lists `error` is read only where it is asked.
    "listed": select_list().replace('"error"', 'CASE WHEN $errors THEN "error" END AS "error"'),
    # Python makes datetimes of microseconds faster than DuckDB does.
    "shown": ", ".join(f'epoch_us("{c.name}")' if c.sql == "TIMESTAMPTZ" else f'"{c.name}"' for c in COLUMNS),
}


def _statements() -> dict[str, str]:
    blocks = statements.blocks("runlake.query", "sql/locate.sql") | statements.blocks("runlake.query", "sql/runs.sql")
    found = {name: _filled(block, _CONSTANTS | blocks) for name, block in blocks.items()}
    return found | {"state": statements.load("runlake.query", "sql/state.sql").strip()}


def _filled(text: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        if f"{{{name}}}" in text:
            text = text.replace(f"{{{name}}}", _filled(part, parts))
    return text


SQL: Final = _statements()


class Union:
    """Blocks that a statement puts together, in place of its `{branches}`, and the values of their parameters."""

    def __init__(self, known: Mapping[str, Any]) -> None:
        self._known = dict(known)
        self._branches: list[str] = []

    def add(self, block: str, **values: Any) -> None:
        """Add a block, with values of its own for some of its parameters."""
        text, number = SQL[block], len(self._branches)
        for name, value in values.items():
            text = re.sub(rf"\${name}\b", f"${name}{number}", text)
            self._known[f"{name}{number}"] = value
        self._branches.append(text)

    def within(self, block: str | None = None) -> tuple[str, dict[str, Any]]:
        """The statement, or the branches alone, and those values that it names: DuckDB refuses others."""
        statement = "\nUNION ALL BY NAME\n".join(self._branches)
        if block is not None:
            statement = SQL[block].replace("{branches}", statement)
        return statement, {name: self._known[name] for name in _PARAMETER.findall(statement)}
