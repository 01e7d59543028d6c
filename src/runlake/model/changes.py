"""What a stream of changed runs tells."""

from __future__ import annotations

from typing import Annotated

from msgspec import Struct

from runlake.model.runs import Run, doc


class ChangeCounts(Struct, frozen=True):
    """Changed runs by their outcome."""

    success: Annotated[int, doc("Those that have succeeded.")]
    failed: Annotated[int, doc("Those that have failed.")]
    open: Annotated[int, doc("Those that have not finished.")]


class RunChanges(Struct, frozen=True):
    """Runs that match and were stored or changed after the snapshot of the event before, each once, as it is now."""

    snapshot: Annotated[int, doc("The snapshot of the lake up to which everything is told; also the id of the event.")]
    counts: Annotated[ChangeCounts, doc("How many they are, exactly.")]
    items: Annotated[list[Run], doc("The newest of them, at most 200; `error` and `output` are null in all of them.")]
    more: Annotated[int, doc("How many there are beside `items`.")]


class StreamReset(Struct, frozen=True):
    """What changed before is not known here: load again what is shown; then follow from this snapshot on."""

    snapshot: Annotated[int, doc("The snapshot of the lake from which on everything is told.")]
