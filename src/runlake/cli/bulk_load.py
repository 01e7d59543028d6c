"""The bulk load of `runlake import` and `runlake generate`: progress, totals, and the file of rejected rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import BinaryIO

import click
import msgspec
from msgspec import structs

from runlake.cli.common import lines, progress_bar
from runlake.intake.found_names import FoundNames
from runlake.intake.messages import nan_as_text
from runlake.lake import bulk
from runlake.lake.catalog import Lake
from runlake.lake.names import set_names
from runlake.lake.stored import Stored
from runlake.paths import Paths
from runlake.serving.serving import Serving
from runlake.settings import Settings


def load_chunks(
    settings: Settings,
    chunks: Iterable[bulk.Chunk],
    bar: tuple[str, int | None],
    rejects: BinaryIO | None,
    found: FoundNames | None = None,
) -> None:
    """Load all chunks in one transaction and print the totals. `bar` is what the progress bar says, and its rows.
    Afterwards tasks without a name get the one that was `found` for them.

    Rejected rows go to `rejects` as NDJSON; without it, the first one raises ImportFailed and nothing is stored.
    """
    lake = Lake(Paths.of(settings.data), settings, write=True)
    if rejects:
        rejects.truncate(0)  # only now, when this load holds the write lock
    reject = _writer(rejects) if rejects else None
    stored, serving = Stored(), Serving(lake)
    try:
        with progress_bar("reading what is stored") as update:
            stored.load(lake)
            serving.load(update)
        with progress_bar(*bar) as update:
            load = bulk.BulkLoad(lake, stored, serving.locate, serving.remember)
            totals = load.run(chunks, reject=reject, progress=lambda t: update(t.received, None))
        named = set_names(lake, found.new(lake.names())) if found is not None and found.any else None
    finally:
        serving.close()
        lake.close()
    shown = [(name, getattr(totals, name)) for name in totals.__struct_fields__]
    click.echo(lines(shown if named is None else [*shown, ("named", named)]))


def _writer(out: BinaryIO) -> Callable[[bulk.Reject], None]:
    def write(reject: bulk.Reject) -> None:
        out.write(msgspec.json.encode(structs.replace(reject, record=nan_as_text(reject.record)), enc_hook=str) + b"\n")

    return write
