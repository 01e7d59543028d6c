"""The systems under comparison, each loaded and served."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from benchmarks.comparison import appends, database, machine
from benchmarks.comparison.figures import DATABASE, ID_INDEX, OURS, READY
from benchmarks.comparison.lake import Facts
from benchmarks.comparison.machine import PEER, RUNLAKE
from benchmarks.peers.protocol import Config, size_of
from msgspec import Struct

POSTGRES_MOST: Final = 10_000_000  # beyond, its load alone would take longer than all else


class System(NamedTuple):
    """One running system, and its process that answers."""

    name: str
    client: machine.Client
    port: int
    pid: int
    bytes_on_disk: int
    seconds: dict[str, float]  # to load it, to be ready
    memory: Callable[[], int]  # bytes, the peak so far
    stop: Callable[[], None]  # at once, whatever it is doing


class Loaded(Struct, frozen=True):
    """What is known of rows that a peer has stored."""

    seconds: float
    bytes_on_disk: int


def rebuilt(folder: Path) -> tuple[float, int]:
    """Seconds until `runlake serve` is ready without a serving database, and its peak memory in bytes until then."""
    shutil.rmtree(folder / "serving", ignore_errors=True)
    with _serving(folder) as (_, pid, seconds):
        return seconds, machine.memory(pid, "VmHWM")


@contextmanager
def runlake(folder: Path, seconds: dict[str, float]) -> Iterator[System]:
    """`runlake serve` with its serving database of the last checkpoint."""
    with _serving(folder) as (port, pid, ready), closing(machine.Client(port)) as client:
        yield System(
            OURS,
            client,
            port,
            pid,
            size_of(folder),
            {**seconds, READY: ready},
            lambda: machine.memory(pid, "VmHWM"),
            lambda: os.kill(pid, signal.SIGKILL),
        )


@contextmanager
def copy_served(source: Path, original: Path, copy: Path, **settings: str) -> Iterator[tuple[int, int]]:
    """`runlake serve` of these sources, with settings, over a copy of a lake; yields port and pid."""
    appends.copied(original, copy)
    port = machine.free_port()
    values = [f"PYTHONPATH={source}", *(f"{name}={value}" for name, value in settings.items())]
    command = ["env", *values, *RUNLAKE, "serve", "--data", str(copy), "--port", str(port)]
    with machine.served(command, port, "/ready", copy.with_suffix(".log")) as (pid, _):
        yield port, pid


def parts(folder: Path, files: list[str]) -> dict[str, int]:
    """Bytes of a lake's Parquet files, of its id index, and of its serving database."""
    serving = folder / "serving"
    return {
        "Parquet": sum(Path(file).stat().st_size for file in files),
        ID_INDEX: sum(file.stat().st_size for file in serving.glob("ids-*")),
        DATABASE: (serving / "serving.duckdb").stat().st_size,
    }


@contextmanager
def _serving(folder: Path) -> Iterator[tuple[int, int, float]]:
    port = machine.free_port()
    command = [*RUNLAKE, "serve", "--data", str(folder), "--port", str(port)]
    with machine.served(command, port, "/ready", folder.with_suffix(".log")) as (pid, seconds):
        yield port, pid, seconds


@contextmanager
def peer(name: str, work: Path, facts: Facts) -> Iterator[System]:
    """A peer behind the common handler, its rows loaded unless they are already."""
    folder = work / name
    folder.mkdir(exist_ok=True)
    log = work / f"{name}.log"
    with ExitStack() as stack:
        dsn, cluster = "", 0
        if name == "postgres":
            dsn, cluster = stack.enter_context(database.cluster(work / "cluster", log))
        config = folder / "config.json"
        config.write_bytes(msgspec.json.encode(Config(facts.files, str(folder), dsn)))
        loaded = _load(name, config)
        port = machine.free_port()
        command = [*PEER, name, "--config", str(config), "--port", str(port)]
        pid, ready = stack.enter_context(machine.served(command, port, "/health", log))
        yield System(
            name,
            stack.enter_context(closing(machine.Client(port))),
            port,
            pid,
            loaded.bytes_on_disk,
            {"load": loaded.seconds, READY: ready},
            lambda: machine.memory(pid, "VmHWM") + (database.memory(cluster) if cluster else 0),
            lambda: os.kill(pid, signal.SIGKILL),
        )


def _load(name: str, config: Path) -> Loaded:
    known = config.with_name("loaded.json")
    if known.exists():
        return msgspec.json.decode(known.read_bytes(), type=Loaded)
    printed, seconds = machine.run([*PEER, name, "--config", str(config), "--load"])
    loaded = Loaded(seconds, int(printed.split()[-1]))
    machine.write(known, msgspec.json.encode(loaded))
    return loaded


def forget(name: str, work: Path) -> None:
    """Have a peer load its rows anew next time, because they were changed."""
    (work / name / "loaded.json").unlink()
