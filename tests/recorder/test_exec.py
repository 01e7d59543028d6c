"""`runlake exec` as a user has it: a real command, a real service, processes, signals, a spool."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RUNLAKE, Server, environment

from runlake import access
from runlake.cli import quick
from runlake.cli.group import loaded
from runlake.paths import Paths
from runlake.recorder.call import Call
from runlake.recorder.records import task_of
from runlake.recorder.service import Service

NOWHERE: Final = "http://127.0.0.1:1"
Done = subprocess.CompletedProcess[bytes]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("exec") / "lake").wait_ready()
    yield made
    made.stop()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "state"


def asked(where: str, *command: str, task: str = "nightly", options: tuple[str, ...] = ()) -> list[str]:
    target = "--server" if "://" in where else "--data"
    return [*RUNLAKE, "exec", target, where, "--task", task, *options, "--", *command]


def run(where: str, home: Path, *command: str, env: dict[str, str] | None = None, **more: Any) -> Done:
    """Record a command with a spool of its own."""
    made = environment(XDG_STATE_HOME=str(home)) | (env or {})
    return subprocess.run(asked(where, *command, **more), env=made, capture_output=True, check=False, timeout=60)


def python(code: str) -> tuple[str, str, str]:
    return sys.executable, "-c", code


def kept(home: Path) -> list[dict[str, Any]]:
    """The records in the spool, in order."""
    return [json.loads(path.read_bytes())["run"] for path in sorted((home / "runlake" / "spool").glob("*.json"))]


def stored(server: Server, task: str) -> list[dict[str, Any]]:
    """The runs of a task, the oldest first."""
    path = f"/runs?task_id={task_of(task)}&include_errors=true&limit=100"
    return list(reversed(server.client.get(path).json()["items"]))


def fresh() -> str:
    """The name of a task that nobody has used."""
    return f"task-{uuid.uuid4()}"


@pytest.mark.parametrize("options", [(), ("--no-output",)])
@pytest.mark.parametrize("code", [0, 3, 255])
def test_output_and_exit_code_pass_through(home: Path, code: int, options: tuple[str, ...]) -> None:
    """Byte for byte, also what is no text, and more than a pipe holds."""
    text = (
        "import sys; b = bytes(range(256)) * 4000; sys.stdout.buffer.write(b); "
        f"sys.stderr.buffer.write(b[::-1]); sys.exit({code})"
    )
    done = run(NOWHERE, home, *python(text), options=options)
    assert done.returncode == code
    data = bytes(range(256)) * 4000
    assert done.stdout == data
    assert done.stderr.startswith(data[::-1])
    assert done.stderr[len(data) :].startswith(b"runlake: the run is kept, and the next call sends it")


def test_a_run_is_recorded(server: Server, home: Path) -> None:
    task = fresh()
    text = "import sys; print('a'); print('{\"rows\": 12345678901234567890}'); sys.exit('no such table: orders')"
    done = run(server.url, home, *python(text), task=task)
    assert (done.returncode, done.stderr) == (1, b"no such table: orders\n")
    (found,) = stored(server, task)
    assert (found["success"], found["error"]) == (False, "no such table: orders")
    assert found["output"] == {"exit_code": 1, "result": {"rows": 12345678901234567890}}
    assert found["started_at"] <= found["finished_at"]
    assert found["lease_owner"] == socket.gethostname()
    assert server.client.get("/tasks/names").json()["names"][str(task_of(task))]["name"] == task
    assert kept(home) == []


def test_a_uuid_stands_for_itself(server: Server, home: Path) -> None:
    """In any form, and it does not become a name."""
    task = str(uuid.uuid4())
    assert run(server.url, home, "true", task=task.upper()).returncode == 0
    assert [one["task_id"] for one in stored(server, task)] == [task]
    assert task not in server.client.get("/tasks/names").json()["names"]


def test_texts_stay_out_where_nobody_wants_them(server: Server, home: Path) -> None:
    task = fresh()
    done = run(
        server.url, home, *python("import sys; print('{}'); sys.exit('secret')"), task=task, options=("--no-output",)
    )
    assert done.returncode == 1
    (found,) = stored(server, task)
    assert (found["error"], found["output"]) == ("exit code 1", {"exit_code": 1})


def test_the_end_of_a_long_error_is_kept(server: Server, home: Path) -> None:
    """From the beginning of a line on, whatever the bytes are."""
    task = fresh()
    text = "import sys; [sys.stderr.buffer.write(b'line %d \\xff\\0\\n' % i) for i in range(5000)]; sys.exit(1)"
    assert run(server.url, home, *python(text), task=task).returncode == 1
    (found,) = stored(server, task)
    lines = found["error"].splitlines()
    assert lines[-1].startswith("line 4999 ") and lines[0].startswith("line ")
    assert 13_000 < sum(len(line) - 1 for line in lines) <= 16_384


def test_a_command_that_cannot_be_started(server: Server, home: Path, tmp_path: Path) -> None:
    """The exit codes are those of shells, and the run has failed."""
    task, file = fresh(), tmp_path / "file"
    file.write_text("")
    assert run(server.url, home, "no-such-command", task=task).returncode == 127
    assert run(server.url, home, str(file), task=task).returncode == 126
    assert [one["error"] for one in stored(server, task)] == [
        "no-such-command: No such file or directory",
        f"{file}: Permission denied",
    ]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1])
def test_signals_reach_the_command(server: Server, home: Path, number: signal.Signals) -> None:
    task = fresh()
    env = environment(XDG_STATE_HOME=str(home))
    text = (
        "import signal, sys, time; [signal.signal(n, lambda n, _: sys.exit(40 + n)) for n in (1, 2, 3, 10, 15)]; "
        "print('up', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(asked(server.url, *python(text), task=task), env=env, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(number)
        assert process.wait(30) == 40 + number
    (found,) = stored(server, task)
    assert found["output"]["exit_code"] == 40 + number


def test_a_command_that_a_signal_ends(server: Server, home: Path) -> None:
    task = fresh()
    done = run(server.url, home, "sh", "-c", "kill -SEGV $$", task=task)
    assert done.returncode == 128 + signal.SIGSEGV
    (found,) = stored(server, task)
    assert found["output"] == {"exit_code": 139, "signal": "SIGSEGV"}
    assert found["error"] == "killed by SIGSEGV"


@pytest.mark.parametrize(
    ("shell", "code"),
    [
        ("kill -TERM $PPID; exit 3", 3),  # before anybody looks at signals
        ("trap '' PIPE; sleep 30 & echo hi; exit 4", 4),
        ("kill -40 $$", 168),
    ],
)
def test_the_end_is_recorded_whatever_goes_on(server: Server, home: Path, shell: str, code: int) -> None:
    """At once, also where a process that was left behind has the output open: exec stays for that one."""
    task = fresh()
    env = environment(XDG_STATE_HOME=str(home))
    with subprocess.Popen(
        asked(server.url, "sh", "-c", shell, task=task), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        until = time.monotonic() + 30
        while not [one for one in stored(server, task) if one["finished_at"]]:
            assert time.monotonic() < until
            time.sleep(0.05)
        if "sleep" in shell:
            assert process.poll() is None
            process.terminate()
        assert process.wait(30) == code
        assert process.stderr is not None and process.stderr.read() == b""
    (found,) = stored(server, task)
    assert found["output"]["exit_code"] == code


def test_a_caller_that_ignores_children(server: Server, home: Path) -> None:
    """The kernel would not say then that one has ended, nor how."""
    task = fresh()
    code = "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])"
    command = [*python(code), *asked(server.url, "sh", "-c", "exit 5", task=task)]
    done = subprocess.run(command, env=environment(XDG_STATE_HOME=str(home)), check=False, timeout=60)
    assert done.returncode == 5
    assert [one["success"] for one in stored(server, task)] == [False]


def test_output_that_cannot_be_written_is_no_trouble_of_the_command(server: Server, home: Path, tmp_path: Path) -> None:
    """A full disk, and standard output and error that are closed."""
    for number, ends in enumerate((">/dev/full", ">&- 2>&-", "2>&-")):
        task, mark = fresh(), tmp_path / str(number)
        text = f"echo a; echo b >&2; sleep 0.2; echo c; echo d >&2; touch {mark}; exit 6"
        line = " ".join(map(shlex.quote, asked(server.url, "sh", "-c", text, task=task)))
        done = subprocess.run(
            ["sh", "-c", f"{line} {ends}"], env=environment(XDG_STATE_HOME=str(home)), check=False, timeout=60
        )
        assert (done.returncode, mark.exists()) == (6, True), ends
        assert len(stored(server, task)) == 1


def test_a_script_without_an_interpreter(server: Server, home: Path, tmp_path: Path) -> None:
    """As shells run it."""
    script = tmp_path / "script"
    script.write_text("echo $1; exit 7\n")
    script.chmod(0o755)
    done = run(server.url, home, str(script), "an argument", task=fresh())
    assert (done.returncode, done.stdout) == (7, b"an argument\n")


@pytest.mark.parametrize(("task", "server"), [("caf\udce9", NOWHERE), ("x", "http://[::1")])
def test_what_cannot_be_recorded_is_run(home: Path, task: str, server: str) -> None:
    """A name that is no text, an address that is none."""
    env = environment(XDG_STATE_HOME=str(home)) | {"RUNLAKE_SERVER": server}
    command = [*RUNLAKE, "exec", "--task", task, "--", "sh", "-c", "echo done; exit 8"]
    done = subprocess.run(command, env=env, capture_output=True, check=False, timeout=60)
    assert b"the run is not recorded" in done.stderr
    assert (done.returncode, done.stdout) == (8, b"done\n")
    assert b"Traceback" not in done.stderr


def test_results_that_no_record_can_have(server: Server, home: Path) -> None:
    """JSON that is nested too deep, and a line that is too long, are left out."""
    for text in ("'[' * 100 + ']' * 100", "'1' * 300_000 + '1'", "'[' * 99 + ']' * 99"):
        task = fresh()
        assert run(server.url, home, *python(f"print({text})"), task=task).returncode == 0
        (found,) = stored(server, task)
        assert found["success"] and ("result" in found["output"]) == ("99" in text)


def test_one_long_line_of_errors(server: Server, home: Path) -> None:
    """Its end is kept."""
    task = fresh()
    assert run(server.url, home, *python("import sys; sys.exit('x' * 20_000 + ' end')"), task=task).returncode == 1
    (found,) = stored(server, task)
    assert found["error"].endswith("xxx end") and len(found["error"]) > 16_000


def test_a_run_is_open_while_the_command_goes_on(server: Server, home: Path) -> None:
    task = fresh()
    env = environment(XDG_STATE_HOME=str(home))
    command = asked(server.url, *python("input()"), task=task)
    with subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        until = time.monotonic() + 30
        while not (found := stored(server, task)):
            assert time.monotonic() < until
        assert found[0]["finished_at"] is None and found[0]["leased_until"] > found[0]["started_at"]
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.close()
        assert process.wait(30) == 0
    (after,) = stored(server, task)
    assert (after["id"], after["success"]) == (found[0]["id"], True)


def test_a_service_that_goes_away_meanwhile(tmp_path: Path, home: Path) -> None:
    """It has the open run; the end of it is kept, and the next call sends it."""
    lake, task = tmp_path / "lake", fresh()
    env = environment(XDG_STATE_HOME=str(home))
    with Server(lake) as server:
        url, port = server.url, server.url.rpartition(":")[2]
        command = asked(url, *python("input()"), task=task)
        process = subprocess.Popen(command, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        until = time.monotonic() + 30
        while not stored(server, task):
            assert time.monotonic() < until
    _, errors = process.communicate(b"\n", timeout=30)
    assert process.returncode == 0 and b"the run is kept" in errors
    assert [one["success"] for one in kept(home)] == [True]
    with Server(lake, "--port", port) as server:
        assert stored(server, task)[0]["finished_at"] is None
        assert run(url, home, "true").returncode == 0
        assert [one["success"] for one in stored(server, task)] == [True]
    assert kept(home) == []


def test_who_stops_reading_is_noticed_by_the_command(home: Path) -> None:
    """As in `yes | head -1`: the command ends by itself."""
    env = environment(XDG_STATE_HOME=str(home))
    with subprocess.Popen(asked(NOWHERE, "yes"), env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.read(2) == b"y\n"
        process.stdout.close()
        assert process.wait(30) in {1, 128 + signal.SIGPIPE}


def test_a_service_that_is_down_delays_nothing_and_gets_all_later(server: Server, home: Path) -> None:
    """In order, once, and the records of other services stay."""
    task = fresh()
    started = time.monotonic()
    for n in range(3):
        assert run(NOWHERE, home, *python(f"print({n})"), task=task).returncode == 0
    assert time.monotonic() - started < 15
    assert [("finished_at" in one) for one in kept(home)] == [False, True] * 3
    spool = home / "runlake" / "spool"
    assert {path.stat().st_mode & 0o777 for path in spool.glob("*.json")} == {0o600}
    assert spool.stat().st_mode & 0o777 == 0o700
    for path in spool.glob("*.json"):
        path.write_bytes(path.read_bytes().replace(NOWHERE.encode(), server.url.encode(), 1))
    assert run(NOWHERE, home, "true").returncode == 0
    done = run(server.url, home, *python("print(3)"), task=task)
    assert (done.returncode, done.stderr) == (0, b"")
    assert [one["output"]["result"] for one in stored(server, task)] == [0, 1, 2, 3]
    assert len(kept(home)) == 2


def test_many_calls_at_a_time_send_each_record_once(server: Server, home: Path) -> None:
    task = fresh()
    env = environment(XDG_STATE_HOME=str(home))
    calls = [subprocess.Popen(asked(server.url, "true", task=task), env=env) for _ in range(8)]
    assert [call.wait(60) for call in calls] == [0] * 8
    assert run(server.url, home, "true", task=task).returncode == 0
    found = stored(server, task)
    assert len(found) == len({one["id"] for one in found}) == 9
    assert all(one["success"] for one in found)
    assert kept(home) == []


class Odd(BaseHTTPRequestHandler):
    """A service that answers POST as its server says; `None` never answers."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        status = self.server.status  # type: ignore[attr-defined]
        if status is None:
            self.server.over.wait(30)  # type: ignore[attr-defined]
            return
        self.send_response(status)
        self.end_headers()
        self.wfile.write(b'{"detail": "no"}' if status == 400 else b"<html>")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(params=[None, 200, 400, 401, 500, 503])
