"""The process that others are forked from: it has imported everything, so that each of them need not.

`python nursery.py FD` reads from the socket FD what to run, each time with the standard files and a socket on which
the number of the new process is written, and then its exit code. It ends when the other end of FD is closed.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import signal
import socket
import sys
import threading
import time
from typing import Any, Final

import duckdb
import engine

import runlake

# What libraries import when they come to need it.
LAZY: Final = (
    "anyio._backends._asyncio",
    "click.testing",
    "encodings.idna",
    "pyarrow.dataset",
    "pyarrow.substrait",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
)
LARGEST: Final = 1 << 18  # bytes of a request


def import_everything() -> None:
    """So that no process forked from this one has to."""
    for module in pkgutil.walk_packages(runlake.__path__, "runlake."):
        importlib.import_module(module.name)
    for name in LAZY:
        importlib.import_module(name)
    duckdb.default_connection().close()  # its thread would be missing in each child


def serve(control: socket.socket) -> str:
    """Fork a process for each request; only in such a process this returns, with the code to run there."""
    while True:
        message, standard, _, _ = socket.recv_fds(control, LARGEST, 4)
        if not message:
            sys.exit(0)
        while _reap():
            pass
        if os.fork() == 0:
            control.close()
            request = json.loads(message)
            _attend(standard.pop())
            _become(request, standard)
            return str(request["code"])
        for file in standard:
            os.close(file)


def _reap() -> bool:
    """Take note of one attendant that has ended, so that its time counts as ours."""
    try:
        return os.waitpid(-1, os.WNOHANG)[0] > 0
    except ChildProcessError:
        return False


def _attend(line: int) -> None:
    """Fork, and report on the new process until it ends; only the new process returns."""
    number = os.fork()
    if number == 0:
        os.close(line)
        return
    os.closerange(0, line)  # who reads what the new process writes waits for its end, not for ours
    os.write(line, b"%d\n" % number)
    os.write(line, b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]))
    os._exit(0)


def _become(request: dict[str, Any], standard: list[int]) -> None:
    """Take over the files, the folder, the environment and the arguments."""
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv[:] = ["-c", *request["args"]]
    sys.path[0] = ""


def _run(code: str) -> None:
    """Run the code, and end as Python does; but what was imported is not taken apart.

    To take it apart writes to each page that is shared with the nursery: a tenth of a second for every process.
    """
    status: Any = 0
    try:
        exec(compile(code, "<string>", "exec"), {"__name__": "__main__"})  # noqa: S102
    except SystemExit as exc:
        status = exc.code or 0
    if not isinstance(status, int):
        sys.exit(status)  # Python writes it
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(status)  # Python says so
    os._exit(status & 255)


if __name__ == "__main__":
    import_everything()
    engine.trust_extensions()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.freeze()
    _run(serve(socket.socket(fileno=int(sys.argv[1]))))
