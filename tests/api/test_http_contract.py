"""The read side of the contract over real HTTP, on one server: fields, routes, parameters, times, links."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec
import pytest
from support import Server, record

from runlake import model

RUNS: Final = 12
RUN: Final = str(uuid.UUID(int=7))
TASK: Final = record(7)["task_id"]
EXACT: Final = "2025-03-01T00:00:00.000001Z"
UNKNOWN: Final = "AAAAAAAA-BBBB-4CCC-8DDD-EEEEEEEEEEEE"
READS: Final = [
    ("/runs", model.RunPage),
    (f"/runs/{RUN}", model.Run),
    (f"/task/{TASK}/latest", model.Run),
    (f"/task/{TASK}/stats", model.TaskStats),
    ("/stats/summary", model.Summary),
    ("/stats/histogram?start_time=2025-01-01&end_time=2025-04-01", model.Histogram),
    ("/stats/durations?start_time=2025-01-01&end_time=2025-04-01", model.Durations),
    ("/health", model.Health),
    ("/ready", model.Ready),
]
paths = pytest.mark.parametrize("path", [path for path, _ in READS])


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server with a few runs, all failed, of three tasks."""
    with Server(tmp_path_factory.mktemp("contract") / "lake") as server:
        runs = [record(i, success=False, error=f"error {i}", output={"i": i}) for i in range(RUNS)]
        runs.append(record(500, started_at=EXACT, finished_at=EXACT))
        runs.append({"id": str(uuid.UUID(int=501)), "task_id": TASK, "created_at": "2025-02-01"})
        assert server.post(*runs).json()["stored"] == len(runs)
        yield server.client


def total(client: httpx.Client, query: str) -> int:
    """How many runs a raw query string finds."""
    answer = client.get(f"/runs?{query}")
    assert answer.status_code == 200, answer.text
    found: int = answer.json()["total"]
    return found


@pytest.mark.parametrize(("path", "kind"), READS, ids=[path for path, _ in READS])
def test_a_body_has_exactly_the_fields_of_the_contract(client: httpx.Client, path: str, kind: type) -> None:
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert list(answer.json()) == list(msgspec.structs.asdict(msgspec.json.decode(answer.content, type=kind)))
    assert set(answer.json()) == {field.name for field in msgspec.structs.fields(kind)}


def test_a_list_item_is_a_whole_run(client: httpx.Client) -> None:
    for item in client.get("/runs").json()["items"]:
        assert set(item) == {field.name for field in msgspec.structs.fields(model.Run)}


@paths
def test_head_is_get_without_a_body(client: httpx.Client, path: str) -> None:
    got, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    unlike = {"date", "x-request-id", "server-timing"} | (
        {"content-length"} if "stat" in path else set()
    )  # their window moves on
    for headers in (got.headers, head.headers):
        for name in unlike:
            headers.pop(name, None)
    assert dict(head.headers) == dict(got.headers)


def test_head_of_what_is_not_there(client: httpx.Client) -> None:
    head = client.head(f"/runs/{UNKNOWN}")
    assert (head.status_code, head.content) == (404, b"")


@paths
def test_a_trailing_slash_is_ignored(client: httpx.Client, path: str) -> None:
    bare, _, query = path.partition("?")
    query = query or ("until=2025-02-01" if "stat" in path else "")
    answer, plain = client.get(f"{bare}/?{query}"), client.get(f"{bare}?{query}")
    assert (answer.status_code, answer.content) == (200, plain.content)


@pytest.mark.parametrize("path", [f"/task/{TASK}/latest", f"/task/{TASK}/stats", "/stats/summary"])
def test_older_clients_look_under_runs(client: httpx.Client, path: str) -> None:
    query = "" if "latest" in path else "?until=2025-02-01&days=31"
    answer, older = client.get(path + query), client.get(f"/runs{path}{query}")
    assert older.status_code == 200
    assert older.content == answer.content


@pytest.mark.parametrize("change", [str.upper, lambda text: text.replace("-", "")], ids=["upper", "bare"])
def test_ids_in_any_case_come_back_in_lower_case(client: httpx.Client, change: Any) -> None:
    assert client.get(f"/runs/{change(RUN)}").json()["id"] == RUN
    assert client.get(f"/task/{change(TASK)}/latest").json()["task_id"] == TASK
    assert client.get(f"/task/{change(UNKNOWN)}/stats").json()["task_id"] == UNKNOWN.lower()
    items = client.get(f"/runs?task_id={change(TASK)}").json()["items"]
    assert items and {item["task_id"] for item in items} == {TASK}


