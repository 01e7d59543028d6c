"""The group of all commands."""

from __future__ import annotations

import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any, Final

import click

# In the order of the help. Each one is the function of its name in the module of its name (`import_` for `import`).
# A module is imported when its command is called: Litestar alone takes a third of a second.
COMMANDS: Final = (
    "serve", "demo", "exec", "import", "recipes", "tasks", "generate", "sql",
    "maintain", "check", "info", "backup", "keys",
)  # fmt: skip


def loaded(command: str) -> click.Command:
    """Import one of COMMANDS."""
    name = f"{command}_" if iskeyword(command) else command
    found = getattr(import_module(f"runlake.cli.{name}"), name)
    assert isinstance(found, click.Command)  # noqa: S101 - COMMANDS names commands
    return found


def _missing(command: str, module: str) -> click.Command:
    """A command that cannot be imported: where runlake is installed for its client, or for `exec`."""

    def refuse() -> None:
        raise click.ClickException(
            f"{command} needs the service, and {module} is not there (pip install 'runlake[service]')"
        )

    words = "Not installed: it needs runlake[service]."
    anything = [click.Argument(["arguments"], nargs=-1, type=click.UNPROCESSED, expose_value=False)]
    settings = {"ignore_unknown_options": True}
    return click.Command(command, context_settings=settings, callback=refuse, params=[*anything], help=words)


class _Group(click.Group):
    """The group of all commands; it prints an error of usage in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands, for the help."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """A command by its name; None for an unknown one. Without the service it is one that says what is missing."""
        try:
            return loaded(cmd_name) if cmd_name in COMMANDS else None
        except ModuleNotFoundError as exc:
            return _missing(cmd_name, str(exc.name))

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
@click.version_option(package_name="runlake", prog_name="runlake")
def commands() -> None:
    """The run history of any task system, as a lake of Parquet files with a fast HTTP API.

    Every command works on the lake in --data DIR; without it RUNLAKE_DATA counts, then data/lake.
    """
