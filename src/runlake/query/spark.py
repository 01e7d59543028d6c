"""Spark lines: runs in parts of a window, each a whole hour or day of UTC, or several."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct
from msgspec.json import Decoder

from runlake import times
from runlake.model import Spark

_WIDTHS: Final = (
    *(hours * times.HOUR_US for hours in (1, 3, 6, 12)),
    *(days * times.DAY_US for days in (1, 2, 7, 14, 28, 91, 364, 3_650)),
)
_LINES: Final = Decoder(list[list[int]])


class Parts(Struct, frozen=True):
    """Parts of equal width (microseconds); none at all where `width` is 0."""

    origin: int
    width: int
    count: int

    @property
    def parameters(self) -> dict[str, Any]:
        """As parameters of statements."""
        return {"origin": self.origin, "width": self.width, "parts": self.count}

    @property
    def are_days(self) -> bool:
        """Whether each is a whole day, or several."""
        return not self.width % times.DAY_US

    def spark(self, rows: Sequence[tuple[str | None, str | None]]) -> Spark | None:
        """The lines of rows: JSON of runs and of failed runs, or None for a row without a run."""
        if not self.width:
            return None
        runs, failed = (lines([row[at] for row in rows], self.count) for at in (0, 1))
        return Spark(times.to_datetime(self.origin), self.width // 1_000_000, runs, failed)


def lines(texts: Sequence[str | None], count: int) -> list[list[int]]:
    """Lines of so many parts, of their JSON; of none at all a line of zeros."""
    none = f"[{', '.join(['0'] * count)}]"
    return _LINES.decode(f"[{', '.join(text or none for text in texts)}]")


def parts_of(low: int, high: int, most: int) -> Parts:
    """The narrowest parts of which a window of this length has at most `most`; it may touch one more."""
    if not most or low >= high:
        return Parts(low, 0, 0)
    width = next((width for width in _WIDTHS if high - low <= width * most), _WIDTHS[-1])
    origin = low // width * width
    return Parts(origin, width, (high - 1 - origin) // width + 1)
