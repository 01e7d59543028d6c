"""The errors of runlake, as one tree; `api.problems` maps them to HTTP statuses.

RunlakeError
    BadInput            the caller's data or parameters are wrong; carries FieldErrors
    Unauthorized        no key was sent, or none that is known
    Forbidden           the key lacks the scope
    ForeignOrigin       a web page of another origin asked
    ForeignHost         the request is for a name that is not ours
    NotFound            no run has this id
    TooSlow             a body that did not arrive in time
    Conflict            finished runs exist with other content; carries FieldErrors
    Changed             what If-Match names is not what is stored any more
    TooLarge            a body over the limit
    Unsupported         a body of a type or encoding that is not read
    Busy                a queue is full: try again later
    NotReady            the service is still starting
    TooMany             too much of this kind is under way: try again later
    Timeout             a query took longer than its limit
        TooLong         it would have to read a shorter window
    DiskFull            no room for new data
    LakeError           the folder cannot be served
        LakeLocked      another process writes to it
        LakeMissing     there is no lake
        LakeVersion     made by an unknown or newer layout
        LakeDamaged     a file is missing or unreadable
    ImportFailed        a row or a file of an import is wrong; nothing was stored
    SqlError            the user's SQL was refused or failed
    UsageError          wrong use of the command line
    Unreachable         for clients: no service answered
    UnknownAnswer       for clients: what answered is no runlake, or a newer one
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

import msgspec
from msgspec import Meta


class FieldError(msgspec.Struct, frozen=True):
    """One field of the input that is wrong, and why."""

    field: Annotated[str, Meta(description="Its path, such as `limit`, `runs[17].attempt` or `runs[17].id`.")]
    message: Annotated[str, Meta(description="Why it is wrong.")]


class RunlakeError(Exception):
    """Root of the tree. `code` is stable, for programs; `hint` says what to do next; `errors` names the fields that are
    wrong. `status`, `request_id` and `retry_after` (seconds) are of the answer of a service, for its client.
    """

    code = "internal"
    hint: str | None = None
    errors: Sequence[FieldError] = ()
    status: int | None = None
    request_id = ""
    retry_after: float | None = None

    def __init__(self, detail: str, *, hint: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        if hint is not None:
            self.hint = hint

    @classmethod
    def answered(cls, detail: str, errors: Sequence[FieldError]) -> Self:
        """The error as a client has it from a service, which says no more of it than this."""
        made = cls.__new__(cls)
        RunlakeError.__init__(made, detail, hint="")  # the detail has the hint
        if errors:
            made.errors = errors
        return made

    def line(self) -> str:
        """The error in one line, with its hint."""
        text = f"{self.detail} ({self.hint})" if self.hint else self.detail
        return " ".join(text.split())


class BadInput(RunlakeError):
    """Input that breaks a rule of the contract; `errors` names each field."""

    code = "bad-input"

    def __init__(self, errors: list[FieldError], *, hint: str | None = None) -> None:
        super().__init__("; ".join(f"{e.field}: {e.message}" for e in errors), hint=hint)
        self.errors = errors

    @classmethod
    def of(cls, field: str, message: str, *, hint: str | None = None) -> BadInput:
        """A BadInput about one field."""
        return cls([FieldError(field, message)], hint=hint)


class Unauthorized(RunlakeError):
    """`invalid` is true for an unknown key, and false when there was no key."""

    code = "unauthorized"
    invalid = False

    def __init__(self, detail: str, *, hint: str | None = None, invalid: bool = False) -> None:
        super().__init__(detail, hint=hint)
        self.invalid = invalid


class Forbidden(RunlakeError):
    """`scope` is the scope that the request needs."""

    code = "forbidden"
    scope = ""

    def __init__(self, detail: str, *, scope: str) -> None:
        super().__init__(detail)
        self.scope = scope


class ForeignOrigin(RunlakeError):
    code = "foreign-origin"


class ForeignHost(RunlakeError):
    code = "foreign-host"


class NotFound(RunlakeError):
    code = "not-found"


class Clash(msgspec.Struct, frozen=True):
    """A record whose run has finished with other content: a stored run, or that of record `rival` of the batch.

    `index` and `rival` are positions in the batch, from 0.
    """

    index: int
    run_id: str
    rival: int | None = None

    @property
    def message(self) -> str:
        """The message about this record."""
        if self.rival is None:
            return f"run {self.run_id} is already finished with other content"
        return f"run {self.run_id} is finished with other content by runs[{self.rival}] of this batch"


class Conflict(RunlakeError):
    """Finished runs were sent again with other content; `errors` has each of them, in order."""

    code = "conflict"
    clashes: Sequence[Clash] = ()

    def __init__(self, clashes: Sequence[Clash]) -> None:
        first, more = clashes[0], len(clashes) - 1
        super().__init__(
            f"runs[{first.index}]: {first.message}" + (f"; `errors` names this and {more} more" if more else ""),
            hint="finished runs never change; nothing of this batch was stored",
        )
        self.clashes = clashes
        self.errors = [FieldError(f"runs[{clash.index}].id", clash.message) for clash in clashes]


class Changed(RunlakeError):
    code = "changed"
    hint = "read it again; nothing was changed"


class TooSlow(RunlakeError):
    code = "too-slow"
    hint = "nothing was stored"


class TooLarge(RunlakeError):
    code = "too-large"


class Unsupported(RunlakeError):
    code = "unsupported-media-type"


class Busy(RunlakeError):
    code = "busy"
    hint = "try again later; nothing was stored"


class NotReady(RunlakeError):
    code = "not-ready"


class Timeout(RunlakeError):
    code = "timeout"
    hint = "narrow the time window or raise the limit"


class TooLong(Timeout):
    code = "too-long"
    hint = "ask for a shorter window, or for one task"


class TooMany(RunlakeError):
    code = "too-many"
    hint = "try again later"


class DiskFull(RunlakeError):
    code = "disk-full"
    hint = "free some space; nothing of this batch was stored"


class LakeError(RunlakeError):
    code = "lake"


class LakeLocked(LakeError):
    """The write lock is held; `pid` is its holder, 0 when unknown."""

    code = "lake-locked"
    pid = 0

    def __init__(self, folder: str, pid: int) -> None:
        super().__init__(
            f"the lake {folder} is being written by process {pid or 'unknown'}",
            hint="stop that process first, or send the runs to it with POST /runs",
        )
        self.pid = pid


class LakeMissing(LakeError):
    code = "lake-missing"


class LakeVersion(LakeError):
    code = "lake-version"


class LakeDamaged(LakeError):
    code = "lake-damaged"


class ImportFailed(RunlakeError):
    code = "import-failed"

    def __init__(self, detail: str, *, hint: str | None = None) -> None:
        super().__init__(detail, hint=f"{hint}; nothing was stored" if hint else "nothing was stored")


class SqlError(RunlakeError):
    code = "sql"


class UsageError(RunlakeError):
    code = "usage"


class Unreachable(RunlakeError):
    code = "unreachable"


class UnknownAnswer(RunlakeError):
    code = "unknown-answer"
