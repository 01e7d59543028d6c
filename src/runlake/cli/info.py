"""`runlake info`: how much a lake holds, and of which time."""

from __future__ import annotations

import tempfile
from contextlib import closing
from importlib.metadata import version

import click
import duckdb
from msgspec.structs import replace

from runlake import times
from runlake.cli.common import command, lines
from runlake.errors import RunlakeError
from runlake.inspect import relations
from runlake.inspect.relations import Content
from runlake.lake.catalog import Lake
from runlake.lake.files import Files
from runlake.paths import Paths
from runlake.settings import Settings


@click.command(epilog="Example: runlake info --files --data data/lake")
@click.option("--files", is_flag=True, help="The exact live Parquet files, one a line, and nothing else.")
@command
def info(settings: Settings, files: bool) -> None:
    """Show what the lake holds: runs, files, bytes, time range, snapshot, versions."""
    with closing(Lake(Paths.of(settings.data), settings, write=False)) as lake:
        content, layout = relations.content(lake), lake.layout
    if files:
        for file in content.files:
            click.echo(file.path)
        return
    try:
        first, last = _range(content, settings, lake.storage)
    except RunlakeError:  # the other lines need no file
        first = last = "unknown: a file cannot be read (see `runlake check`)"
    click.echo(
        lines(
            [
                ("catalog" if settings.catalog else "folder", lake.catalog.place),
                ("runs", content.finished + content.opened.num_rows),
                ("finished", content.finished),
                ("open", content.opened.num_rows),
                ("in the catalog", content.inlined.num_rows),
                ("files", len(content.files)),
                ("bytes", sum(file.size for file in content.files)),
                ("days", len({file.day for file in content.files})),
                ("first run", first),
                ("last run", last),
                ("snapshot", content.snapshot),
                ("layout", layout),
                ("runlake", version("runlake")),
                ("duckdb", duckdb.__version__),
            ]
        )
    )


def _range(content: Content, settings: Settings, storage: Files) -> tuple[str, str]:
    """The first and the last run time, from the files of the oldest and newest day and the inlined rows."""
    days = sorted({file.day for file in content.files})
    edge = [file for file in content.files if days and file.day in (days[0], days[-1])]
    part = replace(content, files=edge)
    with relations.sandbox(part, settings, tempfile.gettempdir(), storage=storage) as box:
        found = box.run("SELECT epoch_us(min(run_at)) AS a, epoch_us(max(run_at)) AS b FROM runs", timeout=None)
        row = found.read_all().to_pylist()[0]
    return _moment(row["a"]), _moment(row["b"])


def _moment(micros: int | None) -> str:
    return "none" if micros is None else times.to_text(micros)
