"""What a query may name, as GET /sql/schema answers it: DuckDB says it itself, of a lake without runs."""

from __future__ import annotations

from functools import cache
from itertools import groupby
from tempfile import TemporaryDirectory
from typing import Any, Final

import msgspec

from runlake import statements
from runlake.inspect import relations
from runlake.model import Macro, Relation, RelationColumn, Run, SqlExample, SqlSchema, TaskName
from runlake.settings import Settings

SQL: Final = {name: statements.plain(text) for name, text in statements.blocks("runlake.inspect", "schema.sql").items()}
_EXAMPLES: Final = statements.blocks("runlake.inspect", "examples.sql")
_RELATIONS: Final = {
    "runs": "All runs.",
    "finished_runs": "Runs that have finished: they never change.",
    "open_runs": "Runs that have not: queued, running or lost.",
    "task_names": "What people call tasks; a task without a name is not in it.",
}
_MACROS: Final = {
    "error_group": "The group of alike errors that a text belongs to, as `GET /errors` names it.",
    "duration_bucket": "The bucket of a duration in microseconds: each is 2 % wide.",
}


@cache
def schema() -> SqlSchema:
    """The relations, macros and examples of this version."""
    with TemporaryDirectory(prefix="runlake-") as temp, relations.sandbox(relations.NOTHING, Settings(), temp) as box:
        columns, macros = (box.run(SQL[name], timeout=None).read_all().to_pylist() for name in ("columns", "macros"))
    found = {relation: list(rows) for relation, rows in groupby(columns, key=lambda row: row["relation"])}
    return SqlSchema(
        [Relation(name, words, [_column(row) for row in found[name]]) for name, words in _RELATIONS.items()],
        [Macro(row["name"], row["parameters"], _MACROS[row["name"]]) for row in macros],
        [
            SqlExample(text.partition("\n")[0].removeprefix("-- "), statements.plain(text))
            for text in _EXAMPLES.values()
        ],
    )


def _column(row: dict[str, Any]) -> RelationColumn:
    return RelationColumn(row["name"], row["type"], _COLUMNS[row["name"]])


def _descriptions(kind: type[msgspec.Struct]) -> dict[str, str]:
    """The description of each field of a Struct."""
    (found,) = msgspec.json.schema_components([kind], schema_hook=lambda _: {})[1].values()
    fields = {name: [field, *field.get("anyOf", [])] for name, field in found["properties"].items()}
    return {
        name: next(part["description"] for part in parts if "description" in part) for name, parts in fields.items()
    }


_COLUMNS: Final = {
    **_descriptions(TaskName),
    **_descriptions(Run),
    "error": "Error message.",
    "run_at": "The run time: `started_at`, or `created_at` of a run that has not started.",
}
