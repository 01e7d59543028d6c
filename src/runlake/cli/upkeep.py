"""`runlake maintain` and `runlake check`."""

from __future__ import annotations

import sys

import click
import msgspec

from runlake import times
from runlake.cli.common import FAILED, bar, command, lines
from runlake.lake import retention
from runlake.lake.catalog import Lake
from runlake.lake.maintain import State, Step, everything
from runlake.lake.rows import run_days
from runlake.paths import Paths
from runlake.query import verify
from runlake.query.relations import content
from runlake.settings import Settings
from runlake.store import Store

_MEANING = {
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
    lake = Lake(Paths.of(settings.data), settings, write=False)  # maintain makes no lake
    try:
        if dry_run:
            _foretell(lake)
            return
    finally:
        lake.close()
    store = Store(settings)
    try:
        store.load()
        stored = store.stored
        files, inlined, snapshots = len(stored.files), stored.inlined_rows, store.lake.snapshots()
        keeper = store.writer.keeper
        steps = keeper.steps()
        keeper.run(steps)
        told = [
            *_gone("dropped", settings, keeper.gone),
            ("files", f"{files} -> {len(stored.files)}"),
            ("rows in the catalog", f"{inlined} -> {stored.inlined_rows}"),
            ("snapshots", f"{snapshots} -> {store.lake.snapshots()}"),
        ]
    finally:
        store.close()
    _tell("done", steps, told)
    for file in keeper.unreadable.files:
        date = times.to_date(file.day)
        click.echo(
            f"runlake: {date} was not merged: cannot read {file.path} (restore it, then run this again)", err=True
        )
    if keeper.unreadable.files:
        sys.exit(FAILED)


def _foretell(lake: Lake) -> None:
    """What `maintain` would do, by a look that changes nothing."""
    what = content(lake)
    days = {*(file.day for file in what.files), *(int(day) for day in run_days(what.inlined))}
    horizon = retention.due(days, retention.today(), lake.settings.retention_days)
    gone = retention.Gone() if horizon is None else retention.gone(what.files, what.inlined, horizon)
    state = State(
        files=what.files,
        inlined_rows=what.inlined.num_rows,
        open_rows=what.opened.num_rows,
        dead_open_rows=lake.dead_open_rows(),
        since_tidy=0,
        overdue=horizon is not None,
    )
    told = [
        *_gone("would drop", lake.settings, gone),
        ("files", len(what.files)),
        ("rows in the catalog", what.inlined.num_rows),
        ("snapshots", lake.snapshots()),
    ]
    _tell("would do", everything(state), told)


def _tell(how: str, steps: list[Step], told: list[tuple[str, object]]) -> None:
    for step in steps:
        click.echo(f"{how}: {_MEANING[step]}")
    click.echo(lines(told))


def _gone(how: str, settings: Settings, gone: retention.Gone) -> list[tuple[str, object]]:
    """What retention drops, when there is one."""
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


@click.command(epilog="Example: runlake check --data data/lake")
@command
def check(settings: Settings) -> None:
    """Verify the lake: every file present and readable, counts agree, no id twice.

    Reads all data, and compares it with its checksums. Exit code 1 and a list of what is wrong if
    anything is.
    """
    with bar("checking files") as update:
        report = verify.check(settings, update)
    for finding in report.findings:
        click.echo(finding, err=True)
    told = [("runs", f"{report.runs:,}"), ("files", f"{report.files:,}"), ("wrong", f"{len(report.findings)}")]
    click.echo(lines([*told, *([("without checksum", f"{report.bare:,}")] if report.bare else [])]))
    if report.findings:
        sys.exit(FAILED)