@pytest.mark.parametrize("text", ["false", "False", "FALSE", "fAlSe", "0"])
def test_false_in_any_case(client: httpx.Client, text: str) -> None:
    assert total(client, f"success={text}") == RUNS
    assert {i["error"] for i in client.get(f"/runs?include_errors={text}").json()["items"]} == {None}


@pytest.mark.parametrize("text", ["true", "True", "TRUE", "1"])
def test_true_in_any_case(client: httpx.Client, text: str) -> None:
    assert total(client, f"success={text}") == 1
    errors = {item["error"] for item in client.get(f"/runs?include_errors={text}").json()["items"]}
    assert errors == {None, *(f"error {i}" for i in range(RUNS))}


def test_detail_and_latest_always_have_the_error(client: httpx.Client) -> None:
    assert client.get(f"/runs/{RUN}").json()["error"] == "error 7"
    task = record(2)["task_id"]
    assert client.get(f"/runs?task_id={task}&success=0&limit=1").json()["items"][0]["error"] is None
    assert client.get(f"/task/{record(0)['task_id']}/latest").json()["error"] is not None


@pytest.mark.parametrize(
    "text",
    [
        EXACT,
        EXACT.lower(),
        "2025-03-01T00:00:00.000001",
        "2025-03-01%2000:00:00.000001",
        "2025-03-01+00:00:00.000001",
        "2025-03-01T00:00:00.000001999999",
        "2025-03-01T00:00:00,000001Z",
        "2025-03-01T02:30:00.000001+02:30",
        "2025-03-01T02:30:00.000001%2B0230",
        "2025-03-01T02:00:00.000001+02",
        "2025-02-28T19:00:00.000001-05:00",
        "2025-03-01+02:00:00.000001+02:00",
    ],
)
def test_a_time_of_a_query_in_any_form(client: httpx.Client, text: str) -> None:
    """Each text is the microsecond at which the newest run starts: the end excludes it, the start does not."""
    assert total(client, f"start_time={text}") == 1
    assert total(client, f"end_time={text}") == RUNS
    answer = client.get(f"/stats/summary?until={text}&days=1").json()
    assert (answer["window_end"], answer["total_runs"]) == (EXACT, 1)


def test_a_bare_date_is_midnight(client: httpx.Client) -> None:
    assert total(client, "start_time=2025-03-01") == 1
    assert total(client, "end_time=2025-03-01") == RUNS
    assert client.get("/stats/summary?until=2025-03-01").json()["window_end"] == "2025-03-01T00:00:00Z"


def test_times_come_out_in_utc_with_a_fraction_only_when_there_is_one(client: httpx.Client) -> None:
    answer = client.get("/stats/summary?until=2025-03-01T00:00:00.5%2B01:00&days=1").json()
    assert answer["window_end"] == "2025-02-28T23:00:00.500000Z"
    run = client.get(f"/runs/{RUN}").json()
    assert (run["started_at"], run["finished_at"]) == ("2025-01-08T08:00:00Z", "2025-01-08T08:00:02.500000Z")


@pytest.mark.parametrize("query", ["", "success=false&", f"include_errors=1&end_time={EXACT}&"])
def test_links_lead_to_every_run_once(client: httpx.Client, query: str) -> None:
    url: str | None = f"/runs?{query}limit=3"
    seen: list[str] = []
    while url is not None:
        answer = client.get(url)
        seen += [item["id"] for item in answer.json()["items"]]
        url = answer.links.get("next", {}).get("url")
        assert (url is not None) == answer.json()["has_more"]
    assert len(seen) == len(set(seen)) == total(client, query)


