"""What a run of the benchmark has finished already, so that the next one in the same folder goes on from there."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from benchmarks.comparison import machine

T = TypeVar("T")


class Progress:
    """Finished figures by name, each with the commit it is of."""

    def __init__(self, work: Path, commit: str, say: Callable[[str], None]) -> None:
        self._folder = work / "finished"
        self._commit = commit
        self._say = say

    def once(self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """The figures of that name: those that are there, if they are of this very commit, else made now."""
        file = self._folder / f"{name}.json"
        if file.exists():
            commit, raw = msgspec.json.decode(file.read_bytes(), type=tuple[str, msgspec.Raw])
            if commit == self._commit and not commit.endswith("changes"):
                self._say(f"{name}: finished before, at this commit")
                return msgspec.json.decode(raw, type=kind)
            self._say(f"{name}: measured again, what is there is of {commit} and this is {self._commit}")
        made = make()
        self._folder.mkdir(exist_ok=True)
        machine.write(file, msgspec.json.encode((self._commit, made)))
        return made

    def forget(self) -> None:
        """The run is complete."""
        shutil.rmtree(self._folder, ignore_errors=True)
