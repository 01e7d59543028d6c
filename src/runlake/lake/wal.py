"""Keeps the catalog's write-ahead log in being between commits.

DuckDB opens SQLite for each transaction and closes it after; the last connection to close removes the log, and
readers of other processes stall while it is made again. So one idle connection has to stay open. It lives in a
child process: two SQLite libraries with one file in one process drop each other's locks.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

# Reads once, so that the connection is really open, then waits until the parent is gone or closes the pipe.
_CHILD: Final = """
import signal, sqlite3, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
connection = sqlite3.connect(sys.argv[1], timeout=60)
connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
sys.stdin.read()
"""


class WalHolder:
    """An idle connection to a catalog, from construction (a moment later) to close."""

    def __init__(self, catalog: Path) -> None:
        command = [sys.executable, "-I", "-S", "-c", _CHILD, str(catalog)]
        self._child: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603 - our own text
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def close(self) -> None:
        """Let the connection go; a second call does nothing."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            self._child.wait()
            self._child = None
