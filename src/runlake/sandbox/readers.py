"""How DuckDB reads the files of an import: table functions with every option given, so that nothing is guessed."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import duckdb
import msgspec

from runlake import duck
from runlake.errors import ImportFailed, SqlError
from runlake.intake import header
from runlake.intake.files import File
from runlake.sandbox.sandbox import first_lines
from runlake.settings import Settings

MAX_MEMBERS: Final = 1_000  # of JSON records; with more of them `source` has the column `json` only
RECORD: Final = "json"
_PATTERN: Final = re.compile(r"[*?\[]")
_CSV: Final = """read_csv({files}, columns = {columns}, auto_detect = false, header = true, delim = {separator},
    quote = '"', escape = '"', comment = '', skip = 0, nullstr = '', allow_quoted_nulls = false, null_padding = false,
    ignore_errors = false, strict_mode = true, max_line_size = 16777216, hive_partitioning = false)"""
_OBJECTS: Final = """read_json_objects({files}, format = '{form}', maximum_object_size = {largest},
    hive_partitioning = false)"""
_LARGEST: Final = 16 << 20  # bytes of a record in JSON
_LARGEST_DOCUMENT: Final = 128 << 20  # of one that may be a whole file; twice as much is held by each thread
_SPACE: Final = b" \t\r\n"
_PIECE: Final = 1 << 20  # bytes


def texts(files: Sequence[File], separator: str | None, settings: Settings) -> str:
    """A SELECT of all rows of CSV files, every column as text; a file without a column of the others has null there.

    Raises ImportFailed for a file whose first line is no header, and for a row with more fields than the header, as
    far as DuckDB would not find it; SqlError for what is no CSV.
    """
    alike: dict[header.Header, list[File]] = {}
    for file in files:
        if found := header.read(file, separator):
            _refuse_longer(file, found, settings)
            alike.setdefault(found, []).append(file)
    return _by_name(_texts(*item) for item in alike.items())


def _texts(found: header.Header, files: list[File]) -> str:
    columns = ", ".join(f"{duck.literal(name)}: 'VARCHAR'" for name in found.names)
    reader = _CSV.format(files=paths(files), columns=f"{{{columns}}}", separator=duck.literal(found.separator))
    return f"FROM {reader}"


def _refuse_longer(file: File, found: header.Header, settings: Settings) -> None:
    """Raise ImportFailed for a row with empty fields behind the others: DuckDB takes it, as if they were not there.

    The file has too many separators then, compared with the rows that DuckDB has read.
    """
    mark = found.separator
    separators, at_an_end = _separators(file, mark.encode())
    if not at_an_end:
        return
    fields = ", ".join(f"coalesce({_quoted(name)}, '')" for name in found.names)
    row = f"array_to_string([{fields}], {duck.literal(mark)})"
    ((read,),) = _rows(
        f"""SELECT coalesce(sum(len({row}) - len(replace({row}, {duck.literal(mark)}, ''))), 0)
        {_texts(found, [file])}""",
        settings,
    )
    if separators > read + len(found.names) - 1 + "".join(found.names).count(mark):
        raise ImportFailed(f"{file.name}: {_longer(file, found)}")


def _separators(file: File, mark: bytes) -> tuple[int, bool]:
    """The number of separators in a file, and whether one may be the last character of a row."""
    count, at_an_end, last = 0, False, b""
    with file.path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            count += piece.count(mark)
            piece = last + piece
            at_an_end = at_an_end or mark + b"\n" in piece or mark + b"\r" in piece
            last = piece[-len(mark) :]
    return count, at_an_end or last == mark


def _longer(file: File, found: header.Header) -> str:
    """The first row that has more fields than the header, in DuckDB's words."""
    width = len(found.names)
    with file.path.open(encoding="utf-8-sig", newline="") as text, suppress(csv.Error):  # a field may be too large
        rows = csv.reader(text, delimiter=found.separator)
        line = 1
        for row in rows:
            if len(row) > width:
                return f"CSV Error on Line: {line}: Expected Number of Columns: {width} Found: {len(row)}"
            line = rows.line_num + 1
    return f"CSV Error: a row has more than {width} columns"


def line_of(file: File, separator: str | None, row: int) -> int:
    """The line in which a row of a CSV file begins, both from 1; the number of the row where that cannot be said."""
    with (
        file.path.open(encoding="utf-8-sig", newline="") as text,
        suppress(csv.Error, ImportFailed, UnicodeDecodeError),
    ):
        found = header.read(file, separator)
        rows = csv.reader(text, delimiter=found.separator if found else ",")
        for _ in zip(range(row - 1), rows, strict=False):
            pass
        return rows.line_num + 1
    return row


