"""Decoded records that are no columns yet. The writer makes columns of many small batches at once, which is cheaper:
columns have a price for each batch, however few its records are."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
from msgspec import Struct

from runlake import times
from runlake.columns import ARROW
from runlake.ids import mint
from runlake.intake.batch import Batch, uuid_array
from runlake.model import RunRecord

_RECORD_BYTES: Final = 1024  # of Python objects, its texts left out


class Decoded(Struct, frozen=True):
    """Valid records in input order.

    ids         the id of each record, or a new one
    created     its creation time in microseconds since the epoch
    received    whether that is the time of receipt, see Batch
    outputs     its output in canonical text form, see outputs.py
    """

    records: list[RunRecord]
    ids: list[uuid.UUID]
    created: list[int]
    received: list[bool]
    outputs: list[str | None]

    @classmethod
    def of(cls, records: list[RunRecord], outputs: list[str | None]) -> Decoded:
        """From records as they were sent, and their outputs in canonical form."""
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
        """The number of records."""
        return len(self.records)

    @property
    def nbytes(self) -> int:
        """Bytes of memory, about, without the texts of the body."""
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
    """One Batch of all parts, in order; neighbouring Decoded parts become columns together."""
    batches: list[Batch] = []
    pending: list[Decoded] = []
    for part in parts:
        if isinstance(part, Decoded):
            pending.append(part)
            continue
        if pending:
            batches.append(_as_one(pending).batch())
            pending = []
        batches.append(part)
    if pending:
        batches.append(_as_one(pending).batch())
    if len(batches) == 1:
        return batches[0]
    rows = pa.concat_tables([batch.rows for batch in batches]).combine_chunks()
    return Batch(rows, np.concatenate([batch.received for batch in batches]))


def _as_one(parts: Sequence[Decoded]) -> Decoded:
    if len(parts) == 1:
        return parts[0]
    return Decoded(*([item for part in parts for item in getattr(part, name)] for name in Decoded.__struct_fields__))
