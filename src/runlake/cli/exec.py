"""`runlake exec`: runs a command and records it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import click

from runlake import settings as settings_module
from runlake.errors import RunlakeError, UsageError
from runlake.paths import Paths
from runlake.recorder.child import NOT_EXECUTABLE, NOT_FOUND, Child, Ended
from runlake.recorder.recording import Recording, Target
from runlake.recorder.report import Report
from runlake.recorder.service import Service
from runlake.settings import Settings

Make = Callable[[], Target]
_EXAMPLES = """
\b
Examples:
  runlake exec --task nightly-backup -- backup.sh --full
  17 3 * * * RUNLAKE_SERVER=http://127.0.0.1:8000 runlake exec --task orders -- /opt/orders.sh
"""


@click.command("exec", epilog=_EXAMPLES, context_settings={"allow_interspersed_args": False})
@click.option("--task", required=True, metavar="NAME-OR-UUID", help="The task that the command is a run of.")
@click.option("--server", metavar="URL", help="The service that stores the run [RUNLAKE_SERVER].")
@click.option("--data", metavar="DIR", help="A lake that stores it, without a service [RUNLAKE_DATA, then data/lake].")
@click.option("--no-output", is_flag=True, help="Keep the texts of the command out of the record.")
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
def exec(  # noqa: A001 - the name of the command
    task: str, server: str | None, data: Path | None, no_output: bool, command: tuple[str, ...]
) -> None:
    """Run COMMAND and record it: an open run at its start, with a lease that is renewed, and a finished one at its end.

    Success is exit code 0. Output, signals and the exit code pass through (128 + n for a signal). The record has the
    end of standard error where the command failed, and the last line of standard output if it is JSON. Records that
    cannot be sent are kept in a folder of the user, and the next call sends them.
    """
    try:
        settings = settings_module.load().with_data(str(data) if data else None)
        if server is not None and data is not None:
            raise UsageError("give one of --server and --data")
        url = server or ("" if data is not None else settings.server)
        name, make = _target(settings, url)
    except RunlakeError as exc:
        _say(exc.line())
        sys.exit(2)
    sys.exit(_recorded(command, task, name, make, keeps_output=not no_output))


def _recorded(command: tuple[str, ...], task: str, name: str, make: Make, *, keeps_output: bool) -> int:
    """The exit code of the command, which is recorded."""
    before = datetime.now(UTC)
    child, ended = None, None
    try:
        child = Child(command, keeps_output=keeps_output)
    except OSError as exc:
        text = f"{command[0]}: {exc.strerror}"
        _say(text)
        code = NOT_FOUND if isinstance(exc, FileNotFoundError) else NOT_EXECUTABLE
        ended = Ended(code, before, datetime.now(UTC), text.encode())
    report = Report(task, child.started_at if child else before)
    recording = Recording(name, make, settings_module.state_folder(), report, _say)
    recording.begin()
    if child is not None:
        ended = child.wait()
    assert ended is not None  # noqa: S101 - one of both is there
    if not recording.finish(ended):
        sys.stderr.flush()
        os._exit(ended.code)
    return ended.code


def _target(settings: Settings, url: str) -> tuple[str, Make]:
    """The name of the target, and what makes it. A lake is opened late: DuckDB takes a third of a second to import."""
    if url:
        service = Service(url, settings.key)
        return service.name, lambda: service

    def folder() -> Target:
        made: Target = import_module("runlake.recorder.folder").Folder(settings)
        return made

    return str(Paths.of(settings.data).folder), folder


def _say(text: str) -> None:
    click.echo(f"runlake: {text}", err=True)
