"""runlake: the run history of any task system, kept as a lake of Parquet files and served over HTTP."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from runlake.lake.attach import attach

__all__ = ["attach"]


def __getattr__(name: str) -> Any:
    """`attach` is imported when it is asked for: a command that needs no DuckDB starts in a tenth of the time."""
    if name in __all__:
        return getattr(import_module("runlake.lake.attach"), name)
    raise AttributeError(f"module 'runlake' has no attribute {name!r}")
