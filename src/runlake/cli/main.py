"""The group of all commands."""

from __future__ import annotations

from importlib.metadata import version

import click

from runlake.cli import backup, keys, load, look, serve, upkeep


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("runlake"), prog_name="runlake")
def main() -> None:
    """The run history of any task system, as a lake of Parquet files with a fast HTTP API.

    Every command works on the lake in --data DIR; without it RUNLAKE_DATA counts, then data/lake.
    """


for _command in (
    serve.serve,
    load.import_,
    load.generate,
    look.sql,
    upkeep.maintain,
    upkeep.check,
    look.info,
    backup.backup,
    keys.keys,
):
    main.add_command(_command)
