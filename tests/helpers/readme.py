"""Keeps README.md true: runs its commands again, and renders its tables.

`python tests/helpers/readme.py` writes what they print into the page; `test_readme.py` compares.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from click.testing import CliRunner
from support import HERE, TRACES, Server, environment

from runlake.cli import main
from runlake.cli.main import COMMANDS, loaded
from runlake.settings import markdown_table

README: Final = HERE.parent / "README.md"
_CONSOLE: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TABLE: Final = re.compile(r"<!-- (settings|commands) -->\n.*?<!-- end -->", re.DOTALL)
_ADDRESS: Final = "127.0.0.1:8000"


def rendered(text: str) -> str:
    """The page with fresh tables and the fresh output of every command."""
    with tempfile.TemporaryDirectory(prefix="readme-") as folder, _Shell(Path(folder)) as shell:
        text = _CONSOLE.sub(lambda block: f"```console\n{shell.session(block[1])}```", text)
    return with_tables(text)


def with_tables(text: str) -> str:
    """The page with fresh tables of settings and commands."""
    return _TABLE.sub(lambda table: f"<!-- {table[1]} -->\n{_tables()[table[1]]}\n<!-- end -->", text)


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

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._server: Server | None = None
        tools = folder / "bin"
        tools.mkdir()
        script = tools / "runlake"
        script.write_text(f"#!/bin/sh\nexec {sys.executable} -c 'from runlake.cli import main; main()' \"$@\"\n")
        script.chmod(0o755)
        if TRACES.is_dir():
            (folder / "traces").symlink_to(TRACES)
        self._env = environment(PATH=f"{tools}:{os.environ['PATH']}")

    def session(self, text: str) -> str:
        """A console block with what its commands print now."""
        return "".join(f"$ {command}\n{self._output(command)}" for command in commands(text))

    def _output(self, command: str) -> str:
        if "traces" in command and not TRACES.is_dir():
            raise FileNotFoundError(f"{TRACES}: the commands about real records need it")
        if command.startswith("runlake serve"):
            return self._serve(command)
        if self._server is not None:
            command = command.replace(_ADDRESS, self._server.url.removeprefix("http://"))
        done = subprocess.run(
            ["bash", "-c", command], cwd=self._folder, env=self._env, capture_output=True, text=True, check=True
        )
        return done.stdout if not done.stdout or done.stdout.endswith("\n") else done.stdout + "\n"

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
        shutil.rmtree(self._folder / "data", ignore_errors=True)


def _tables() -> dict[str, str]:
    helps = []
    groups = {name: list(getattr(loaded(name), "commands", ())) for name in COMMANDS}
    for name in ([], *(path for top, inner in groups.items() for path in ([top], *([top, sub] for sub in inner)))):
        text = CliRunner().invoke(main, [*name, "--help"], prog_name="runlake", terminal_width=100).output
        helps.append(f"$ runlake {' '.join([*name, '--help'])}\n{text}")
    return {"settings": markdown_table(), "commands": "```text\n" + "\n".join(helps) + "```"}


if __name__ == "__main__":
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
