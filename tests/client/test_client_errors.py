"""Problems of a service arrive as the errors of the tree, and what passes is tried again."""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar, Final

import children
import httpx
import msgspec
import pytest
from document import OPERATIONS
from litestar.exceptions import MethodNotAllowedException
from support import Server, environment, record

from runlake import access
from runlake.api import problems
from runlake.client import AsyncClient, Client, answers, calls
from runlake.client.calls import Call
from runlake.errors import (
    BadInput,
    Busy,
    Conflict,
    Forbidden,
    ForeignHost,
    ForeignOrigin,
    NotFound,
    RunlakeError,
    Timeout,
    TooLarge,
    TooMany,
    Unauthorized,
    UnknownAnswer,
    Unreachable,
    Unsupported,
    UsageError,
)
from runlake.model import RunsQuery, Stored, SummaryQuery
from runlake.paths import Paths

Answer = tuple[int, dict[str, str], bytes]
NOWHERE: Final = "http://127.0.0.1:1"
FAILURES: Final = {str(exc): exc for op in OPERATIONS for exc in op.facts.all_failures}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    env = environment(RUNLAKE_BODY_BYTES="20000")
    with Server(tmp_path_factory.mktemp("client-errors") / "lake", env=env) as made:
        assert made.post(record(1)).status_code == 200
        yield made


@pytest.fixture
def client(server: Server) -> Iterator[Client]:
    with Client(server.url, tries=1, patience=0) as made:
        yield made


def raised(client: Client, call: Call[Any]) -> RunlakeError:
    with pytest.raises(RunlakeError) as found:
        client.ask(call)
    return found.value


@pytest.mark.parametrize("exc", FAILURES.values(), ids=FAILURES)
def test_every_problem_of_the_document_becomes_its_error(exc: Exception) -> None:
    """As the service writes it."""
    made = problems.problem("/runs", exc)
    response = httpx.Response(made.status.value, headers=made.headers | {"X-Request-ID": "7"}, content=made.content)
    found = answers.refusal(response)
    # What no class of ours is, is `internal` where nobody expected it, and about:blank where the framework did.
    others = {MethodNotAllowedException: UnknownAnswer, Exception: RunlakeError}
    assert type(found) is others.get(type(exc), type(exc))
    assert (found.status, found.request_id) == (made.status, "7")
    assert found.retry_after == (1.0 if made.status in problems.LATER else None)
    if isinstance(exc, RunlakeError):
        assert list(found.errors) == list(exc.errors)
        assert found.line() == found.detail == exc.line()


def test_what_the_service_refuses(client: Client) -> None:
    """Each with its status and the number of its request, which the log of the service has."""
    post = calls.append_runs
    other = post([record(1, attempt=2)])
    host = Call(path="/about", read=answers.text, headers={"Host": "runs.example.com"})
    origin = Call(path="/about", read=answers.text, headers={"Origin": "https://dash.example.com"})
    csv = Call(method="POST", path="/runs", read=answers.text, body=b"a,b", headers={"Content-Type": "text/csv"})
    wanted: list[tuple[Call[Any], type[RunlakeError], int]] = [
        (calls.get_run(uuid.uuid4()), NotFound, 404),
        (calls.list_runs(RunsQuery(limit=1000)), BadInput, 400),
        (other, Conflict, 409),
        (post([record(2, output="x" * 30_000)]), TooLarge, 413),
        (csv, Unsupported, 415),
        (host, ForeignHost, 421),
        (origin, ForeignOrigin, 403),
        (Call(path="/nosuch", read=answers.text), UnknownAnswer, 404),
    ]
    for call, kind, status in wanted:
        exc = raised(client, call)
        assert (type(exc), exc.status) == (kind, status), exc
        assert exc.request_id and exc.detail
    assert [error.field for error in raised(client, other).errors] == ["runs[0].id"]
    assert raised(client, calls.list_runs(RunsQuery(limit=1000))).errors[0].field == "limit"


