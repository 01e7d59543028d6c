"""The group of all commands."""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Any

import click

from runlake.cli import backup, keys, load, look, serve, upkeep


class _Group(click.Group):
    """Tells wrong usage in one line, as all errors are told."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Run, and end with an exit code."""
        try:
            sys.exit(super().main(*args, **kwargs | {"standalone_mode": False, "prog_name": "runlake"}))
        except click.exceptions.NoArgsIsHelpError as exc:
            exc.show()
            sys.exit(exc.exit_code)
        except click.ClickException as exc:
            hint = f" (see {exc.ctx.command_path} --help)" if isinstance(exc, click.UsageError) and exc.ctx else ""
            click.echo(f"runlake: {' '.join(exc.format_message().split())}{hint}", err=True)
            sys.exit(exc.exit_code)
        except click.Abort:
            sys.exit(1)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
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