def odd(request: pytest.FixtureRequest) -> Iterator[HTTPServer]:
    made = HTTPServer(("127.0.0.1", 0), Odd)
    made.status, made.over = request.param, threading.Event()  # type: ignore[attr-defined]
    thread = threading.Thread(target=made.serve_forever)
    thread.start()
    yield made
    made.over.set()  # type: ignore[attr-defined]
    made.shutdown()
    thread.join()
    made.server_close()


def test_an_odd_service_neither_stops_the_command_nor_loses_a_record(odd: HTTPServer, home: Path) -> None:
    """What it refuses is put aside, all else is kept."""
    status = odd.status  # type: ignore[attr-defined]
    started = time.monotonic()
    done = run(f"http://127.0.0.1:{odd.server_port}", home, "echo", "hi")
    assert (done.returncode, done.stdout) == (0, b"hi\n")
    assert time.monotonic() - started < 12
    refused = list((home / "runlake" / "spool" / "refused").glob("*.json"))
    assert (len(kept(home)), len(refused)) == ((0, 2) if status == 400 else (2, 0))
    assert b"was refused: 400 no" in done.stderr if status == 400 else b"the run is kept" in done.stderr


def test_without_a_place_for_the_spool(server: Server, tmp_path: Path) -> None:
    """A run is sent at once; where that fails, too, it is said that it is lost. The command has its own exit code."""
    task, file = fresh(), tmp_path / "file"
    file.write_text("")
    done = run(server.url, file, "true", task=task)
    assert done.returncode == 0
    assert b"cannot write to the spool" in done.stderr
    assert [one["success"] for one in stored(server, task)] == [True]
    assert b"the run is not recorded" in run(NOWHERE, file, "sh", "-c", "exit 4").stderr


