"""What an import reads of files, without a lake; and loads into a lake."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pytest
from beginnings import begin
from loading import load_pieces

from runlake.errors import ImportFailed
from runlake.intake.found_names import FoundNames
from runlake.lake import bulk
from runlake.lake.bulk import Totals
from runlake.sandbox import sources
from runlake.sandbox.sources import AS_NAMED, Reading
from runlake.settings import Settings
from runlake.store import Store

Row = dict[str, Any]
JOBS: Final = """SELECT md5('job:' || job)::UUID AS id, md5('t')::UUID AS task_id, job AS lease_owner,
    began AS started_at, ended AS finished_at, state = 'OK' AS success FROM source"""


def taken(*files: Path, select: str = "FROM source", reading: Reading = AS_NAMED) -> list[Row]:
    """The rows of a SELECT over files."""
    found = sources.tables(files, select, Settings(data="unused"), reading)
    return [row for *_, rows in found for row in rows.to_pylist()]


def loaded(lake: Path, *files: Path, select: str | None = None, reading: Reading = AS_NAMED) -> Totals:
    """What `runlake import` does."""
    store = Store(begin(Settings(data=str(lake))))
    try:
        store.load()
        pieces = sources.tables(files, select, store.lake.settings, reading)
        with closing(FoundNames()) as names:
            return load_pieces(store, (bulk.Chunk(name, row, names.without(rows)) for name, row, rows in pieces))
    finally:
        store.close()


def written(file: Path, content: str | bytes) -> Path:
    """The file, filled; a text in UTF-8."""
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def zstd(content: bytes) -> bytes:
    """One zstd frame."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as out:
        out.write(content)
    return bytes(sink.getvalue())


PACKERS: Final[dict[str, Callable[[bytes], bytes]]] = {"": bytes, ".gz": gzip.compress, ".zst": zstd}


def refusal(*files: Path, select: str = "FROM source", reading: Reading = AS_NAMED) -> str:
    """The line that says why files are not read."""
    with pytest.raises(ImportFailed) as failed:
        taken(*files, select=select, reading=reading)
    line = failed.value.line()
    assert "nothing was stored" in line
    return line
