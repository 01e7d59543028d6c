"""What an import reads: files as a view `source`, and the SELECT that makes run records of it.

Both run in a Sandbox that can open these files and no others.
"""

from __future__ import annotations

import csv
import io
import re
from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from runlake import duck
from runlake.columns import NAMES, TEXTS
from runlake.errors import ImportFailed, RunlakeError, SqlError, UsageError
from runlake.query.sandbox import Sandbox, first_lines
from runlake.settings import Settings

_PATTERN: Final = re.compile(r"[*?\[]")
CHUNK_ROWS: Final = 250_000
_CHUNK_BYTES: Final = 64 << 20  # of lines, and of the longest line
_BUFFER: Final = 1 << 20
_JSON_OPTIONS: Final = ", hive_partitioning = false, maximum_object_size = 16777216"
_SEPARATOR: Final = re.compile(r"[,;\t|]")
_COMPRESSED: Final = {".gz": "gzip", ".zst": "zstd"}
_FORMATS: Final = {
    ".parquet": "parquet",
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
}
# These fields are read as text, whatever they look like, so that the rules of intake see what was written.
_AS_TEXT: Final = tuple(name for name in NAMES if name not in ("success", "attempt"))
# Without a SELECT a JSON file is taken record by record, as POST takes it, and not by guessed columns.
_OBJECTS: Final = "SELECT CAST(json AS VARCHAR) AS json_record FROM objects"
_STRICT: Final = "auto_detect = false, header = true, quote = '\"', escape = '\"', hive_partitioning = false"
_ALL: Final = "FROM source"
# A file of no known kind is lines of text.
_LINES: Final = """read_csv({files}, columns = {{'line': 'VARCHAR'}}, delim = chr(1), quote = '', escape = '',
    header = false, auto_detect = false, compression = '{compression}', max_line_size = 16777216,
    hive_partitioning = false)"""


def tables(files: Sequence[Path], select: str | None, settings: Settings) -> Iterator[tuple[str, int, pa.Table]]:
    """Pieces of what the import loads: (file name, number of the first row from 1, rows).

    Without `select` each file is read on its own, so that a row's number is the one in its file; with it, the
    SELECT runs once over all files. Raises UsageError for a missing file, SqlError for the user's SQL, and
    ImportFailed for a file that cannot be read.
    """
    check(files)
    if select is None:
        for file in files:
            match _kind(file):
                case "ndjson":
                    yield from _lines(file)
                case "json":
                    for name, row, objects in _read([file], _OBJECTS, str(file), settings):
                        yield name, row, objects.cast(TEXTS)
                case _:
                    yield from _read([file], _ALL, str(file), settings)
    else:
        names = ", ".join(str(file) for file in files)
        yield from _read(list(files), select, names, settings)


def check(files: Sequence[Path]) -> None:
    """Raise UsageError for a file that is not there."""
    for file in files:
        if not file.is_file():
            raise UsageError(f"there is no file {file}")


def _read(files: list[Path], query: str, name: str, settings: Settings) -> Iterator[tuple[str, int, pa.Table]]:
    paths = [str(file.resolve()) for file in files]
    # DuckDB asks for permission under both names: the one given, and the one it finds.
    allowed = sorted({*paths, *map(_exact, paths)})
    with Sandbox(allowed, threads=settings.threads, memory_limit=settings.memory_limit, lossless=True) as sandbox:
        try:
            if query == _OBJECTS:
                listed = ", ".join(duck.literal(_exact(path)) for path in paths)
                sandbox.view("objects", f"FROM read_json_objects([{listed}]{_JSON_OPTIONS})")
            else:
                sandbox.view("source", f"FROM {_reader(files, paths)}")
        except RunlakeError as exc:
            raise ImportFailed(f"{name}: {exc.detail}") from exc
        sandbox.lock()
        first_row = 1
        try:
            for batch in sandbox.run(query, timeout=None, batch_rows=CHUNK_ROWS):
                if batch.num_rows:
                    yield name, first_row, pa.Table.from_batches([batch])
                    first_row += batch.num_rows
        except SqlError as exc:
            if query in (_OBJECTS, _ALL):  # the file is to blame, not the caller's SQL
                raise ImportFailed(f"{name}: {exc.detail}") from exc
            raise