def parquet(files: Sequence[File]) -> str:
    """A SELECT of all rows; a file without a column of the others has null there.

    Raises ImportFailed where two files have a column in different types, one of which would be changed, and SqlError
    for a file that is no Parquet.
    """
    types: dict[str, tuple[str, str, File]] = {}
    for file in files:
        for name, kind, *_ in _rows(f"DESCRIBE FROM read_parquet({paths([file])}, hive_partitioning = false)"):
            _, before, other = types.setdefault(str(name).lower(), (str(name), str(kind), file))
            if before != kind:
                raise ImportFailed(
                    f"{file.name}: column {name} is {kind}, and {before} in {other.name}", hint="load them one by one"
                )
    return f"FROM read_parquet({paths(files)}, union_by_name = true, hive_partitioning = false)"


def objects(files: Sequence[File]) -> str:
    """A SELECT of the records of JSON files in their one column `json`, each as it was written."""
    forms: dict[str, list[File]] = {}
    for file in files:
        forms.setdefault(_form(file), []).append(file)
    return _by_name(f"FROM {_objects(form, group)}" for form, group in forms.items())


def _objects(form: str, files: list[File]) -> str:
    size = max(file.path.stat().st_size for file in files)
    largest = min(max(_LARGEST, size), _LARGEST_DOCUMENT) if form == "unstructured" else _LARGEST
    return _OBJECTS.format(files=paths(files), form=form, largest=largest)


def _form(file: File) -> str:
    """How records stand in a JSON file: an array begins with a bracket, all else is one text after the other."""
    if file.kind == "ndjson":
        return "newline_delimited"
    with file.path.open("rb") as stream:
        head = stream.read(4096).removeprefix(b"\xef\xbb\xbf").lstrip(_SPACE)
    return "array" if head.startswith(b"[") else "unstructured"


def members(files: Sequence[File], settings: Settings) -> str:
    """A SELECT of all records: one text column a member, and the whole record in the column `json`.

    A member that is itself called `json`, or has an empty name, is no column. Raises ImportFailed for a record that
    is no object, or that has a member twice, and for members that differ in case only; SqlError for what is no JSON.
    """
    names = _names(files, settings)
    names = [name for name in names if name and name.lower() != RECORD]
    if not names or len(names) > MAX_MEMBERS:
        return objects(files)
    # from_json reads a record once for all members; each keeps its JSON text.
    shape = duck.literal(str(msgspec.json.encode(dict.fromkeys(names, "JSON")), "utf-8"))
    columns = ", ".join(f"members.{_quoted(name)} ->> '$' AS {_quoted(name)}" for name in names)
    inner = f"SELECT json, from_json(json, {shape}) AS members FROM ({objects(files)})"  # noqa: S608 - quoted names
    return f"SELECT json, {columns} FROM ({inner})"  # noqa: S608


def _names(files: Sequence[File], settings: Settings) -> list[str]:
    """The members of all records, those of the largest record of a file first."""
    found: dict[str, str] = {}
    for file in files:
        shapes = _rows(
            f"""SELECT DISTINCT json_keys(json) AS names, CASE WHEN len(names) = 0 THEN json_type(json) END AS kind
            FROM ({objects([file])}) ORDER BY len(names) DESC, names""",  # noqa: S608 - paths
            settings,
        )
        for names, kind in shapes:
            if kind not in (None, "OBJECT"):
                raise ImportFailed(f"{file.name}: a record is no JSON object but of type {kind}")
            if len(set(names)) < len(names):
                twice = next(name for name in names if names.count(name) > 1)
                raise ImportFailed(f"{file.name}: a record has the member {twice} twice")
            for name in names:
                if found.setdefault(name.lower(), name) != name:
                    raise ImportFailed(
                        f"{file.name}: the members {found[name.lower()]} and {name} differ in case only",
                        hint="of lines (--format lines) a query reads each by its name: line ->> 'name'",
                    )
    return list(found.values())


def _rows(sql: str, settings: Settings | None = None) -> list[tuple[Any, ...]]:
    threads, memory = (settings.threads, settings.memory_limit) if settings else (1, "1GB")
    with duck.connect(threads=threads, memory_limit=memory) as con:
        try:
            return con.execute(sql).fetchall()
        except duckdb.Error as exc:
            raise SqlError(first_lines(str(exc))) from exc


def _by_name(selects: Iterable[str]) -> str:
    return " UNION ALL BY NAME ".join(selects)


def paths(files: Sequence[File]) -> str:
    """A list of the files for a table function; brackets make it read a pattern's characters as themselves."""
    return "[" + ", ".join(duck.literal(exact(file.path)) for file in files) + "]"


def exact(path: Path) -> str:
    """The path of a file as a pattern that fits nothing else."""
    return _PATTERN.sub(r"[\g<0>]", str(path.resolve()))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
