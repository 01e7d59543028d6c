"""A command as a child process, through which output, signals and exit code pass as if it had been called itself."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

TAIL_BYTES: Final = 16_384  # of standard error, from its end
LINE_BYTES: Final = 262_144  # of standard output: a longer last line is not kept
NOT_FOUND: Final = 127  # as shells have it
NOT_EXECUTABLE: Final = 126
_READ: Final = 65_536
_SIGNALLED: Final = 128
_PASSED: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}


class Ended(NamedTuple):
    """How a command ended: exit code as shells have it, times, the end of standard error, the last line of output."""

    code: int
    started_at: datetime
    finished_at: datetime
    stderr: bytes = b""
    last_line: bytes = b""
    signal: str | None = None


class Child:
    """A running command. Made in the main thread, before there are others: they would take its signals."""

    def __init__(self, command: Sequence[str], *, keeps_output: bool) -> None:
        """Start it. Raises OSError when it cannot be started."""
        self._old = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED | {signal.SIGCHLD})
        pipe = subprocess.PIPE if keeps_output else None
        self.started_at = datetime.now(UTC)
        self._started = time.monotonic()
        try:
            # The mask of signals would be inherited; there is no other thread yet, so this function is safe.
            self._process = subprocess.Popen(  # noqa: S603 - it is the caller's command
                list(command),
                stdout=pipe,
                stderr=pipe,
                bufsize=0,
                preexec_fn=self._restore,  # noqa: PLW1509
            )
        except OSError:
            self._restore()
            raise
        self._pumps = [
            Pump(source.fileno(), target, most)
            for source, target, most in ((self._process.stdout, 1, LINE_BYTES), (self._process.stderr, 2, TAIL_BYTES))
            if source is not None
        ]

    def _restore(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._old)

    def wait(self) -> Ended:
        """Pass signals on until the command has ended and all of its output is written."""
        while self._process.poll() is None:
            got = signal.sigwaitinfo(_PASSED | {signal.SIGCHLD})
            # What the terminal sends, it sends to the command, too: only processes have positive codes for theirs.
            if got.si_signo != signal.SIGCHLD and got.si_code <= 0:
                self._process.send_signal(got.si_signo)
        finished_at = self.started_at + timedelta(seconds=time.monotonic() - self._started)
        self._restore()
        for pump in self._pumps:
            pump.join()
        code = self._process.returncode
        line, tail = (pump.kept for pump in self._pumps) if self._pumps else (b"", b"")
        return Ended(
            code=code if code >= 0 else _SIGNALLED - code,
            started_at=self.started_at,
            finished_at=finished_at,
            stderr=tail,
            last_line=_last_line(line),
            signal=signal.Signals(-code).name if code < 0 else None,
        )


class Pump:
    """A thread that writes to `target` what it reads from `source`, byte for byte, and keeps the last bytes of it."""

    def __init__(self, source: int, target: int, most: int) -> None:
        self._source, self._target, self._most = source, target, most
        self.kept = b""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self) -> None:
        """Wait until the source has ended."""
        self._thread.join()

    def _run(self) -> None:
        while data := os.read(self._source, _READ):
            self.kept = (self.kept + data)[-self._most - 1 :]
            try:
                _write(self._target, data)
            except OSError:
                os.close(self._source)  # nobody reads any more: the command has to learn it from its own writes
                return


def _write(target: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(target, left) :]


def _last_line(kept: bytes) -> bytes:
    """The last line that is not blank; nothing when it is longer than what is kept."""
    line = kept.rstrip().rsplit(b"\n", 1)[-1]
    return b"" if len(line) > LINE_BYTES else line
