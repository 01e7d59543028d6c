"""`runlake sql` and `runlake info`: reading a lake beside the service."""

from __future__ import annotations

import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import click
import duckdb
import pyarrow as pa

from runlake import times
from runlake.cli.common import command, lines, outside
from runlake.errors import LakeDamaged, RunlakeError, SqlError, UsageError
from runlake.lake.catalog import Lake
from runlake.lake.sql import LAYOUT
from runlake.paths import Paths
from runlake.query import export
from runlake.query.relations import Content, content, sandbox
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
    """Run one SELECT over runs, finished_runs and open_runs, also while the service writes.

    The query runs in a DuckDB of its own that can read the lake's files and nothing else. At its time limit it is
    interrupted; a function at work on one value of gigabytes goes on until that is done.
    """
    if output is not None:
        outside(output, settings, "--output")
    what = _content(settings)
    try:
        with tempfile.TemporaryDirectory(prefix="runlake-") as temp, sandbox(what, settings, temp) as box:
            reader = box.run(query, timeout=timeout)
            if output is None:
                export.write(reader, form, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            else:
                _to_file(reader, form, output)
    except SqlError as exc:
        # DuckDB takes a file that is not there for a pattern, and says that it may not look for it.
        if gone := [file.path for file in what.files if not Path(file.path).is_file()]:
            raise LakeDamaged(f"a file of the lake is gone: {gone[0]}", hint="`runlake check` lists all") from exc
        raise


def _to_file(reader: pa.RecordBatchReader, form: str, output: Path) -> None:
    """Write beside the target first, so that a failing query leaves an older file as it was."""
    target = output.resolve()
    if target.exists() and not target.is_file():  # a device or a pipe: it must not be replaced
        _write(reader, form, output, target)
        return
    part = target.with_name(f".{target.name}.part")
    try:
        _write(reader, form, output, part)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)


def _write(reader: pa.RecordBatchReader, form: str, output: Path, file: Path) -> None:
    """Raises UsageError when the file cannot be made, RunlakeError when it cannot be filled."""
    try:
        out = file.open("wb")
    except OSError as exc:
        raise UsageError(f"cannot write {output}: {exc.strerror}") from exc
    try:
        with out:
            export.write(reader, form, out)
    except OSError as exc:
        raise RunlakeError(f"cannot write {output}: {exc.strerror}") from exc


@click.command(epilog="Example: runlake info --files --data data/lake")
@click.option("--files", is_flag=True, help="The exact live Parquet files, one a line, and nothing else.")
@command
def info(settings: Settings, files: bool) -> None:
    """What the lake holds: runs, files, bytes, time range, snapshot, versions."""
    what = _content(settings)
    if files:
        for file in what.files:
            click.echo(file.path)
        return
    try:
        first, last = _range(what, settings)
    except RunlakeError:  # all else is known without them
        first = last = "unknown: a file cannot be read (see `runlake check`)"
    click.echo(
        lines(
            [
                ("folder", Paths.of(settings.data).folder),
                ("runs", what.finished + what.opened.num_rows),
                ("finished", what.finished),
                ("open", what.opened.num_rows),
                ("in the catalog", what.inlined.num_rows),
                ("files", len(what.files)),
                ("bytes", sum(file.size for file in what.files)),
                ("days", len({file.day for file in what.files})),
                ("first run", first),
                ("last run", last),
                ("snapshot", what.snapshot),
                ("layout", LAYOUT),
                ("runlake", version("runlake")),
                ("duckdb", duckdb.__version__),
            ]
        )
    )


def _content(settings: Settings) -> Content:
    lake = Lake(Paths.of(settings.data), settings, write=False)
    try:
        return content(lake)
    finally:
        lake.close()


def _range(what: Content, settings: Settings) -> tuple[str, str]:
    """First and last run time, from the oldest and the newest day's files and the rows in the catalog."""
    days = sorted({file.day for file in what.files})
    edge = [file for file in what.files if days and file.day in (days[0], days[-1])]
    part = Content(what.snapshot, edge, what.inlined, what.opened)
    with sandbox(part, settings, tempfile.gettempdir()) as box:
        found = box.run("SELECT epoch_us(min(run_at)) AS a, epoch_us(max(run_at)) AS b FROM runs", timeout=None)
        row = found.read_all().to_pylist()[0]
    return _moment(row["a"]), _moment(row["b"])


def _moment(micros: int | None) -> str:
    return "none" if micros is None else times.to_text(micros)
