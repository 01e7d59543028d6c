"""Tables with columns of any type become a Batch: Arrow bodies, and the files of an import.

The rules are the macros of intake.sql; this module chooses the macro of each field by the type of its column.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Sequence
from importlib.resources import files
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from runlake import duck, times
from runlake.columns import ARROW, NAMES
from runlake.errors import BadInput, FieldError
from runlake.ids import mint
from runlake.intake import messages, outputs
from runlake.intake.batch import NEEDS_ID, Batch, Rejected, Split, uuid_array
from runlake.intake.records import MAX_ERRORS
from runlake.model import MAX_BATCH, MAX_DEPTH, MAX_OWNER, MAX_RECORD_BYTES

_TIME_TYPES: Final = (
    "TIMESTAMP",
    "TIMESTAMP_S",
    "TIMESTAMP_MS",
    "TIMESTAMP_NS",
    "TIMESTAMP WITH TIME ZONE",
    "DATE",
)
_INTEGERS: Final = tuple(
    f"{u}{size}" for u in ("", "U") for size in ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
)
_NUMBERS: Final = (*_INTEGERS, "FLOAT", "DOUBLE")
# Nanoseconds in a unit of each Arrow time type that is not in microseconds.
_NANOS: Final = {
    "timestamp[s": 10**9,
    "timestamp[ms": 10**6,
    "timestamp[ns": 1,
    "date32[day": 86_400 * 10**9,
    "date64[ms": 10**6,
}
_SLICE: Final = 16_384  # texts whose brackets are counted at once
# Columns that an import ignores: the run time, which is derived, and the index of a pandas data frame.
_IGNORED: Final = re.compile(r"run_at|__index_level_[0-9]+__")
_EARLIER: Final = "is earlier than started_at"


class Tables:
    """Checks tables against the rules. It owns a DuckDB instance, so each thread needs its own Tables."""

    def __init__(self, *, threads: int = 1, memory_limit: str = "1GB") -> None:
        self._con = duck.connect(threads=threads, memory_limit=memory_limit)
        self._con.execute("SET VARIABLE iso = $iso", {"iso": times.PATTERN})
        self._con.execute(files("runlake.intake").joinpath("intake.sql").read_text())

    def batch(self, table: pa.Table) -> Batch:
        """The Batch of a table, for POST; raises BadInput, which names index and field of invalid rows."""
        if not 1 <= table.num_rows <= MAX_BATCH:
            raise BadInput.of("runs", f"a batch holds 1 to {MAX_BATCH} records, not {table.num_rows}")
        split = self.split(table)
        if split.rejected:
            raise BadInput([bad.error for bad in split.rejected[:MAX_ERRORS]])
        return split.batch

    def split(self, table: pa.Table, *, id_required: bool = False) -> Split:
        """The valid and the rejected rows; raises BadInput when the columns themselves are wrong.

        `id_required` is for an import, which also ignores some columns that other programs add.
        """
        if id_required:
            table = table.select([at for at, name in enumerate(table.column_names) if not _IGNORED.fullmatch(name)])
        check_columns(table.column_names, id_required=id_required)
        given = table
        table, bad_times = _in_micros(table)
        clean = self._clean(table)
        broken = [_broken(int(row), clean, given) for row in np.flatnonzero(clean["problem"].is_valid())]
        # One reason for each row, the first one that was found.
        rejected = {r.row: r for r in reversed([*bad_times, *broken, *_too_deep(clean["output"])])}
        keep = np.ones(clean.num_rows, dtype=np.bool_)
        if rejected:
            keep[list(rejected)] = False
            clean = clean.filter(pa.array(keep))
        return Split(_finish(clean), np.flatnonzero(keep), [rejected[row] for row in sorted(rejected)])

    def _clean(self, table: pa.Table) -> pa.Table:
        with duck.translated("checking the rows"):
            try:
                return self._checked(table)
            except duck.UNREADABLE:
                wrong = [name for name in table.column_names if not self._is_readable(table.select([name]))]
                if not wrong:
                    raise
                kinds = [FieldError(name, f"cannot be read from {table.schema.field(name).type}") for name in wrong]
                raise BadInput(kinds) from None

    def _is_readable(self, column: pa.Table) -> bool:
        try:
            self._checked(column)
        except duck.UNREADABLE:
            return False
        return True

    def _checked(self, table: pa.Table) -> pa.Table:
        self._con.register("incoming", table)
        try:
            kinds = {str(n): str(t) for n, t, *_ in self._con.execute("DESCRIBE incoming").fetchall()}
            same = {name for name in table.column_names if _is_clean(table, name)}
            made = self._con.execute(_statement(kinds, same)).to_arrow_table()
        finally:
            self._con.unregister("incoming")
        for name in same:
            made = made.append_column(ARROW.field(name), table[name])
        return made


def _broken(row: int, clean: pa.Table, given: pa.Table) -> Rejected:
    """The rejection of a row for its problem; a problem of one value shows that value as it was given."""
    field, reason = clean["problem"][row].as_py().split(": ", 1)
    if reason == _EARLIER:
        finished, started = (clean[name].cast(pa.int64())[row].as_py() for name in (field, "started_at"))
        reason = f"{times.to_text(finished)} {reason}, {times.to_text(started)}"
    return Rejected(row, field, reason or messages.refused(field, messages.value_at(given[field], row)))


def _in_micros(table: pa.Table) -> tuple[pa.Table, list[Rejected]]:
    """The table with times in microseconds, rounded down, and the rows whose time is out of range.

    DuckDB would round nanoseconds towards zero, which moves 1969 into 1970, and would end the whole query for a time
    in seconds or milliseconds that is too large for its type.
    """
    rejected: list[Rejected] = []
    for place, field in enumerate(table.schema):
        column = table.column(place)
        unit = _NANOS.get(str(field.type).split(",")[0].rstrip("]"))
        if unit is None:
            continue
        values = np.asarray(pc.fill_null(_integers(column), 0))
        wrong = (values < 0) | (values > times.MAX_US * 1000 // unit)
        rejected += [
            Rejected(int(row), field.name, messages.refused(field.name, messages.value_at(column, int(row))))
            for row in np.flatnonzero(wrong)
        ]
        values = np.where(wrong, 0, values)
        micros = values // 1000 if unit == 1 else values * (unit // 1000)
        # Compare types to see whether there is a zone: reading `tz` fails for a name that is not UTF-8.
        zone = "UTC" if pa.types.is_timestamp(field.type) and field.type != pa.timestamp(field.type.unit) else None
        cut = pa.array(micros, mask=np.asarray(column.is_null()) | wrong).cast(pa.timestamp("us", zone))
        table = table.set_column(place, field.name, cut)
    return table, rejected


def _integers(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The integers of a column of times, in its unit: days for date32, milliseconds for date64."""
    return column.cast(pa.int32()).cast(pa.int64()) if pa.types.is_date32(column.type) else column.cast(pa.int64())


