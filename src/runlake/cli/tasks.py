"""`runlake tasks`: shows or sets the names of tasks."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import click
import msgspec

from runlake.cli.common import command, lines
from runlake.errors import UsageError
from runlake.intake import names
from runlake.lake.catalog import Lake
from runlake.lake.names import set_names
from runlake.paths import Paths
from runlake.settings import Settings

_EXAMPLES = """
\b
Examples:
  runlake tasks > names.json
  echo '{"names": {"550e8400-e29b-41d4-a716-446655440000": {"name": "nightly"}}}' | runlake tasks -
"""


@click.command(epilog=_EXAMPLES)
@click.argument("file", required=False)
@command
def tasks(settings: Settings, file: str | None) -> None:
    """Show the names, tags and links of tasks, or set those that FILE has (- is standard input).

    FILE is what PUT /tasks/names takes: an entry replaces the one of its task, and null removes it. What is shown can
    be given back as it is. While a service holds the lake, send it PUT /tasks/names instead.
    """
    paths = Paths.of(settings.data)
    if file is None:
        with closing(Lake(paths, settings, write=False)) as lake:
            shown = lake.task_names()
        click.echo(msgspec.json.format(msgspec.json.encode(shown)))
        return
    named = names.decode(_content(file))
    with closing(Lake(paths, settings, write=True)) as lake:
        changed = set_names(lake, named)
    click.echo(lines([("received", named.num_rows), ("changed", changed)]))


def _content(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as exc:
        raise UsageError(f"cannot read {file}: {exc.strerror}") from exc
