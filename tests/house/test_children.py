"""A forked process of the tests is like a started one, and a started one checks the signatures of extensions."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Final

import children
import pytest
from support import environment

SAYS: Final = """
import os, sys
print(sys.argv, os.getcwd(), sorted(os.environ.items()), sys.stdin.read(), __name__, "ü")
print("error", file=sys.stderr)
sys.exit(7)
"""
SETTING: Final = """
from runlake import duck
con = duck.connect(threads=1, memory_limit="100MB")
print(*con.execute("SELECT current_setting('allow_unsigned_extensions')").fetchone())
"""


def started(code: str, *args: str, env: dict[str, str], cwd: Path, data: bytes = b"") -> tuple[int, bytes, bytes]:
    command = [sys.executable, "-c", code, *args]
    done = subprocess.run(command, env=env, cwd=cwd, input=data, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def forked(code: str, *args: str, env: dict[str, str], cwd: Path, data: bytes = b"") -> tuple[int, bytes, bytes]:
    assert children.can_be_forked(env) == children.forking
    done = children.run(code, *args, env=env, cwd=cwd, data=data)
    return done.returncode, done.stdout, done.stderr


def test_arguments_folder_environment_files_and_exit_code(tmp_path: Path) -> None:
    env, data = environment(TESTS_SAY="ä"), b"x" * 200_000
    one, other = (way(SAYS, "a", "", "b c", env=env, cwd=tmp_path, data=data) for way in (started, forked))
    assert one == other
    assert (one[0], one[2], "'TESTS_SAY', 'ä'" in one[1].decode()) == (7, b"error\n", True)


# What has to happen at the end of a process, and what may go wrong there.
THREAD: Final = "import threading, time; threading.Thread(target=lambda: (time.sleep(0.1), print('late'))).start()"
ATEXIT: Final = "import atexit; atexit.register(print, 'last'); print('first', end='')"
CLOSED: Final = "import os, sys; print('x'); os.close(1)"
ENDS: Final = [
    "",
    "1 / 0",
    "import os; os.abort()",
    "import os; os.kill(os.getpid(), 9)",
    "import sys; sys.exit('a text')",
    "import sys; sys.exit(1000)",
    THREAD,
    ATEXIT,
    CLOSED,
    "import sys; sys.stdout.close()",
]


@pytest.mark.parametrize("code", ENDS)
def test_ends(tmp_path: Path, code: str) -> None:
    one, other = (way(code, env=environment(), cwd=tmp_path) for way in (started, forked))
    assert one[:2] == other[:2]
    assert one[2].splitlines()[-1:] == other[2].splitlines()[-1:]


def test_waiting_and_signals() -> None:
    with Path("/dev/null").open("r+b", buffering=0) as null:
        nowhere = (null.fileno(),) * 3
        process = children.Forked("import time; time.sleep(600)", env=environment(), files=nowhere)
    assert process.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.01)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == process.poll() == process.returncode == -signal.SIGTERM
    process.kill()


def test_what_must_be_read_early_needs_a_start() -> None:
    for name in ("LD_PRELOAD", "PYTHONPATH", "LC_ALL"):
        assert not children.can_be_forked(environment() | {name: "/nowhere"})


def test_a_started_process_checks_signatures(tmp_path: Path) -> None:
    """The shortcut of the tests is none of the program's."""
    assert started(SETTING, env=environment(), cwd=tmp_path) == (0, b"False\n", b"")
