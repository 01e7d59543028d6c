"""`runlake recipes`: the included SELECTs, for exports of other systems."""

from __future__ import annotations

import click

from runlake import recipes as known
from runlake.cli.common import command, lines
from runlake.settings import Settings


@click.command(epilog='Example: runlake recipes slurm > mine.sql; runlake import jobs.csv --select "$(cat mine.sql)"')
@click.argument("name", required=False, metavar="[NAME]", type=click.Choice(known.NAMES))
@command
def recipes(settings: Settings, name: str | None) -> None:
    """List the recipes for exports of other systems, or print the SQL of one, to copy and change.

    `runlake import FILE --recipe NAME` loads an export. The comment of a recipe says how to make one.
    """
    every = [(each, known.about(each)) for each in known.NAMES]
    click.echo(lines(every) if name is None else known.text(name).rstrip())
