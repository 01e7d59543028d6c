"""The one HTTP handler of all peers: the paths of runlake, nothing else.

    python -m benchmarks.peers.server postgres --config FILE (--load | --port N)

`--load` stores the rows and prints the bytes they take on disk; `--port` serves them on 127.0.0.1.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
import traceback
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import msgspec
import uvicorn
from benchmarks.peers import answers, charts
from benchmarks.peers.protocol import Config, Peer, Row, Session
from litestar import Litestar, Request, Response, get, post
from litestar.datastructures import State
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath
from msgspec import Struct

from runlake import times
from runlake.api import params
from runlake.model import (
    BreakdownQuery,
    DurationsQuery,
    ErrorsQuery,
    HistogramQuery,
    Instant,
    OwnersQuery,
    Run,
    RunBatch,
    RunsQuery,
    SummaryQuery,
    TasksQuery,
    TaskStatsQuery,
    decode_instant,
)

Req = Request[Any, Any, Any]
PEERS: Final = {"postgres": "Postgres", "clickhouse": "ClickHouse", "plain": "Plain"}  # the class in each module
THREADS: Final = 4  # as many as runlake reads with
_BATCHES: Final = msgspec.json.Decoder(RunBatch, dec_hook=decode_instant)


class Desk:
    """Questions are answered on a few threads, each with a session of its own."""

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(THREADS)
        self.busy = 0  # questions not answered yet, also those that nobody waits for any more

    async def ask(self, question: Callable[[Session], Any], *, missing: int = 200) -> Response[bytes]:
        """The JSON of an answer, with the time the engine took; `missing` is the status when it is None."""
        self.busy += 1
        done = asyncio.get_running_loop().run_in_executor(self._pool, self._answer, question, missing)
        done.add_done_callback(lambda _: self._free())
        return await asyncio.shield(done)

    def _free(self) -> None:
        self.busy -= 1

    def _answer(self, question: Callable[[Session], Any], missing: int) -> Response[bytes]:
        session: Session | None = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = self._peer.session()
        before = session.seconds
        answer = question(session)
        headers = {"Server-Timing": f"db;dur={(session.seconds - before) * 1000:.3f}"}
        status = missing if answer is None else 200
        return Response(msgspec.json.encode(answer), media_type="application/json", headers=headers, status_code=status)


@get("/health", sync_to_thread=False)
def health(request: Req) -> dict[str, int]:
    """The process answers; and how many questions it has before it."""
    return {"busy": _desk(request).busy}


@get("/runs")
async def list_runs(request: Req) -> Response[bytes]:
    """GET /runs."""
    query = params.parse(request.scope["query_string"], RunsQuery)
    return await _desk(request).ask(lambda session: answers.page(session, query))


@get("/runs/{run_id:str}")
async def get_run(request: Req, run_id: FromPath[str]) -> Response[bytes]:
    """GET /runs/{run_id}."""
    key = uuid.UUID(run_id)
    return await _desk(request).ask(lambda session: answers.detail(session, key), missing=404)


@get("/task/{task_id:str}/latest")
async def latest_run(request: Req, task_id: FromPath[str]) -> Response[bytes]:
    """GET /task/{task_id}/latest."""
    key = uuid.UUID(task_id)
    return await _desk(request).ask(lambda session: answers.latest(session, key))


@get("/task/{task_id:str}/stats")
async def task_stats(request: Req, task_id: FromPath[str]) -> Response[bytes]:
    """GET /task/{task_id}/stats."""
    key = uuid.UUID(task_id)
    query = params.parse(request.scope["query_string"], TaskStatsQuery)
    return await _desk(request).ask(lambda session: answers.task_stats(session, key, query))


@get("/stats/summary")
async def stats_summary(request: Req) -> Response[bytes]:
    """GET /stats/summary."""
    query = params.parse(request.scope["query_string"], SummaryQuery)
    return await _desk(request).ask(lambda session: answers.summary(session, query))


def _chart(path: str, kind: type[Struct], question: Callable[[Session, Any], Any]) -> HTTPRouteHandler:
    """The handler of a question that is all in its query string."""

    async def asked(request: Req) -> Response[bytes]:
        query = params.parse(request.scope["query_string"], kind)
        return await _desk(request).ask(lambda session: question(session, query))

    return get(path)(asked)


CHARTS: Final = [
    _chart("/stats/histogram", HistogramQuery, charts.histogram),
    _chart("/stats/durations", DurationsQuery, charts.durations),
    _chart("/stats/tasks", TasksQuery, charts.tasks),
    _chart("/stats/owners", OwnersQuery, charts.owners),
    _chart("/stats/breakdown", BreakdownQuery, charts.breakdown),
    _chart("/errors", ErrorsQuery, charts.errors),
]


@post("/runs", status_code=200)
async def append_runs(request: Req) -> Response[bytes]:
    """POST /runs: decoded as strictly as runlake does, then stored."""
    body = await request.body()

    def store(session: Session) -> dict[str, int]:
        rows = [_row(record) for record in _BATCHES.decode(body).runs]
        session.append(rows)
        return {"stored": len(rows)}

    return await _desk(request).ask(store)


def _desk(request: Req) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _row(record: msgspec.Struct) -> Row:
    """A record that has all fields, in the order of the table's columns."""
    found: dict[str, Any] = {
        name: times.to_datetime(value) if isinstance(value, Instant) else value
        for name, value in msgspec.structs.asdict(record).items()
    }
    found["output"] = bytes(found["output"]).decode()
    return tuple(found[name] for name in Run.__struct_fields__)


async def explain(error: Exception, _: object) -> None:
    """What a 500 hides goes to the log."""
    traceback.print_exception(error)


def main() -> None:
    """Load or serve."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("--config", type=Path, required=True)
    todo = parser.add_mutually_exclusive_group(required=True)
    todo.add_argument("--load", action="store_true")
    todo.add_argument("--port", type=int)
    options = parser.parse_args()
    # Imported here, because nobody needs the drivers of all.
    made = getattr(import_module(f"benchmarks.peers.{options.peer}"), PEERS[options.peer])
    peer: Peer = made(msgspec.json.decode(options.config.read_bytes(), type=Config))
    if options.load:
        peer.load()
        print(peer.size())
        return
    handlers = [health, list_runs, get_run, latest_run, task_stats, stats_summary, append_runs, *CHARTS]
    app = Litestar(
        handlers,
        state=State({"desk": Desk(peer)}),
        openapi_config=None,
        request_max_body_size=None,
        after_exception=[explain],
    )
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        http="httptools",
        loop="uvloop",
        access_log=False,
        log_level="warning",
        server_header=False,
    )


if __name__ == "__main__":
    main()