def test_under_cron(server: Server, tmp_path: Path) -> None:
    """No terminal, no standard input, hardly an environment."""
    task = fresh()
    env = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "RUNLAKE_SERVER": server.url}
    command = [*RUNLAKE, "exec", "--task", task, "--", "sh", "-c", "cat; echo done"]
    done = subprocess.run(
        command, env=env, stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True, check=False, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"done\n", b"")
    assert len(stored(server, task)) == 1
    assert (tmp_path / ".local/state/runlake/named").is_dir()


def until_sent(lake: Path, home: Path, task: str) -> int:
    """Calls until nothing is kept, and how many: on a busy machine a lake may not be open within five seconds."""
    for calls in range(1, 10):
        assert run(str(lake), home, "true", task=task).returncode == 0
        if not kept(home):
            return calls
    raise AssertionError("nothing is ever sent")


def test_into_a_lake(tmp_path: Path, home: Path) -> None:
    """Without a service; while one holds the lake, the spool takes the records, and the service gets them later."""
    lake, task = tmp_path / "lake", fresh()
    calls = until_sent(lake, home, task)
    server = Server(lake).wait_ready()
    try:
        done = run(str(lake), home, "true", task=task)
        assert done.returncode == 0
        assert b"is being written by process" in done.stderr
        assert len(kept(home)) == 2
    finally:
        server.stop()
    calls += 1 + until_sent(lake, home, task)
    server = Server(lake).wait_ready()
    try:
        assert [one["success"] for one in stored(server, task)] == [True] * calls
        assert server.client.get("/tasks/names").json()["names"][str(task_of(task))]["name"] == task
    finally:
        server.stop()


