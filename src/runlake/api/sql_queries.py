"""Queries of POST /sql: each runs in a process of its own, which ends with its answer, its time or its client."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from signal import SIGALRM
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from runlake.errors import BadInput, RunlakeError, TooLong
from runlake.inspect import query_process
from runlake.inspect.query_process import HINT, Begun, Head, Job
from runlake.model import SqlQuery
from runlake.settings import Settings, in_bytes

MOST: Final = 2  # queries at the same time
_PIECE: Final = 1 << 18  # bytes


class Query:
    """A query that has begun: its snapshot, and its answer piece by piece."""

    def __init__(self, process: Process, snapshot: int) -> None:
        self.snapshot = snapshot
        self._process = process

    async def pieces(self) -> AsyncIterator[bytes]:
        """The bytes of the answer. The process ends itself at the limit of its time.

        Raises RunlakeError after the last piece when the query failed: what came is not whole then.
        """
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        while piece := await self._process.stdout.read(_PIECE):
            yield piece
        if await self._process.wait() != 0:
            raise RunlakeError("a query ended before its answer was whole")


@asynccontextmanager
async def begun(settings: Settings, asked: SqlQuery, form: str | None) -> AsyncIterator[Query]:
    """A query, once its first rows are there; `form` is one of export.FORMS, or None for the JSON of a SqlAnswer.

    Its process ends with the block. Raises BadInput for a query that is refused, fails or ends its process; TooLong at
    its limit, Busy, and RunlakeError where the lake cannot be read.
    """
    async with AsyncExitStack() as held:
        job = Job(
            settings=msgspec.structs.replace(settings, memory_limit=settings.sql_memory),
            temp=held.enter_context(TemporaryDirectory(prefix="runlake-sql-")),
            memory=in_bytes(settings.sql_memory),
            query=asked.query,
            form=form,
            limit=asked.limit,
            seconds=asked.timeout_seconds,
        )
        # What it says on standard error may hold parts of the query, and these are nobody else's business.
        process = await asyncio.create_subprocess_exec(
            *query_process.COMMAND, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, limit=_PIECE
        )
        held.push_async_callback(_end, process)
        head = await _first(process, job)
        if not isinstance(head, Begun):
            raise head.error()
        yield Query(process, head.snapshot)


async def _first(process: Process, job: Job) -> Head:
    assert process.stdin is not None and process.stdout is not None  # noqa: S101 - they are pipes
    with suppress(ConnectionError):  # it has ended already, and the next lines say how
        process.stdin.write(msgspec.json.encode(job))
        await process.stdin.drain()
    process.stdin.close()
    line = await process.stdout.readline()
    if line.endswith(b"\n"):
        head: Head = msgspec.json.decode(line, type=Head)
        return head
    code = await process.wait()
    if code == -SIGALRM:
        raise TooLong(f"the query took longer than {job.seconds:g} s", hint=HINT)
    if code >= 0:
        raise RunlakeError(f"the process of a query ended with {code}")
    raise BadInput.of("query", "it ended its process", hint="it needs too much memory, or is too much for DuckDB")


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()
