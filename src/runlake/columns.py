"""The stored columns, derived from model.Run: DuckDB types for the DDL, and the Arrow schema."""

from __future__ import annotations

from typing import Final

import msgspec
import pyarrow as pa
from msgspec import Struct

from runlake.model import Run


class Column(Struct, frozen=True):
    """One stored column: its name, DuckDB type, Arrow type and whether it may be null."""

    name: str
    sql: str
    arrow: pa.DataType
    nullable: bool


_KINDS: Final[dict[type, tuple[str, pa.DataType]]] = {
    msgspec.inspect.UUIDType: ("UUID", pa.uuid()),
    msgspec.inspect.StrType: ("VARCHAR", pa.string()),
    msgspec.inspect.DateTimeType: ("TIMESTAMPTZ", pa.timestamp("us", "UTC")),
    msgspec.inspect.BoolType: ("BOOLEAN", pa.bool_()),
    msgspec.inspect.IntType: ("INTEGER", pa.int32()),
    msgspec.inspect.RawType: ("VARCHAR", pa.string()),
}


def _column(field: msgspec.inspect.Field) -> Column:
    options = alternatives(field.type)
    nullable = any(isinstance(o, msgspec.inspect.NoneType | msgspec.inspect.RawType) for o in options)
    kind = next(o for o in options if not isinstance(o, msgspec.inspect.NoneType))
    sql, arrow = _KINDS[type(kind)]
    return Column(field.name, sql, arrow, nullable)


def alternatives(kind: msgspec.inspect.Type) -> list[msgspec.inspect.Type]:
    """The member types of a union, or the type itself; without metadata."""
    if isinstance(kind, msgspec.inspect.Metadata):
        return alternatives(kind.type)
    if isinstance(kind, msgspec.inspect.UnionType):
        return [leaf for option in kind.types for leaf in alternatives(option)]
    return [kind]


_RUN_INFO = msgspec.inspect.type_info(Run)
assert isinstance(_RUN_INFO, msgspec.inspect.StructType)  # noqa: S101 - narrows the type once, at import

COLUMNS: Final[tuple[Column, ...]] = tuple(_column(field) for field in _RUN_INFO.fields)
NAMES: Final[tuple[str, ...]] = tuple(column.name for column in COLUMNS)
RUN_AT: Final = Column("run_at", "TIMESTAMPTZ", pa.timestamp("us", "UTC"), False)
RUN_TIME: Final = "coalesce(started_at, created_at)"  # the run time of a row, in SQL; see lake.rows.run_times
ARROW: Final[pa.Schema] = pa.schema([pa.field(c.name, c.arrow, c.nullable) for c in COLUMNS])
STORED: Final[pa.Schema] = ARROW.append(pa.field(RUN_AT.name, RUN_AT.arrow, RUN_AT.nullable))

NUMBERED: Final[pa.Schema] = ARROW.append(pa.field("row", pa.int64()))  # with the position of the row in its batch
# Without `output`, and with the place of the row in the order of commits.
CHANGED: Final[pa.Schema] = pa.schema([field for field in ARROW if field.name != "output"]).append(
    pa.field("place", pa.int32())
)
# What people call a task, see model.TaskName.
NAMED: Final[pa.Schema] = pa.schema(
    [
        pa.field("task_id", pa.uuid()),
        pa.field("name", pa.string()),
        pa.field("tags", pa.list_(pa.string())),
        pa.field("url", pa.string()),
    ]
)
# Records as JSON texts, which an import checks as POST does. No SELECT yields this type: DuckDB exports smaller ones.
TEXTS: Final[pa.Schema] = pa.schema([("json_record", pa.large_binary())])


def ddl(*extra: Column) -> str:
    """The column list of CREATE TABLE for a run, followed by further columns."""
    return ", ".join(f'"{c.name}" {c.sql}{"" if c.nullable else " NOT NULL"}' for c in (*COLUMNS, *extra))


def select_list() -> str:
    """The columns of a run as a SELECT list."""
    return ", ".join(f'"{name}"' for name in NAMES)
