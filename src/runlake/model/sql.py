"""SQL over HTTP: a query, its answer, and what it may name."""

from __future__ import annotations

from typing import Annotated, Any, Final

from msgspec import Meta, Struct

from runlake.model.runs import doc

MAX_ROWS: Final = 10_000
MAX_SQL_SECONDS: Final = 60
MAX_SQL: Final = 100_000  # characters


class SqlQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """The JSON body of POST /sql."""

    query: Annotated[str, Meta(min_length=1, max_length=MAX_SQL), doc("One SELECT, in the SQL of DuckDB.")]
    limit: Annotated[int, Meta(ge=0, le=MAX_ROWS), doc("Rows of a JSON answer, at most. Other answers are whole.")] = (
        1000
    )
    timeout_seconds: Annotated[
        float, Meta(gt=0, le=MAX_SQL_SECONDS), doc("When the query is ended, its answer included.")
    ] = 30


class SqlColumn(Struct, frozen=True):
    """A column of a result."""

    name: Annotated[str, doc("As the query names it.")]
    type: Annotated[str, doc("Its type in DuckDB.", "BIGINT")]


class SqlAnswer(Struct, frozen=True):
    """The rows of a result: each is the list of its values, in the order of the columns."""

    columns: Annotated[list[SqlColumn], doc("In their order; several may have one name.")]
    rows: Annotated[list[list[Any]], doc("Values as `runlake sql --format json` writes them.")]
    row_count: Annotated[int, doc("Rows of this answer.")]
    truncated: Annotated[bool, doc("Whether the result has more rows: past `limit`, or past 64 MiB.")]
    elapsed_ms: Annotated[float, doc("Milliseconds from the query to the last of these rows.")]
    snapshot: Annotated[int, doc("The snapshot of the lake that was asked.")]


class RelationColumn(Struct, frozen=True):
    """A column of a relation."""

    name: Annotated[str, doc("Its name.")]
    type: Annotated[str, doc("Its type in DuckDB.", "BIGINT")]
    doc: Annotated[str, doc("What it holds.")]


class Relation(Struct, frozen=True):
    """A relation that a query may name."""

    name: Annotated[str, doc("Its name.", "runs")]
    doc: Annotated[str, doc("What it holds.")]
    columns: Annotated[list[RelationColumn], doc("Its columns, in their order.")]


class Macro(Struct, frozen=True):
    """A macro that a query may call."""

    name: Annotated[str, doc("Its name.", "error_group")]
    parameters: Annotated[list[str], doc("The names of its parameters.", ["error"])]
    doc: Annotated[str, doc("What it makes of them.")]


class SqlExample(Struct, frozen=True):
    """A query to begin with."""

    title: Annotated[str, doc("What it asks.")]
    sql: Annotated[str, doc("Its text.")]


class SqlSchema(Struct, frozen=True):
    """What queries may name, and some to begin with."""

    relations: Annotated[list[Relation], doc("All relations.")]
    macros: Annotated[list[Macro], doc("Macros, besides the functions of DuckDB.")]
    examples: Annotated[list[SqlExample], doc("Queries.")]