def check_columns(names: Sequence[str], *, id_required: bool = False) -> None:
    """Raise BadInput for columns that are unknown, given twice or missing."""
    errors = [FieldError(n, "unknown field") for n in names if n not in NAMES]
    errors += [FieldError(n, "given twice") for n in NAMES if names.count(n) > 1]
    if "task_id" not in names:
        errors.append(FieldError("task_id", "missing required field"))
    if id_required and "id" not in names:
        errors.append(FieldError("id", NEEDS_ID))
    if errors:
        raise BadInput(errors, hint=f"columns are {', '.join(NAMES)}")


def _is_clean(table: pa.Table, name: str) -> bool:
    """Whether a column has the stored type and only valid values: then the SQL rules need not run on it."""
    column, wanted = table[name], ARROW.field(name).type
    if name == "output" or column.type != wanted or (name in ("attempt", "created_at") and column.null_count):
        return False
    if not pa.types.is_timestamp(wanted) or column.null_count == len(column):
        return True
    ends = pc.min_max(column.cast(pa.int64())).as_py()
    return bool(ends["min"] >= 0 and ends["max"] <= times.MAX_US)


def _statement(kinds: dict[str, str], same: Container[str]) -> str:
    """The SELECT that checks columns of these DuckDB types; made of our own constants only.

    It yields all columns of a run but those in `same`, and `problem`: the first one of the row, or NULL.
    """
    values, broken = [], []
    for column in ARROW:
        name, wanted = column.name, _sql_type(column.name)
        if name not in kinds:
            values.append(f'CAST(NULL AS {"VARCHAR" if wanted == "JSON" else wanted}) AS "{name}"')
            continue
        macro = _macro(wanted, kinds[name])
        if name in same:
            values.append(f'"{name}"')
            continue
        values.append(f'{macro} AS "{name}"'.replace("$x", f'"{name}"'))
        broken.append(f"WHEN was_{name} AND \"{name}\" IS NULL THEN '{name}: '")
    flags = [f'"{name}" IS NOT NULL AS was_{name}' for name in NAMES if name in kinds and name not in same]
    typed = f"SELECT {', '.join(values + flags)} FROM incoming"  # noqa: S608 - our own constants
    problem = f"CASE {' '.join(broken)} {_ROW_RULES} END AS problem"
    chosen = [_DEFAULTS.get(name, f'"{name}"') for name in NAMES if name not in same]
    return f"SELECT {', '.join([*chosen, problem])} FROM ({typed})"  # noqa: S608


# JSON null is no value. A run without any time gets the time of receipt in _finish.
_DEFAULTS: Final = {
    "output": "nullif(output, 'null') AS output",
    "attempt": "coalesce(attempt, 1) AS attempt",
    "created_at": "coalesce(created_at, started_at, finished_at) AS created_at",
}

