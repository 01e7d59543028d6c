"""`runlake check`: reads the whole lake and names what is wrong."""

from __future__ import annotations

import sys

import click

from runlake.cli.common import FAILED, command, lines, progress_bar
from runlake.inspect import verify
from runlake.settings import Settings


@click.command(epilog="Example: runlake check --data data/lake")
@command
def check(settings: Settings) -> None:
    """Verify the lake: every file present and readable, counts agree, no id twice.

    Reads all data, and compares it with its checksums. Exit code 1 and a list of what is wrong if
    anything is.
    """
    with progress_bar("checking files") as update:
        report = verify.check(settings, update)
    for finding in report.findings:
        click.echo(finding, err=True)
    figures: list[tuple[str, object]] = [
        ("runs", f"{report.runs:,}"),
        ("files", f"{report.files:,}"),
        ("wrong", f"{len(report.findings)}"),
    ]
    if report.bare:
        figures.append(("without checksum", f"{report.bare:,}"))
    click.echo(lines(figures))
    if report.findings:
        sys.exit(FAILED)
