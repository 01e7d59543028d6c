"""The finished runs that a lake had before a bulk load, by file.

Inside its transaction DuckLake opens every file that the load has written so far, whatever a statement asks for. So
what is not of the load itself is looked for in the files that were there before.
"""

from __future__ import annotations

import numpy as np

from runlake import times
from runlake.lake.admit import Quarters
from runlake.lake.catalog import Lake
from runlake.lake.rows import run_quarters


class Before:
    """The history as it was when this was made."""

    def __init__(self, lake: Lake) -> None:
        self._files = lake.files()
        self._inlined = run_quarters(lake.inlined())

    def files(self, quarters: Quarters) -> list[str] | None:
        """The files with runs of these quarter hours; None where some of these runs are in no file."""
        first, last = quarters
        if bool(np.any((self._inlined >= first) & (self._inlined <= last))):
            return None
        days = first * times.QUARTER_US // times.DAY_US, (times.quarter_end(last) - 1) // times.DAY_US
        return [file.path for file in self._files if days[0] <= file.day <= days[1]]
