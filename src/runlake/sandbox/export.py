"""Query results as bytes: table, csv, json, ndjson, parquet or arrow, batch by batch in bounded memory.

Text is made column by column. `_text` says how a value reads (NULL stays null), `_json` how it stands in JSON
(null is the word `null`); a whole row is the JSON of a struct.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from itertools import count, pairwise
from typing import Any, BinaryIO, Final

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from msgspec import Struct
from rich.cells import cell_len

from runlake.errors import SqlError, UsageError

_SLICE_BYTES: Final = 16 * 2**20  # how much is turned into text at once
_GROUP_ROWS: Final = 122_880
_GROUP_BYTES: Final = 64 * 2**20
_PAD: Final = 60  # a longer cell is written whole but does not widen its column
_FIRST_DAY: Final = (date(1, 1, 1) - date(1970, 1, 1)).days
_LAST_DAY: Final = (date(9999, 12, 31) - date(1970, 1, 1)).days
_ESCAPES: Final = {c: repr(chr(c))[1:-1] for c in (*range(32), *range(127, 160), 0x2028, 0x2029)}
_encode: Final = msgspec.json.Encoder().encode
_check: Final = msgspec.json.Decoder(msgspec.Raw).decode


def write(reader: pa.RecordBatchReader, form: str, out: BinaryIO, *, max_table_rows: int = 1000) -> int:
    """Write the whole result in one of `FORMS` and return the number of rows written.

    `table` stops after `max_table_rows` and says so. `out` is neither closed nor sought.
    Columns of one name are numbered (`n`, `n_1`). What has no JSON form becomes text: intervals as ISO 8601
    durations, blobs as hexadecimal digits; so do intervals and unions in Parquet. NaN and infinities are
    null in JSON. Times with a zone end in `Z`, times without one in nothing.
    Raises UsageError for another form, SqlError for a value that no form can hold, and what `reader` raises.
    """
    if form not in FORMS:
        raise UsageError(f"unknown format {form}", hint=f"one of {', '.join(FORMS)}")
    named = _named(reader)
    return _table(named, out, max_table_rows) if form == "table" else _WRITERS[form](named, out)


def _named(reader: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """The same rows under distinct names."""
    given = reader.schema.names
    names: list[str] = []
    for name in given:
        numbered = (f"{name}_{n}" for n in count(1))
        names.append(name if name not in names else next(n for n in numbered if n not in (*given, *names)))
    if names == given:
        return reader
    schema = pa.schema([field.with_name(name) for name, field in zip(names, reader.schema, strict=True)])
    renamed = (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in reader)
    return pa.RecordBatchReader.from_batches(schema, renamed)


def _slices(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """The rows in parts of bounded size, for a batch of large values grows a lot as text."""
    for batch in reader:
        step = max(1, batch.num_rows * _SLICE_BYTES // max(1, batch.nbytes))
        for start in range(0, batch.num_rows, step):
            yield batch.slice(start, step)


def _json_form(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """One array of objects, one object a line; a column `output` of JSON texts stands in it as JSON."""
    rows = 0
    out.write(b"[")
    for part in _slices(reader):
        out.write((",\n" if rows else "\n").encode() + ",\n".join(_objects(part)).encode())
        rows += part.num_rows
    out.write(b"\n]\n" if rows else b"]\n")
    return rows


def _ndjson(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """One object a line, as in `_json_form`."""
    rows = 0
    for part in _slices(reader):
        out.writelines(f"{line}\n".encode() for line in _objects(part))
        rows += part.num_rows
    return rows


def _objects(part: pa.RecordBatch) -> list[str]:
    lines: list[str] = _members(part.schema.names, part.columns, _ready(part.schema.names)).to_pylist()
    return lines


def _ready(names: Sequence[str]) -> list[Callable[[pa.Array], pa.Array]]:
    """How each column becomes JSON: the texts of `output` are JSON."""
    return [_as_it_is if name == "output" else _json for name in names]


class Rows(Struct, frozen=True):
    """The first rows of a result: the JSON of each is a list of its values; `more` when there are others."""

    rows: list[str]
    more: bool


def rows(reader: pa.RecordBatchReader, most: int, most_bytes: int) -> Rows:
    """The first rows, at most so many, and at most so many bytes of JSON. Raises as `write`."""
    found: list[str] = []
    size = 0
    for part in _slices(reader):
        lists = _members([""] * part.num_columns, part.columns, _ready(part.schema.names))
        for row in lists.to_pylist():
            size += len(row.encode()) + 1
            if len(found) == most or size > most_bytes:
                return Rows(found, more=True)
            found.append(row)
    return Rows(found, more=False)


def _csv(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """A header and one line a row (RFC 4180); NULL is nothing, the empty text is `""`."""
    rows = 0
    null = "" if len(reader.schema) > 1 else '""'  # a blank line would be no row at all
    out.write(",".join(_quoted(pa.array(reader.schema.names, pa.string())).to_pylist()).encode() + b"\r\n")
    for part in _slices(reader):
        cells = [_quoted(_text(column)) for column in part.columns]
        lines = pc.binary_join_element_wise(*cells, ",", null_handling="replace", null_replacement=null)
        out.write("\r\n".join(lines.to_pylist()).encode() + b"\r\n")
        rows += part.num_rows
    return rows


def _quoted(cells: pa.Array) -> pa.Array:
    needed = pc.match_substring_regex(cells, r'[",\r\n]|^\s|\s$|^$')
    doubled = pc.replace_substring(cells, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), cells)


def _arrow(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """An IPC stream."""
    rows = 0
    with pa.ipc.new_stream(out, reader.schema) as stream:
        for batch in _checked(reader):
            stream.write_batch(batch)
            rows += batch.num_rows
    return rows


def _parquet(reader: pa.RecordBatchReader, out: BinaryIO) -> int:
    """One zstd file with row groups of a good size for scanning."""
    textual = [_has_no_parquet_type(field.type) for field in reader.schema]
    fields = [f.with_type(pa.string()) if t else f for f, t in zip(reader.schema, textual, strict=True)]
    schema = pa.schema(fields)
    rows = size = 0
    held: list[pa.RecordBatch] = []
    with pq.ParquetWriter(out, schema, compression="zstd") as file:
        for batch in _checked(reader):
            columns = [_text(c) if t else c for c, t in zip(batch.columns, textual, strict=True)]
            held.append(pa.RecordBatch.from_arrays(columns, schema=schema))
            rows, size = rows + batch.num_rows, size + batch.nbytes
            if size >= _GROUP_BYTES or sum(b.num_rows for b in held) >= _GROUP_ROWS:
                file.write_table(pa.Table.from_batches(held))
                held, size = [], 0
        if held:
            file.write_table(pa.Table.from_batches(held))
    return rows


def _has_no_parquet_type(kind: pa.DataType) -> bool:
    if pa.types.is_union(kind) or kind == pa.month_day_nano_interval():
        return True
    return any(_has_no_parquet_type(kind.field(i).type) for i in range(kind.num_fields))


def _checked(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """A HUGEINT arrives as a decimal of 38 digits even when it has 39, which other readers would garble."""
    whole = [f.name for f in reader.schema if pa.types.is_decimal(f.type) and f.type.scale == 0]
    for batch in reader:
        for name in whole:
            try:
                batch.column(name).validate(full=True)
            except pa.ArrowInvalid:
                hint = "cast it to VARCHAR or DOUBLE"
                raise SqlError(f"a value of {name} has more than 38 digits", hint=hint) from None
        yield batch


def _table(reader: pa.RecordBatchReader, out: BinaryIO, most: int) -> int:
    """Aligned columns for people; values are never cut or wrapped, control characters are escaped."""
    cells = [[name.translate(_ESCAPES), ""] for name in reader.schema.names]
    rows, more = 0, False
    for part in _slices(reader):
        more = rows + part.num_rows > most
        shown = part.slice(0, most - rows)
        for column, into in zip(shown.columns, cells, strict=True):
            into.extend("NULL" if t is None else t.translate(_ESCAPES) for t in _text(column).to_pylist())
        rows += shown.num_rows
        if more:
            break
    aligned = (_aligned(c, _is_number(f.type)) for c, f in zip(cells, reader.schema, strict=True))
    for line in zip(*aligned, strict=True):
        out.write("  ".join(line).rstrip().encode() + b"\n")
    note = "(the first {} rows; the other formats write all)" if more else "({} rows)"
    out.write(note.format(rows).replace("(1 rows)", "(1 row)").encode() + b"\n")
    return rows


def _aligned(cells: list[str], right: bool) -> list[str]:
    """The cells at one width, with a rule in place of the second."""
    width = min(_PAD, max(map(cell_len, cells)))
    cells[1] = "-" * width
    spaces = [" " * (width - cell_len(cell)) for cell in cells]
    return [s + c if right else c + s for s, c in zip(spaces, cells, strict=True)]


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))


def _strings(values: Iterable[str | None]) -> pa.Array:
    return pa.array(list(values), pa.string())


def _text(array: pa.Array) -> pa.Array:
    """How each value reads; raises SqlError for what no text can hold."""
    kind = array.type
    if isinstance(kind, pa.BaseExtensionType):
        text = _extension_text(array)
    elif pa.types.is_dictionary(kind):
        text = _text(array.dictionary_decode())
    elif pa.types.is_nested(kind):
        text = pc.if_else(array.is_valid(), _json(array), None)
    elif pa.types.is_temporal(kind) and kind != pa.month_day_nano_interval():
        text = _time_text(array)
    elif kind == pa.month_day_nano_interval():
        text = _strings(None if v is None else _duration(*v) for v in array.to_pylist())
    elif pa.types.is_binary(kind):
        text = _strings(None if v is None else v.hex() for v in array.to_pylist())
    else:
        text = array.cast(pa.string())
    return text


def _time_text(array: pa.Array) -> pa.Array:
    """ISO 8601; times with a zone in UTC with `Z`; a fraction only when it is not zero, then six digits."""
    kind = array.type
    if pa.types.is_timestamp(kind) and kind.unit in ("s", "ms"):
        array = array.cast(pa.timestamp("us", kind.tz), safe=False)
    if pa.types.is_timestamp(kind) and kind.tz is not None:
        array = array.cast(pa.timestamp(array.type.unit, "UTC"))
    if not pa.types.is_time(kind):
        days = array.cast(pa.date32(), safe=False).cast(pa.int32())
        ends = pc.min_max(days).as_py()
        if ends["min"] is not None and not _FIRST_DAY <= ends["min"] <= ends["max"] <= _LAST_DAY:
            raise SqlError("a time lies outside the years 1 to 9999", hint="cast it to VARCHAR")
    text = pc.replace_substring(array.cast(pa.string()), " ", "T")
    return pc.replace_substring_regex(text, r"\.0+(Z?)$", r"\1")


def _duration(months: int, days: int, nanos: int) -> str:
    """An ISO 8601 duration; the parts keep their own signs, because a month has no fixed length."""
    seconds, rest = divmod(abs(nanos), 1_000_000_000)
    fraction = f".{rest:09}".rstrip("0") if rest else ""
    sign = "-" if nanos < 0 else ""
    parts = [f"{months}M" if months else "", f"{days}D" if days else ""]
    clock = f"T{sign}{seconds}{fraction}S" if nanos or not (months or days) else ""
    return "P" + "".join(parts) + clock


def _extension_text(array: pa.Array) -> pa.Array:
    kind, storage = array.type, array.storage
    if kind == pa.uuid():
        return _strings(None if v is None else str(uuid.UUID(bytes=v)) for v in storage.to_pylist())
    if isinstance(kind, pa.OpaqueType):
        raise SqlError(f"values of type {kind.type_name} have no text form", hint="cast them to VARCHAR")
    return _text(storage.cast(pa.bool_()) if kind == pa.bool8() else storage)


def _json(array: pa.Array) -> pa.Array:
    """Each value as JSON; NULL is `null`."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _json(array.dictionary_decode())
    if pa.types.is_struct(kind):
        parts = _members([f.name for f in kind], array.flatten())
    elif pa.types.is_map(kind):
        pairs = pc.binary_join_element_wise(_escaped(_text(array.keys)), _json(array.items), ":")
        parts = _gathered(array.offsets, lambda a, b: pairs.slice(a, b - a), "{}")
    elif pa.types.is_fixed_size_list(kind):
        parts = _json(array.cast(pa.list_(kind.value_field)))
    elif pa.types.is_list(kind):
        parts = _gathered(array.offsets, lambda a, b: _json(array.values.slice(a, b - a)), "[]")
    elif pa.types.is_union(kind):
        members = [_json(array.field(i)).to_pylist() for i in range(kind.num_fields)]
        parts = _strings(members[code][row] for row, code in enumerate(array.type_codes.to_pylist()))
    elif _is_number(kind) or pa.types.is_boolean(kind) or kind == pa.bool8():
        parts = _text(array)
        if pa.types.is_floating(kind):
            parts = pc.if_else(pc.is_finite(array), parts, None)
    else:
        parts = _escaped(_text(array))
    return pc.fill_null(pc.if_else(array.is_valid(), parts, None), "null")


