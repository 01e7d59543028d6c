"""What was used last, as much of it as may be kept; for any number of threads."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Kept(Generic[T]):
    """Values by name, of some weight each; those go that were not used for longest."""

    def __init__(self, most: int, weight: Callable[[T], int]) -> None:
        self._most, self._weight = most, weight
        self._known: OrderedDict[str, T] = OrderedDict()
        self._total = 0
        self._guard = threading.Lock()

    def get(self, name: str, make: Callable[[], T]) -> T:
        """The value of a name, made when it is not there: by two threads at once, if both ask."""
        with self._guard:
            if name in self._known:
                self._known.move_to_end(name)
                return self._known[name]
        made = make()
        with self._guard:
            if name not in self._known and self._weight(made) <= self._most:
                self._known[name] = made
                self._total += self._weight(made)
            while self._total > self._most and self._known:
                _, gone = self._known.popitem(last=False)
                self._total -= self._weight(gone)
        return made

    def fits(self, name: str, make: Callable[[], T]) -> bool:
        """Make the value of a name, unless it is there, and keep it if nothing has to go for it; whether it is kept."""
        with self._guard:
            if name in self._known:
                return True
        made = make()
        with self._guard:
            fits = self._total + self._weight(made) <= self._most
            if fits and name not in self._known:
                self._known[name] = made
                self._total += self._weight(made)
            return fits

    @property
    def total(self) -> int:
        """The weight of all that is kept."""
        return self._total
