"""The finished runs that a lake had before a bulk load, by file.

Inside its transaction DuckLake opens every file that the load has written so far, whatever a statement asks for. So
what is not of the load itself is looked for in the files that were there before.
"""

from __future__ import annotations

import numpy as np

from runlake import times
from runlake.lake.admit import Quarters
from runlake.lake.catalog import Lake
from runlake.lake.rows import run_times


class Before:
    """The history as it was when this was made."""

    def __init__(self, lake: Lake) -> None:
        self._files = lake.files()
        self._inlined = np.minimum(run_times(lake.inlined()) // times.QUARTER_US, times.LAST_QUARTER)

    def files(self, quarters: Quarters) -> list[str] | None:
        """The files with runs of these quarter hours; None where some of these runs are in no file."""
        first, last = quarters
        if bool(np.any((self._inlined >= first) & (self._inlined <= last))):
            return None
        end = times.MAX_US if last == times.LAST_QUARTER else (last + 1) * times.QUARTER_US - 1
        days = first * times.QUARTER_US // times.DAY_US, end // times.DAY_US
        return [file.path for file in self._files if days[0] <= file.day <= days[1]]
