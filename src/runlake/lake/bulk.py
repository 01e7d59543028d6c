"""Bulk load: chunks of rows become runs in one transaction.

chunk -> Tables.split (the rules) -> admit (the life cycle, compared with the history and the chunks before)
      -> write, chunk by chunk inside one transaction -> COMMIT
The next chunk is read and checked while one is written. Memory: the DuckDB limits, three chunks, and 8 bytes a run
for the keys of the id index.
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
from runlake.intake import Rejected, Split, Tables, messages, records
from runlake.intake.batch import id_words
from runlake.lake import admit, write
from runlake.lake.admit import Bools, Positions, Quarters
from runlake.lake.before import Before
from runlake.lake.catalog import Lake
from runlake.lake.commit import Locate
from runlake.lake.loaded_rows import LoadedChunk, LoadedRows
from runlake.lake.rows import row_tuples, run_quarters
from runlake.lake.stored import Stored
from runlake.prefetch import prefetched

CONFLICT = "a finished run with this id and other content"


class Chunk(Struct, frozen=True):
    """Rows of one source: its name, the number of the first row there (from 1), and the rows."""

    name: str
    first_row: int
    rows: pa.Table

    @property
    def is_json(self) -> bool:
        """Whether the rows are JSON texts with the schema TEXTS, which are checked as POST checks records."""
        return bool(self.rows.schema.equals(TEXTS))

    def record(self, row: int) -> Any:
        """The row at a position (from 0) as it was sent; text where it is no JSON, or has no Python value."""
        if not self.is_json:
            return {name: messages.value_at(self.rows[name], row) for name in self.rows.column_names}
        text: bytes = self.rows.column(0)[row].as_py()
        try:
            text.decode()
            return msgspec.Raw(msgspec.json.format(text, indent=-1))
        except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
            return text.decode(errors="replace")


class Reject(Struct, frozen=True):
    """A row that was not stored: source, row number (from 1), field, reason, and the row as it was sent."""

    file: str
    row: int
    field: str
    reason: str
    record: Any


class Totals(Struct):
    """The rows of a load by result; received = stored + duplicates + stale + rejected."""

    received: int = 0
    stored: int = 0
    duplicates: int = 0
    stale: int = 0
    rejected: int = 0


class BulkLoad:
    """A bulk load into a lake. `locate` finds ids that may be stored.

    `remember` is called with the rows that became history, so that `locate` finds them from then on. Both, and
    `stored`, know the rows also when the load fails: drop them then.
    """

    def __init__(self, lake: Lake, stored: Stored, locate: Locate, remember: Callable[[pa.Table], None]) -> None:
        self._lake, self._stored, self._locate, self._remember = lake, stored, locate, remember

    def run(
        self,
        chunks: Iterable[Chunk],
        *,
        reject: Callable[[Reject], None] | None = None,
        progress: Callable[[Totals], None] = lambda _: None,
    ) -> Totals:
        """Store the rows of all chunks, in order, in one transaction.

        An invalid row raises ImportFailed with file, row and reason, and nothing is stored. With `reject` it is passed
        there instead, and the other rows are stored.
        """
        totals = Totals()
        # One thread: the others write meanwhile, and to share so short a check takes more time than it saves.
        tables = Tables(memory_limit=self._lake.settings.memory_limit)
        before = Before(self._lake)
        pairs = prefetched((chunk, _split(tables, chunk)) for chunk in chunks)
        with self._lake.transaction(), closing(pairs), LoadedRows() as loaded:
            for chunk, split in pairs:
                admission = self._admit(chunk, split, loaded, before)
                for rejected in _rejects(chunk, split, admission, loaded):
                    if reject is None:
                        raise _failure(rejected)
                    reject(rejected)
                    totals.rejected += 1
                self._write(admission)
                _count(totals, chunk, admission)
                progress(totals)
        return totals

    def _admit(self, chunk: Chunk, split: Split, loaded: LoadedRows, before: Before) -> admit.Admission:
        """Compare the valid rows of a chunk with the history and the chunks before; conflicting rows are left out."""
        verify = partial(self._verify, loaded, before)
        admission = admit.admit([split.batch], self._stored, self._locate, verify, whole=False)
        ids = id_words(admission.rows["id"])
        quarters = run_quarters(admission.rows)[admission.finished]
        span = (int(quarters.min()), int(quarters.max())) if len(quarters) else (0, -1)
        source = LoadedChunk(chunk.name, chunk.first_row, chunk.rows.num_rows, *span)
        loaded.add(source, split.kept[admission.finished], ids[admission.finished])
        return admission

    def _verify(
        self, loaded: LoadedRows, before: Before, rows: pa.Table, positions: Positions, quarters: Quarters
    ) -> tuple[Positions, Bools]:
        """See admit.Verify. Of many ids some share a hash with another one by chance: only those that the load has
        itself are looked for in what it has written, where DuckLake opens all files."""
        files = before.files(quarters)
        if files is None:
            return write.verify(self._lake, rows, positions, quarters)
        own = loaded.has(id_words(rows["id"].take(pa.array(positions))), quarters)
        found, equal = np.empty(0, dtype=np.intp), np.empty(0, dtype=np.bool_)
        for some, within in ((positions[own], None), (positions[~own], files)):
            if len(some) and within != []:
                more, same = write.verify(self._lake, rows, some, quarters, within)
                found, equal = np.concatenate([found, more]), np.concatenate([equal, same])
        return found, equal

    def _write(self, admission: admit.Admission) -> None:
        changed = write.changes(admission)
        if changed is not None:
            write.write_rows(self._lake, changed)
            self._remember(changed.finished)
            self._stored.replace_open(row_tuples(changed.opened, np.arange(changed.opened.num_rows)), changed.closed)


def _failure(rejected: Reject) -> ImportFailed:
    parts = (rejected.file, f"row {rejected.row}", rejected.field, rejected.reason)
    return ImportFailed(": ".join(part for part in parts if part))


def _split(tables: Tables, chunk: Chunk) -> Split:
    """Check the rows of a chunk; raises ImportFailed when its columns are wrong."""
    if chunk.is_json:
        return records.split(chunk.rows.column(0).to_pylist())
    try:
        return tables.split(chunk.rows, id_required=True)
    except BadInput as exc:
        raise ImportFailed(f"{chunk.name}: {exc.detail}", hint=exc.hint) from exc


def _rejects(chunk: Chunk, split: Split, admission: admit.Admission, loaded: LoadedRows) -> Iterator[Reject]:
    """The rejected rows of a chunk, in order: rows that break a rule, and rows that contradict a stored run."""
    rejected, conflicts = split.rejected, np.flatnonzero(admission.status == admit.CONFLICT)
    if len(conflicts):
        origins = loaded.find(id_words(admission.rows["id"])[conflicts])
        reasons = (f"{CONFLICT} {_where(origin, chunk.name)}" for origin in origins)
        rejected = rejected + [
            Rejected(int(split.kept[row]), "id", why) for row, why in zip(conflicts, reasons, strict=True)
        ]
    for item in sorted(rejected, key=lambda r: r.row):
        yield Reject(chunk.name, chunk.first_row + item.row, item.field, item.reason, chunk.record(item.row))


def _where(origin: tuple[str, int] | None, name: str) -> str:
    if origin is None:
        return "is stored already"
    return f"stands in row {origin[1]} of " + ("this file" if origin[0] == name else origin[0])


def _count(totals: Totals, chunk: Chunk, admission: admit.Admission) -> None:
    totals.received += chunk.rows.num_rows
    totals.stored += int(np.count_nonzero(admission.status == admit.STORE))
    totals.duplicates += int(np.count_nonzero(admission.status == admit.DUPLICATE))
    totals.stale += int(np.count_nonzero(admission.status == admit.STALE))
