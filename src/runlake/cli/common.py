"""Parts of several commands: the `--data` option, errors in one line, progress bars."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Concatenate, Final, ParamSpec, TypeVar

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from runlake import failpoints
from runlake import settings as settings_module
from runlake.errors import RunlakeError, UsageError
from runlake.paths import Paths
from runlake.settings import Settings

P = ParamSpec("P")
T = TypeVar("T")

FAILED: Final = 1
WRONG_USAGE: Final = 2


def fail(exc: RunlakeError) -> None:
    """End with the error in one line on standard error: exit code 2 for wrong usage, else 1."""
    click.echo(f"runlake: {exc.line()}", err=True)
    sys.exit(WRONG_USAGE if isinstance(exc, UsageError) else FAILED)


def command(function: Callable[Concatenate[Settings, P], None]) -> Callable[P, None]:
    """Add `--data` to a command, pass it the settings, and print errors in one line."""

    @click.option("--data", metavar="DIR", help="Folder of the lake [RUNLAKE_DATA, then data/lake].")
    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        data = kwargs.pop("data", None)
        try:
            settings = settings_module.load()
            failpoints.arm(settings.fail_point)
            function(settings.with_data(str(data) if data else None), *args, **kwargs)
        except RunlakeError as exc:
            fail(exc)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # click handles these
        except Exception as exc:
            if settings_module.debugging():
                raise
            fail(RunlakeError(f"{type(exc).__name__}: {exc}", hint="RUNLAKE_LOG_LEVEL=debug shows where"))

    return wrapped


def check_outside_lake(file: Path, settings: Settings, option: str) -> None:
    """Raise UsageError for an output file in the lake's folder, because it could damage the lake."""
    folder = Paths.of(settings.data).folder
    if file.resolve().is_relative_to(folder):
        raise UsageError(f"{option} cannot write into the lake {folder}")


@contextmanager
def progress_bar(what: str, total: int | None = None) -> Iterator[Callable[[int, int | None], None]]:
    """A progress bar with rate and time left on a terminal, nothing otherwise; call it with (done, total)."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total, rate="")

        def update(done: int, of: int | None = None) -> None:
            speed = progress.tasks[task].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            progress.update(task, completed=done, total=of if of is not None else total, rate=rate)

        yield update


def lines(pairs: Sequence[tuple[str, object]]) -> str:
    """Aligned lines of names and values."""
    width = max(len(name) for name, _ in pairs)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in pairs)
