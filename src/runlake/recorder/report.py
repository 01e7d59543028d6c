"""The records of a command."""

from __future__ import annotations

from typing import Any

import msgspec

from runlake.model import MAX_DEPTH
from runlake.recorder.child import Ended
from runlake.recorder.records import Records, is_output
from runlake.recorder.tail import end_of


class Report(Records):
    """The records of one command."""

    def finished(self, ended: Ended) -> bytes:
        """The record of its end."""
        output: dict[str, Any] = {"exit_code": ended.code}
        if ended.signal:
            output["signal"] = ended.signal
        if is_output(ended.last_line, MAX_DEPTH - 1):
            output["result"] = msgspec.Raw(ended.last_line)
        return self.ended(ended.finished_at, output, _error(ended) if ended.code else None)


def _error(ended: Ended) -> str:
    """The end of standard error, or how the command ended."""
    return end_of(ended.stderr) or (f"killed by {ended.signal}" if ended.signal else f"exit code {ended.code}")
