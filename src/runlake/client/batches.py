"""Records, as many as there are, as batches for POST /runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from msgspec import Struct

from runlake.client.calls import Call, Record, append_encoded, encoded
from runlake.errors import RunlakeError
from runlake.model import MAX_BATCH, Stored

_BYTES: Final = 8 << 20  # of a batch; the service takes 64 MiB


class Batch(Struct, frozen=True):
    """A batch: its call, and the position of its first record among all."""

    first: int
    call: Call[Stored]

    @contextmanager
    def named(self) -> Iterator[None]:
        """An error of this batch says where the batch stands."""
        try:
            yield
        except RunlakeError as exc:
            exc.add_note(f"runs[0] of this batch is record {self.first} of all; those before it are stored")
            raise


def batches(records: Iterable[Record]) -> Iterator[Batch]:
    """Batches of records in order, each made when it is asked for."""
    first, size, gathered = 0, 0, list[bytes]()
    for record in records:
        one = encoded(record)
        if gathered and (len(gathered) == MAX_BATCH or size + len(one) > _BYTES):
            yield Batch(first, append_encoded(gathered))
            first, size, gathered = first + len(gathered), 0, []
        gathered.append(one)
        size += len(one)
    if gathered:
        yield Batch(first, append_encoded(gathered))


def total(parts: Sequence[Stored]) -> Stored:
    """The result of all batches."""
    return Stored(
        sum(part.received for part in parts),
        sum(part.stored for part in parts),
        sum(part.duplicates for part in parts),
        sum(part.stale for part in parts),
        [one for part in parts for one in part.ids],
    )
