"""`runlake import` and `runlake generate`: bulk loads."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import closing, nullcontext
from pathlib import Path
from typing import BinaryIO

import click
import msgspec
from msgspec import structs

from runlake import generate as generator
from runlake import times
from runlake.cli.common import bar, command, lines, outside
from runlake.errors import UsageError
from runlake.intake.files import KINDS
from runlake.intake.words import named
from runlake.lake import bulk
from runlake.lake.catalog import Lake
from runlake.lake.stored import Stored
from runlake.paths import Paths
from runlake.query import sources
from runlake.serving.serving import Serving
from runlake.settings import Settings

_IMPORT_EXAMPLES = """
\b
Examples:
  runlake import runs.parquet more-runs.ndjson.gz
  runlake import jobs.csv --rejects bad.ndjson --select "
    SELECT md5('jobs:' || job)::uuid AS id, md5(queue)::uuid AS task_id,
           submitted AS created_at, started AS started_at, ended AS finished_at,
           exit_code = '0' AS success
    FROM source"
  zcat old.csv.gz | runlake import - --format csv --delimiter ';'
"""


@click.command("import", epilog=_IMPORT_EXAMPLES)
@click.argument("source", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--select", metavar="SQL", help="One SELECT over the view `source` that yields run-record columns.")
@click.option("--format", "form", type=click.Choice(KINDS), help="What the sources are [what their names say].")
@click.option("--delimiter", metavar="CHAR", help="What separates the fields of CSV [what the first line shows].")
@click.option(
    "--rejects", metavar="FILE", type=click.Path(path_type=Path), help="Write bad rows here, load the others."
)
@command
def import_(
    settings: Settings, /, source: tuple[Path, ...], select: str | None, rejects: Path | None, **options: str | None
) -> None:
    """Load files of runs: CSV, JSON, NDJSON, Parquet or Arrow, plain, gzip or zstd.

    `-` is standard input. A file of any other kind is read as lines of text, in the one column `line`. With --select
    every column of CSV and every member of JSON is text, and `json` is the whole record: the query casts. `id` is
    required. One bad row fails the load and nothing is stored; with --rejects the good rows load, but a CSV row of
    another length and a damaged file always end it. Loading a file twice stores nothing the second time.
    """
    reading = sources.Reading(options["form"], _separator(options["delimiter"]))
    sources.check(source, reading)
    if rejects:
        outside(rejects, settings, "--rejects")
    with (
        _rejects_file(rejects, source) if rejects else nullcontext() as out,
        closing(sources.tables(source, select, settings, reading)) as found,
    ):
        _load(settings, (bulk.Source(*piece) for piece in found), "loading", None, out)


def _separator(delimiter: str | None) -> str | None:
    """The one character that `--delimiter` means; `tab` and `\\t` are easier to type than a tab."""
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0':
        raise UsageError(f"--delimiter: one character that is no quote, or `tab`, not {delimiter!r}")
    return mark


@click.command(epilog="Example: runlake generate --runs 200000 --days 30 --tasks 200 --seed 7 --data data/lake")
@click.option("--runs", type=click.IntRange(1), required=True, help="How many runs.")
@click.option("--days", type=click.IntRange(1), default=30, show_default=True, help="Over how many days.")
@click.option("--tasks", type=click.IntRange(1), default=200, show_default=True, help="Of how many tasks.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Same seed, same history.")
@click.option("--until", metavar="TIME", help="End of the history, ISO 8601 [now].")
@command
def generate(settings: Settings, /, until: str | None, **shape: int) -> None:
    """Load a synthetic history of realistic shape: daily rhythm, heavy tails, failure bursts, retries."""
    try:
        end = times.now() if until is None else times.parse(until)
    except ValueError as exc:
        raise UsageError(f"--until: {exc}") from None
    tables = generator.history(until=end, batch_rows=sources.CHUNK_ROWS, **shape)
    pieces = (bulk.Source("generated", i * sources.CHUNK_ROWS + 1, rows) for i, rows in enumerate(tables))
    _load(settings, pieces, "generating", shape["runs"], None)


def _load(
    settings: Settings,
    pieces: Iterable[bulk.Source],
    what: str,
    total: int | None,
    rejects: BinaryIO | None,
) -> None:
    lake = Lake(Paths.of(settings.data), settings, write=True)
    if rejects:
        rejects.truncate(0)  # not before it is certain that this load runs
    reject = _writer(rejects) if rejects else None
    stored, serving = Stored(), Serving(lake)
    try:
        with bar("reading what is stored") as update:
            stored.load(lake)
            serving.load(update)
        with bar(what, total) as update:
            totals = bulk.load(
                lake,
                stored,
                serving.locate,
                serving.remember,
                pieces,
                reject=reject,
                progress=lambda t: update(t.received, None),
            )
    finally:
        serving.close()
        lake.close()
    click.echo(lines([(name, getattr(totals, name)) for name in totals.__struct_fields__]))


def _rejects_file(rejects: Path, source: tuple[Path, ...]) -> BinaryIO:
    """The file for bad rows; raises UsageError for one of the sources and where none can be made."""
    if any(rejects.exists() and file.exists() and rejects.samefile(file) for file in source):
        raise UsageError(f"--rejects would overwrite the source {rejects}")
    try:
        return rejects.open("ab")
    except OSError as exc:
        raise UsageError(f"cannot write {rejects}: {exc.strerror}") from exc


def _writer(out: BinaryIO) -> Callable[[bulk.Reject], None]:
    def write(bad: bulk.Reject) -> None:
        out.write(msgspec.json.encode(structs.replace(bad, record=named(bad.record)), enc_hook=str) + b"\n")

    return write
