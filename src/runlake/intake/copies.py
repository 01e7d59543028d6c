"""Copies of sources that DuckDB cannot read themselves: pipes, compressed files, lines of text, Arrow streams.

A copy is complete before it is read, so all checks of its source are done by then.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

import pyarrow as pa
from pyarrow import parquet

from runlake import duck
from runlake.errors import ImportFailed
from runlake.intake import lines, unpack
from runlake.intake.files import File, is_regular

_FULL: Final = "TMPDIR names the folder for copies of sources; nothing was stored"
_FILE_MARK: Final = b"ARROW1"
_STREAM_END: Final = b"\xff\xff\xff\xff\0\0\0\0"


def on_disk(file: File, folder: Path) -> File:
    """The source itself if it is a regular file, or a copy of a pipe in `folder`."""
    if is_regular(file):
        return file
    return _copied(file, _pieces(file.path.open("rb", 0)), folder)


def plain(file: File, folder: Path) -> File:
    """A regular, uncompressed file that DuckDB can read: the source itself or a copy in `folder`.

    Lines and Arrow are copied to Parquet. Raises ImportFailed for a damaged source and DiskFull for a full `folder`.
    """
    file = on_disk(file, folder)
    if file.kind == "lines":
        return _as_parquet(file, lines.SCHEMA, _texts(file), folder)
    if unpack.compression(file.path, file.name):
        file = _copied(file, _unpacked(file), folder)
    if file.kind == "arrow":
        with _arrow(file) as reader:
            return _as_parquet(file, reader.schema, _batches(file, reader), folder)
    return file


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    with stream:
        while piece := stream.read(unpack.PIECE):
            yield piece


def _unpacked(file: File) -> Iterator[bytes]:
    with unpack.opened(file.path, file.name) as stream:
        yield from _pieces(stream)


def _texts(file: File) -> Iterator[pa.RecordBatch]:
    with unpack.opened(file.path, file.name) as stream:
        yield from lines.texts(stream, file.name)


def _copied(file: File, pieces: Iterable[bytes], folder: Path) -> File:
    copy = _new(folder)
    with duck.translated(f"copying {file.name}", full=_FULL), copy.open("wb") as out:
        out.writelines(pieces)
    return File(file.name, file.kind, copy)


def _as_parquet(file: File, schema: pa.Schema, batches: Iterable[pa.RecordBatch], folder: Path) -> File:
    copy = _new(folder)
    with (
        duck.translated(f"copying {file.name}", full=_FULL),
        parquet.ParquetWriter(copy, schema, compression="lz4", use_dictionary=False, write_statistics=False) as out,
    ):
        for batch in batches:
            out.write_batch(batch)
    return File(file.name, "parquet", copy)


def _new(folder: Path) -> Path:
    return folder / f"source-{len(list(folder.iterdir()))}"


@contextmanager
def _arrow(file: File) -> Iterator[Any]:
    """A reader of an Arrow stream or file. Arrow reads truncated streams, too, so this checks the end."""
    with file.path.open("rb") as content:
        try:
            if content.read(len(_FILE_MARK)) == _FILE_MARK:
                reader = pa.ipc.open_file(content)
            else:
                content.seek(max(0, content.seek(0, os.SEEK_END) - len(_STREAM_END)))
                if content.read() != _STREAM_END:
                    raise ImportFailed(f"{file.name}: the Arrow stream ends too early")
                content.seek(0)
                reader = pa.ipc.open_stream(content)
        except (pa.ArrowException, OSError) as exc:
            raise _bad_arrow(file, exc) from exc
        yield reader


def _batches(file: File, reader: Any) -> Iterator[pa.RecordBatch]:
    """The validated batches: a stream may have wrong lengths and invalid UTF-8."""
    try:
        if isinstance(reader, pa.RecordBatchFileReader):
            batches: Iterable[pa.RecordBatch] = (reader.get_batch(i) for i in range(reader.num_record_batches))
        else:
            batches = reader
        for batch in batches:
            batch.validate(full=True)
            yield batch
    except (pa.ArrowException, OSError) as exc:
        raise _bad_arrow(file, exc) from exc


def _bad_arrow(file: File, exc: Exception) -> ImportFailed:
    return ImportFailed(f"{file.name}: no Arrow stream or file: {' '.join(str(exc).split())}")
