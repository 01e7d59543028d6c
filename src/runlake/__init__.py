"""runlake: the run history of any task system, kept as a lake of Parquet files and served over HTTP."""

from runlake.lake.attach import attach

__all__ = ["attach"]
