"""The command line: one module a command, all of them in `group`."""

from runlake.cli.main import main

__all__ = ["main"]