def test_keys(tmp_path: Path) -> None:
    paths = Paths.of(tmp_path / "lake")
    with Server(tmp_path / "lake", new=True) as server:
        _, reads = access.create(paths, ("read",))
        for key, call, kind, status in (
            ("", calls.list_runs(), Unauthorized, 401),
            ("wrong", calls.list_runs(), Unauthorized, 401),
            (reads, calls.append_runs([record(1)]), Forbidden, 403),
        ):
            with Client(server.url, key=key) as client:
                exc = raised(client, call)
                assert (type(exc), exc.status) == (kind, status)
        with Client(server.url, key=reads) as client:
            assert client.list_runs().total == 0


def test_a_question_past_its_time_is_not_asked_again(tmp_path: Path) -> None:
    """It would take as long."""
    with Server(tmp_path / "lake", env=environment(RUNLAKE_QUERY_SECONDS="0.000001")) as server:
        with Client(server.url, tries=5) as client, pytest.raises(Timeout) as late:
            client.get_summary(SummaryQuery(days=3650))
        assert late.value.status == 503
        server.stop()
        assert len([line for line in server.log if "route=/stats/summary" in line]) == 1, server.log


def test_who_comes_too_many(tmp_path: Path) -> None:
    """The first connection is the only one that may be open."""
    env = environment(RUNLAKE_CONNECTIONS="1")
    with Server(tmp_path / "lake", env=env) as server, Client(server.url, tries=2) as client:
        busy = raised(client, calls.list_runs())
        assert (type(busy), busy.status, busy.retry_after) == (Busy, 503, 1.0)
        server.client.close()
        assert client.list_runs().total == 0


def test_exports_wait_for_their_turn(tmp_path: Path) -> None:
    """One is under way; who tries once is refused, and who tries again gets it when that has ended."""
    runs = [record(number, output="x" * 15_000) for number in range(400)]
    with Server(tmp_path / "lake", env=environment(RUNLAKE_EXPORTS="1")) as server:
        assert server.post(*runs).status_code == 200
        with server.client.stream("GET", "/export/runs?format=ndjson") as held:
            next(held.iter_raw())
            with Client(server.url, tries=1) as client, pytest.raises(TooMany) as refused:
                client.export_runs(tmp_path / "runs")
            assert (refused.value.status, refused.value.retry_after) == (429, 1.0)
            patient = Client(server.url, tries=20)
            got: list[int] = []
            waiting = Thread(target=lambda: got.append(patient.export_runs(tmp_path / "runs")))
            waiting.start()
            time.sleep(0.3)
        waiting.join(30)
        patient.close()
        assert got == [len(runs)]


