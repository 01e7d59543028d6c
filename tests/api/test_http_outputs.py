"""`output` and texts come back as they were sent: big integers, doubles, Unicode, nesting, key order."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Iterator
from typing import Final

import pytest
from support import Server, record

NUMBERS: Final = itertools.count(1 << 65)
# What is sent, and the text that comes back: as DuckDB's json() writes it.
OUTPUTS: Final = {
    "{}": "{}",
    "[]": "[]",
    "null": "null",
    "true": "true",
    '""': '""',
    "0": "0",
    "-0": "0",
    "-0.0": "-0.0",
    "1.0": "1.0",
    "1E2": "100.0",
    "0.1": "0.1",
    "1.10": "1.1",
    "5e-324": "5e-324",
    "1e-400": "0.0",
    "1e400": "1e400",
    "1.7976931348623157e308": "1.7976931348623157e308",
    "9007199254740993": "9007199254740993",
    "18446744073709551616": "18446744073709551616",
    "-123456789012345678901234567890": "-123456789012345678901234567890",
    "123456789.123456789123456789": "123456789.12345679",
    '{"b":1,"a":2,"B":3}': '{"b":1,"a":2,"B":3}',
    ' { "x" : [ 1 , null ,{ } ] } ': '{"x":[1,null,{}]}',
    '{"x":null}': '{"x":null}',
    '"\\u0041\\/\\ud83e\\udd86"': '"A/🦆"',
    '"\\u0000\\n\\t\\"\\\\"': '"\\u0000\\n\\t\\"\\\\"',
    '"日本 ü \u2028"': '"日本 ü \u2028"',
    "[" * 100 + "]" * 100: "[" * 100 + "]" * 100,
}
REFUSED: Final = ['"\\ud800"', '{"\\udc00":1}', "[" * 101 + "]" * 101, '{"a":' * 5_000 + "1" + "}" * 5_000]
NOT_JSON: Final = ["[1,]", "01", "NaN", "Infinity", "'x'", "{a:1}", "1 2", '"\n"', "\x00", "+1", ".5", "1."]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests of this file."""
    with Server(tmp_path_factory.mktemp("outputs") / "lake") as running:
        yield running


def body(output: str) -> tuple[str, bytes]:
    """The id and the JSON body of one run with this output, as text."""
    run = record(next(NUMBERS))
    text = json.dumps({"runs": [run]}).encode()
    return run["id"], text.removesuffix(b"}]}") + f',"output":{output}}}]}}'.encode()


@pytest.mark.parametrize("output", OUTPUTS, ids=lambda text: text[:20])
def test_output_comes_back(server: Server, output: str) -> None:
    """In detail, list and latest; and the same body again is a duplicate."""
    run_id, sent = body(output)
    for stored in (1, 0):
        answer = server.client.post("/runs", content=sent, headers={"Content-Type": "application/json"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["stored"] == stored
    expected = f'"output":{OUTPUTS[output]},"created_at"'
    task = record(uuid.UUID(run_id).int)["task_id"]
    for path in (f"/runs/{run_id}", f"/runs?limit=200&task_id={task}"):
        assert expected in server.client.get(path).text


@pytest.mark.parametrize("output", REFUSED + NOT_JSON, ids=lambda text: text[:12])
def test_what_is_not_json_is_refused(server: Server, output: str) -> None:
    run_id, sent = body(output)
    answer = server.client.post("/runs", content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400, answer.text
    if output in REFUSED:
        assert answer.json()["errors"][0]["field"].startswith("runs[0]")
    assert server.client.get(f"/runs/{run_id}").status_code == 404


@pytest.mark.parametrize("text", ["", "\x00", "🦆" * 255, "a\u2028b", "\ufeff", "'; DROP TABLE runs; --", "\\ud800"])
def test_texts_come_back(server: Server, text: str) -> None:
    run = record(next(NUMBERS), lease_owner=text, error=text, success=False)
    assert server.post(run).json()["stored"] == 1
    assert server.post(run).json()["duplicates"] == 1
    stored = server.client.get(f"/runs/{run['id']}").json()
    assert (stored["lease_owner"], stored["error"]) == (text, text)


def test_an_owner_is_at_most_255_characters(server: Server) -> None:
    answer = server.post(record(next(NUMBERS), lease_owner="🦆" * 256))
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "runs[0].lease_owner"
