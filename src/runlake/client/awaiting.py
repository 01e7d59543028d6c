"""The client for programs with an event loop."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

import httpx

from runlake.client import calls, lists
from runlake.client.batches import batches, total
from runlake.client.block import AsyncBlock
from runlake.client.calls import Call, Record
from runlake.client.following import Following, Told, over
from runlake.client.routes import Awaiting, Routes
from runlake.client.setup import Setup, unreachable
from runlake.errors import RunlakeError
from runlake.model import ExportQuery, Filter, Form, Run, RunsQuery, SqlQuery, Stored

if TYPE_CHECKING:
    import pyarrow as pa

A = TypeVar("A")


class AsyncClient(Routes, Awaiting):
    """As `Client`, whose words count here, too: what answers there is awaited here."""

    def __init__(
        self,
        server: str | None = None,
        *,
        key: str | None = None,
        tries: int = 3,
        patience: float = 60.0,
        timeout: float = 60.0,
    ) -> None:
        """Raises UsageError for what is no address of a service."""
        self._setup = Setup.of(server, key, tries=tries, patience=patience, timeout=timeout)
        self._http = httpx.AsyncClient(**self._setup.options)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self.aclose()

    async def ask(self, call: Call[A]) -> A:
        """The answer to a call of `runlake.client.calls`."""

        async def once() -> A:
            return call.read(
                await self._http.request(call.method, call.target, content=call.body, headers=call.headers)
            )

        return await self._tried(call, once)

    async def _tried(self, call: Call[A], once: Callable[[], Awaitable[A]]) -> A:
        tries = self._setup.policy.begin(call)
        while True:
            try:
                return await once()
            except RunlakeError as exc:
                pause = tries.pause(exc)
            except httpx.RequestError as exc:
                pause = tries.pause(unreachable(exc))
            await asyncio.sleep(pause)

    async def append(self, records: Iterable[Record]) -> Stored:
        """Store runs, as `Client.append` does."""
        done = []
        for batch in batches(records):
            with batch.named():
                done.append(await self.ask(batch.call))
        return total(done)

    def runs(self, query: RunsQuery = RunsQuery()) -> AsyncRuns:
        """All runs that match, as `Client.runs` has them, for `async for`."""
        return AsyncRuns(self, query)

    async def export_runs(self, file: str | Path, query: ExportQuery = ExportQuery()) -> int:
        """Write all runs that match to a file, as `Client.export_runs` does."""
        with lists.whole(Path(file)) as sink:
            return await self.stream(calls.export_runs(query), sink)

    async def export_sql(self, file: str | Path, query: SqlQuery, form: Form = "parquet") -> int:
        """Write all rows of a SELECT to a file, as `Client.export_sql` does."""
        with lists.whole(Path(file)) as sink:
            return await self.stream(calls.export_sql(query, form), sink)

    async def stream(self, call: Call[A], sink: BinaryIO) -> A:
        """Write the answer to a call to a file from its beginning on, as it comes; answers what its head says."""

        async def once() -> A:
            lists.empty(sink)
            async with self._http.stream(call.method, call.target, content=call.body, headers=call.headers) as response:
                if not response.is_success:
                    await response.aread()
                head = call.read(response)
                async for piece in response.aiter_bytes():
                    await asyncio.to_thread(sink.write, piece)
            return head

        return await self._tried(call, once)

    async def follow(self, query: Filter = Filter(), *, after: int | None = None) -> AsyncIterator[Told]:
        """Runs as they are stored and changed, as `Client.follow` has them, for `async for`."""
        following = Following(query, after)
        tries = self._setup.policy.begin(following.call())
        while True:
            call = following.call()
            try:
                async with self._http.stream(call.method, call.target, headers=call.headers) as response:
                    if not response.is_success:
                        await response.aread()
                    call.read(response)
                    async for line in response.aiter_lines():
                        if (told := following.take(line)) is not None:
                            tries = self._setup.policy.begin(call)
                            yield told
                pause = tries.pause(over())
            except RunlakeError as exc:
                pause = tries.pause(exc)
            except httpx.RequestError as exc:
                pause = tries.pause(unreachable(exc))
            await asyncio.sleep(pause)

    def run(self, task: str | uuid.UUID, *, attempt: int = 1) -> AsyncBlock:
        """Record a block of code, as `Client.run` does, by `async with`."""
        return AsyncBlock(self._setup.service, task, attempt)


class AsyncRuns:
    """All runs that match a query."""

    def __init__(self, client: AsyncClient, query: RunsQuery) -> None:
        self._client, self._query = client, query

    async def __aiter__(self) -> AsyncIterator[Run]:
        call: Call[calls.Page] | None = calls.first_page(lists.by_cursor(self._query))
        while call is not None:
            found = await self._client.ask(call)
            for run in found.page.items:
                yield run
            call = found.following

    async def to_arrow(self) -> pa.Table:
        """All of them as an Arrow table, in any order, with their errors. It needs pyarrow."""
        stream, arrow = BytesIO(), import_module("runlake.client.arrow")
        await self._client.stream(calls.export_runs(lists.exported(self._query)), stream)
        table: pa.Table = arrow.table(stream)
        return table
