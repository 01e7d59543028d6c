"""Names of tasks and shared views over HTTP, on the command line, and for analysts."""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from beginnings import begin
from inprocess import assert_problem, serving
from support import HERE, Server, runlake

from runlake.lake.catalog import Lake
from runlake.paths import Paths
from runlake.settings import Settings

NIGHTLY, HOURLY = (str(uuid.UUID(int=n)) for n in (1, 2**127))
NAMED = {"name": "nightly é\"'", "tags": ["etl", "a,b", "c'\""], "url": "https://wiki.example.com/x?y=1"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[httpx.Client]:
    with serving(Settings(data=str(tmp_path / "lake"))) as served:
        yield served


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A service without names, for tests in which nothing is stored."""
    with serving(Settings(data=str(tmp_path_factory.mktemp("refusing") / "lake"))) as served:
        yield served


def names_of(client: httpx.Client) -> Any:
    return client.get("/tasks/names").json()["names"]


def put(client: httpx.Client, names: dict[str, Any], **headers: str) -> httpx.Response:
    return client.put(
        "/tasks/names", json={"names": names}, headers={k.replace("_", "-"): v for k, v in headers.items()}
    )


def test_names_merge_and_null_removes(client: httpx.Client) -> None:
    assert put(client, {NIGHTLY: NAMED, HOURLY: {"name": "hourly"}}).json() == {"received": 2, "changed": 2}
    assert names_of(client) == {NIGHTLY: NAMED, HOURLY: {"name": "hourly", "tags": [], "url": None}}
    assert put(client, {HOURLY: {"name": "h", "tags": ["x"]}}).json() == {"received": 1, "changed": 1}
    assert names_of(client) == {NIGHTLY: NAMED, HOURLY: {"name": "h", "tags": ["x"], "url": None}}
    assert put(client, {NIGHTLY: None, str(uuid.uuid4()): None}).json() == {"received": 2, "changed": 1}
    assert list(names_of(client)) == [HOURLY]


def test_nothing_is_written_when_nothing_changes(client: httpx.Client) -> None:
    put(client, {NIGHTLY: NAMED})
    before = client.get("/runs")
    assert put(client, {NIGHTLY: NAMED}).json() == {"received": 1, "changed": 0}
    assert put(client, {}).json() == {"received": 0, "changed": 0}
    assert client.get("/runs").headers["runlake-snapshot"] == before.headers["runlake-snapshot"]


def test_a_tag_is_of_the_names_alone(client: httpx.Client) -> None:
    made = put(client, {NIGHTLY: NAMED})
    tag = client.get("/tasks/names").headers["etag"]
    assert made.headers["etag"] == tag
    client.post("/runs", json={"runs": [{"task_id": NIGHTLY}]})
    assert client.get("/tasks/names", headers={"If-None-Match": tag}).status_code == 304
    assert put(client, {HOURLY: {"name": "b"}}, If_Match=tag).status_code == 200
    assert_problem(put(client, {HOURLY: {"name": "c"}}, If_Match=tag), 412)
    assert names_of(client)[HOURLY]["name"] == "b"
    assert put(client, {HOURLY: {"name": "c"}}, If_Match="*").status_code == 200
    assert client.get("/tasks/names", headers={"If-None-Match": tag}).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "body"),
        ([], "body"),
        ({"names": {}, "x": 1}, "body"),
        ({"names": {"7": {"name": "x"}}}, "names"),
        ({"names": {NIGHTLY: "x"}}, f"names.{NIGHTLY}"),
        ({"names": {NIGHTLY: {}}}, f"names.{NIGHTLY}"),
        ({"names": {NIGHTLY: {"name": ""}}}, f"names.{NIGHTLY}.name"),
        ({"names": {NIGHTLY: {"name": "x" * 201}}}, f"names.{NIGHTLY}.name"),
        ({"names": {NIGHTLY: {"name": "x", "tags": ["y"] * 21}}}, f"names.{NIGHTLY}.tags"),
        ({"names": {NIGHTLY: {"name": "x", "tags": ["y" * 51]}}}, f"names.{NIGHTLY}.tags[0]"),
        ({"names": {NIGHTLY: {"name": "x", "url": "ftp://x"}}}, f"names.{NIGHTLY}.url"),
        ({"names": {NIGHTLY: {"name": "x", "url": "https://" + "x" * 2000}}}, f"names.{NIGHTLY}.url"),
        ({"names": {NIGHTLY: {"name": "x", "colour": "red"}}}, f"names.{NIGHTLY}"),
        ({"names": {str(uuid.UUID(int=n)): None for n in range(10_001)}}, "names"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_no_name(refusing: httpx.Client, body: Any, field: str) -> None:
    assert_problem(refusing.put("/tasks/names", json=body), 400, field)
    assert names_of(refusing) == {}


def test_every_wrong_name_is_listed(refusing: httpx.Client) -> None:
    answer = put(refusing, {"7": {"name": "x"}, NIGHTLY: {"name": ""}, HOURLY: {"name": "fine"}})
    assert_problem(answer, 400, "names", f"names.{NIGHTLY}.name")
    assert names_of(refusing) == {}


def test_other_bodies_are_refused(refusing: httpx.Client) -> None:
    plain = {"Content-Type": "application/x-ndjson"}
    assert_problem(refusing.put("/tasks/names", content=b"{}", headers=plain), 415)
    assert_problem(refusing.put("/views/x", content=b"{", headers={"Content-Type": "application/json"}), 400, "body")


def test_ten_thousand_names(client: httpx.Client) -> None:
    """All of them in the catalog: no file is written for them."""
    many = {str(uuid.UUID(int=n)): {"name": f"task {n}"} for n in range(10_000)}
    assert put(client, many).json()["changed"] == 10_000
    assert names_of(client) == {task: {"name": n["name"], "tags": [], "url": None} for task, n in many.items()}
    assert put(client, dict.fromkeys(list(many)[:9_999])).json()["changed"] == 9_999
    assert len(names_of(client)) == 1


def test_views(client: httpx.Client) -> None:
    """A view is put, read, replaced and removed; its tag guards it."""
    assert client.get("/views").json() == {"views": []}
    first = client.put("/views/failures last week", json={"query": "range=7d&status=failed"})
    assert first.json() == {"name": "failures last week", "query": "range=7d&status=failed"}
    client.put("/views/a", json={"query": ""})
    assert [view["name"] for view in client.get("/views").json()["views"]] == ["a", "failures last week"]
    tag = client.get("/views/a").headers["etag"]
    assert client.put("/views/a", json={"query": "x"}, headers={"If-Match": tag}).status_code == 200
    assert_problem(client.put("/views/a", json={"query": "y"}, headers={"If-Match": tag}), 412)
    assert_problem(client.put("/views/new", json={"query": "y"}, headers={"If-Match": "*"}), 412)
    assert_problem(client.delete("/views/a", headers={"If-Match": tag}), 412)
    assert client.delete("/views/a").json() == {"name": "a", "query": "x"}
    for answer in client.get("/views/a"), client.delete("/views/a"):
        assert_problem(answer, 404)


def test_bounds_of_views(settings: Settings) -> None:
    """All but one of the views that there may be are put into the lake at once: each PUT is a commit."""
    begin(settings)
    with closing(Lake(Paths.of(settings.data), settings, write=True)) as lake, lake.transaction(), lake.inlining(200):
        for number in range(199):
            lake.execute("add_view", {"name": str(number), "query": "q" * 4_096})
    with serving(settings) as client:
        assert_problem(client.put("/views/x", json={"query": "q" * 4_097}), 400, "query")
        assert_problem(client.put(f"/views/{'n' * 101}", json={"query": ""}), 400, "name")
        assert client.put(f"/views/{'n' * 100}", json={"query": "q" * 4_096}).status_code == 200
        assert_problem(client.put("/views/one too many", json={"query": ""}), 400, "name")
        assert client.put("/views/7", json={"query": "other"}).status_code == 200
        assert len(client.get("/views").json()["views"]) == 200


def test_they_outlive_the_service(tmp_path: Path) -> None:
    """Also when it is killed, and when serving.duckdb is made anew; analysts and backups have the names."""
    lake = tmp_path / "lake"
    with Server(lake) as server:
        server.post({"task_id": NIGHTLY})
        assert server.client.put("/tasks/names", json={"names": {NIGHTLY: NAMED}}).status_code == 200
        assert server.client.put("/views/v", json={"query": "q"}).status_code == 200
        joined = "SELECT name, tags, url FROM runs JOIN task_names USING (task_id)"
        done = runlake("sql", joined, "--format", "json", "--data", str(lake))
        assert json.loads(done.stdout) == [NAMED]
        server.process.kill()
        server.process.wait(60)
    for again in range(2):
        with Server(lake) as server:
            assert server.client.get("/tasks/names").json() == {"names": {NIGHTLY: NAMED}}
            assert server.client.get("/views").json() == {"views": [{"name": "v", "query": "q"}]}
        if not again:
            (lake / "serving" / "serving.duckdb").unlink()
    assert runlake("check", "--data", str(lake)).returncode == 0
    copy = tmp_path / "copy"
    assert runlake("backup", str(copy), "--data", str(lake)).returncode == 0
    assert json.loads(runlake("tasks", "--data", str(copy)).stdout) == {"names": {NIGHTLY: NAMED}}


def test_names_on_the_command_line(tmp_path: Path) -> None:
    """What is shown can be given back; a service that holds the lake is named."""
    lake, file = str(tmp_path / "lake"), tmp_path / "names.json"
    file.write_text(json.dumps({"names": {NIGHTLY: NAMED}}), encoding="utf-8")
    assert runlake("tasks", str(file), "--data", lake).stdout.split() == ["received", "1", "changed", "1"]
    shown = runlake("tasks", "--data", lake).stdout
    assert json.loads(shown) == {"names": {NIGHTLY: NAMED}}
    file.write_text(shown, encoding="utf-8")
    assert runlake("tasks", str(file), "--data", lake).stdout.split() == ["received", "1", "changed", "0"]
    wrong = runlake("tasks", str(tmp_path / "nothing.json"), "--data", lake)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    with Server(Path(lake)) as server:
        held = runlake("tasks", str(file), "--data", lake)
        assert held.returncode == 1 and str(server.process.pid) in held.stderr
        assert json.loads(runlake("tasks", "--data", lake).stdout) == {"names": {NIGHTLY: NAMED}}


def test_a_lake_of_layout_1_gets_them(tmp_path: Path) -> None:
    """Reading commands take it as it is; the first writer adds the tables and macros, and changes nothing else."""
    shutil.unpack_archive(HERE / "older_lake" / "lake.tar.gz", tmp_path)
    older_lake = tmp_path / "lake"
    before = runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(older_lake)).stdout
    assert json.loads(runlake("tasks", "--data", str(older_lake)).stdout) == {"names": {}}
    assert "layout 1" in runlake("info", "--data", str(older_lake)).stdout
    with Server(older_lake) as server:
        assert server.client.put("/tasks/names", json={"names": {NIGHTLY: NAMED}}).status_code == 200
    assert "layout 2" in runlake("info", "--data", str(older_lake)).stdout
    after = runlake("sql", "SELECT count(*) AS n FROM runs", "--format", "json", "--data", str(older_lake)).stdout
    assert before == after
    assert json.loads(runlake("tasks", "--data", str(older_lake)).stdout) == {"names": {NIGHTLY: NAMED}}
