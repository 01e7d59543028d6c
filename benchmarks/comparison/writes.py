"""Appends, each on disk when it is answered: alone, by many clients, and beside questions."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from benchmarks.comparison import appends, questions, systems, wrk
from benchmarks.comparison.appends import ALONE, CLIENTS, PACED
from benchmarks.comparison.figures import OURS, Beside, Table, Timing, Writes
from benchmarks.comparison.lake import Facts
from benchmarks.comparison.machine import Client
from benchmarks.comparison.measure import Served
from benchmarks.comparison.systems import System

_PACE: Final = 10  # posts a second, of PACED.size runs
_POSTERS: Final = 4  # so that one slow post does not hold up the next
_CLIENT_SECONDS: Final = 4
_SETTLED_SECONDS: Final = 1  # longer than a commit
_BESIDE_SECONDS: Final = 2

Say = Callable[[str], None]


def measure(work: Path, bodies: Path, facts: Facts, names: Sequence[str], say: Say) -> Writes:
    """To a copy of the lake and, where it is compared, to PostgreSQL, which has to be loaded anew afterwards."""
    copy = appends.copied(work / "lake", work / "copy")
    with ExitStack() as stack:
        ours = stack.enter_context(systems.runlake(copy, {}))
        running = [ours]
        if "postgres" in names:
            running.append(stack.enter_context(systems.peer("postgres", work, facts)))
            systems.forget("postgres", work)
        beside, arrived = _beside(ours, work, bodies, facts)
        say(f"beside {arrived:,.0f} runs/s: " + ", ".join(f"{b.loaded.p50 / b.quiet.p50:.2f}" for b in beside.values()))
        alone: Table = {_runs(b.size): {s.name: _alone(s, bodies, b) for s in running} for b in ALONE}
        clients: Table = {}
        for number, batches in CLIENTS.items():
            found = {s.name: at_once(s, appends.clients(bodies, number), number, batches.size) for s in running}
            clients[f"{number} clients, {_runs(batches.size)} each"] = found
            say(f"{number} clients: {found[OURS].rate:,.0f} runs/s")
        return Writes(alone, clients, beside, arrived, ours.memory())


def _runs(size: int) -> str:
    return "1 run" if size == 1 else f"{size:,} runs"


def _alone(system: System, folder: Path, batches: appends.Batches) -> Timing:
    """One batch after the other; the first is not counted."""
    with appends.alone(folder, batches).open("rb") as bodies:
        took = [post(system.client, body, batches.size) for body in bodies]
    del took[0]
    worst = statistics.quantiles(took, n=100, method="inclusive")[98]
    return Timing(statistics.median(took) * 1000, worst * 1000, batches.size * len(took) / sum(took), few=len(took))


def post(client: Client, body: bytes, size: int) -> float:
    """Seconds of one POST of so many new runs; SystemExit where they are not stored."""
    answer = client.post("/runs", body)
    if answer.status != 200 or answer.body["stored"] != size:
        raise SystemExit(f"{size} runs were not stored: {answer.status} {answer.body}")
    return answer.seconds


def at_once(system: Served, file: Path, number: int, size: int) -> Timing:
    """By wrk, because a client in Python would be what is measured; afterwards the runs are counted."""
    before = settled(system.client)
    timing, answered = wrk.posts(system.port, file, number, _CLIENT_SECONDS, size)
    stored = total(system.client) - before
    # What was on its way when wrk went is stored, too, or will be: before the next clients come.
    if not answered * size <= stored <= (answered + number) * size:
        raise SystemExit(f"{system.name} answered {answered * size} runs and holds {stored} more than before")
    return timing


def total(client: Client) -> int:
    """The runs that a system holds now."""
    found: int = client.get("/runs?limit=1").body["total"]
    return found


def settled(client: Client) -> int:
    """The total once nothing more is on its way from the clients before."""
    known = -1
    while known != (now := total(client)):
        known = now
        time.sleep(_SETTLED_SECONDS)
    return now


def _beside(ours: System, work: Path, folder: Path, facts: Facts) -> tuple[dict[str, Beside], float]:
    """A few kinds of question while nothing is written and while runs arrive; and runs that arrived a second."""
    files = {kind: questions.write(work, kind, questions.paths(kind, facts)) for kind in questions.BESIDE}

    def ask() -> dict[str, Timing]:
        return {kind: wrk.gets(ours.port, file, 1, _BESIDE_SECONDS) for kind, file in files.items()}

    quiet = ask()
    with _arriving(ours.port, appends.paced(folder)) as stored:
        loaded = ask()
        arrived = stored()
    return {kind: Beside(quiet[kind], loaded[kind]) for kind in files}, arrived


@contextmanager
def _arriving(port: int, file: Path) -> Iterator[Callable[[], float]]:
    """Batches posted at a pace, whatever earlier ones take; yields what tells the runs stored a second so far."""
    with file.open("rb") as lines:
        bodies = lines.readlines()
    over = threading.Event()
    local = threading.local()
    posts: list[Future[float]] = []
    started = time.perf_counter()

    def send(body: bytes) -> float:
        if not hasattr(local, "client"):
            local.client = Client(port)
        return post(local.client, body, PACED.size)

    def feed(pool: ThreadPoolExecutor) -> None:
        for turn, body in enumerate(bodies):
            if over.wait(max(0.0, started + turn / _PACE - time.perf_counter())):
                return
            posts.append(pool.submit(send, body))

    def stored() -> float:
        if len(posts) == len(bodies):
            raise SystemExit(f"{file.name} has too few bodies: {len(bodies)}")
        return PACED.size * sum(post.done() for post in posts) / (time.perf_counter() - started)

    with ThreadPoolExecutor(_POSTERS) as pool:
        feeder = threading.Thread(target=feed, args=(pool,))
        feeder.start()
        try:
            yield stored
        finally:
            over.set()
            feeder.join()
    for post_done in posts:
        post_done.result()  # raises what one of them met
