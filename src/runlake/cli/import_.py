"""`runlake import`: loads files of runs."""

from __future__ import annotations

from contextlib import closing, nullcontext
from pathlib import Path
from typing import BinaryIO

import click

from runlake import recipes
from runlake.cli.bulk_load import load_chunks
from runlake.cli.common import check_outside_lake, command
from runlake.errors import UsageError
from runlake.intake.files import KINDS
from runlake.intake.found_names import FoundNames
from runlake.lake import bulk
from runlake.sandbox import sources
from runlake.settings import Settings

_EXAMPLES = """
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


@click.command("import", epilog=_EXAMPLES)
@click.argument("source", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--select", metavar="SQL", help="One SELECT over the view `source` that yields run-record columns.")
@click.option("--recipe", type=click.Choice(recipes.NAMES), help="An included SELECT, for exports of a system.")
@click.option("--format", "form", type=click.Choice(KINDS), help="What the sources are [what their names say].")
@click.option("--delimiter", metavar="CHAR", help="What separates the fields of CSV [what the first line shows].")
@click.option(
    "--rejects", metavar="FILE", type=click.Path(path_type=Path), help="Write bad rows here, load the others."
)
@command
def import_(
    settings: Settings,
    /,
    source: tuple[Path, ...],
    select: str | None,
    recipe: str | None,
    rejects: Path | None,
    **options: str | None,
) -> None:
    """Load files of runs: CSV, JSON, NDJSON, Parquet or Arrow, plain, gzip or zstd.

    `-` is standard input. A file of any other kind is read as lines of text, in the one column `line`. With --select
    every column of CSV and every member of JSON is text, and `json` is the whole record: the query casts. `id` is
    required. A column `task_name` names tasks that have no name. `runlake recipes` lists the included
    SELECTs. One bad row fails the load and nothing is stored;
    with --rejects the good rows load, but a CSV row of another length and a damaged file always end it. Loading a file
    twice stores nothing the second time.
    """
    reading = sources.Reading(options["form"], _separator(options["delimiter"]))
    sources.check(source, reading)
    if recipe is not None:
        if select is not None:
            raise UsageError("--recipe is a SELECT already: give one of --recipe and --select")
        select = recipes.text(recipe)
    if rejects:
        check_outside_lake(rejects, settings, "--rejects")
    with (
        _rejects_file(rejects, source) if rejects else nullcontext() as out,
        closing(sources.tables(source, select, settings, reading)) as tables,
        closing(FoundNames()) as names,
    ):
        kept = names.without if select is not None else lambda rows: rows
        chunks = (bulk.Chunk(name, first, kept(rows)) for name, first, rows in tables)
        load_chunks(settings, chunks, ("loading", None), out, names)


def _separator(delimiter: str | None) -> str | None:
    """The character for `--delimiter`, which may also be `tab` or `\\t`; raises UsageError for others."""
    if delimiter is None:
        return None
    mark = {"tab": "\t", "\\t": "\t"}.get(delimiter.lower(), delimiter)
    if len(mark) != 1 or mark in '"\r\n\0':
        raise UsageError(f"--delimiter: one character that is no quote, or `tab`, not {delimiter!r}")
    return mark


def _rejects_file(rejects: Path, source: tuple[Path, ...]) -> BinaryIO:
    """Open the file for rejected rows; raises UsageError for a file that is a source or cannot be made."""
    if any(rejects.exists() and file.exists() and rejects.samefile(file) for file in source):
        raise UsageError(f"--rejects would overwrite the source {rejects}")
    try:
        return rejects.open("ab")
    except OSError as exc:
        raise UsageError(f"cannot write {rejects}: {exc.strerror}") from exc
