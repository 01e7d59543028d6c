"""Keeps README.md and the handbook true: runs the commands of their console blocks again, and their Python blocks.

What a block of Python prints stands in a block of text after it; one that prints nothing has none.
`python tests/helpers/pages.py [FILE…]` writes what they print into the pages; `test_documentation.py` compares.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from support import HERE, TRACES, Server, environment
from tables import with_tables

ROOT: Final = HERE.parent
PAGES: Final = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
_CONSOLE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_PYTHON: Final = re.compile(r"^```python\n(.*?)^```$(?:\n\n```text\n.*?^```$)?", re.MULTILINE | re.DOTALL)
_BLOCK: Final = re.compile(f"{_CONSOLE.pattern}|{_PYTHON.pattern}", re.MULTILINE | re.DOTALL)
_ADDRESS: Final = "127.0.0.1:8000"


def rendered(text: str, lakes: Path) -> str:
    """The page with fresh tables and the fresh output of every block; `lakes` is a folder for generated lakes."""
    with tempfile.TemporaryDirectory(prefix="page-") as folder, _Shell(Path(folder), lakes) as shell:
        text = _BLOCK.sub(lambda block: shell.program(block[2]) if block[1] is None else shell.session(block[1]), text)
    return with_tables(text)


def needs_traces(text: str) -> bool:
    """Whether the commands of a page read the public traces, which are no part of the repository."""
    return any("traces/" in command for block in _CONSOLE.findall(text) for command in commands(block))


def commands(session: str) -> Iterator[str]:
    """The commands of a console block; a command goes on over lines until its quotes are closed."""
    command = ""
    for line in session.splitlines():
        if not command and not line.startswith("$ "):
            continue
        command = f"{command}\n{line}" if command else line.removeprefix("$ ")
        if command.count('"') % 2 == 0:
            yield command
            command = ""


class _Shell:
    """Runs commands in an empty folder; `runlake serve` goes on in the background until the next one."""

    def __init__(self, folder: Path, lakes: Path) -> None:
        self._folder = folder
        self._lakes = lakes
        self._server: Server | None = None
        tools = folder / "bin"
        tools.mkdir()
        script = tools / "runlake"
        script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from runlake.cli import main; main()' \"$@\"\n")
        script.chmod(0o755)
        if TRACES.is_dir():
            (folder / "traces").symlink_to(TRACES)
        self._env = environment(PATH=f"{tools}:{os.environ['PATH']}", XDG_STATE_HOME=str(folder / "state"))

    def session(self, text: str) -> str:
        """A console block with what its commands print now."""
        shown = "".join(f"$ {command}\n{self._output(command)}" for command in commands(text))
        return f"```console\n{shown}```"

    def program(self, code: str) -> str:
        """A Python block with what it prints now."""
        said = self._run([sys.executable, "-c", self._address(code)], self._folder)
        return f"```python\n{code}```" + (f"\n\n```text\n{said}```" if said else "")

    def _output(self, command: str) -> str:
        if command.startswith("runlake serve"):
            return self._serve(command)
        if command.startswith("runlake generate"):
            return self._generate(command)
        return self._run(["bash", "-c", self._address(command)], self._folder)

    def _address(self, text: str) -> str:
        """A text with the address of the service as it is now."""
        return text.replace(_ADDRESS, self._server.url.removeprefix("http://")) if self._server else text

    def _run(self, command: list[str], folder: Path) -> str:
        done = subprocess.run(command, cwd=folder, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"exit code {done.returncode}: {command[-1]}\n{done.stdout}{done.stderr}")
        return done.stdout if not done.stdout or done.stdout.endswith("\n") else done.stdout + "\n"

    def _generate(self, command: str) -> str:
        """A history of the same seed is made once for all pages; each page has a copy."""
        made = self._lakes / hashlib.sha256(command.encode()).hexdigest()[:16]
        with (self._lakes / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            said = made / "said"
            if not said.exists():
                made.mkdir()
                said.write_text(self._run(["bash", "-c", command], made))
        shutil.copytree(made / "data", self._folder / "data", dirs_exist_ok=True)
        return said.read_text()

    def _serve(self, command: str) -> str:
        self._stop()
        data = command.split("--data ")[1] if "--data" in command else "data/lake"
        self._server = Server(self._folder / data).wait_ready()
        said = next(line for line in self._server.log if "serving on" in line)
        return said.replace(self._server.url.removeprefix("http://"), _ADDRESS)

    def _stop(self) -> None:
        if self._server is not None:
            self._server.stop()

    def __enter__(self) -> _Shell:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="lakes-") as made_once:
        for page in [Path(name).resolve() for name in sys.argv[1:]] or PAGES:
            page.write_text(rendered(page.read_text(encoding="utf-8"), Path(made_once)), encoding="utf-8")
