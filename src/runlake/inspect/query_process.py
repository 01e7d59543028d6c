"""The process of one query over HTTP. The service starts it with a Job on standard input, and kills it when it is over.

Its output begins with one line of JSON, which is Begun or Refused; after Begun comes the answer. It ends with 0 where
that is whole. Not even a crash of DuckDB, or a value that takes all memory, does the service any harm.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final, cast

import msgspec
from msgspec import Raw, Struct

from runlake.errors import BadInput, Busy, RunlakeError, SqlError, Timeout, TooLong
from runlake.inspect import relations
from runlake.lake.catalog import Lake
from runlake.model import SqlAnswer, SqlColumn
from runlake.paths import Paths
from runlake.sandbox import export
from runlake.sandbox.sandbox import Result
from runlake.settings import Settings

COMMAND: Final = (sys.executable, "-P", "-m", "runlake.inspect.query_process")
HINT: Final = "ask for less, or set `timeout_seconds`"
ANSWER_BYTES: Final = 64 << 20
START_SECONDS: Final = 20.0  # to start and to read the catalog; a query has its own time after that
_HEADROOM: Final = 512 << 20  # bytes beside DuckDB's own limit: for results as text, and for what DuckDB does not count
_GRACE: Final = 1.0  # seconds that an interrupted query has to end
_SPILLED: Final = 4  # times its memory may lie on the disk
_NICER: Final = 15  # than the service: a query takes what its answers leave


class Job(Struct, frozen=True):
    """A query and its limits: `form` is one of export.FORMS, or None for the JSON of a SqlAnswer."""

    settings: Settings
    temp: str
    memory: int  # bytes
    query: str
    form: str | None
    limit: int
    seconds: float


class Begun(Struct, frozen=True, tag="begun"):
    """The answer follows."""

    snapshot: int


class Refused(Struct, frozen=True, tag="refused"):
    """There is none, and why: `code` is that of an error."""

    code: str
    detail: str
    hint: str | None

    def error(self) -> RunlakeError:
        """The error as the service raises it."""
        if self.code == SqlError.code:
            return BadInput.of("query", self.detail, hint=self.hint)
        if self.code == Timeout.code:
            return TooLong(self.detail, hint=HINT)
        kind = Busy if self.code == Busy.code else RunlakeError
        return kind(self.detail, hint=self.hint)


Head = Begun | Refused


def _end_after(seconds: float) -> None:
    """End the process then, whatever it does."""
    signal.setitimer(signal.ITIMER_REAL, seconds)


def _limit_memory(more: int) -> None:
    """From now on the process takes so many bytes more, and what asks for others fails."""
    # What libraries reserved counts, too: after the imports that is more than a gigabyte, most of it never used.
    taken = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (taken + more, taken + more))


class _Asked(Struct, frozen=True):
    """A query that runs; `started` is a reading of perf_counter."""

    snapshot: int
    result: Result
    started: float

    def body(self, job: Job) -> bytes:
        """The JSON of the answer."""
        found = export.rows(self.result.reader, job.limit, ANSWER_BYTES)
        elapsed = (time.perf_counter() - self.started) * 1000
        columns = [SqlColumn(name, kind) for name, kind in self.result.columns]
        lists = cast("list[list[Any]]", [Raw(row.encode()) for row in found.rows])  # they are JSON already
        return msgspec.json.encode(SqlAnswer(columns, lists, len(lists), found.more, round(elapsed, 2), self.snapshot))


@contextmanager
def _asked(job: Job) -> Iterator[_Asked]:
    with closing(Lake(Paths.of(job.settings.data), job.settings, write=False)) as lake:
        content = relations.content(lake)
    most = f"{_SPILLED * job.memory}B"
    with (
        relations.noticing(content, lake.storage),
        relations.sandbox(content, job.settings, job.temp, storage=lake.storage, most_spilled=most) as box,
    ):
        _limit_memory(job.memory + _HEADROOM)
        _end_after(job.seconds + _GRACE)
        started = time.perf_counter()
        yield _Asked(content.snapshot, box.ask(job.query, timeout=job.seconds), started)


def main() -> None:
    """Run the Job of standard input."""
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    out = sys.stdout.buffer
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _end_after(START_SECONDS)
    os.nice(_NICER)
    begun = False
    try:
        with _asked(job) as asked:
            body = asked.body(job) if job.form is None else b""
            out.write(msgspec.json.encode(Begun(asked.snapshot)) + b"\n" + body)
            begun = True
            if job.form is not None:
                export.write(asked.result.reader, job.form, out)
        out.flush()
    except BrokenPipeError:
        os._exit(1)  # nobody reads any more; Python would try to write the rest once more
    except (RunlakeError, MemoryError) as exc:
        if begun:
            raise
        words = exc if isinstance(exc, RunlakeError) else SqlError("the query needs more memory than it may have")
        out.write(msgspec.json.encode(Refused(words.code, words.detail, words.hint)) + b"\n")
        out.flush()


if __name__ == "__main__":
    main()
