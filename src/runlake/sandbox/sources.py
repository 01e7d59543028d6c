"""The source of an import: files as a view `source`, and the SELECT that makes run records of it.

Both run in a Sandbox that can open these files and no others.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

import pyarrow as pa
from msgspec import Struct

from runlake.columns import TEXTS
from runlake.errors import ImportFailed, SqlError, UsageError
from runlake.intake import copies, lines, unpack
from runlake.intake import files as sources
from runlake.intake.files import File
from runlake.intake.messages import NOT_UTF8
from runlake.sandbox import readers
from runlake.sandbox.sandbox import Sandbox
from runlake.settings import Settings

CHUNK_ROWS: Final = 250_000
_ALL: Final = "FROM source"
# Without a SELECT a JSON file is taken record by record, as POST takes it.
_RECORDS: Final = "SELECT CAST(json AS VARCHAR) AS json_record FROM source"
_JSON: Final = ("json", "ndjson")

Piece = tuple[str, int, pa.Table]


class Reading(Struct, frozen=True):
    """How the sources are read, where their names do not say it: the kind (one of files.KINDS), and what separates
    the fields of CSV.
    """

    form: str | None = None
    separator: str | None = None


AS_NAMED: Final = Reading()


def tables(
    given: Sequence[Path], select: str | None, settings: Settings, reading: Reading = AS_NAMED
) -> Generator[Piece]:
    """Pieces of what the import loads: (file name, number of the first row from 1, rows).

    Without `select` each file is read on its own, so that a row's number is the one in its file; with it, the
    SELECT runs once over all files. Raises UsageError for a missing file, SqlError for the user's SQL, and
    ImportFailed for a file that cannot be read. A file is known to be whole when its last piece has been taken.
    """
    files = sources.listed(given, reading.form)
    with _work_folder() as folder, ExitStack() as checks:
        if select is None:
            for file in files:
                with sources.unchanged(file):
                    yield from _alone(file, folder, settings, reading)
        else:
            if len({file.kind for file in files}) > 1:
                raise UsageError("with --select, all sources must be of one kind")
            for file in files:
                checks.enter_context(sources.unchanged(file))
            plain = [copies.plain(file, folder) for file in files]
            name = ", ".join(file.name for file in files)
            yield from _selected(plain, select, name, settings, reading)


@contextmanager
def _work_folder() -> Iterator[Path]:
    """A folder for copies. No TemporaryDirectory, which complains when a load that failed is forgotten half-way."""
    folder = Path(tempfile.mkdtemp(prefix="runlake-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def check(given: Sequence[Path], reading: Reading = AS_NAMED) -> None:
    """Raise UsageError for a source that is not there."""
    sources.listed(given, reading.form)


def _alone(file: File, folder: Path, settings: Settings, reading: Reading) -> Iterator[Piece]:
    if file.kind == "ndjson":
        file = copies.on_disk(file, folder)
        with unpack.opened(file.path, file.name) as stream:
            for first_row, rows in lines.records(stream, file.name, CHUNK_ROWS):
                yield file.name, first_row, rows
        return
    file = copies.plain(file, folder)
    query = _RECORDS if file.kind == "json" else _ALL
    for name, row, found in _selected([file], query, file.name, settings, reading):
        yield name, row, found.cast(TEXTS) if query == _RECORDS else found
    if file.path.parent == folder:
        file.path.unlink()


def _selected(files: list[File], query: str, name: str, settings: Settings, reading: Reading) -> Iterator[Piece]:
    # DuckDB asks for permission under both names: the one given, and the one it finds.
    allowed = sorted({path for file in files for path in (str(file.path.resolve()), readers.exact(file.path))})
    with Sandbox(allowed, threads=settings.threads, memory_limit=settings.memory_limit, lossless=True) as sandbox:
        try:
            source = _source(files, settings, reading, whole=query == _RECORDS)
            if not source:
                return  # files of CSV without a byte in them
            sandbox.view("source", source)
        except SqlError as exc:
            raise _explained(exc, files, name, reading) from exc
        sandbox.lock()
        first_row = 1
        try:
            for batch in sandbox.run(query, timeout=None, batch_rows=CHUNK_ROWS):
                if batch.num_rows:
                    yield name, first_row, pa.Table.from_batches([batch])
                    first_row += batch.num_rows
        except SqlError as exc:
            if query in (_RECORDS, _ALL) or _is_about_a_file(exc):
                raise _explained(exc, files, name, reading) from exc
            raise


def _source(files: list[File], settings: Settings, reading: Reading, *, whole: bool) -> str:
    """The SELECT behind the view `source`; `whole` records of JSON are one column."""
    match files[0].kind:
        case "csv":
            return readers.texts(files, reading.separator, settings)
        case "parquet":
            return readers.parquet(files)
        case _:
            return readers.objects(files) if whole else readers.members(files, settings)


_ROW: Final = re.compile(r"(?<=CSV Error on Line: )\d+")  # DuckDB counts rows, and a row may have several lines
_LINE_ENDS: Final = "do all lines end in the same way, and is no carriage return outside of quotes?"
_HINTS: Final = (("utf-8", NOT_UTF8), ("unicode", NOT_UTF8), ("state machine", _LINE_ENDS))


def _is_about_a_file(exc: SqlError) -> bool:
    return bool(re.match(r"Invalid Input Error: (?:CSV Error|The CSV Parser|Malformed JSON)", exc.detail))


def _explained(exc: SqlError, files: Sequence[File], name: str, reading: Reading) -> ImportFailed:
    """The error of a file: its name as it was given, DuckDB's words, and what to do."""
    words = str(exc.__cause__ or exc.detail)
    found = next((file for file in files if str(file.path.resolve()) in words), None)
    blamed = found.name if found else name
    text = exc.detail.removeprefix("Invalid Input Error: ")
    if found := found or (files[0] if len(files) == 1 else None):
        text = _ROW.sub(lambda row: str(readers.line_of(found, reading.separator, int(row[0]))), text)
    for file in files:
        text = text.replace(str(file.path.resolve()), file.name)
    if text.startswith("Malformed JSON"):  # DuckDB counts lines from 2
        text = re.sub(r"(?<= in line )\d+", lambda number: str(int(number[0]) - 1), text)
    hint = next((hint for mark, hint in _HINTS if mark in text.lower()), None)
    return ImportFailed(f"{blamed}: {text}", hint=hint)
