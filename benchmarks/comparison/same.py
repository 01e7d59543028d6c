"""Are two answers the same? Exactly, but for sums of floats and for percentiles, which runlake estimates."""

from __future__ import annotations

import math
import re
from typing import Any, Final

LEFT_OUT: Final = frozenset({"current_streak", "retried_runs", "queued", "failure_z"})  # peers need not answer these
_PERCENTILE: Final = re.compile(r"\bp[0-9]+_(execution_time_)?seconds(\[[0-9]+\])?$")
_PERCENTILE_TOLERANCE: Final = 0.02  # both interpolate; runlake between neighbours that are each within 1 %
_TOLERANCE: Final = 1e-9


def difference(ours: Any, theirs: Any, at: str = "") -> str | None:
    """Where and how two decoded JSON answers differ; None when they do not."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        names = ours.keys() - LEFT_OUT
        if names != theirs.keys() - LEFT_OUT:
            return f"{at}: other fields: {sorted(names ^ theirs.keys())}"
        return _first(difference(ours[name], theirs[name], f"{at}.{name}") for name in sorted(names))
    if isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            return f"{at}: {len(ours)} and {len(theirs)} entries"
        return _first(difference(*pair, f"{at}[{i}]") for i, pair in enumerate(zip(ours, theirs, strict=True)))
    # Some engines write a float without a fraction; inside `output` nothing may differ, not even that.
    numbers = isinstance(ours, int | float) and isinstance(theirs, int | float) and ".output" not in at
    if numbers and isinstance(ours, float) and not isinstance(theirs, bool):
        tolerance = _PERCENTILE_TOLERANCE if _PERCENTILE.search(at) else _TOLERANCE
        return None if math.isclose(ours, theirs, rel_tol=tolerance, abs_tol=1e-12) else f"{at}: {ours!r}, {theirs!r}"
    return None if type(ours) is type(theirs) and ours == theirs else f"{at}: {ours!r} and {theirs!r}"


def _first(found: Any) -> str | None:
    return next((one for one in found if one is not None), None)
