"""What do 64 clients of GET /stream/runs, each with filters of its own, cost those who post?

    .venv/bin/python benchmarks/stream.py [--clients 64] [--turns 5] [--seconds 10] [--rate 500] [--help]

One client posts batches of 50 runs at a pace, in turns while nobody follows and beside the others, which are a process
of their own that gives way to the service. First of all, and after each turn, what each of them was told is compared
with the runs that were posted: exactly those that match, each once. Prints medians. Exit code 1 if the runs stored a
second, or the median of a POST, are more than 5 % worse beside them, by the median of the turns.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import machine
from benchmarks.comparison.machine import Client

LOST: Final = 0.05
BATCH: Final = 50
OWNERS: Final = 48
TASKS: Final = [str(uuid.UUID(int=1 << 100 | number)) for number in range(14)]
WAIT: Final = 4.0  # seconds after the last run for the last events

Run = dict[str, Any]


class Asked(NamedTuple):
    """The filters of a client, and which runs match them."""

    query: str
    matches: Callable[[Run], bool]


class Turn(NamedTuple):
    """Runs stored a second, and milliseconds of the median POST and of the 99th percentile."""

    rate: float
    p50: float
    p99: float


def filters(clients: int) -> list[Asked]:
    """So many different ones: of a lease owner, of a task, and of all runs."""
    others = [
        Asked("success=false", lambda run: not run["success"]),
        Asked("attempt_min=2", lambda run: run["attempt"] > 1),
    ]
    tasks = [_equal("task_id", task) for task in TASKS]
    owners = [_equal("lease_owner", f"worker-{number}") for number in range(OWNERS)]
    return [*others, *tasks, *owners][:clients]


def _equal(name: str, value: str) -> Asked:
    return Asked(f"{name}={value}", lambda run: bool(run[name] == value))


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--clients", type=int, default=64, help="at most 64")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10, help="of each turn [10]")
    parser.add_argument("--rate", type=int, default=500, help="runs a second [500]")
    parser.add_argument("--listen", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.listen:
        listen(options.listen, [one.query for one in filters(options.clients)])
        return
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{options.rate} runs/s, {options.clients} clients, {machine.description()}, {machine.commit()}, load {load}")
    with tempfile.TemporaryDirectory(prefix="runlake-stream-") as scratch:
        port = machine.free_port()
        command = [*machine.RUNLAKE, "serve", "--data", f"{scratch}/lake", "--port", str(port)]
        with machine.served(command, port, "/ready", Path(scratch) / "serve.log"):
            lost = _measured(port, options)
    raise SystemExit(1 if lost > LOST else 0)


def _measured(port: int, options: argparse.Namespace) -> float:
    """Prints the figures; returns the larger loss."""
    rng = random.Random(5)
    _beside(port, options, rng, seconds=2.0)  # answers first; and it warms up
    alone: list[Turn] = []
    beside: list[Turn] = []
    events: list[float] = []
    for _ in range(options.turns):
        alone.append(_post(port, _batches(rng, options.rate, options.seconds), options.rate)[0])
        turn, told = _beside(port, options, rng, options.seconds)
        beside.append(turn)
        events.append(told)
    for name, turns in (("alone", alone), ("beside them", beside)):
        rate, p50, p99 = (statistics.median(figures) for figures in zip(*turns, strict=True))
        print(f"posting {name}: {rate:.1f} runs/s, p50 {p50:.2f} ms, p99 {p99:.2f} ms", flush=True)
    slower = statistics.median(two.p50 / one.p50 for one, two in zip(alone, beside, strict=True)) - 1
    fewer = 1 - statistics.median(two.rate / one.rate for one, two in zip(alone, beside, strict=True))
    print(f"beside them: {fewer:+.1%} fewer runs, {slower:+.1%} longer; {LOST:.0%} are allowed")
    print(f"events a second of a client: {statistics.median(events):.2f}")
    return max(slower, fewer)


def _batches(rng: random.Random, rate: int, seconds: float) -> list[list[Run]]:
    return [[_run(rng) for _ in range(BATCH)] for _ in range(int(rate * seconds / BATCH))]


def _run(rng: random.Random) -> Run:
    success = rng.random() < 0.9
    started = f"2026-11-{1 + rng.randrange(28):02}T{rng.randrange(24):02}:{rng.randrange(60):02}"
    return {
        "id": str(uuid.UUID(int=rng.getrandbits(128))),
        "task_id": rng.choice(TASKS),
        "lease_owner": f"worker-{rng.randrange(OWNERS)}",
        "started_at": f"{started}:00Z",
        "finished_at": f"{started}:{rng.randrange(60):02}.25Z",
        "success": success,
        "error": None if success else "TimeoutError: no answer after 30 s",
        "attempt": rng.choice([1, 1, 1, 2, 3]),
        "output": {"rows": rng.randrange(1000)},
    }


def _post(port: int, batches: list[list[Run]], rate: int) -> tuple[Turn, list[Run]]:
    """Post them at a pace, or as fast as they are stored where that is slower."""
    client, took = Client(port), []
    bodies = [json.dumps({"runs": batch}).encode() for batch in batches]
    started = time.perf_counter()
    for turn, body in enumerate(bodies):
        time.sleep(max(0.0, started + turn * BATCH / rate - time.perf_counter()))
        answer = client.post("/runs", body)
        if answer.status != 200 or answer.body["stored"] != BATCH:
            raise SystemExit(f"runs were not stored: {answer.status} {answer.body}")
        took.append(1000 * answer.seconds)
    whole = max(time.perf_counter() - started, len(bodies) * BATCH / rate)
    client.close()
    quantiles = statistics.quantiles(took, n=100)
    return Turn(BATCH * len(bodies) / whole, quantiles[49], quantiles[98]), [run for batch in batches for run in batch]


def _beside(port: int, options: argparse.Namespace, rng: random.Random, seconds: float) -> tuple[Turn, float]:
    """The same beside the clients, and the events a second of one of them, by their mean."""
    batches = _batches(rng, options.rate, seconds)
    with _following(port, options.clients) as told:
        turn, posted = _post(port, batches, options.rate)
        time.sleep(WAIT)
        events = told()
    for asked, found in zip(filters(options.clients), events, strict=True):
        _compare(asked, found, posted)
    return turn, sum(map(len, events)) / len(events) / seconds


def _compare(asked: Asked, events: list[dict[str, Any]], posted: list[Run]) -> None:
    """Raise SystemExit unless the events tell exactly the runs that match."""
    expected = {run["id"] for run in posted if asked.matches(run)}
    told = [item["id"] for event in events for item in event["items"]]
    counted = sum(sum(event["counts"].values()) for event in events)
    left_out = sum(event["more"] for event in events)
    if len(told) != len(set(told)) or not expected.issuperset(told) or len(told) + left_out != counted:
        raise SystemExit(f"{asked.query}: runs were told that do not match, or twice")
    if counted != len(expected):
        raise SystemExit(f"{asked.query}: {counted} of {len(expected)} runs were told")


@contextmanager
def _following(port: int, clients: int) -> Iterator[Callable[[], list[list[dict[str, Any]]]]]:
    """Clients in a process of their own, once all have begun; yields what ends them, and returns what each was told."""
    command = [sys.executable, __file__, "--listen", str(port), "--clients", str(clients)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin and process.stdout

    def told() -> list[list[dict[str, Any]]]:
        out, _ = process.communicate("end\n", timeout=60)
        found: list[list[dict[str, Any]]] = json.loads(out)
        return found

    try:
        if process.stdout.readline() != "begun\n":
            raise SystemExit("the clients did not begin")
        yield told
    finally:
        process.kill()
        process.wait()


def listen(port: int, queries: list[str]) -> None:
    """Follow, with one connection for each query, until a line comes on standard input; then print what was told."""
    os.nice(10)
    parts: dict[socket.socket, list[bytes]] = {}
    with selectors.DefaultSelector() as selector:
        for query in queries:
            client = socket.create_connection(("127.0.0.1", port))
            client.sendall(f"GET /stream/runs?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            parts[client] = []
            selector.register(client, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        waiting = set(parts)
        while True:
            for key, _ in selector.select():
                if not isinstance(key.fileobj, socket.socket):
                    print(json.dumps([_events(b"".join(received)) for received in parts.values()]))
                    return
                parts[key.fileobj].append(key.fileobj.recv(1 << 20))
                if waiting and b"event: runs" in b"".join(parts[key.fileobj]):
                    waiting.discard(key.fileobj)
                    if not waiting:
                        print("begun", flush=True)


def _events(received: bytes) -> list[dict[str, Any]]:
    """The data of all events but the first one."""
    head, _, left = received.partition(b"\r\n\r\n")
    if b" 200 " not in head:
        raise SystemExit(received.decode())
    body = b""
    while left:
        size, _, left = left.partition(b"\r\n")
        body, left = body + left[: int(size, 16)], left[int(size, 16) + 2 :]
    lines = body.decode().split("\n")
    return [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")][1:]


if __name__ == "__main__":
    main()
