"""The command line from outside: help, exit codes, one-line errors, settings, import and generate."""

from __future__ import annotations

import csv
import io
import os
import pty
import socket
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from commands import counts, refused
from support import RUNLAKE, Server, environment, record, runlake

from runlake.cli.group import COMMANDS as MODULES
from runlake.cli.group import loaded

# `keys create` and its like are commands, `keys` alone is not.
COMMANDS: Final = sorted(
    " ".join(filter(None, (name, inner))) for name in MODULES for inner in getattr(loaded(name), "commands", [""])
)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    """Every command explains itself, with an example that names it."""
    done = runlake(*command.split(), "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert f"runlake {command} " in done.stdout.split("Example")[1]
    assert "--data" in done.stdout


def test_help_of_the_group_names_every_command() -> None:
    """`runlake --help` and `runlake --version`."""
    done = runlake("--help")
    assert done.returncode == 0
    assert all(f"  {command} " in done.stdout for command in MODULES)
    assert runlake("--version").stdout.startswith("runlake")


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_options_and_settings_are_wrong_usage(command: str, tmp_path: Path) -> None:
    """Exit code 2, and nothing is made. (To exec a wrong setting costs the record: tests/recorder.)"""
    line = refused(2, *command.split(), "--nonsense", cwd=tmp_path)
    assert "--nonsense" in line
    assert f"runlake {command} --help" in line
    needed = {
        "import": ["x.csv"],
        "backup": ["copy"],
        "generate": ["--runs", "1"],
        "sql": ["SELECT 1"],
        "keys revoke": ["x"],
    }.get(command, [])
    if command != "exec":
        assert "RUNLAKE_NONSENSE" in refused(2, *command.split(), *needed, cwd=tmp_path, RUNLAKE_NONSENSE="1")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("port", ["abc", "70000", "-1", ""])
def test_a_bad_port_is_wrong_usage(tmp_path: Path, port: str) -> None:
    """As a setting in one line, as an option too."""
    assert "RUNLAKE_PORT" in refused(2, "serve", cwd=tmp_path, RUNLAKE_PORT=port)
    assert "--port" in refused(2, "serve", "--port", port, cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["sql", "check", "info", "maintain"])
def test_commands_that_read_make_no_lake(command: str, tmp_path: Path) -> None:
    """A missing lake is one line and exit code 1; the default folder is data/lake of the current one."""
    needed = ["SELECT 1"] if command == "sql" else []
    line = refused(1, command, *needed, cwd=tmp_path)
    assert str(tmp_path / "data" / "lake") in line
    assert str(tmp_path / "b") in refused(1, command, *needed, "--data", "b", cwd=tmp_path, RUNLAKE_DATA="other")
    assert list(tmp_path.iterdir()) == []


def test_folders_that_cannot_be_a_lake(tmp_path: Path) -> None:
    """A file where the folder should be, or a folder that cannot be made, is one line."""
    (tmp_path / "file").write_text("x")
    for data in ("file", "file/below", "/proc/nothing"):
        for command in (["generate", "--runs", "1"], ["check"]):
            refused(1, *command, "--data", data, cwd=tmp_path)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "*"])  # noqa: S104 - refused
def test_serve_refuses_addresses_others_can_reach(tmp_path: Path, host: str) -> None:
    """Without keys it takes --no-auth to leave the loopback; the option and the setting alike."""
    assert "--no-auth" in refused(2, "serve", "--host", host, "--port", "0", cwd=tmp_path)
    if host == "::":
        assert "--no-auth" in refused(2, "serve", "--port", "0", cwd=tmp_path, RUNLAKE_HOST=host)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.2", "::1"])
def test_serve_listens_on_the_loopback(tmp_path: Path, host: str) -> None:
    """Every name of the loopback will do."""
    try:
        socket.getaddrinfo(host, 0)
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.bind((host, 0))
    except OSError as exc:
        pytest.skip(f"{host} is not there: {exc}")
    with Server(tmp_path / "lake", "--host", host) as server:
        assert server.client.get("/health").status_code == 200


def test_generate_is_a_function_of_its_options(tmp_path: Path) -> None:
    """Same seed and end: the same runs; another seed: others."""
    query = "SELECT * FROM runs ORDER BY id"
    found = []
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        args = ["--runs", "300", "--days", "9", "--tasks", "5", "--until", "2025-01-11T08:00:00+02:00"]
        done = runlake("generate", *args, "--seed", seed, "--data", str(tmp_path / name))
        assert (done.returncode, done.stderr, counts(done.stdout)["stored"]) == (0, "", 300)
        found.append(runlake("sql", query, "--format", "csv", "--data", str(tmp_path / name)).stdout)
    assert found[0] == found[1] != found[2]
    assert len(list(csv.reader(io.StringIO(found[0])))) == 301  # an error may hold line breaks
    assert "--until" in refused(2, "generate", "--runs", "1", "--until", "soon", cwd=tmp_path)
    again = runlake("generate", *args, "--seed", "8", "--data", str(tmp_path / "c"))
    assert counts(again.stdout) | {"stored": 0} == counts(again.stdout)


def test_maintain_dry_run_changes_nothing(tmp_path: Path) -> None:
    """It says what would be done; then it is done; then there is nothing to do."""
    lake = tmp_path / "lake"
    with Server(lake) as server:
        for number in range(3):
            server.post(*(record(200 * number + i) for i in range(112 if number else 28)))
    files = sorted(str(path) for path in (lake / "files").rglob("*"))
    dry = runlake("maintain", "--dry-run", "--data", str(lake))
    assert dry.returncode == 0
    assert "would do" in dry.stdout
    assert sorted(str(path) for path in (lake / "files").rglob("*")) == files
    assert runlake("maintain", "--dry-run", "--data", str(lake)).stdout == dry.stdout
    done = runlake("maintain", "--data", str(lake))
    assert (done.returncode, done.stderr) == (0, "")
    assert "28 -> 0" in done.stdout
    assert len(runlake("info", "--files", "--data", str(lake)).stdout.splitlines()) == 28


def test_progress_is_for_terminals_only(tmp_path: Path) -> None:
    """Piped output holds the result and nothing else; on a terminal there is a bar."""
    done = runlake("generate", "--runs", "2000", "--data", str(tmp_path / "piped"))
    assert done.stderr == ""
    assert "\x1b" not in done.stdout
    assert "\r" not in done.stdout
    ours, theirs = pty.openpty()
    command = [*RUNLAKE, "generate", "--runs", "2000", "--data", str(tmp_path / "terminal")]
    env = environment(None, TERM="xterm")
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b""
        while process.poll() is None or not shown:
            try:
                shown += os.read(ours, 65536)
            except OSError:  # Linux says so when the other end is closed
                break
    os.close(ours)
    assert b"generating" in shown


def test_a_closed_pipe_is_no_trace(tmp_path: Path) -> None:
    """`runlake sql … | head -1`."""
    source = f"{sys.executable} -c 'from runlake.cli import main; main()'"
    runlake("generate", "--runs", "20000", "--data", str(tmp_path / "lake"))
    line = f"{source} sql 'FROM runs' --format csv --data {tmp_path / 'lake'} | head -1"
    done = subprocess.run(line, shell=True, capture_output=True, text=True, env=environment(), timeout=60, check=False)  # noqa: S602
    assert done.stdout.startswith("id,task_id")
    assert "Traceback" not in done.stderr