def test_keys(tmp_path: Path, home: Path) -> None:
    """A key that may write is enough; one that is wrong loses nothing. It is never an argument."""
    paths, task = Paths.of(tmp_path / "lake"), fresh()
    server = Server(tmp_path / "lake", new=True).wait_ready()
    try:
        _, writes = access.create(paths, ("write",))
        wrong = run(server.url, home, "true", task=task, env={"RUNLAKE_KEY": "wrong"})
        assert (wrong.returncode, len(kept(home))) == (0, 2)
        assert b"401" in wrong.stderr
        right = run(server.url, home, "true", task=task, env={"RUNLAKE_KEY": writes})
        assert (right.returncode, right.stderr, kept(home)) == (0, b"", [])
        _, reads = access.create(paths, ("read",))
        runs = server.client.get("/runs", headers={"Authorization": f"Bearer {reads}"}).json()
        assert runs["total"] == 2
    finally:
        server.stop()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--task", "x"], "COMMAND"),
        (["--", "true"], "--task"),
        (["--task", "x", "--server", "nowhere", "--", "true"], "http://127.0.0.1:8000"),
        (["--task", "x", "--server", NOWHERE, "--data", "y", "--", "true"], "one of --server and --data"),
    ],
)
def test_wrong_use(arguments: list[str], words: str) -> None:
    done = subprocess.run([*RUNLAKE, "exec", *arguments], env=environment(), capture_output=True, check=False)
    assert done.returncode == 2
    assert words in done.stderr.decode()
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("wrong", [{"RUNLAKE_SERVER": "nowhere"}, {"RUNLAKE_SEVER": NOWHERE}])
def test_wrong_settings_do_not_stop_the_command(home: Path, wrong: dict[str, str]) -> None:
    """A typo in the environment of a cron job costs its record, and not the job."""
    env = environment(XDG_STATE_HOME=str(home)) | wrong
    command = [*RUNLAKE, "exec", "--task", "x", "--", "sh", "-c", "echo done; exit 3"]
    done = subprocess.run(command, env=env, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (3, b"done\n")
    assert done.stderr.startswith(b"runlake: the run is not recorded: ")
    assert len(done.stderr.splitlines()) == 1


@given(
    st.lists(
        st.sampled_from(
            (
                *(
                    "--task",
                    "--task=",
                    "--task=a=b",
                    "-",
                    "--",
                    "x",
                    "--no-output",
                    "--no-output=1",
                    "-h",
                    "",
                    "--data",
                ),
                *("--data", "--server", NOWHERE, f"--server={NOWHERE}/", "https://a.b", "http://", "http://a:70000"),
            )
        ),
        max_size=7,
    )
)
def test_plain_arguments_are_read_as_click_reads_them(arguments: list[str]) -> None:
    call = quick.read(arguments)
    if call is None:
        return
    context = loaded("exec").make_context("exec", list(arguments))
    read = context.params
    assert call == Call(read["command"], read["task"], read["server"], read["data"], not read["no_output"])
    Service(call.server or NOWHERE, "")


def test_a_full_disk(server: Server, home: Path) -> None:
    """The record is sent without the spool; where no service answers, it is said that it is lost."""
    home.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k", "tmpfs", str(home)], check=False).returncode:
        pytest.skip("this machine does not let a test mount a tmpfs")
    task = fresh()
    try:
        (home / "full").write_bytes(b"x" * 4096)
        done = run(server.url, home, "sh", "-c", "exit 4", task=task)
        lost = run(NOWHERE, home, "sh", "-c", "exit 5", task=task)
    finally:
        subprocess.run(["umount", str(home)], check=True)
    assert done.returncode == 4 and b"No space left on device" in done.stderr
    assert [one["success"] for one in stored(server, task)] == [False]
    assert lost.returncode == 5 and b"the run is not recorded" in lost.stderr


def test_nothing_slow_is_imported_before_the_command_starts() -> None:
    code = (
        "import sys; from runlake.cli import quick; quick.read(['--task', 'x', 'true']); "
        "print([n for n in ('click', 'msgspec', 'http', 'ssl', 'duckdb') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env=os.environ)
    assert done.stdout == b"[]\n"
