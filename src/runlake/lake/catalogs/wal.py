"""Keeps the write-ahead log of the catalog between transactions.

DuckDB opens SQLite for each transaction and closes it afterwards. The last connection that closes deletes the log, and
readers of other processes stall while it is made again. So an idle connection stays open, in a child process: two
SQLite libraries with the same file in one process drop each other's locks.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

# The first query opens the file. Then the child waits until the parent ends or closes the pipe.
_CHILD: Final = """
import signal, sqlite3, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)
connection = sqlite3.connect(sys.argv[1], timeout=60)
connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
sys.stdin.read()
"""


class WalHolder:
    """An idle connection to a catalog, from soon after construction until `close`."""

    def __init__(self, catalog: Path) -> None:
        command = [sys.executable, "-I", "-S", "-c", _CHILD, str(catalog)]
        self._child: subprocess.Popen[bytes] | None = subprocess.Popen(  # noqa: S603 - our own text
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    def close(self) -> None:
        """Close the connection; a second call does nothing."""
        if self._child is not None and self._child.stdin is not None:
            self._child.stdin.close()
            self._child.wait()
            self._child = None
