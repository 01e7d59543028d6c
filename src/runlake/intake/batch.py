"""Batches: rows that keep all rules and are not compared with the stored runs yet."""

from __future__ import annotations

import uuid

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from msgspec import Struct

from runlake.errors import FieldError

IdWords = npt.NDArray[np.uint64]  # n ids as an (n, 2) array: the high and the low 64 bits of each

NEEDS_ID = "missing; derive one from what identifies a row: md5('name:' || key)::uuid AS id"


class Batch(Struct, frozen=True):
    """Valid rows in input order.

    `rows` has the schema columns.ARROW. `received` flags the rows whose created_at is the time of receipt, because the
    record had no time at all.
    """

    rows: pa.Table
    received: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        """The number of rows."""
        return int(self.rows.num_rows)

    @property
    def nbytes(self) -> int:
        """Bytes of memory."""
        return int(self.rows.nbytes)

    @property
    def ids(self) -> list[uuid.UUID]:
        """The ids in input order."""
        ids: list[uuid.UUID] = self.rows["id"].to_pylist()
        return ids


class Rejected(Struct, frozen=True):
    """A row (its position in the table, from 0) that breaks a rule in `field`, or as a whole if `field` is empty."""

    row: int
    field: str
    reason: str

    @property
    def error(self) -> FieldError:
        """The error that the client gets."""
        return FieldError(f"runs[{self.row}].{self.field}" if self.field else f"runs[{self.row}]", self.reason)


class Split(Struct, frozen=True):
    """A checked table: its valid rows, their positions in the table, and its rejected rows."""

    batch: Batch
    kept: npt.NDArray[np.intp]
    rejected: list[Rejected]


def uuid_array(values: bytes) -> pa.Array:
    """The Arrow UUID array of 16-byte ids, one after the other."""
    storage = pa.Array.from_buffers(pa.binary(16), len(values) // 16, [None, pa.py_buffer(values)])
    return pa.ExtensionArray.from_storage(pa.uuid(), storage)


def id_words(column: pa.ChunkedArray) -> IdWords:
    """The ids of an Arrow UUID column as words, which numpy can hash and compare."""
    chunks = [np.frombuffer(c.storage.buffers()[1], dtype=">u8")[2 * c.offset :][: 2 * len(c)] for c in column.chunks]
    joined = np.concatenate(chunks) if chunks else np.empty(0, dtype=">u8")
    return joined.astype(np.uint64).reshape(-1, 2)
