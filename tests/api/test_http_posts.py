"""POST /runs over real HTTP: three content types, the life cycle of a run, all or nothing, visible at once."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import httpx
import pyarrow as pa
import pytest
from oracle import DAY, text_of
from support import Server, arrow_stream, record

NUMBERS: Final = itertools.count(1 << 64)
TASK: Final = "550e8400-e29b-41d4-a716-446655440000"
ARROW: Final = "application/vnd.apache.arrow.stream"
Record = dict[str, Any]
Encoder = Callable[[Sequence[Record]], tuple[str, bytes]]


def as_json(runs: Sequence[Record]) -> tuple[str, bytes]:
    return "application/json", json.dumps({"runs": list(runs)}).encode()


def as_ndjson(runs: Sequence[Record]) -> tuple[str, bytes]:
    return "application/x-ndjson", b"".join(json.dumps(run).encode() + b"\n" for run in runs)


def as_arrow(runs: Sequence[Record]) -> tuple[str, bytes]:
    names = list(dict.fromkeys(name for run in runs for name in run))
    columns = {name: [run.get(name) for run in runs] for name in names}
    if "output" in columns:
        columns["output"] = [None if value is None else json.dumps(value) for value in columns["output"]]
    return ARROW, arrow_stream(pa.table(columns))


forms = pytest.mark.parametrize("encode", [as_json, as_ndjson, as_arrow], ids=["json", "ndjson", "arrow"])


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file; each uses ids of its own."""
    with Server(tmp_path_factory.mktemp("posts") / "lake") as running:
        yield running


def post(server: Server, encode: Encoder, *runs: Record) -> httpx.Response:
    """POST records in one of the forms."""
    kind, body = encode(runs)
    return server.client.post("/runs", content=body, headers={"Content-Type": kind})


def counts(answer: httpx.Response) -> tuple[int, int, int, int]:
    """(received, stored, duplicates, stale) of a 200, which must add up."""
    assert answer.status_code == 200, answer.text
    body = answer.json()
    assert set(body) == {"received", "stored", "duplicates", "stale", "ids"}
    assert body["received"] == body["stored"] + body["duplicates"] + body["stale"] == len(body["ids"])
    return body["received"], body["stored"], body["duplicates"], body["stale"]


def fresh(**fields: Any) -> Record:
    """A finished run nobody has posted yet."""
    return record(next(NUMBERS), **fields)


def total(server: Server) -> int:
    """Runs in all."""
    found: int = server.client.get("/runs?limit=1").json()["total"]
    return found


@forms
def test_the_life_of_a_run(server: Server, encode: Encoder) -> None:
    """Queued, running, renewed, finished; each version replaces the whole one before it."""
    done = fresh()
    queued = {"id": done["id"], "task_id": done["task_id"], "created_at": "2025-01-01", "error": "first"}
    running = {"id": done["id"], "task_id": done["task_id"], "started_at": "2025-01-02", "lease_owner": "a"}
    before = total(server)
    for version in (queued, running, {**running, "leased_until": "2025-01-02T00:01:00Z"}, done):
        assert counts(post(server, encode, version)) == (1, 1, 0, 0)
        assert counts(post(server, encode, version)) == (1, 0, 1, 0)
        stored = server.client.get(f"/runs/{done['id']}").json()
        assert stored["success"] == version.get("success")
        assert (stored["error"], stored["lease_owner"]) == (version.get("error"), version.get("lease_owner"))
        assert total(server) == before + 1
    assert counts(post(server, encode, running)) == (1, 0, 0, 1)
    refused = post(server, encode, fresh(), {**done, "attempt": 2})
    assert refused.status_code == 409
    assert "runs[1]" in refused.json()["detail"] and done["id"] in refused.json()["detail"]
    assert total(server) == before + 1
    assert server.client.get(f"/runs/{done['id']}").json()["attempt"] == 1


