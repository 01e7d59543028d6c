"""A command as a child process, through which output, signals and exit code pass as if it had been called itself."""

from __future__ import annotations

import errno
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from runlake.recorder.clock import seconds
from runlake.recorder.tail import TAIL_BYTES

LINE_BYTES: Final = 262_144  # of standard output: a longer last line is not kept
NOT_FOUND: Final = 127  # as shells have it
NOT_EXECUTABLE: Final = 126
_READ: Final = 65_536
_SIGNALLED: Final = 128
_LEFT_BEHIND: Final = 1.0  # seconds for output after the end; longer, others have it open
_LOOK: Final = 0.1  # seconds
_PASSED: Final = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2}
_ENDING: Final = _PASSED - {signal.SIGUSR1, signal.SIGUSR2}


class Ended(NamedTuple):
    """How a command ended: exit code as shells have it, times, the end of standard error, the last line of output."""

    code: int
    started_at: datetime
    finished_at: datetime
    stderr: bytes = b""
    last_line: bytes = b""
    signal: str | None = None


class Child:
    """A running command. Made in the main thread, before there are others: they would take its signals.

    From then on signals wait until `wait` and `drain` look at them, and none of them ends this process.
    """

    def __init__(self, command: Sequence[str], *, keeps_output: bool) -> None:
        """Start it. Raises OSError when it cannot be started."""
        for fd in range(3):
            _open(fd)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody hears of the end of a child
        self._old = signal.pthread_sigmask(signal.SIG_BLOCK, _PASSED | {signal.SIGCHLD})
        self.started_at = datetime.now(UTC)
        self._started = seconds()
        try:
            self._process = self._popen(command, keeps_output=keeps_output)
        except OSError:
            self._restore()
            raise
        self._pumps = [
            Pump(source.fileno(), target, most)
            for source, target, most in ((self._process.stdout, 1, LINE_BYTES), (self._process.stderr, 2, TAIL_BYTES))
            if source is not None
        ]

    def _popen(self, command: Sequence[str], *, keeps_output: bool) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE if keeps_output else None
        try:
            # The mask of signals would be inherited; there is no other thread yet, so this function is safe.
            return subprocess.Popen(  # noqa: S603 - it is the caller's command
                list(command),
                stdout=pipe,
                stderr=pipe,
                bufsize=0,
                preexec_fn=self._restore,  # noqa: PLW1509
            )
        except OSError as exc:
            if exc.errno != errno.ENOEXEC:
                raise
        return self._popen(["/bin/sh", "-c", '"$0" "$@"', *command], keeps_output=keeps_output)  # a script without #!

    def _restore(self) -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, self._old)

    def wait(self) -> Ended:
        """Pass signals on until the command has ended and its output is written. What processes that it has left behind
        still write is for `drain`.
        """
        while self._process.poll() is None:
            got = signal.sigwaitinfo(_PASSED | {signal.SIGCHLD})
            # What the terminal sends, it sends to the command, too: only processes have positive codes for theirs.
            if got.si_signo != signal.SIGCHLD and got.si_code <= 0:
                with suppress(PermissionError):  # the command has another user by now
                    self._process.send_signal(got.si_signo)
        finished_at = self.started_at + timedelta(seconds=seconds() - self._started)
        until = time.monotonic() + _LEFT_BEHIND
        for pump in self._pumps:
            pump.join(max(0.0, until - time.monotonic()))
        code = self._process.returncode
        line, tail = (pump.kept for pump in self._pumps) if self._pumps else (b"", b"")
        return Ended(
            code=code if code >= 0 else _SIGNALLED - code,
            started_at=self.started_at,
            finished_at=finished_at,
            stderr=tail,
            last_line=_last_line(line),
            signal=_name(-code) if code < 0 else None,
        )

    def drain(self) -> None:
        """Go on passing output while others have it open, until a signal says that it is enough."""
        while any(not pump.join(0) for pump in self._pumps):
            if signal.sigtimedwait(_ENDING, _LOOK) is not None:
                return


class Pump:
    """A thread that writes to `target` what it reads from `source`, byte for byte, and keeps the last bytes of it."""

    def __init__(self, source: int, target: int, most: int) -> None:
        self._source, self._target, self._most = source, target, most
        self.kept = b""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Whether the source has ended, after so many seconds at most."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while data := os.read(self._source, _READ):
            self.kept = (self.kept + data)[-self._most - 1 :]
            try:
                _write(self._target, data)
            except BrokenPipeError:
                os.close(self._source)  # nobody reads any more: the command has to learn it from its own writes
                return
            except OSError:  # a full disk, say: the command has no part in it
                continue


def _write(target: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(target, left) :]
        except BlockingIOError:
            select.select([], [target], [])


def _open(fd: int) -> None:
    """Let nothing else become standard input, output or error where the caller has closed it."""
    try:
        os.fstat(fd)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # of real time
        return f"SIG{number}"


def _last_line(kept: bytes) -> bytes:
    """The last line that is not blank; nothing when it is longer than what is kept."""
    _, newline, line = kept.rstrip().rpartition(b"\n")
    return b"" if len(kept) > LINE_BYTES and not newline else line
