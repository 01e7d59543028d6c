"""Keys and counts as they grow: those that are saved, or are being saved, and those that came since."""

from __future__ import annotations

from runlake.index import counts as counting
from runlake.index import keys as keyring
from runlake.index.counts import Parts
from runlake.index.figures import Records
from runlake.index.keys import Halves, Hours, Keys


class Grown:
    """Holds tuples of arrays that never change, so whoever got one may keep it."""

    def __init__(self) -> None:
        self._saved_keys: Keys = ()
        self._new_keys: Keys = ()
        self._saved_counts: Parts = ()
        self._new_counts: Parts = ()

    @property
    def keys(self) -> Keys:
        """All keys."""
        return self._saved_keys + self._new_keys

    @property
    def counts(self) -> Parts:
        """All counts."""
        return self._saved_counts + self._new_counts

    @property
    def new(self) -> int:
        """How many keys came since."""
        return keyring.size(self._new_keys)

    def begin(self, keys: Keys, counts: Parts) -> None:
        """Only these are known, and they are saved."""
        self.replace_saved(keys, counts)
        self._new_keys, self._new_counts = (), ()

    def replace_saved(self, keys: Keys, counts: Parts) -> None:
        """These are what is saved now; what came since stays."""
        self._saved_keys, self._saved_counts = keys, counts

    def part(self) -> None:
        """All that is known now counts as saved."""
        self.begin(self.keys, self.counts)

    def remember(self, halves: Halves, hours: Hours) -> None:
        """Know more ids, with the hours of their runs."""
        self._new_keys = keyring.add(self._new_keys, keyring.make(halves, hours))

    def count(self, runs: Records) -> None:
        """Count finished runs that are in files."""
        if len(runs):
            self._new_counts = counting.adding(self._new_counts, counting.counted(runs))
