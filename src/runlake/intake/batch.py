"""A Batch: rows that passed every rule, not yet compared with what is stored."""

from __future__ import annotations

import os
import time
import uuid

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake.errors import FieldError

IdWords = npt.NDArray[np.uint64]  # n ids as an (n, 2) array: the high and the low 64 bits of each

NEEDS_ID = "missing; derive one from what identifies a row: md5('name:' || key)::uuid AS id"


class Batch(Struct, frozen=True):
    """Clean rows in input order.

    `rows` has the schema columns.ARROW; `received` marks the rows whose created_at is the time of receipt,
    because the sender gave no time at all.
    """

    rows: pa.Table
    received: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """How many rows there are."""
        return int(self.rows.num_rows)

    @property
    def nbytes(self) -> int:
        """How much memory it takes."""
        return int(self.rows.nbytes)

    @property
    def ids(self) -> list[uuid.UUID]:
        """The ids in input order."""
        ids: list[uuid.UUID] = self.rows["id"].to_pylist()
        return ids


class Rejected(Struct, frozen=True):
    """Row `row` (from 0, within the table) breaks a rule in `field`; no field where it is the row as a whole."""

    row: int
    field: str
    reason: str

    @property
    def error(self) -> FieldError:
        """What the sender of a batch is told."""
        return FieldError(f"runs[{self.row}].{self.field}" if self.field else f"runs[{self.row}]", self.reason)


class Split(Struct, frozen=True):
    """A table judged: the good rows, their positions in the table, and the bad ones."""

    batch: Batch
    kept: npt.NDArray[np.intp]
    rejected: list[Rejected]


def mint() -> uuid.UUID:
    """A new UUIDv7 (RFC 9562, section 5.7): 48 bits of milliseconds, then random bits."""
    value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10))
    return uuid.UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | 0x7 << 76 | 0x2 << 62)


def uuid_array(values: bytes) -> pa.Array:
    """An Arrow UUID array over 16-byte ids laid end to end."""
    storage = pa.Array.from_buffers(pa.binary(16), len(values) // 16, [None, pa.py_buffer(values)])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def id_words(column: pa.ChunkedArray) -> IdWords:
    """The ids of an Arrow UUID column as words, which numpy can hash and compare."""
    chunks = [np.frombuffer(c.storage.buffers()[1], dtype=">u8")[2 * c.offset :][: 2 * len(c)] for c in column.chunks]
    joined = np.concatenate(chunks) if chunks else np.empty(0, dtype=">u8")
    return joined.astype(np.uint64).reshape(-1, 2)
