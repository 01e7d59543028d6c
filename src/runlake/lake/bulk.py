"""Bulk load: a stream of tables becomes runs in one transaction, or nothing does.

tables -> Tables.split (rules) -> admit (life cycle, against the history and what this load wrote before)
       -> lake, chunk by chunk inside one transaction -> COMMIT
Reading and checking run one chunk ahead of writing. Memory: the DuckDB limits, three chunks, and 8 bytes a run
for the keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from msgspec import Struct

from runlake.columns import TEXTS
from runlake.errors import BadInput, ImportFailed
from runlake.intake import Rejected, Split, Tables, records, words
from runlake.intake.batch import id_words
from runlake.lake import admit, write
from runlake.lake.catalog import Lake
from runlake.lake.commit import Locate
from runlake.lake.rows import row_tuples
from runlake.lake.stored import Stored
from runlake.lake.written import Piece, Written
from runlake.prefetch import prefetched

CONFLICT = "a finished run with this id and other content"


class Source(Struct, frozen=True):
    """A piece of what is loaded: where it is from, the number of its first row (from 1), and its rows."""

    name: str
    first_row: int
    rows: pa.Table

    @property
    def is_json(self) -> bool:
        """Whether the rows are TEXTS: one JSON text each, to be judged as POST judges them."""
        return bool(self.rows.schema.equals(TEXTS))

    def record(self, row: int) -> Any:
        """A row as it came (from 0): what is no JSON as text, and so are times that Python has no values for."""
        if not self.is_json:
            return {name: words.value_at(self.rows[name], row) for name in self.rows.column_names}
        text: bytes = self.rows.column(0)[row].as_py()
        try:
            text.decode()
            return msgspec.Raw(msgspec.json.format(text, indent=-1))
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
            return text.decode(errors="replace")


class Reject(Struct, frozen=True):
    """A row that was not loaded: file, row (from 1), field, reason, and the row as it came."""

    file: str
    row: int
    field: str
    reason: str
    record: Any


class Totals(Struct):
    """What a load did; received = stored + duplicates + stale + rejected."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    stale: int = 0
    rejected: int = 0


def load(  # noqa: PLR0913 - what it writes to, what is stored there, and what to tell
    lake: Lake,
    stored: Stored,
    locate: Locate,
    remember: Callable[[pa.Table], None],
    sources: Iterable[Source],
    *,
    reject: Callable[[Reject], None] | None = None,
    progress: Callable[[Totals], None] = lambda _: None,
) -> Totals:
    """Store the rows of all sources, in order, in one transaction.

    A bad row raises ImportFailed with file, row and reason, and nothing is stored; with `reject` it is handed
    there instead and the others load. `locate` finds ids that may be stored, and `remember` is
    called with the rows that became history, which it has to find from then on. Both, and `stored`, know them even
    when the load fails: drop them then.
    """
    totals = Totals()
    # One thread: the others write meanwhile, and sharing out so short a check takes more time than it saves.
    tables = Tables(memory_limit=lake.settings.memory_limit)
    pieces = prefetched((source, _split(tables, source)) for source in sources)
    with lake.transaction(), closing(pieces), Written() as written:
        for source, split in pieces:
            admission = admit.admit([split.batch], stored, locate, partial(write.verify, lake), whole=False)
            ids = id_words(admission.rows["id"])
            piece = Piece(source.name, source.first_row, source.rows.num_rows)
            written.add(piece, split.kept[admission.finished], ids[admission.finished])
            for bad in _rejects(source, split, admission, written):
                if reject is None:
                    raise ImportFailed(
                        ": ".join(part for part in (bad.file, f"row {bad.row}", bad.field, bad.reason) if part)
                    )
                reject(bad)
                totals.rejected += 1
            finished, opened = write.put(lake, admission)
            remember(finished)
            stored.replace_open(row_tuples(opened, np.arange(opened.num_rows)), admission.closed)
            _count(totals, source, admission)
            progress(totals)
    return totals


def _split(tables: Tables, source: Source) -> Split:
    if source.is_json:
        return records.split(source.rows.column(0).to_pylist())
    try:
        return tables.split(source.rows, id_required=True)
    except BadInput as exc:
        raise ImportFailed(f"{source.name}: {exc.detail}", hint=exc.hint) from exc


def _rejects(source: Source, split: Split, admission: admit.Admission, written: Written) -> Iterator[Reject]:
    """The bad rows of a chunk in order: those that break a rule, and those that clash with a stored run."""
    bad, clashes = split.rejected, np.flatnonzero(admission.status == admit.CONFLICT)
    if len(clashes):
        places = written.find(id_words(admission.rows["id"])[clashes])
        reasons = (f"{CONFLICT} {_where(place, source.name)}" for place in places)
        bad = bad + [Rejected(int(split.kept[row]), "id", why) for row, why in zip(clashes, reasons, strict=True)]
    for item in sorted(bad, key=lambda r: r.row):
        yield Reject(source.name, source.first_row + item.row, item.field, item.reason, source.record(item.row))


def _where(place: tuple[str, int] | None, name: str) -> str:
    if place is None:
        return "is stored already"
    return f"stands in row {place[1]} of " + ("this file" if place[0] == name else place[0])


def _count(totals: Totals, source: Source, admission: admit.Admission) -> None:
    totals.received += source.rows.num_rows
    totals.stored += int(np.count_nonzero(admission.status == admit.STORE))
    totals.duplicates += int(np.count_nonzero(admission.status == admit.DUPLICATE))
    totals.stale += int(np.count_nonzero(admission.status == admit.STALE))
