"""`runlake backup`: copies a lake."""

from __future__ import annotations

from pathlib import Path

import click

from runlake.cli.common import command, lines, progress_bar
from runlake.lake import backup as backups
from runlake.settings import Settings


@click.command(epilog="Example: runlake backup /mnt/backup/lake --data data/lake")
@click.argument("dest", type=click.Path(path_type=Path))
@command
def backup(settings: Settings, dest: Path) -> None:
    """Copy the lake to the folder DEST, also while the service writes.

    The copy is of one snapshot and is a lake of its own. A second call copies only files that are new and then
    removes those that are no longer needed; until the new copy is whole, the old one is. API keys are not copied,
    nor is the serving database, which is made anew when the copy is served.
    """
    with progress_bar("copying files") as update:
        done = backups.backup(settings, dest, update)
    click.echo(
        lines(
            [
                ("snapshot", done.snapshot),
                ("files", f"{done.files:,}"),
                ("bytes", f"{done.bytes:,}"),
                ("copied files", f"{done.copied_files:,}"),
                ("copied bytes", f"{done.copied_bytes:,}"),
                ("removed files", f"{done.removed_files:,}"),
            ]
        )
    )
