"""`runlake exec`: runs a command and records it."""

from __future__ import annotations

import sys

import click

from runlake.errors import RunlakeError, UsageError
from runlake.paths import Paths
from runlake.recorder.call import Call, recorded, say
from runlake.recorder.service import Service

_EXAMPLES = """
\b
Examples:
  runlake exec --task nightly-backup -- backup.sh --full
  17 3 * * * RUNLAKE_SERVER=http://127.0.0.1:8000 /opt/runlake/.venv/bin/runlake exec --task orders -- /opt/orders.sh
"""


@click.command("exec", epilog=_EXAMPLES, context_settings={"allow_interspersed_args": False})
@click.option("--task", required=True, metavar="NAME-OR-UUID", help="The task that the command is a run of.")
@click.option("--server", metavar="URL", help="The service that stores the run [RUNLAKE_SERVER].")
@click.option("--data", metavar="DIR", help="A lake that stores it, without a service [RUNLAKE_DATA, then data/lake].")
@click.option("--no-output", is_flag=True, help="Keep the texts of the command out of the record.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec(  # noqa: A001 - the name of the command
    task: str, server: str | None, data: str | None, no_output: bool, command: tuple[str, ...]
) -> None:
    """Run COMMAND and record it: an open run at its start, with a lease that is renewed, and a finished one at its end.

    Success is exit code 0. Output, signals and the exit code pass through (128 + n for a signal). The record has the
    end of standard error where the command failed, and the last line of standard output if it is JSON. Records that
    cannot be sent are kept in a folder of the user, and the next call sends them.
    """
    try:
        if server is not None and data is not None:
            raise UsageError("give one of --server and --data")
        if server:
            Service(server, key="")
        if data:
            Paths.of(data)
    except RunlakeError as exc:
        say(exc.line())
        sys.exit(2)
    sys.exit(recorded(Call(command, task, server, data or None, keeps_output=not no_output)))