@forms
def test_a_whole_life_in_one_request(server: Server, encode: Encoder) -> None:
    """As if each record had been posted alone, in order."""
    done = fresh()
    opened = {"id": done["id"], "task_id": done["task_id"], "started_at": done["started_at"]}
    other = fresh()
    answer = post(server, encode, opened, opened, other, done, done, opened)
    assert counts(answer) == (6, 3, 2, 1)
    assert answer.json()["ids"] == [done["id"]] * 2 + [other["id"]] + [done["id"]] * 3
    assert server.client.get(f"/runs/{done['id']}").json()["success"] is True


@forms
def test_a_conflict_within_a_request(server: Server, encode: Encoder) -> None:
    run, before = fresh(), total(server)
    refused = post(server, encode, fresh(), run, {**run, "lease_owner": "someone else"})
    assert refused.status_code == 409
    (error,) = refused.json()["errors"]
    assert error == {
        "field": "runs[2].id",
        "message": f"run {run['id']} is finished with other content by runs[1] of this batch",
    }
    assert "runs[2]" in refused.json()["detail"]
    assert total(server) == before


@forms
def test_every_conflict_is_named(server: Server, encode: Encoder) -> None:
    """So that one answer is enough to mend the batch; what is left is then stored."""
    runs = [fresh() for _ in range(40)]
    known = runs[::7]
    assert counts(post(server, encode, *known)) == (6, 6, 0, 0)
    changed = [{**run, "attempt": 2} if run in known else run for run in runs]
    changed += [changed[3], {**changed[3], "attempt": 3}]
    before = total(server)
    body = post(server, encode, *changed).json()
    assert body["status"] == 409
    assert [error["field"] for error in body["errors"]] == [f"runs[{i}].id" for i in (0, 7, 14, 21, 28, 35, 41)]
    for run, error in zip(known, body["errors"], strict=False):
        assert error["message"] == f"run {run['id']} is already finished with other content"
    assert body["errors"][-1]["message"].endswith("by runs[3] of this batch")
    assert body["detail"].startswith(f"runs[0]: run {runs[0]['id']} is already finished with other content; ")
    assert "6 more" in body["detail"] and len(body["detail"]) < 300
    assert total(server) == before
    named = {int(error["field"][5:-4]) for error in body["errors"]}
    rest = [run for index, run in enumerate(changed) if index not in named]
    assert counts(post(server, encode, *rest)) == (35, 34, 1, 0)


def test_ten_thousand_conflicts_are_named(server: Server) -> None:
    runs = [fresh() for _ in range(10_000)]
    assert counts(post(server, as_json, *runs)) == (10_000, 10_000, 0, 0)
    errors = post(server, as_json, *({**run, "attempt": 2} for run in runs)).json()["errors"]
    assert [error["field"] for error in errors] == [f"runs[{i}].id" for i in range(10_000)]


@forms
def test_ids_are_minted_in_input_order(server: Server, encode: Encoder) -> None:
    """A record without an id is a new run each time; the minted id is a UUIDv7."""
    given = fresh()
    unnamed = [{name: value for name, value in fresh(attempt=i).items() if name != "id"} for i in (11, 12)]
    answers = [post(server, encode, unnamed[0], given, unnamed[1]).json() for _ in range(2)]
    assert [answer["stored"] for answer in answers] == [3, 2]
    ids = [run_id for answer in answers for run_id in answer["ids"]]
    assert len(set(ids)) == 5
    for attempt, run_id in zip([11, None, 12] * 2, ids, strict=True):
        assert server.client.get(f"/runs/{run_id}").json()["attempt"] == (attempt or 1)
        assert attempt is None or (uuid.UUID(run_id).version, uuid.UUID(run_id).variant) == (7, uuid.RFC_4122)


@forms
def test_all_or_nothing(server: Server, encode: Encoder) -> None:
    """A bad record is named by index and field, and none of its neighbours is stored."""
    runs, before = [fresh() for _ in range(20)], total(server)
    runs[17]["attempt"] = 0
    answer = post(server, encode, *runs)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == ["runs[17].attempt"]
    assert total(server) == before


