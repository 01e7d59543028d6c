"""`runlake generate`: loads a synthetic history."""

from __future__ import annotations

from contextlib import closing

import click

from runlake import generate as generator
from runlake import times
from runlake.cli.bulk_load import load_chunks
from runlake.cli.common import command
from runlake.errors import UsageError
from runlake.lake import bulk
from runlake.lake.catalog import Lake
from runlake.lake.names import set_names
from runlake.paths import Paths
from runlake.sandbox import sources
from runlake.settings import Settings


@click.command(epilog="Example: runlake generate --runs 200000 --days 30 --tasks 200 --seed 7 --data data/lake")
@click.option("--runs", type=click.IntRange(1), required=True, help="How many runs.")
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="Over how many days.")
@click.option("--tasks", type=click.IntRange(1), default=200, show_default=True, help="Of how many tasks.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same history.")
@click.option("--until", metavar="TIME", help="End of the history, ISO 8601 [now].")
@click.option("--incidents", is_flag=True, help="Something is wrong at its end, and tasks have names.")
@command
def generate(settings: Settings, /, until: str | None, incidents: bool, **shape: int) -> None:
    """Load a synthetic history of realistic shape: daily rhythm, heavy tails, failure bursts, retries.

    With --incidents, of at least 12 tasks one has become slower, one fails and succeeds in turn, one fails by a new
    error, one is silent, and a worker fails.
    """
    try:
        end = times.now() if until is None else times.parse(until)
    except ValueError as exc:
        raise UsageError(f"--until: {exc}") from None
    load_history(settings, end, incidents, **shape)


def load_history(  # noqa: PLR0913 - one argument per option of the command
    settings: Settings, until: int, incidents: bool, *, runs: int, days: int, tasks: int, seed: int
) -> None:
    """Load a history that ends at `until`, in µs, and print the totals."""
    tables = generator.history(
        runs=runs,
        days=days,
        tasks=tasks,
        seed=seed,
        until=until,
        batch_rows=sources.CHUNK_ROWS,
        incidents=incidents,
    )
    pieces = (bulk.Chunk("generated", i * sources.CHUNK_ROWS + 1, rows) for i, rows in enumerate(tables))
    load_chunks(settings, pieces, ("generating", runs), None)
    if incidents:
        with closing(Lake(Paths.of(settings.data), settings, write=True)) as lake:
            set_names(lake, generator.names(tasks, seed))
