"""`runlake maintain`: all maintenance that is due, once."""

from __future__ import annotations

import sys
from contextlib import closing

import click
import msgspec

from runlake import times
from runlake.cli.common import FAILED, command, lines
from runlake.inspect import relations
from runlake.lake import retention
from runlake.lake.catalog import Lake
from runlake.lake.rows import run_days
from runlake.lake.steps import State, Step, plan_all
from runlake.paths import Paths
from runlake.settings import Settings
from runlake.store import Store

_DESCRIPTIONS = {
    Step.RETAIN: "days older than the retention dropped",
    Step.FLUSH: "rows of the catalog written to Parquet",
    Step.MERGE_SMALL: "small files of a day merged",
    Step.MERGE: "files of a day merged into one",
    Step.REWRITE_OPEN: "replaced versions of open runs dropped",
    Step.EXPIRE: "old snapshots forgotten",
    Step.CLEAN: "replaced files deleted after the grace period",
}


@click.command(epilog="Example: runlake maintain --retain-days 365 --dry-run --data data/lake")
@click.option(
    "--retain-days",
    metavar="N",
    type=click.IntRange(1),
    help="Drop the finished runs of whole UTC days older than N days [RUNLAKE_RETENTION_DAYS, then keep all].",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and write nothing; also while `serve` runs.")
@command
def maintain(settings: Settings, dry_run: bool, retain_days: int | None) -> None:
    """Flush, merge, expire and clean, once; `serve` does the same by itself.

    With a retention, old days go first. Their files leave the disk after the grace period. A file that
    cannot be read is named and stays as it is; all else is done, and the exit code is 1.
    """
    if retain_days is not None:
        settings = msgspec.structs.replace(settings, retention_days=retain_days)
    with closing(Lake(Paths.of(settings.data), settings, write=False)) as lake:  # maintain makes no lake
        if dry_run:
            _print_plan(lake)
            return
    store = Store(settings)
    try:
        store.load()
        stored = store.stored
        files, inlined, snapshots = len(stored.files), stored.inlined_rows, store.lake.snapshots()
        maintenance = store.writer.maintenance
        steps = maintenance.pending_steps()
        maintenance.run(steps)
        figures = [
            *_dropped("dropped", settings, maintenance.dropped),
            ("files", f"{files} -> {len(stored.files)}"),
            ("rows in the catalog", f"{inlined} -> {stored.inlined_rows}"),
            ("snapshots", f"{snapshots} -> {store.lake.snapshots()}"),
        ]
    finally:
        store.close()
    _print("done", steps, figures)
    for file in maintenance.unreadable.files:
        date = times.to_date(file.day)
        click.echo(
            f"runlake: {date} was not merged: cannot read {file.path} (restore it, then run this again)", err=True
        )
    if maintenance.unreadable.files:
        sys.exit(FAILED)


def _print_plan(lake: Lake) -> None:
    """Print what `maintain` would do; writes nothing."""
    content = relations.content(lake)
    days = {*(file.day for file in content.files), *(int(day) for day in run_days(content.inlined))}
    horizon = retention.due(days, retention.today(), lake.settings.retention_days)
    gone = retention.Dropped() if horizon is None else retention.to_drop(content.files, content.inlined, horizon)
    state = State(
        files=content.files,
        inlined_rows=content.inlined.num_rows,
        open_rows=content.opened.num_rows,
        dead_open_rows=lake.dead_open_rows(),
        since_tidy=0,
        overdue=horizon is not None,
    )
    figures = [
        *_dropped("would drop", lake.settings, gone),
        ("files", len(content.files)),
        ("rows in the catalog", content.inlined.num_rows),
        ("snapshots", lake.snapshots()),
    ]
    _print("would do", plan_all(state), figures)


def _print(how: str, steps: list[Step], figures: list[tuple[str, object]]) -> None:
    for step in steps:
        click.echo(f"{how}: {_DESCRIPTIONS[step]}")
    click.echo(lines(figures))


def _dropped(how: str, settings: Settings, gone: retention.Dropped) -> list[tuple[str, object]]:
    """Lines on the runs that retention drops; none without a retention."""
    if not settings.retention_days:
        return []
    if gone.first is None or gone.last is None:
        return [(f"{how} days", 0)]
    return [
        (f"{how} days", f"{gone.days:,} ({times.to_date(gone.first)} to {times.to_date(gone.last)})"),
        (f"{how} runs", f"{gone.runs:,}"),
        (f"{how} files", f"{gone.files:,}"),
        (f"{how} bytes", f"{gone.bytes:,}"),
    ]
