"""The command line: one module per kind of work, all under the group `main`."""

from runlake.cli.main import main

__all__ = ["main"]
