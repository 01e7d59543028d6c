"""What does the Python client cost beside bare httpx and json, asking one service the same?

    .venv/bin/python benchmarks/python_client.py [--runs 1000000] [--times 200] [--work FOLDER] [--help]

Both ways use one connection, and take turns. What they find is compared first: ids of runs, the total of a page, how
many runs were stored. The bare way has records and answers as dicts and looks at nothing; the client checks what it
sends, gives each record an id, and answers with Structs. Prints medians in milliseconds. Exit code 1 if they differ.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import httpx

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.comparison import appends, lake, machine
from benchmarks.comparison.figures import Shape

from runlake import times
from runlake.client import Client
from runlake.model import MAX_PAGE, Instant, RunsQuery

BATCH: Final = 1000  # runs of a large append
FEW: Final = 20  # times that a slow way is asked
LIST: Final = 10_000  # runs of a whole list


class Way(NamedTuple):
    """One thing to do, in both ways: each answers what is compared."""

    name: str
    client: Callable[[], object]
    bare: Callable[[], object]
    times: int


def main() -> None:
    """Measures and prints; see the head of the file."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--work", type=Path, help="where the lake is kept [a temporary folder]")
    options = parser.parse_args()
    print(f"{options.runs:,} runs, {machine.description()}, {machine.commit()}", flush=True)
    with tempfile.TemporaryDirectory(prefix="runlake-client-") as scratch:
        folder = (options.work or Path(scratch)) / f"{options.runs}-365"
        folder.mkdir(parents=True, exist_ok=True)
        facts = lake.make(folder / "lake", Shape(options.runs), machine.commit())
        copy = appends.copied(folder / "lake", Path(scratch) / "lake")
        port = machine.free_port()
        command = [*machine.RUNLAKE, "serve", "--data", str(copy), "--port", str(port)]
        url = f"http://127.0.0.1:{port}"
        with (
            machine.served(command, port, "/ready", Path(scratch) / "serve.log"),
            Client(url) as client,
            httpx.Client(base_url=url, timeout=60) as bare,
        ):
            print(f"{'':24}{'client':>10}{'bare':>10}{'ratio':>8}", flush=True)
            same = [_compared(way) for way in _ways(client, bare, facts, options.times)]
    raise SystemExit(0 if all(same) else 1)


def _ways(client: Client, bare: httpx.Client, facts: lake.Facts, often: int) -> Iterator[Way]:
    run = uuid.UUID(facts.ids[0])
    yield Way("one run", lambda: str(client.get_run(run).id), lambda: bare.get(f"/runs/{run}").json()["id"], often)
    page = RunsQuery(limit=200)
    yield Way(
        "a page of 200 runs",
        lambda: [str(one.id) for one in client.list_runs(page).items],
        lambda: [one["id"] for one in bare.get("/runs?limit=200").json()["items"]],
        often,
    )
    shape, middle = Shape(facts.runs), facts.middle[0][0]
    begin = middle - LIST * shape.days * times.DAY_US // shape.runs
    window = RunsQuery(start_time=Instant(begin), end_time=Instant(middle))
    of_window = {"start_time": times.to_text(begin), "end_time": times.to_text(middle), "limit": str(MAX_PAGE)}
    yield Way(
        f"all of some {LIST:,} runs",
        lambda: [str(one.id) for one in client.runs(window)],
        lambda: _listed(bare, of_window),
        FEW,
    )
    for size, number in ((1, often), (BATCH, FEW)):
        records = _records(size)
        yield Way(
            f"append, runs: {size:,}",
            lambda records=records: client.append(next(records)).stored,  # type: ignore[misc]
            lambda records=records: _posted(bare, next(records)),  # type: ignore[misc]
            number,
        )


def _listed(bare: httpx.Client, query: dict[str, str]) -> list[str]:
    """The ids of a whole list, page by page by its links."""
    found: list[str] = []
    answer = bare.get("/runs", params=query)
    while True:
        found += (one["id"] for one in answer.json()["items"])
        if "next" not in answer.links:
            return found
        answer = bare.get(answer.links["next"]["url"])


def _records(size: int) -> Iterator[list[dict[str, Any]]]:
    """New runs without end: of one task, finished now."""
    finished = {
        "task_id": str(uuid.UUID(int=7)),
        "finished_at": "2026-11-02T00:00:00Z",
        "success": True,
        "output": {"n": 1},
    }
    while True:
        yield [dict(finished) for _ in range(size)]


def _posted(bare: httpx.Client, records: list[dict[str, Any]]) -> int:
    body = json.dumps({"runs": records})
    stored: int = bare.post("/runs", content=body, headers={"Content-Type": "application/json"}).json()["stored"]
    return stored


def _compared(way: Way) -> bool:
    """Whether both find the same; prints what each takes."""
    same = way.client() == way.bare()
    took: dict[str, list[float]] = {"client": [], "bare": []}
    for turn in range(way.times):
        both = [("client", way.client), ("bare", way.bare)]
        for name, ask in both if turn % 2 else reversed(both):
            started = time.perf_counter()
            ask()
            took[name].append(1000 * (time.perf_counter() - started))
    client, bare = statistics.median(took["client"]), statistics.median(took["bare"])
    print(
        f"{way.name:24}{client:>10.3g}{bare:>10.3g}{client / bare:>8.2f}{'' if same else '  they differ'}", flush=True
    )
    return same


if __name__ == "__main__":
    main()
