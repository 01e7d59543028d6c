"""Processes of their own, forked from one that has imported everything: 10 ms each, where a start takes a second.

Such a process has its own memory, files, environment, folder and signals, and waits for its threads, runs what is to
run at the exit and writes what is left, as Python does; it ends before Python takes its modules apart. What it shares
with a new one is only what the imports made. With `pytest --as-shipped` there are none: every process is started.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

NURSERY: Final = Path(__file__).with_name("nursery.py")
forking = False  # switched on for tests
# What a process reads at its very start.
EARLY: Final = ("LD_", "PYTHON", "LC_", "LANG", "OMP_", "OPENBLAS_", "ARROW_")


class Process(Protocol):
    """What a test does with a process, forked or started."""

    @property
    def pid(self) -> int: ...
    @property
    def returncode(self) -> int | Any: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int, /) -> None: ...
    def kill(self) -> None: ...


def can_be_forked(env: dict[str, str]) -> bool:
    """Not if the environment differs in what the interpreter and its libraries have read when they started."""

    def early(variables: Any) -> dict[str, str]:
        return {name: value for name, value in variables.items() if name.startswith(EARLY)}

    return forking and early(env) == early(os.environ)


@cache
def _nursery() -> tuple[socket.socket, subprocess.Popen[bytes]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        # Its threads would be those of no child.
        env = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, str(NURSERY), str(theirs.fileno())]
        process = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, pass_fds=[theirs.fileno()])
    return ours, process


def close() -> None:
    """End the process that the others are forked from, if there is one."""
    if _nursery.cache_info().currsize:
        control, process = _nursery()
        control.close()
        process.wait(60)
        _nursery.cache_clear()


class Forked:
    """A process that runs Python code with arguments."""

    def __init__(
        self, code: str, *args: str, env: dict[str, str], cwd: Path | None = None, files: tuple[int, int, int]
    ) -> None:
        self._line, theirs = socket.socketpair()
        self.returncode: int | None = None
        request = {"code": code, "args": args, "env": env, "cwd": str(Path.cwd() if cwd is None else cwd)}
        control, _ = _nursery()
        with theirs:
            socket.send_fds(control, [json.dumps(request).encode()], [*files, theirs.fileno()])
        self._answers = self._line.makefile("rb")
        self.pid = int(self._answers.readline())

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        if self.returncode is None and select.select([self._line], [], [], 0)[0]:
            self.returncode = int(self._answers.readline())
            self._answers.close()
            self._line.close()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, as soon as it has ended. Raises subprocess.TimeoutExpired."""
        if self.returncode is None:
            select.select([self._line], [], [], timeout)
        if self.poll() is None:
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int, /) -> None:
        """Unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)


def run(
    code: str, *args: str, env: dict[str, str], cwd: Path | None = None, data: bytes = b"", timeout: float = 120
) -> subprocess.CompletedProcess[bytes]:
    """Run Python code in a process of its own, `data` its standard input; what it wrote and its exit code."""
    if not can_be_forked(env):
        command = [sys.executable, "-c", code, *args]
        return subprocess.run(command, env=env, cwd=cwd, input=data, capture_output=True, timeout=timeout, check=False)
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        stdin, fed = os.pipe()
        feeder = threading.Thread(target=_feed, args=(fed, data))
        try:
            process = Forked(code, *args, env=env, cwd=cwd, files=(stdin, stdout.fileno(), stderr.fileno()))
        finally:
            os.close(stdin)
            feeder.start()
        try:
            returncode = process.wait(timeout)
        finally:
            process.kill()
            feeder.join()
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess([code, *args], returncode, stdout.read(), stderr.read())


def _feed(pipe: int, data: bytes) -> None:
    """Write all of it, if the other end wants it."""
    with suppress(BrokenPipeError), os.fdopen(pipe, "wb", buffering=0) as stdin:
        stdin.write(data)
