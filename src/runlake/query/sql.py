"""The statements of `sql/*.sql` by name, with the columns of a run in their places.

`{name}` in a statement stands for a constant below or for another block. What is left in braces is filled in by the
question: blocks by Union, spans by windows.py. Values are parameters, `$name`; engine.py writes them out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from runlake import statements
from runlake.columns import COLUMNS, RUN_TIME, select_list

_PARAMETER: Final = re.compile(r"\$([a-z_]+[0-9]*)")
_CONSTANTS: Final = {
    "run": select_list(),
    "run_time": RUN_TIME,
    # Python makes datetimes of microseconds faster than DuckDB does.
    "shown": ", ".join(f'epoch_us("{c.name}")' if c.sql == "TIMESTAMPTZ" else f'"{c.name}"' for c in COLUMNS),
}

_OF_SERVING: Final = ("percentile", "sequence")  # files of that room which questions use too
_FILES: Final = (
    *("state", "filters", "locate", "runs"),
    *("statistics", "summary", "histogram", "durations"),
    *("names", "errors", "spark", "owners", "breakdown", "context", "tasks"),
    "export",
    "changes",
)


def filled(text: str, **parts: object) -> str:
    """A statement with these in place of their `{name}`."""
    for name, part in parts.items():
        text = text.replace(f"{{{name}}}", str(part))
    return text


def _statements() -> dict[str, str]:
    blocks: dict[str, str] = {}
    for name in _OF_SERVING:
        blocks |= statements.blocks("runlake.serving", f"{name}.sql")
    for name in _FILES:
        blocks |= statements.blocks("runlake.query", f"sql/{name}.sql")
    parts = _CONSTANTS | {name: statements.plain(block) for name, block in blocks.items()}
    return {name: statements.nested(block, parts) for name, block in blocks.items()}


SQL: Final = _statements()


class Union:
    """Blocks that a statement puts together, in place of its `{branches}`; the values of their parameters, and what
    stands in their braces.
    """

    def __init__(self, known: Mapping[str, Any], **parts: str) -> None:
        self._known, self._parts = dict(known), parts
        self._branches: list[str] = []
        self._others: dict[str, list[str]] = {}
        self._count = 0

    def add(
        self, block: str, rows: str | None = None, *, within: str | None = None, into: str = "", **values: Any
    ) -> None:
        """Add a block, with values of its own for some of its parameters; `rows` is the block in its `{rows}`, `within`
        the condition in its `{within}`.

        With `into` it stands in place of `{<into>_branches}`, and not with the others.
        """
        text = SQL[block] if rows is None else filled(SQL[block], rows=SQL[rows])
        text, number = filled(text, **self._parts, within=within), self._count
        self._count += 1
        for name, value in values.items():
            text = re.sub(rf"\${name}\b", f"${name}{number}", text)
            self._known[f"{name}{number}"] = value
        (self._others.setdefault(into, []) if into else self._branches).append(text)

    def add_all(self, branches: Iterable[tuple[str, Mapping[str, Any]]], *, into: str = "", **values: Any) -> None:
        """Add blocks, each with values of its own and with these."""
        for block, own in branches:
            self.add(block, into=into, **own, **values)

    def use(self, **parts: str) -> None:
        """From now on these stand in the braces of what is added."""
        self._parts |= parts

    @property
    def has_branches(self) -> bool:
        """Whether anything was added."""
        return bool(self._branches)

    def within(self, block: str | None = None, *, by_name: bool = True) -> tuple[str, dict[str, Any]]:
        """The statement, or the branches alone, and the values of the parameters that it names.

        Columns of the branches are put together by their names, or by their places.
        """
        statement = f"\nUNION ALL{' BY NAME' if by_name else ''}\n".join(self._branches)
        if block is not None:
            statement = filled(SQL[block], **self._parts).replace("{branches}", statement)
        for name, others in self._others.items():
            statement = statement.replace(f"{{{name}_branches}}", "\nUNION ALL\n".join(others))
        return statement, {name: self._known[name] for name in _PARAMETER.findall(statement)}

    def of(self, block: str) -> tuple[str, dict[str, Any]]:
        """One block alone as a statement, and the values of the parameters that it names."""
        statement = filled(SQL[block], **self._parts)
        return statement, {name: self._known[name] for name in _PARAMETER.findall(statement)}