class Odd(BaseHTTPRequestHandler):
    """Answers with what ANSWERS holds, one after the other, and counts what it is asked."""

    answers: ClassVar[list[Answer]] = []
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        status, headers, body = self.answers.pop(0)
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(body))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    do_POST = do_PUT = do_GET  # noqa: N815 - the names of http.server

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def odd() -> Iterator[str]:
    """The address of a server that answers what a test says."""
    with HTTPServer(("127.0.0.1", 0), Odd) as made:
        Odd.asked.clear()
        thread = Thread(target=made.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{made.server_port}/below"
        made.shutdown()
        thread.join()


BUSY: Final = problems.problem("/runs", Busy("too many queries wait"))
AGAIN: Final[Answer] = (503, {"Retry-After": "0"}, BUSY.content)
PAGE: Final[Answer] = (200, {}, b'{"items":[],"total":0,"limit":50,"offset":0,"has_more":false}')
STORED: Final[Answer] = (200, {}, msgspec.json.encode(Stored(1, 1, 0, 0, [uuid.UUID(int=1)])))


def test_reads_are_tried_again_so_many_times(odd: str) -> None:
    with Client(odd, tries=3) as client:
        Odd.answers[:] = [AGAIN, (502, {}, b"<html>bad gateway</html>"), PAGE]
        assert client.list_runs().total == 0
        Odd.answers[:] = [AGAIN] * 3
        with pytest.raises(Busy):
            client.list_runs()
    assert Odd.asked == ["/below/runs"] * 6


def test_changes_are_sent_once(odd: str) -> None:
    """But appends, which have ids."""
    with Client(odd, tries=3) as client:
        Odd.answers[:] = [AGAIN]
        with pytest.raises(Busy):
            client.put_view("mine", "range=1d")
        Odd.answers[:] = [AGAIN] * 9 + [STORED]
        assert client.append([record(1)]) == Stored(1, 1, 0, 0, [uuid.UUID(int=1)])
    assert Odd.asked == ["/below/views/mine"] + ["/below/runs"] * 10


def test_retry_after_is_kept_to(odd: str) -> None:
    with Client(odd) as client:
        Odd.answers[:] = [(503, {"Retry-After": "1"}, BUSY.content), PAGE]
        started = time.monotonic()
        client.list_runs()
        assert 1.0 <= time.monotonic() - started < 5.0
    with Client(odd, patience=5) as client:
        Odd.answers[:] = [(503, {"Retry-After": "3600"}, BUSY.content)]
        with pytest.raises(Busy) as late:
            client.list_runs()
        assert late.value.retry_after == 3600


@pytest.mark.parametrize(
    "answer",
    [
        (200, {}, b"<html>sign in</html>"),
        (200, {}, b'{"items":[{}],"total":0,"limit":50,"offset":0,"has_more":false}'),
        (302, {"Location": "/login"}, b""),
        (500, {}, b"\xff"),
        (418, {}, b'{"type":"urn:runlake:tea","title":"x","status":418,"detail":"no coffee","instance":"/"}'),
    ],
)
def test_what_is_no_runlake(odd: str, answer: Answer, tmp_path: Path) -> None:
    """Or a newer one: the error says what it answered, for whatever was asked."""
    Odd.answers[:] = [answer]
    with Client(odd) as client, pytest.raises(UnknownAnswer) as unknown:
        client.list_runs()
    assert unknown.value.status == answer[0]
    if answer[0] != 200:
        Odd.answers[:] = [answer]
        with Client(odd) as client, pytest.raises(UnknownAnswer):
            client.export_runs(tmp_path / "file")


def test_nobody_is_there() -> None:
    with Client(NOWHERE, tries=2) as client, pytest.raises(Unreachable) as lost:
        client.list_runs()
    assert lost.value.status is None and NOWHERE in lost.value.detail


def test_an_export_that_breaks_leaves_no_file(odd: str, tmp_path: Path) -> None:
    """Fewer bytes came than the answer has."""
    Odd.answers[:] = [(200, {"Content-Length": "100", "Runlake-Total": "3"}, b"half")] * 2
    with Client(odd, tries=2) as client, pytest.raises(Unreachable):
        client.export_runs(tmp_path / "file")
    assert list(tmp_path.iterdir()) == [] and len(Odd.asked) == 2


def exported(url: str, file: Path) -> int:
    with Client(url) as client:
        return client.export_runs(file)


def exported_async(url: str, file: Path) -> int:
    async def run() -> int:
        async with AsyncClient(url) as client:
            return await client.export_runs(file)

    return asyncio.run(run())


@pytest.mark.parametrize("export", [exported, exported_async])
def test_an_export_that_breaks_is_tried_again(odd: str, tmp_path: Path, export: Callable[[str, Path], int]) -> None:
    """From its beginning on."""
    file = tmp_path / "runs"
    whole: Answer = (200, {"Runlake-Total": "3"}, b"all")
    Odd.answers[:] = [(200, {"Content-Length": "100", "Runlake-Total": "3"}, b"more than a half"), AGAIN, whole]
    assert export(odd, file) == 3
    assert file.read_bytes() == b"all"


def test_where_and_as_whom(tmp_path: Path) -> None:
    """Arguments come first, then the settings; what is no address is said at once."""
    with pytest.raises(UsageError, match="http://127"):
        Client("nowhere")
    ask = "from runlake.client import Client; print(Client().list_runs().total)"
    with Server(tmp_path / "lake", new=True) as server:
        _, reads = access.create(Paths.of(tmp_path / "lake"), ("read",))
        env = environment(RUNLAKE_SERVER=server.url, RUNLAKE_KEY=reads)
        assert children.run(ask, env=env).stdout == b"0\n"
        nowhere = children.run(ask, env=environment())
        assert b"set RUNLAKE_SERVER" in nowhere.stderr