@pytest.mark.parametrize(
    "query", ["offset=0&limit=5", "limit=5", "order=duration&limit=5&start_time=2025-01-01&end_time=2025-01-31"]
)
def test_links_keep_the_style_of_the_request(client: httpx.Client, query: str) -> None:
    """Forth, and by cursor back: each page is the same both ways."""
    answer = client.get(f"/runs?{query}")
    forth = [answer.json()["items"]]
    back: list[Any] = []
    while "next" in answer.links:
        assert ("cursor" in answer.links["next"]["url"]) is ("offset" not in query)
        answer = client.get(answer.links["next"]["url"])
        forth.append(answer.json()["items"])
    while "prev" in answer.links:
        answer = client.get(answer.links["prev"]["url"])
        back.insert(0, answer.json()["items"])
    assert len(forth) > 1
    assert back == ([] if "offset" in query else forth[:-1])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (f"task_id={TASK},x", "is not a UUID"),
        (f"task_id={TASK},", "is not a UUID"),
        ("status=lost,broken", 'expected one of .*lost.*, not "broken"'),
        ("status=lost,,failed", "expected one of"),
        ("duration_min=1e3&start_time=2025-01-01&end_time=2025-01-02", "expected a number such as 2.5"),
        ("duration_max=-1", "expected a number"),
        ("attempt_min=0", ">= 1"),
        ("error=ab", "length >= 3"),
        ("error=a%00bc", "NUL"),
        ("fields=id,name", 'not "name"'),
        ("order=newest", "expected one of duration, started"),
        ("lease_owner=a", "at most 31 days apart"),
        ("cursor=AAAA", "is broken"),
        ("cursor=AAAA&offset=0", "beside offset"),
        ("task_id=" + ",".join([TASK] * 51), "length <= 50"),
    ],
)
def test_filters_that_cannot_be(client: httpx.Client, query: str, message: str) -> None:
    """A 400 that names the parameter and says what is expected."""
    answer = client.get(f"/runs?{query}")
    assert answer.status_code == 400, answer.text
    (error,) = answer.json()["errors"]
    assert error["field"].split("[")[0] == query.split("=", maxsplit=1)[0]
    assert re.search(message, error["message"], re.IGNORECASE), error["message"]


def test_filters_over_http(client: httpx.Client) -> None:
    """As they are written in a query string."""
    window = "start_time=2020-01-01&end_time=2020-01-31"
    assert total(client, f"task_id={TASK},{UNKNOWN}") == total(client, f"task_id={TASK}") > 0
    assert total(client, "status=failed,success") == RUNS + 1
    assert total(client, "status=queued") == 1
    assert total(client, "error=ERROR+1&" + window.replace("2020", "2025")) == 3  # 1, 10 and 11
    assert total(client, f"lease_owner=%27%3B+DROP+TABLE+task%3B--&{window}") == 0
    item = client.get("/runs?fields=id,success&limit=1&offset=1").json()["items"][0]
    assert list(item) == ["id", "success"]


def test_a_link_keeps_an_unescaped_plus(client: httpx.Client) -> None:
    answer = client.get("/runs?limit=1&start_time=2025-01-01T02:00:00+02:00&success=FALSE")
    assert answer.links["next"]["url"].startswith("/runs?")
    following = client.get(answer.links["next"]["url"])
    assert following.status_code == 200
    assert (following.json()["total"], following.json()["offset"]) == (answer.json()["total"], 1)


def test_an_unchanged_page_is_not_sent_again(client: httpx.Client) -> None:
    answer = client.get("/runs?limit=2")
    tag = answer.headers.get("etag")
    assert tag, "GET /runs has no ETag"
    again = client.get("/runs?limit=2", headers={"If-None-Match": tag})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get("/runs?limit=3", headers={"If-None-Match": tag}).status_code == 200


WINDOW: Final = "start_time=2025-01-01&end_time=2025-04-01"
TAGGED: Final = [
    "/runs?status=lost",
    f"/runs/{RUN}",
    f"/task/{TASK}/latest",
    f"/task/{TASK}/stats?until=2025-04-01",
    "/stats/summary?until=2025-04-01",
    f"/stats/histogram?{WINDOW}",
    f"/stats/durations?{WINDOW}",
]


@pytest.mark.parametrize("path", TAGGED)
def test_every_answer_about_runs_has_a_tag(client: httpx.Client, path: str) -> None:
    """It is of the snapshot and of what was asked; the snapshot and the time it took are said, too."""
    answer = client.get(path)
    assert int(answer.headers["runlake-snapshot"]) > 0
    assert re.fullmatch(r"query;dur=[0-9]+\.[0-9]{2}", answer.headers["server-timing"])
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    others = [client.get(other).headers["etag"] for other in TAGGED if other != path]
    assert answer.headers["etag"] not in others


@pytest.mark.parametrize("path", [f"/task/{TASK}/stats", "/stats/summary"])
def test_what_ends_now_has_no_tag(client: httpx.Client, path: str) -> None:
    """The next answer has another window."""
    assert "etag" not in client.get(path, headers={"If-None-Match": "*"}).headers
    assert client.get(path, headers={"If-None-Match": "*"}).status_code == 200


def test_a_tag_of_nothing(client: httpx.Client) -> None:
    assert client.get(f"/runs/{UNKNOWN}", headers={"If-None-Match": "*"}).status_code == 404


