"""`runlake maintain` and `runlake check`."""

from __future__ import annotations

import sys

import click

from runlake.cli.common import FAILED, bar, command, lines
from runlake.lake.catalog import Lake
from runlake.lake.maintain import Step
from runlake.paths import Paths
from runlake.query import verify
from runlake.settings import Settings
from runlake.store import Store

_MEANING = {
    Step.FLUSH: "rows of the catalog written to Parquet",
    Step.MERGE_SMALL: "small files of a day merged",
    Step.MERGE: "files of a day merged into one",
    Step.REWRITE_OPEN: "replaced versions of open runs dropped",
    Step.EXPIRE: "old snapshots forgotten",
    Step.CLEAN: "replaced files deleted after the grace period",
}


@click.command(epilog="Example: runlake maintain --data data/lake --dry-run")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@command
def maintain(settings: Settings, dry_run: bool) -> None:
    """Flush, merge, expire and clean, once; `serve` does the same by itself."""
    Lake(Paths.of(settings.data), settings, write=False).close()  # maintain makes no lake
    store = Store(settings)
    try:
        store.load()
        before = store.index.view
        steps = store.writer.keeper.steps()
        if not dry_run:
            store.writer.keeper.run(steps)
        after = store.index.view
    finally:
        store.close()
    for step in steps:
        click.echo(f"{'would do' if dry_run else 'done'}: {_MEANING[step]}")
    files = f"{len(before.files.all())} -> {len(after.files.all())}"
    click.echo(lines([("files", files), ("rows in the catalog", f"{before.inlined} -> {after.inlined}")]))


@click.command(epilog="Example: runlake check --data data/lake")
@command
def check(settings: Settings) -> None:
    """Verify the lake: every file present and readable, counts agree, no id twice.

    Reads all data. Exit code 1 and a list of what is wrong if anything is.
    """
    with bar("checking files") as update:
        report = verify.check(settings, update)
    for finding in report.findings:
        click.echo(finding, err=True)
    click.echo(lines([("runs", f"{report.runs:,}"), ("files", f"{report.files:,}"), ("wrong", len(report.findings))]))
    if report.findings:
        sys.exit(FAILED)
