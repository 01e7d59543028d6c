"""A block of code as a recorded run, in the way of `runlake exec`: with its records, its spool and its lease.

A thread sends the records, beside an event loop, too: a lease is renewed also while the loop is held up.
"""

from __future__ import annotations

import asyncio
import traceback
import uuid
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Final

import msgspec

from runlake import settings
from runlake.log import LOGGER
from runlake.model import MAX_RECORD_BYTES
from runlake.recorder.clock import seconds
from runlake.recorder.recording import Recording
from runlake.recorder.records import Records, is_output
from runlake.recorder.service import Service
from runlake.recorder.tail import TAIL_BYTES, end_of

# Of an output: the error, and all other fields, have to find room beside it.
_OUTPUT_BYTES: Final = MAX_RECORD_BYTES - 8 * TAIL_BYTES
_Ended = BaseException | None


class BlockRun(Records):
    """The run of a block of code. `output` is any value that msgspec writes as JSON; `id` and `task` are UUIDs."""

    output: Any = None

    def __init__(self, name_or_uuid: str, started_at: datetime, attempt: int = 1) -> None:
        super().__init__(name_or_uuid, started_at, attempt)
        self._started_at, self._started = started_at, seconds()

    def finished(self, ended: _Ended, /) -> bytes:
        """The record of its end; `ended` is the exception, if there is one."""
        finished_at = self._started_at + timedelta(seconds=seconds() - self._started)
        return self.ended(finished_at, self._output(), None if _is_success(ended) else _error(ended))

    def _output(self) -> msgspec.Raw | None:
        """The output as JSON; none, and a warning, for what the service would refuse."""
        try:
            text = msgspec.json.encode(self.output)
        except Exception as exc:  # noqa: BLE001 - the methods of any object may be called
            LOGGER.warning("the output of run %s is not recorded: %s", self.id, exc)
            return None
        if len(text) > _OUTPUT_BYTES or not is_output(text):
            LOGGER.warning("the output of run %s is not recorded: it is too large, or too deep", self.id)
            return None
        return msgspec.Raw(text)


def _is_success(exc: _Ended) -> bool:
    """No exception, or an exit with code 0."""
    return exc is None or (isinstance(exc, SystemExit) and exc.code in (None, 0))


def _error(exc: _Ended) -> str:
    """The end of the traceback."""
    return end_of("".join(traceback.format_exception(exc)).encode(errors="backslashreplace"))


class _Block:
    """What both kinds of blocks do at their beginning and at their end; neither raises."""

    def __init__(self, service: Service, task: str | uuid.UUID, attempt: int) -> None:
        self._service = service
        self._task, self._attempt = str(task), attempt
        self._run: BlockRun
        self._recording: Recording[_Ended] | None = None

    def _begin(self) -> BlockRun:
        self._run, self._recording = BlockRun(self._task, datetime.now(UTC), self._attempt), None
        try:
            state = settings.state_folder()
            recording = Recording[_Ended](self._service.name, lambda: self._service, state, self._run, LOGGER.warning)
            recording.begin()
            self._recording = recording
        except Exception:  # noqa: BLE001 - whatever it is, the block goes on
            LOGGER.exception("run %s is not recorded", self._run.id)
        return self._run

    def _end(self, exc: _Ended) -> None:
        try:
            if self._recording is not None:
                self._recording.finish(exc)
        except Exception:  # noqa: BLE001 - whatever it is, the block goes on
            LOGGER.exception("the end of run %s is not recorded", self._run.id)


class Block(_Block):
    """`with client.run(…) as run`."""

    def __enter__(self) -> BlockRun:
        return self._begin()

    def __exit__(self, kind: type[BaseException] | None, exc: _Ended, trace: TracebackType | None) -> None:
        self._end(exc)


class AsyncBlock(_Block):
    """`async with client.run(…) as run`."""

    async def __aenter__(self) -> BlockRun:
        beginning = asyncio.create_task(asyncio.to_thread(self._begin))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError as exc:  # or its lease would be renewed for ever
            await beginning
            await asyncio.to_thread(self._end, exc)
            raise

    async def __aexit__(self, kind: type[BaseException] | None, exc: _Ended, trace: TracebackType | None) -> None:
        await asyncio.to_thread(self._end, exc)
