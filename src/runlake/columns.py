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
    """The alternatives of a type, metadata and unions opened."""
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
ARROW: Final[pa.Schema] = pa.schema([pa.field(c.name, c.arrow, c.nullable) for c in COLUMNS])
STORED: Final[pa.Schema] = ARROW.append(pa.field(RUN_AT.name, RUN_AT.arrow, RUN_AT.nullable))

NUMBERED: Final[pa.Schema] = ARROW.append(pa.field("row", pa.int64()))  # with the row's place in its batch
# Records to be judged as POST judges them, a JSON text each. No SELECT gives such a table: DuckDB's binary is smaller.
TEXTS: Final[pa.Schema] = pa.schema([("json_record", pa.large_binary())])


def ddl(*extra: Column) -> str:
    """The column list of CREATE TABLE for a run, with further columns behind it."""
    return ", ".join(f'"{c.name}" {c.sql}{"" if c.nullable else " NOT NULL"}' for c in (*COLUMNS, *extra))


def select_list(prefix: str = "") -> str:
    """The run's columns as a SELECT list."""
    return ", ".join(f'{prefix}"{name}"' for name in NAMES)