@pytest.mark.parametrize("body", [record(1), [record(1)], "x", None, 1, {"run": []}], ids=str)
def test_another_shape_is_shown_the_right_one(server: Server, body: Any) -> None:
    answer = server.client.post("/runs", json=body)
    assert answer.status_code == 400
    assert '{"runs": [' in answer.json()["detail"]


@pytest.mark.parametrize("number", [0, 10_001])
@forms
def test_too_few_and_too_many_records(server: Server, encode: Encoder, number: int) -> None:
    before = total(server)
    if encode is as_arrow and not number:
        kind, body = encode([{"task_id": TASK}])
        empty = pa.ipc.open_stream(body).read_all().slice(0, 0)
        answer = post(server, lambda _: (kind, arrow_stream(empty)))
    else:
        answer = post(server, encode, *[{"task_id": TASK}] * number)
    assert answer.status_code == 400
    assert "10000" in answer.json()["detail"]
    assert total(server) == before


def test_ten_thousand_records_of_every_year(server: Server) -> None:
    """The largest batch, and known again as a whole."""
    runs = [fresh(started_at=text_of(i * 100 * DAY), finished_at=text_of(i * 100 * DAY)) for i in range(10)] * 1_000
    assert counts(post(server, as_ndjson, *runs)) == (10_000, 10, 9_990, 0)
    assert counts(post(server, as_json, *runs)) == (10_000, 0, 10_000, 0)


def test_a_body_of_more_than_64_mib(server: Server) -> None:
    """Refused whether its length was declared or not; one record is at most 1 MiB."""
    chunk = b" " * (1 << 20)
    for content in (chunk * 65, (chunk for _ in range(65))):
        answer = server.client.post("/runs", content=content, headers={"Content-Type": "application/json"})
        assert answer.status_code == 413
    answer = post(server, as_json, fresh(), fresh(error="x" * (1 << 20)))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"].startswith("runs[1]")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "multipart/form-data; boundary=x"])
def test_unknown_content_types(server: Server, kind: str) -> None:
    answer = server.client.post("/runs", content=as_json([fresh()])[1], headers={"Content-Type": kind})
    assert answer.status_code == 415


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "Application/JSON"])
def test_content_types_that_mean_json(server: Server, kind: str) -> None:
    answer = server.client.post("/runs", content=as_json([fresh()])[1], headers={"Content-Type": kind})
    assert counts(answer) == (1, 1, 0, 0)


def test_an_answered_post_is_seen_by_the_next_read(server: Server) -> None:
    """On another connection, whatever the form of the read."""
    with httpx.Client(base_url=server.url, timeout=60) as other:
        for _ in range(15):
            task = str(uuid.uuid4())
            run = fresh(task_id=task)
            before = other.get("/runs?limit=1").json()["total"]
            assert counts(server.post(run)) == (1, 1, 0, 0)
            assert other.get("/runs?limit=1").json()["total"] == before + 1
            assert other.get(f"/runs?task_id={task}").json()["total"] == 1
            assert other.get(f"/task/{task}/latest").json()["id"] == run["id"]
            assert other.get(f"/runs/{run['id']}").status_code == 200


def test_default_of_created_at(server: Server) -> None:
    """started_at, else finished_at, else the time of receipt."""
    runs = [fresh(), fresh(), {"task_id": TASK}]
    del runs[1]["started_at"]
    ids = counts(answer := server.post(*runs)) and answer.json()["ids"]
    stored = [server.client.get(f"/runs/{run_id}").json() for run_id in ids]
    assert stored[0]["created_at"] == stored[0]["started_at"]
    assert stored[1]["created_at"] == stored[1]["finished_at"]
    assert stored[2]["created_at"] > "2025" and stored[2]["attempt"] == 1
