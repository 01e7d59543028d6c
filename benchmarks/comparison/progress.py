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
    """Finished figures by name, each with the commit it is of and what was asked of whom."""

    def __init__(self, work: Path, commit: str, asked: str, say: Callable[[str], None]) -> None:
        self._folder = work / "finished"
        self._commit = commit
        self._of = f"{commit}, {asked}"
        self._say = say

    def once(self, name: str, kind: type[T], make: Callable[[], T]) -> T:
        """The figures of that name: those that are there, if this very commit was asked the same, else made now."""
        file = self._folder / f"{name}.json"
        if file.exists():
            of, raw = msgspec.json.decode(file.read_bytes(), type=tuple[str, msgspec.Raw])
            if of == self._of and not self._commit.endswith("changes"):
                self._say(f"{name}: finished before, at this commit")
                return msgspec.json.decode(raw, type=kind)
            self._say(f"{name}: measured again, what is there is of {of} and this is {self._of}")
        made = make()
        self._folder.mkdir(exist_ok=True)
        machine.write(file, msgspec.json.encode((self._of, made)))
        return made

    def forget(self) -> None:
        """The run is complete."""
        shutil.rmtree(self._folder, ignore_errors=True)
