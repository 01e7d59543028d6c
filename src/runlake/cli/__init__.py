"""The command line: one module a command, all under the group `main`."""

from runlake.cli.main import main

__all__ = ["main"]