def _lines(file: Path) -> Iterator[tuple[str, int, pa.Table]]:
    """The lines of a file that are not blank, whatever they hold: a bad one, as of a log cut short, is a bad row."""
    lines: list[bytes] = []
    first_row, size = 1, 0
    try:
        with (
            pa.input_stream(str(file), compression=_COMPRESSED.get(file.suffix.lower())) as raw,
            io.BufferedReader(raw, _BUFFER) as stream,
        ):
            _skip_mark(stream)
            line = b"\n"
            while line:
                line = stream.readline(_CHUNK_BYTES)
                if len(line) == _CHUNK_BYTES:
                    raise ImportFailed(f"{file}: row {first_row + len(lines)}: a line of {_CHUNK_BYTES} bytes or more")
                if line.strip():
                    lines.append(line)
                    size += len(line)
                if lines and (not line or len(lines) == CHUNK_ROWS or size >= _CHUNK_BYTES):
                    yield str(file), first_row, pa.table([pa.array(lines, pa.large_binary())], schema=TEXTS)
                    first_row, lines, size = first_row + len(lines), [], 0
    except (OSError, pa.ArrowException) as exc:
        raise ImportFailed(f"{file}: {exc}") from exc


def _skip_mark(stream: io.BufferedReader) -> None:
    """Skip the byte order mark with which some programs begin a text."""
    if stream.peek(len(BOM_UTF8)).startswith(BOM_UTF8):
        stream.read(len(BOM_UTF8))


def _reader(files: list[Path], paths: list[str]) -> str:
    """The table function that reads the files; all must be of one kind."""
    kinds = {_kind(file) for file in files}
    compressions = {_compression(file) for file in files}
    if len(kinds) > 1 or len(compressions) > 1:
        raise UsageError("with --select, all sources must be of one kind and compression")
    listed = "[" + ", ".join(duck.literal(_exact(path)) for path in paths) + "]"
    match kinds.pop():
        case "parquet":
            return f"read_parquet({listed}, hive_partitioning = false)"
        case "csv":
            return _typed("read_csv", listed, ", hive_partitioning = false, sample_size = 204800")
        case "json" | "ndjson":
            return _typed("read_json", listed, f"{_JSON_OPTIONS}, sample_size = -1")
        case _:
            return _LINES.format(files=listed, compression=compressions.pop())


def _typed(function: str, listed: str, options: str) -> str:
    """A reader that detects column types, but takes the fields of a run as text (`output` of JSON as JSON)."""
    with duck.connect(threads=1, memory_limit="1GB") as con:
        try:
            found = con.execute(f"DESCRIBE FROM {function}({listed}{options})").fetchall()
        except duckdb.Error as exc:
            raise ImportFailed(first_lines(str(exc))) from exc
    json = function == "read_json"
    if not json and len(found) == 1 and (mark := _SEPARATOR.search(str(found[0][0]))):
        # Rows of other lengths made DuckDB doubt that these are columns. Told so, it says which line is wrong.
        names = next(csv.reader([str(found[0][0])], delimiter=mark[0]))
        columns = _struct(dict.fromkeys(names, "VARCHAR"))
        return f"read_csv({listed}, {_STRICT}, delim = {duck.literal(mark[0])}, columns = {columns})"
    types = {str(name): str(kind) for name, kind, *_ in found}
    forced = {name: "JSON" if json and name == "output" else "VARCHAR" for name in types if name in _AS_TEXT}
    if not forced:
        return f"{function}({listed}{options})"
    if json:
        types |= forced
        return f"{function}({listed}{options}, columns = {_struct(types)})"
    return f"{function}({listed}{options}, types = {_struct(forced)})"


def _exact(path: str) -> str:
    """A path for a table function: brackets make DuckDB read a pattern's characters as themselves."""
    return _PATTERN.sub(r"[\g<0>]", path)


def _struct(types: dict[str, str]) -> str:
    return "{" + ", ".join(f"{duck.literal(name)}: {duck.literal(kind)}" for name, kind in types.items()) + "}"


def _kind(file: Path) -> str:
    name = Path(file.stem) if file.suffix.lower() in _COMPRESSED else file
    return _FORMATS.get(name.suffix.lower(), "lines")


def _compression(file: Path) -> str:
    return _COMPRESSED.get(file.suffix.lower(), "none")
