"""`runlake sql`: one SELECT over the lake, beside the service."""

from __future__ import annotations

import sys
import tempfile
from contextlib import closing
from pathlib import Path

import click
import pyarrow as pa

from runlake.cli.common import check_outside_lake, command
from runlake.errors import RunlakeError, UsageError
from runlake.inspect import relations
from runlake.lake.catalog import Lake
from runlake.paths import Paths
from runlake.sandbox import export
from runlake.settings import Settings

_SQL_EXAMPLES = """
\b
Examples:
  runlake sql "SELECT success, count(*) FROM runs GROUP BY ALL"
  runlake sql -- "$(cat query.sql)"
  runlake sql "FROM finished_runs WHERE error IS NOT NULL" --format parquet --output failed.parquet
"""


@click.command(epilog=_SQL_EXAMPLES)
@click.argument("query")
@click.option("--format", "form", type=click.Choice(export.FORMS), default="table", show_default=True)
@click.option("--output", metavar="FILE", type=click.Path(path_type=Path), help="Write here, not to standard output.")
@click.option("--timeout", metavar="S", type=click.FloatRange(min=0, min_open=True), help="Time limit in seconds.")
@command
def sql(settings: Settings, query: str, form: str, output: Path | None, timeout: float | None) -> None:
    """Run one SELECT over runs, finished_runs, open_runs and task_names, also while the service writes.

    The macros of the lake are there, too: error_group(error) and duration_bucket(us).

    The query runs in a DuckDB of its own that can read the lake's files and nothing else. At its time limit it is
    interrupted; a function at work on one value of gigabytes goes on until that is done.
    """
    if output is not None:
        check_outside_lake(output, settings, "--output")
    with closing(Lake(Paths.of(settings.data), settings, write=False)) as lake:
        content = relations.content(lake)
    with (
        relations.noticing(content, lake.storage),
        tempfile.TemporaryDirectory(prefix="runlake-") as temp,
        relations.sandbox(content, settings, temp, storage=lake.storage) as box,
    ):
        reader = box.run(query, timeout=timeout)
        if output is None:
            export.write(reader, form, sys.stdout.buffer)
            sys.stdout.buffer.flush()
        else:
            _to_file(reader, form, output)


def _to_file(reader: pa.RecordBatchReader, form: str, output: Path) -> None:
    """Write to a temporary file first, so that a failing query leaves an older file as it was."""
    target = output.resolve()
    if target.exists() and not target.is_file():  # a device or a pipe cannot be replaced
        _write(reader, form, output, target)
        return
    part = target.with_name(f".{target.name}.part")
    try:
        _write(reader, form, output, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write(reader: pa.RecordBatchReader, form: str, output: Path, file: Path) -> None:
    """Write the result to `file`; raises UsageError when it cannot be made, RunlakeError when writing fails."""
    try:
        out = file.open("wb")
    except OSError as exc:
        raise UsageError(f"cannot write {output}: {exc.strerror}") from exc
    try:
        with out:
            export.write(reader, form, out)
    except OSError as exc:
        raise RunlakeError(f"cannot write {output}: {exc.strerror}") from exc
