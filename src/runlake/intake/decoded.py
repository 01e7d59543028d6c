"""Records that passed every rule, before they are columns: making those costs more for each record when it is alone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from msgspec import Struct

from runlake import times
from runlake.columns import ARROW
from runlake.intake.batch import Batch, mint, uuid_array
from runlake.model import Record

_RECORD_BYTES: Final = 1024  # of Python objects, its texts left out


class Decoded(Struct, frozen=True):
    """Clean records in input order, and what was made of them: an id where there was none, the time of creation in
    microseconds, and the one text form of `output`. `received` says whose creation is the receipt; see Batch.
    """

    records: list[Record]
    ids: list[uuid.UUID]
    created: list[int]
    received: list[bool]
    outputs: list[str | None]

    @classmethod
    def of(cls, records: list[Record], outputs: list[str | None]) -> Decoded:
        """From records as they were sent."""
        receipt = times.now()
        known = [_first(r.created_at, r.started_at, r.finished_at) for r in records]
        return cls(
            records,
            [r.id or mint() for r in records],
            [receipt if time is None else time for time in known],
            [time is None for time in known],
            outputs,
        )

    def __len__(self) -> int:
        """How many records there are."""
        return len(self.records)

    @property
    def nbytes(self) -> int:
        """About how much memory it takes beside the texts of its body."""
        return _RECORD_BYTES * len(self.records)

    def batch(self) -> Batch:
        """The records as columns."""
        columns: dict[str, Any] = {
            "id": uuid_array(b"".join([run_id.bytes for run_id in self.ids])),
            "task_id": uuid_array(b"".join([record.task_id.bytes for record in self.records])),
            "output": pa.array(self.outputs, pa.string()),
            "created_at": pa.array(self.created, ARROW.field("created_at").type),
        }
        for field in ARROW:
            if field.name not in columns:
                columns[field.name] = pa.array([getattr(r, field.name) for r in self.records], field.type)
        table = pa.table([columns[name] for name in ARROW.names], schema=ARROW)
        return Batch(table, np.array(self.received, dtype=np.bool_))


def _first(*moments: int | None) -> int | None:
    return next((moment for moment in moments if moment is not None), None)


def joined(parts: Sequence[Batch | Decoded]) -> Batch:
    """The rows of all parts, in order; neighbours that are no columns yet become columns together."""
    batches: list[Batch] = []
    waiting: list[Decoded] = []
    for part in parts:
        if isinstance(part, Decoded):
            waiting.append(part)
            continue
        if waiting:
            batches.append(_as_one(waiting).batch())
            waiting = []
        batches.append(part)
    if waiting:
        batches.append(_as_one(waiting).batch())
    if len(batches) == 1:
        return batches[0]
    rows = pa.concat_tables([batch.rows for batch in batches]).combine_chunks()
    return Batch(rows, np.concatenate([batch.received for batch in batches]))


def _as_one(parts: Sequence[Decoded]) -> Decoded:
    if len(parts) == 1:
        return parts[0]
    return Decoded(*([item for part in parts for item in getattr(part, name)] for name in Decoded.__struct_fields__))
