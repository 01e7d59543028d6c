"""A PostgreSQL cluster of our own: made, tuned, started on a free port of 127.0.0.1, and stopped."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.comparison import machine

_USER: Final = "postgres"
_SETTINGS: Final = {
    "listen_addresses": "'127.0.0.1'",
    "shared_buffers": "'2GB'",
    "work_mem": "'64MB'",
    "effective_cache_size": "'8GB'",
    "maintenance_work_mem": "'1GB'",
    "max_wal_size": "'4GB'",
    "wal_level": "minimal",  # a COPY into a table of its own transaction, and indexes, are synced and not logged
    "max_wal_senders": "0",
    "checkpoint_timeout": "'30min'",
    "jit": "off",
    "random_page_cost": "1.1",
    "effective_io_concurrency": "200",
    "synchronous_commit": "on",
    "timezone": "'UTC'",
    "client_connection_check_interval": "'1s'",  # what nobody waits for any more ends
}


def binaries() -> Path:
    """Where the newest installed PostgreSQL has its programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if not found:
        raise SystemExit("PostgreSQL is not installed; `make bench` installs it")
    return found[-1]


def version() -> str:
    """As `postgres --version` says it."""
    return machine.run([str(binaries() / "postgres"), "--version"])[0].split()[2]


@contextmanager
def cluster(folder: Path, log: Path) -> Iterator[tuple[str, int]]:
    """A running cluster in `folder`, made if there is none; yields how to connect and the postmaster's pid."""
    folder.mkdir(exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, _USER)
    if not (folder / "PG_VERSION").exists():
        _as_owner("initdb", "-D", str(folder), "-A", "trust", "-U", _USER, "-E", "UTF8", "--locale=C.UTF-8")
    elif (folder / "postmaster.pid").exists() and _as_owner("pg_ctl", "-D", str(folder), "status", check=False):
        _stop(folder)  # an interrupted run left it
    port = machine.free_port()
    settings = {**_SETTINGS, "port": str(port), "unix_socket_directories": f"'{folder}'"}
    (folder / "postgresql.auto.conf").write_text("".join(f"{name} = {value}\n" for name, value in settings.items()))
    with log.open("ab") as out:
        _as_owner("pg_ctl", "-D", str(folder), "-w", "-t", "120", "start", out=out.fileno())
    try:
        pid = int((folder / "postmaster.pid").read_text().split()[0])
        yield f"host=127.0.0.1 port={port} user={_USER} dbname=postgres", pid
    finally:
        _stop(folder)


def _stop(folder: Path) -> None:
    _as_owner("pg_ctl", "-D", str(folder), "-w", "-t", "300", "-m", "fast", "stop")


def memory(postmaster: int) -> int:
    """Bytes that the cluster holds now: what each process has for itself, and the shared buffers once."""
    pids = [postmaster, *machine.children(postmaster)]
    shared = max(machine.memory(pid, "RssShmem") for pid in pids)
    return shared + sum(machine.memory(pid, "RssAnon") for pid in pids)


def _as_owner(program: str, *arguments: str, out: int = subprocess.DEVNULL, check: bool = True) -> bool:
    """Did it succeed? PostgreSQL refuses to run as root."""
    command = [str(binaries() / program), *arguments]
    if os.geteuid() == 0:
        command = ["runuser", "-u", _USER, "--", *command]
    done = subprocess.run(command, check=False, cwd="/", stdout=out, stderr=subprocess.STDOUT)
    if check and done.returncode:
        raise SystemExit(f"{program} failed")
    return not done.returncode
