"""The records of one run on their way: kept first, then sent by a thread of its own while the command goes on."""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

from runlake.recorder.records import RENEWAL_SECONDS
from runlake.recorder.spool import Outcome, Spool

SEND_SECONDS: Final = 10.0  # for one record while the command goes on
FINISH_SECONDS: Final = 5.0  # for all that is kept, once it has ended

E_contra = TypeVar("E_contra", contravariant=True)


class Watched(Protocol[E_contra]):
    """A run as records."""

    @property
    def task(self) -> uuid.UUID:
        """Its task."""

    @property
    def name(self) -> str | None:
        """The name of the task; None where only the UUID is known."""

    def opened(self) -> bytes:
        """The record of the run while it goes on."""

    def finished(self, ended: E_contra, /) -> bytes:
        """The record of its end, by what is known of that."""


class Target(Protocol):
    """Where records go. `until` is a moment of time.monotonic."""

    @property
    def name(self) -> str:
        """What the spool knows it by."""

    def send(self, run: bytes, until: float) -> tuple[Outcome, str]:
        """Store a record; and why it was not stored."""

    def close(self) -> None:
        """Hold nothing until the next record."""

    def name_task(self, task: uuid.UUID, name: str, until: float) -> bool:
        """Give a task its name, unless it has one; whether that need not be tried again."""


class Recording(Generic[E_contra]):
    """One run, whose records go to the target that the spool knows by `name`, and that `make` makes when it is needed.

    Nothing here raises: what goes wrong is said in a line.
    """

    def __init__(
        self, name: str, make: Callable[[], Target], state: Path, report: Watched[E_contra], say: Callable[[str], None]
    ) -> None:
        self._name, self._make, self._state, self._report, self._say = name, make, state, report, say
        self._spool = Spool(state / "spool", say)
        self._ended = threading.Event()
        self._unkept: list[bytes] = []
        self._is_kept = False  # whether a record of this run went into the spool
        self._target: Target | None = None
        self._reason = ""  # why the last record was not sent
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """Send the open run, and renew its lease until `finish`."""
        self._keep(self._report.opened())
        self._thread.start()

    def finish(self, ended: E_contra) -> bool:
        """Send the finished run; what cannot be sent within FINISH_SECONDS stays in the spool. Whether all is over: if
        not, a thread still works, and Python cannot end in order while that is in DuckDB."""
        self._keep(self._report.finished(ended))
        self._ended.set()
        self._thread.join(FINISH_SECONDS)
        if self._thread.is_alive():
            self._reason = f"no answer within {FINISH_SECONDS:g} s"
        if self._unkept:
            self._say(f"the run is not recorded: it could be neither kept nor sent ({self._reason})")
        elif self._reason:
            self._say(f"the run is kept, and the next call sends it: {self._name}: {self._reason}")
        return not self._thread.is_alive()

    def _keep(self, record: bytes) -> None:
        try:
            self._spool.add(self._name, record)
            self._is_kept = True
        except OSError as exc:
            self._say(f"cannot write to the spool: {exc}")
            self._unkept.append(record)

    def _run(self) -> None:
        try:
            self._send()
        except Exception as exc:  # noqa: BLE001 - whatever it is, it is said at the end
            self._reason = f"{type(exc).__name__}: {exc}"

    def _send(self) -> None:
        self._target = self._make()
        self._send_all(SEND_SECONDS)
        self._give_name()
        while not self._ended.wait(RENEWAL_SECONDS):
            self._target.send(self._report.opened(), time.monotonic() + SEND_SECONDS)
            self._target.close()
        self._send_all(FINISH_SECONDS)

    def _send_all(self, seconds: float) -> None:
        target = self._target
        if target is None:
            return
        until = time.monotonic() + seconds
        send = partial(target.send, until=until)
        of_spool = ""
        try:
            self._reason = self._spool.send(self._name, send, until)
        except OSError as exc:
            self._reason, of_spool = "", f"cannot read the spool: {exc}"
        self._send_unkept(send)
        if self._is_kept and not self._reason:
            self._reason = of_spool
        target.close()

    def _send_unkept(self, send: Callable[[bytes], tuple[Outcome, str]]) -> None:
        while self._unkept and not self._reason:
            outcome, reason = send(self._unkept[0])
            if outcome is Outcome.UNREACHABLE:
                self._reason = reason
                return
            self._unkept.pop(0)
            if outcome is Outcome.REFUSED:
                self._say(f"a record was refused: {reason}")

    def _give_name(self) -> None:
        """Once for each target and task: a file says that it was done."""
        task, name = self._report.task, self._report.name
        if self._target is None or name is None:
            return
        mark = self._state / "named" / hashlib.sha256(f"{self._name}\n{task}".encode()).hexdigest()[:32]
        try:
            if mark.exists() or not self._target.name_task(task, name, time.monotonic() + SEND_SECONDS):
                return
            mark.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            mark.touch(mode=0o600)
        except OSError as exc:
            self._say(f"cannot write {mark.parent}: {exc}")
