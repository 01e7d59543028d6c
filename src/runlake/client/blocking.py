"""The client that waits."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Self, TypeVar

import httpx

from runlake.client import calls, lists
from runlake.client.batches import batches, total
from runlake.client.block import Block
from runlake.client.calls import Call, Record
from runlake.client.following import Following, Told, over
from runlake.client.routes import Blocking, Routes
from runlake.client.setup import Setup, unreachable
from runlake.errors import RunlakeError
from runlake.model import ExportQuery, Filter, Form, Run, RunsQuery, SqlQuery, Stored

if TYPE_CHECKING:
    import pyarrow as pa

A = TypeVar("A")


class Client(Routes, Blocking):
    """A service at `server`, as whom `key` says; else RUNLAKE_SERVER and RUNLAKE_KEY do.

    A read is tried up to `tries` times when the service is busy or does not answer. An append is tried for `patience`
    seconds: it can be sent again, as all its records have ids. `timeout` is for an answer to go on, in seconds.
    Use it as a context manager, or call `close`.
    """

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
        self._http = httpx.Client(**self._setup.options)

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def ask(self, call: Call[A]) -> A:
        """The answer to a call of `runlake.client.calls`."""

        def once() -> A:
            return call.read(self._http.request(call.method, call.target, content=call.body, headers=call.headers))

        return self._tried(call, once)

    def _tried(self, call: Call[A], once: Callable[[], A]) -> A:
        tries = self._setup.policy.begin(call)
        while True:
            try:
                return once()
            except RunlakeError as exc:
                pause = tries.pause(exc)
            except httpx.RequestError as exc:
                pause = tries.pause(unreachable(exc))
            time.sleep(pause)

    def append(self, records: Iterable[Record]) -> Stored:
        """Store runs, as many as there are, in batches. Records without an id get one, in place, before they are sent.

        A batch that cannot be stored now is sent again until `patience` is over, and never stored twice. The error of a
        batch that is refused has a note that says where it stands; to append all records again is safe.
        """
        done = []
        for batch in batches(records):
            with batch.named():
                done.append(self.ask(batch.call))
        return total(done)

    def runs(self, query: RunsQuery = RunsQuery()) -> Runs:
        """All runs that match, page by page, the most recent first, to go through or `to_arrow`.

        None comes twice, and none is left out while others are appended. `limit` does not count.
        """
        return Runs(self, query)

    def export_runs(self, file: str | Path, query: ExportQuery = ExportQuery()) -> int:
        """Write all runs that match to a file, as they come. It is there when it is whole. Answers their number."""
        with lists.whole(Path(file)) as sink:
            return self.stream(calls.export_runs(query), sink)

    def export_sql(self, file: str | Path, query: SqlQuery, form: Form = "parquet") -> int:
        """Write all rows of a SELECT to a file, as `export_runs` does. Answers the snapshot that was asked."""
        with lists.whole(Path(file)) as sink:
            return self.stream(calls.export_sql(query, form), sink)

    def stream(self, call: Call[A], sink: BinaryIO) -> A:
        """Write the answer to a call to a file from its beginning on, as it comes; answers what its head says."""

        def once() -> A:
            lists.empty(sink)
            with self._http.stream(call.method, call.target, content=call.body, headers=call.headers) as response:
                if not response.is_success:
                    response.read()
                head = call.read(response)
                for piece in response.iter_bytes():
                    sink.write(piece)
            return head

        return self._tried(call, once)

    def follow(self, query: Filter = Filter(), *, after: int | None = None) -> Iterator[Told]:
        """Runs as they are stored and changed, without end, at most four answers a second.

        The first one has no runs: its `snapshot` is where this begins. `after` is the snapshot of the last answer of
        before: nothing is missed or told twice. A StreamReset says that this is not possible, and what was read has to
        be read again. A lost connection is made again until `patience` is over. Raises what `list_runs` raises.
        """
        following = Following(query, after)
        tries = self._setup.policy.begin(following.call())
        while True:
            call = following.call()
            try:
                with self._http.stream(call.method, call.target, headers=call.headers) as response:
                    if not response.is_success:
                        response.read()
                    call.read(response)
                    for line in response.iter_lines():
                        if (told := following.take(line)) is not None:
                            tries = self._setup.policy.begin(call)
                            yield told
                pause = tries.pause(over())
            except RunlakeError as exc:
                pause = tries.pause(exc)
            except httpx.RequestError as exc:
                pause = tries.pause(unreachable(exc))
            time.sleep(pause)

    def run(self, task: str | uuid.UUID, *, attempt: int = 1) -> Block:
        """Record a block of code as a run of a task, by its name or its UUID.

        The run is open from the beginning on, with a lease that is renewed, and finished at the end: a success, or a
        failure with the traceback as `error`. Set `output` of what `with` gives for its output.

        The recorder never changes what the block does. Nothing here is raised or waited for, but the last record, for
        five seconds at most. What cannot be sent is kept in the spool of `runlake exec`, and the next block or command
        of the user that is recorded at this service sends it. Warnings go to the logger `runlake`.
        """
        return Block(self._setup.service, task, attempt)


class Runs:
    """All runs that match a query."""

    def __init__(self, client: Client, query: RunsQuery) -> None:
        self._client, self._query = client, query

    def __iter__(self) -> Iterator[Run]:
        call: Call[calls.Page] | None = calls.first_page(lists.by_cursor(self._query))
        while call is not None:
            found = self._client.ask(call)
            yield from found.page.items
            call = found.following

    def to_arrow(self) -> pa.Table:
        """All of them as an Arrow table, in any order, with their errors. It needs pyarrow."""
        stream, arrow = BytesIO(), import_module("runlake.client.arrow")
        self._client.stream(calls.export_runs(lists.exported(self._query)), stream)
        table: pa.Table = arrow.table(stream)
        return table