def test_large_answers_are_compressed_for_who_accepts_it(client: httpx.Client) -> None:
    """From 4 KB on; the content is the same."""
    large, small = "/runs?limit=14&include_errors=true", "/runs?limit=1"
    plain = client.get(large, headers={"Accept-Encoding": "identity"})
    packed = client.get(large, headers={"Accept-Encoding": "gzip"})
    assert len(plain.content) > 4096
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    for answer in (packed, plain, client.get(small), client.get("/docs")):
        assert "Accept-Encoding" in answer.headers["vary"]
    assert packed.json() == plain.json()
    assert packed.headers["etag"] != plain.headers["etag"]
    assert int(packed.headers["content-length"]) < len(plain.content) / 3
    assert "content-encoding" not in client.get(small, headers={"Accept-Encoding": "gzip"}).headers


def test_a_histogram_over_http(client: httpx.Client) -> None:
    found = client.get(f"/stats/histogram?{WINDOW}&width=1month&tz=Europe/Vienna").json()
    months = ["2024-12-31T23", "2025-01-31T23", "2025-02-28T23", "2025-03-31T22", "2025-04-30T22"]
    assert found["edges"] == [f"{month}:00:00Z" for month in months]
    assert [one["key"] for one in found["series"]] == ["success", "failed", "open"]
    assert found["total"] == total(client, WINDOW) == RUNS + 1
    assert found["queued"] == 1
    for query, field in (("", "start_time"), (f"{WINDOW}&tz=Nowhere", "tz"), (f"{WINDOW}&bucket=1", "bucket")):
        answer = client.get(f"/stats/histogram?{query}")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)


@pytest.mark.parametrize("form", ['W/"{}"', '"{}-gzip"', 'W/"{}-gzip"', '"x-gzip", "{}-gzip"', '"x" ,W/"{}"', "*"])
def test_a_tag_as_proxies_send_it_back(client: httpx.Client, form: str) -> None:
    """Weak, in a list, or with the suffix of Apache's mod_deflate."""
    tag = client.get("/runs?limit=2").headers["etag"].strip('"')
    again = client.get("/runs?limit=2", headers={"If-None-Match": form.format(tag)})
    assert (again.status_code, again.headers["etag"]) == (304, f'"{tag}"')
    for other in (f'"{tag}-gzip-gzip"', f'"{tag}-br"', '"x-gzip"', "-gzip", tag):
        assert client.get("/runs?limit=2", headers={"If-None-Match": other}).status_code == 200


@pytest.mark.parametrize("limit", [1, 200])
@pytest.mark.parametrize("offset", [0, RUNS + 1, RUNS + 2, 2**53 - 1])
def test_limits_and_offsets(client: httpx.Client, limit: int, offset: int) -> None:
    answer = client.get(f"/runs?limit={limit}&offset={offset}").json()
    left = max(RUNS + 2 - offset, 0)
    assert (answer["total"], len(answer["items"])) == (RUNS + 2, min(limit, left))
    assert (answer["limit"], answer["offset"], answer["has_more"]) == (limit, offset, left > limit)


def test_defaults(client: httpx.Client) -> None:
    page = client.get("/runs").json()
    assert (page["limit"], page["offset"]) == (50, 0)
    assert client.get(f"/task/{TASK}/stats").json()["period_days"] == 30
    assert client.get("/stats/summary").json()["period_days"] == 7
    for days in (1, 3650):
        assert client.get(f"/stats/summary?days={days}").json()["period_days"] == days
        assert client.get(f"/task/{TASK}/stats?days={days}").json()["period_days"] == days


def test_a_task_without_runs(client: httpx.Client) -> None:
    answer = client.get(f"/task/{UNKNOWN}/latest")
    assert (answer.status_code, answer.content) == (200, b"null")
    stats = client.get(f"/task/{UNKNOWN}/stats").json()
    assert (stats["total_runs"], stats["success_rate"], stats["current_streak"]) == (0, 0.0, None)
    assert stats["max_execution_time_seconds"] is None


def test_other_routes(client: httpx.Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    ready = client.get("/ready").json()
    assert (ready["status"], ready["runs"]) == ("ready", RUNS + 2)
    assert client.get("/schema").json()["openapi"].startswith("3.1")


@pytest.mark.parametrize(
    "path", ["/docs", "/docs/api", "/docs/api/api.js", "/schema", "/health", "/runs?limit=1", "/runs?limt=1", "/no"]
)
def test_no_header_is_sent_twice(client: httpx.Client, path: str) -> None:
    headers = client.get(path).headers
    names = [name.lower() for name, _ in headers.raw]
    assert len(set(names)) == len(names)
    assert headers["x-content-type-options"] == "nosniff"
