"""A command that is run and recorded. What records it is imported once the command runs: that takes longer than to
start the command."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

from runlake.recorder.child import NOT_EXECUTABLE, NOT_FOUND, Child, Ended

if TYPE_CHECKING:
    from runlake.recorder.recording import Recording


class Call(NamedTuple):
    """The command, the task by its name or its UUID, where records go (else the settings say it), and whether texts of
    the command are kept."""

    command: tuple[str, ...]
    task: str
    server: str | None
    data: str | None
    keeps_output: bool


def recorded(call: Call) -> int:
    """Run the command, record it, and give its exit code as shells have it: nothing else changes it."""
    before = datetime.now(UTC)
    child, ended = None, None
    try:
        child = Child(call.command, keeps_output=call.keeps_output)
    except OSError as exc:
        text = f"{call.command[0]}: {exc.strerror}"
        say(text)
        code = NOT_FOUND if isinstance(exc, FileNotFoundError) else NOT_EXECUTABLE
        ended = Ended(code, before, datetime.now(UTC), text.encode(errors="backslashreplace"))
    recording = _begun(call, child.started_at if child else before)
    if child is not None:
        ended = child.wait()
    assert ended is not None  # noqa: S101 - one of both is there
    is_over = recording is None or recording.finish(ended)
    if child is not None:
        child.drain()
    if not is_over:
        os._exit(ended.code)
    return ended.code


def _begun(call: Call, started_at: datetime) -> Recording[Ended] | None:
    """Its recording; None, and a line that says why, where there can be none: the command goes on in any case."""
    try:
        made: Recording[Ended] = import_module("runlake.recorder.target").begun(call, started_at, say)
    except Exception as exc:  # noqa: BLE001 - whatever it is
        line = getattr(exc, "line", None)
        say(f"the run is not recorded: {line() if line else f'{type(exc).__name__}: {exc}'}")
        return None
    return made


def say(text: str) -> None:
    """One line on standard error, where that is open."""
    with suppress(OSError):
        os.write(2, f"runlake: {text}\n".encode(errors="backslashreplace"))
