"""Small numbers for task ids, so that counts can be added up by position.

Numbers are given in the order tasks are first met and never change. A Tasks is never changed either: a View keeps
the one it got, and one with more tasks agrees with it on all it knows.
"""

from __future__ import annotations

import uuid
from typing import Final

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Ids = npt.NDArray[np.bytes_]
ID: Final = np.dtype("S16")
UNKNOWN: Final = -1


def raw(task_id: uuid.UUID) -> Ids:
    """One id as an array of one."""
    return np.frombuffer(task_id.bytes, dtype=ID)


class Tasks(Struct, frozen=True, eq=False):
    """Task ids by number, and the same in their order with their numbers."""

    ids: Ids
    ordered: Ids
    order: npt.NDArray[np.int64]

    @classmethod
    def of(cls, ids: Ids) -> Tasks:
        """From different ids, numbered as they come."""
        order = np.argsort(ids, kind="stable")
        return cls(ids, ids[order], order)

    def numbers(self, ids: Ids) -> npt.NDArray[np.int64]:
        """The number of each id, UNKNOWN for those that are not known."""
        if not len(self.ordered):
            return np.full(len(ids), UNKNOWN)
        at = np.minimum(np.searchsorted(self.ordered, ids), len(self.ordered) - 1)
        return np.where(self.ordered[at] == ids, self.order[at], UNKNOWN)

    def number(self, task_id: uuid.UUID) -> int:
        """The number of one task, or UNKNOWN."""
        return int(self.numbers(raw(task_id))[0])

    def adding(self, ids: Ids) -> Tasks:
        """These tasks and those among different `ids` that are not known yet."""
        new = ids[self.numbers(ids) == UNKNOWN]
        if not len(new):
            return self
        order = np.argsort(new, kind="stable")
        at = np.searchsorted(self.ordered, new[order])
        return Tasks(
            np.concatenate([self.ids, new]),
            np.insert(self.ordered, at, new[order]),
            np.insert(self.order, at, len(self) + order),
        )

    def uuid(self, number: int) -> uuid.UUID:
        """The id of a number."""
        return uuid.UUID(bytes=self.ids[number : number + 1].tobytes())

    def __len__(self) -> int:
        """How many there are."""
        return len(self.ids)


NO_TASKS: Final = Tasks.of(np.empty(0, dtype=ID))
