"""Exports under way: each comes through a pipe, as fast as its client takes it, and no faster."""

from __future__ import annotations

import asyncio
import os
from asyncio import StreamReader, StreamReaderProtocol
from collections.abc import AsyncGenerator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import Final

from runlake.api.places import Places
from runlake.log import LOGGER
from runlake.query.copying import Copying
from runlake.query.export import Export

_PIECE: Final = 1 << 18  # bytes


class Exports:
    """The exports of a service, at most so many at once."""

    def __init__(self, most: int) -> None:
        self.places = Places(most, "exports")
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="runlake-export")
        self._running: dict[Future[None], Copying] = {}

    @property
    def under_way(self) -> int:
        """How many run; any thread may ask."""
        return len(self._running)

    async def pieces(self, export: Export, held: ExitStack) -> AsyncGenerator[bytes]:
        """The bytes of an export; `held` is closed when it has ended, whole or not.

        Raises what Copying raises, after the last piece: what has been sent by then is not whole.
        """
        loop = asyncio.get_running_loop()
        source, sink = os.pipe()
        copying = Copying(export, sink)
        future = self._pool.submit(copying.run)
        self._running[future] = copying
        future.add_done_callback(partial(self._end, copying, held))
        reader = StreamReader(_PIECE)
        transport, _ = await loop.connect_read_pipe(lambda: StreamReaderProtocol(reader), os.fdopen(source, "rb", 0))
        try:
            while piece := await reader.read(_PIECE):
                yield piece
            await asyncio.wrap_future(future)
        finally:
            copying.cancel()
            transport.close()  # who writes sees that nobody reads any more

    def _end(self, copying: Copying, held: ExitStack, future: Future[None]) -> None:
        self._running.pop(future, None)
        held.close()
        if not (future.cancelled() or copying.cancelled) and (exc := future.exception()):
            LOGGER.error("an export failed: %s", exc)

    def close(self) -> None:
        """End all; a second call does nothing."""
        for copying in list(self._running.values()):
            copying.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