def _escaped(text: pa.Array) -> pa.Array:
    return _strings(None if v is None else _encode(v).decode() for v in text.to_pylist())


def _as_it_is(array: pa.Array) -> pa.Array:
    """Texts that are JSON as they are, all others as strings."""
    if not pa.types.is_string(array.type):
        return _json(array)
    return _strings("null" if v is None else v if _is_json(v) else _encode(v).decode() for v in array.to_pylist())


def _is_json(text: str) -> bool:
    try:
        _check(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _members(
    names: Sequence[str], columns: Sequence[pa.Array], ready: Sequence[Callable[[pa.Array], pa.Array]] | None = None
) -> pa.Array:
    """JSON objects of these columns; arrays when the fields have no names. `ready` makes the JSON of each column."""
    named = any(names)
    pieces: list[Any] = ["{" if named else "["]
    for number, (name, column) in enumerate(zip(names, columns, strict=True)):
        pieces.append(("," if number else "") + (_encode(name).decode() + ":" if named else ""))
        pieces.append((ready[number] if ready else _json)(column))
    return pc.binary_join_element_wise(*pieces, "}" if named else "]", "")


def _gathered(offsets: pa.Array, parts: Callable[[int, int], pa.Array], brackets: str) -> pa.Array:
    """Lists from the JSON of their elements; `parts` makes that of a range, for a slice needs few of them."""
    ends = offsets.to_pylist()
    texts = parts(ends[0], ends[-1]).to_pylist()
    spans = ((a - ends[0], b - ends[0]) for a, b in pairwise(ends))
    return _strings(brackets[0] + ",".join(texts[a:b]) + brackets[1] for a, b in spans)


_WRITERS: Final[dict[str, Callable[[pa.RecordBatchReader, BinaryIO], int]]] = {
    "csv": _csv,
    "json": _json_form,
    "ndjson": _ndjson,
    "parquet": _parquet,
    "arrow": _arrow,
}
FORMS: Final = ("table", *_WRITERS)