_ROW_RULES: Final = f"""
    WHEN task_id IS NULL THEN 'task_id: must not be null'
    WHEN length(lease_owner) > {MAX_OWNER} THEN 'lease_owner: '
    WHEN attempt < 1 THEN 'attempt: '
    WHEN (finished_at IS NULL) <> (success IS NULL) THEN 'success: must be set exactly when finished_at is set'
    WHEN finished_at < started_at THEN 'finished_at: {_EARLIER}'
    WHEN coalesce(strlen("error"), 0) + coalesce(strlen(output), 0) + coalesce(strlen(lease_owner), 0)
         > {MAX_RECORD_BYTES} THEN ': a record is at most {MAX_RECORD_BYTES} bytes'
"""


def _sql_type(name: str) -> str:
    if name == "output":
        return "JSON"
    kind = ARROW.field(name).type
    rules: list[tuple[Callable[[pa.DataType], bool], str]] = [
        (pa.types.is_timestamp, "TIMESTAMPTZ"),
        (pa.types.is_boolean, "BOOLEAN"),
        (pa.types.is_integer, "INTEGER"),
        (pa.types.is_string, "VARCHAR"),
    ]
    return next((sql for test, sql in rules if test(kind)), "UUID")


def _macro(wanted: str, given: str) -> str:  # noqa: PLR0911 - one line for each type
    """The SQL expression that converts a column ($x) of type `given` to `wanted`; NULL where that is not possible."""
    text = given == "VARCHAR" or given.startswith("ENUM")
    if wanted == "JSON" and given in ("BLOB", "BIT"):
        return "CAST(NULL AS JSON)"  # DuckDB would convert it to a text with escapes
    if wanted == "JSON":
        return "json_of_text(CAST($x AS VARCHAR))" if text or given == "JSON" else "json_of_value($x)"
    if wanted == "VARCHAR" and text:
        return "CAST($x AS VARCHAR)"
    if wanted == given:
        return "$x"
    if text:
        return {"UUID": "uuid_of_text", "TIMESTAMPTZ": "time_of_text", "INTEGER": "int_of_text"}.get(
            wanted, "bool_of_text"
        ) + "(CAST($x AS VARCHAR))"
    if wanted == "UUID" and given == "BLOB":
        return "uuid_of_blob($x)"
    if wanted == "TIMESTAMPTZ" and given in _TIME_TYPES:
        return "time_of_moment($x)"
    if wanted == "INTEGER" and given in _INTEGERS:
        return "TRY_CAST($x AS INTEGER)"
    if wanted in ("INTEGER", "BOOLEAN") and (given in _NUMBERS or given.startswith("DECIMAL")):
        return "int_of_number($x)" if wanted == "INTEGER" else "bool_of_number($x)"
    return f"CAST(NULL AS {wanted})"


def _too_deep(output: pa.ChunkedArray) -> list[Rejected]:
    """Rejections of rows whose output nests too deep. Only outputs with many opening brackets are examined."""
    reason = f"nests deeper than {MAX_DEPTH} levels"
    counts = [_brackets(chunk.slice(i, _SLICE)) for chunk in output.chunks for i in range(0, len(chunk), _SLICE)]
    rows = np.flatnonzero(np.concatenate([np.zeros(0, dtype=np.intp), *counts]) > MAX_DEPTH)
    deep = [int(row) for row in rows if outputs.depth(output[int(row)].as_py() or "") > MAX_DEPTH]
    return [Rejected(row, "output", reason) for row in deep]


def _brackets(texts: pa.StringArray) -> npt.NDArray[np.intp]:
    """The number of opening brackets in each text. Counting [ and { in two passes takes ten times as long."""
    _, offsets, content = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)[texts.offset :][: len(texts) + 1]
    letters = np.frombuffer(content or b"", np.uint8)[ends[0] : ends[-1]]
    at = np.flatnonzero(letters | (ord("[") ^ ord("{")) == ord("{"))  # [ and { differ in one bit
    return np.asarray(np.diff(np.searchsorted(at, ends - ends[0])))


def _finish(clean: pa.Table) -> Batch:
    """The Batch of checked columns, with new ids and the time of receipt where they are missing."""
    created = clean["created_at"]
    received = np.asarray(created.is_null())
    if created.null_count:
        created = pc.fill_null(created, pa.scalar(times.now(), pa.int64()).cast(pa.timestamp("us", "UTC")))
    columns = {"id": _with_ids(clean["id"]), "created_at": created}
    return Batch(pa.table([columns.get(n, clean[n]) for n in NAMES], schema=ARROW), received)


def _with_ids(ids: pa.ChunkedArray) -> pa.ChunkedArray:
    if ids.null_count == 0:
        return ids
    given = ids.to_pylist()
    return pa.chunked_array([uuid_array(b"".join([(value or mint()).bytes for value in given]))])
