"""Who gets in: keys are made, work, and stop to work while a real service runs; nothing shows a secret."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner
from inprocess import assert_problem
from locks import OPEN_ROUTES, READ_ROUTES, TASK, bearer
from support import Server, record, runlake

from runlake import access
from runlake.access import ApiKeyAuth
from runlake.cli.group import commands
from runlake.errors import Forbidden, LakeDamaged, NotReady, Unauthorized, UsageError
from runlake.paths import Paths


@pytest.fixture
def paths(tmp_path: Path) -> Paths:
    """A folder that does not exist yet."""
    return Paths.of(tmp_path / "lake")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service on an empty lake, started without keys, holding the write lock."""
    with Server(tmp_path_factory.mktemp("served") / "lake") as running:
        assert running.post(record(1)).status_code == 200
        yield running


@pytest.fixture
def server_with_keys(served: Server) -> Iterator[tuple[Server, dict[str, str]]]:
    """The running service, and fresh keys by the scopes they have; they are revoked at the end."""
    paths = Paths.of(served.data)
    made = {"+".join(s): access.create(paths, s, "test") for s in (("read",), ("write",), ("read", "write"))}
    yield served, {name: token for name, (_, token) in made.items()}
    for key, _ in made.values():
        access.revoke(paths, key.id)


def test_every_route_with_data_needs_a_key(server_with_keys: tuple[Server, dict[str, str]]) -> None:
    server, tokens = server_with_keys
    with httpx.Client(base_url=server.url) as client:
        for path in [*READ_ROUTES, "/nope", "/runs/x/y", "/healthy", "/health/x", "/%2e/health", "/aboutx", "/docsx"]:
            answer = client.get(path)
            assert answer.headers["www-authenticate"] == 'Bearer realm="runlake"', path
            if path.startswith("/r"):
                assert_problem(answer, 401)
            assert client.head(path).status_code == 401, path
            assert client.post(path).status_code == client.delete(path).status_code == 401, path
        assert client.get("/session").status_code == client.put("/session").status_code == 401
        assert client.delete("/session").status_code == client.delete("/session/").status_code == 204
        for path in [path + slash for path in OPEN_ROUTES for slash in ("", "/")]:
            assert client.get(path).status_code == client.head(path).status_code == 200, path
            assert path.startswith("/health") or client.post(path).status_code == 401, path
        assert_problem(client.get("/health?x=1"), 400, "x")
        for path in READ_ROUTES:
            assert client.get(path, headers=bearer(tokens["read"])).status_code == 200, path
            assert client.head(path, headers=bearer(tokens["read+write"])).status_code == 200, path


def test_what_is_said_with_and_without_a_key(server_with_keys: tuple[Server, dict[str, str]]) -> None:
    """Nothing about the data, nor why the service is not ready."""
    server, tokens = server_with_keys
    with httpx.Client(base_url=server.url) as client:
        assert client.get("/ready").json() == {"status": "ready"}
        assert client.get("/about").json().keys() == {"version", "auth"}
        assert client.get("/about").json()["auth"] == "key"
        for name, scopes in (("read", ["read"]), ("write", ["write"]), ("read+write", ["read", "write"])):
            about = client.get("/about", headers=bearer(tokens[name])).json()
            assert (about["scopes"], about["auth"], about["ready"]) == (scopes, "key", True)
            assert client.get("/ready", headers=bearer(tokens[name])).json().keys() == {"status", "snapshot", "runs"}
        for path in ("/ready", "/about"):
            assert_problem(client.get(path, headers=bearer(f"{tokens['read']}0")), 401)


def test_a_key_that_reads_may_share_views(server_with_keys: tuple[Server, dict[str, str]]) -> None:
    """But it names no task."""
    server, tokens = server_with_keys
    view, named = {"query": "range=24h"}, {"names": {TASK: {"name": "nightly"}}}
    with httpx.Client(base_url=server.url, headers=bearer(tokens["read"])) as client:
        assert client.put("/views/mine", json=view).status_code == 200
        assert client.get("/views/mine").json() == {"name": "mine", **view}
        assert client.delete("/views/mine").status_code == 200
        assert_problem(client.put("/tasks/names", json=named), 403)
    with httpx.Client(base_url=server.url, headers=bearer(tokens["write"])) as client:
        assert client.put("/tasks/names", json=named).json() == {"received": 1, "changed": 1}
        assert_problem(client.put("/views/mine", json=view), 403)


def test_scopes(server_with_keys: tuple[Server, dict[str, str]]) -> None:
    """GET and HEAD need read, all else needs write; neither includes the other."""
    server, tokens = server_with_keys
    with httpx.Client(base_url=server.url) as client:
        for token, wanted in (("read", 403), ("write", 200), ("read+write", 200)):
            answer = client.post("/runs", json={"runs": [record(1)]}, headers=bearer(tokens[token]))
            assert answer.status_code == wanted
        refused = client.post("/runs", json={"runs": [record(2)]}, headers=bearer(tokens["read"]))
        assert_problem(refused, 403)
        assert refused.headers["www-authenticate"] == (
            'Bearer realm="runlake", error="insufficient_scope", scope="write"'
        )
        assert_problem(client.get("/runs", headers=bearer(tokens["write"])), 403)
        assert client.put("/runs", headers=bearer(tokens["read"])).status_code == 403
        assert_problem(client.put("/runs", headers=bearer(tokens["write"])), 405)
        assert client.get("/runs", headers=bearer(tokens["read"])).json()["total"] == 1


def test_an_unchanged_page_needs_a_key_too(server_with_keys: tuple[Server, dict[str, str]]) -> None:
    server, tokens = server_with_keys
    with httpx.Client(base_url=server.url) as client:
        tag = client.get("/runs", headers=bearer(tokens["read"])).headers["etag"]
        for value in (tag, "*"):
            assert client.get("/runs", headers={"If-None-Match": value}).status_code == 401
            assert client.get("/runs", headers={"If-None-Match": value} | bearer(tokens["write"])).status_code == 403
            unchanged = client.get("/runs", headers={"If-None-Match": value} | bearer(tokens["read"]))
            assert unchanged.status_code == 304 and unchanged.headers["x-request-id"]


def test_credentials_that_are_none(server_with_keys: tuple[Server, dict[str, str]]) -> None:
    """Nothing near a key opens, and nothing is a 500."""
    server, tokens = server_with_keys
    good = tokens["read"]
    prefix, number, secret = good.split("_")
    wrong: list[bytes] = [
        f"Bearer {text}".encode()
        for text in (
            good[:-1],
            good + "0",
            good.upper(),
            f"{prefix}_{number}_{'0' * 64}",
            f"{prefix}_{'0' * 12}_{secret}",
            number,
            secret,
            access.digest(good.encode()),
            f"{prefix}__",
            "*",
        )
    ]
    wrong += [
        good.encode(),
        f"Basic {good}".encode(),
        f"Bearer{good}".encode(),
        b"Bearer",
        b"\xff\xfe",
        b"Bearer \xff" * 1000,
    ]
    with httpx.Client(base_url=server.url) as client:
        for value in wrong:
            answer = client.get("/runs", headers=[(b"authorization", value)])
            assert_problem(answer, 401)
            assert answer.headers["www-authenticate"] == 'Bearer realm="runlake", error="invalid_token"'
        twice = [(b"authorization", f"Bearer {good}".encode())] * 2
        assert_problem(client.get("/runs", headers=twice), 401)
        for scheme in ("bearer", "BEARER", "Bearer "):
            assert client.get("/runs", headers={"Authorization": f"{scheme} {good}"}).status_code == 200
        for place in (f"/runs?access_token={good}", f"/runs?key={good}"):
            assert client.get(place).status_code == 401


def test_keys_come_and_go_without_a_restart(tmp_path: Path) -> None:
    """By commands of other processes, while the service holds the write lock; from the next request on."""
    lake = str(tmp_path / "lake")
    with Server(tmp_path / "lake") as server:
        assert server.client.get("/runs").status_code == 200
        made = runlake("keys", "create", "--name", "dash board", "--scope", "read", "--data", lake)
        assert (made.returncode, len(made.stdout.splitlines()), len(made.stderr.splitlines())) == (0, 1, 1)
        token = made.stdout.strip()
        assert token not in made.stderr
        assert_problem(server.client.get("/runs"), 401)
        assert server.client.get("/runs", headers=bearer(token)).status_code == 200
        second = access.create(Paths.of(lake), ("write",))
        assert server.client.post("/runs", json={"runs": [record(1)]}, headers=bearer(second[1])).status_code == 200
        listed = runlake("keys", "list", "--data", lake)
        lines = [line.split() for line in listed.stdout.splitlines()]
        assert [(line[1], line[3:]) for line in lines] == [("read", ["dash", "board"]), ("write", [])]
        gone = runlake("keys", "revoke", lines[0][0], "--data", lake)
        assert gone.returncode == 0, gone.stderr
        assert_problem(server.client.get("/runs", headers=bearer(token)), 401)
        # The last one: the service stays closed. A restart on the loopback opens it.
        access.revoke(Paths.of(lake), second[0].id)
        for headers in ({}, bearer(token), bearer(second[1])):
            assert_problem(server.client.get("/runs", headers=headers), 401)
        Paths.of(lake).keys.unlink()
        assert_problem(server.client.get("/runs"), 401)
        assert server.client.get("/health").status_code == 200
        secrets = (token, token.split("_")[2], access.digest(token.encode()))
        server.stop()
    said = "".join([*server.log, listed.stdout, listed.stderr, gone.stdout, gone.stderr])
    assert not [secret for secret in secrets if secret in said]
    with Server(tmp_path / "lake") as again:
        assert again.client.get("/runs").json()["total"] == 1


def test_the_file_holds_no_secret_and_is_private(paths: Paths) -> None:
    key, token = access.create(paths, ("write", "read"), "x")
    content = paths.keys.read_text()
    assert token not in content and token.split("_")[2] not in content
    assert stat.S_IMODE(paths.keys.stat().st_mode) == 0o600
    assert access.stored(paths) == (key,)
    assert key.scopes == ("read", "write")
    assert access.create(paths, ("read",))[1] != token
    assert {file.name for file in paths.folder.iterdir()} == {"keys.json", "keys.lock"}


def test_many_processes_make_keys_at_once(paths: Paths) -> None:
    """No change is lost."""
    with ThreadPoolExecutor(4) as pool:
        done = list(
            pool.map(lambda i: runlake("keys", "create", "--name", f"n{i}", "--data", str(paths.folder)), range(4))
        )
    assert {one.returncode for one in done} == {0}
    assert {key.name for key in access.stored(paths)} == {f"n{i}" for i in range(4)}


@pytest.mark.parametrize("name", ["a\nb", "\x1b[2J", "x" * 101, "\u2028"])
def test_names_that_cannot_be(paths: Paths, name: str) -> None:
    with pytest.raises(UsageError, match="control"):
        access.create(paths, ("read",), name)
    assert access.stored(paths) == ()


def test_commands_that_fail_say_so_in_one_line(tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    for args, code in (
        (["revoke", "000000000000"], 2),
        (["create", "--name", "a\tb"], 2),
        (["create", "--scope", "x"], 2),
    ):
        done = runlake("keys", *args, "--data", str(lake))
        assert (done.returncode, done.stdout) == (code, ""), done.stderr
        assert "Traceback" not in done.stderr
    assert runlake("keys", "list", "--data", str(lake)).stdout == ""
    lake.write_text("a file")
    for command in (["create"], ["list"]):
        done = runlake("keys", *command, "--data", str(lake))
        assert (done.returncode, len(done.stderr.splitlines())) == (1, 1), done.stderr


@pytest.mark.parametrize("content", ["", "{", '{"format": "runlake keys 9", "keys": []}', "[]", '{"keys": []}'])
def test_a_damaged_file_opens_nothing(paths: Paths, content: str) -> None:
    """Neither at the start nor later; whole again, it counts again."""
    _, token = access.create(paths, ("read",))
    whole = paths.keys.read_bytes()
    guard = ApiKeyAuth(paths)
    header = [f"Bearer {token}".encode()]
    assert guard.authorize(header, "read")
    for broken in (guard, ApiKeyAuth(paths)):
        paths.keys.write_text(content)
        with pytest.raises(NotReady):
            broken.authorize(header, "read")
        with pytest.raises(NotReady):
            broken.authorize([], "read")
        paths.keys.write_bytes(whole)
        assert broken.authorize(header, "read")
    paths.keys.write_text(content)
    with pytest.raises(LakeDamaged, match=r"keys\.json"):
        access.stored(paths)
    with pytest.raises(LakeDamaged):
        access.create(paths, ("read",))
    done = CliRunner().invoke(commands, ["serve", "--data", str(paths.folder), "--port", "0"])
    assert (done.exit_code, len(done.stderr.splitlines())) == (1, 1), done.stderr
    assert "keys.json" in done.stderr


def test_the_guard_alone(paths: Paths) -> None:
    """Open until a key is seen, or closed from the start; then closed for good."""
    guard, strict = ApiKeyAuth(paths), ApiKeyAuth(paths, required=True)
    assert guard.authorize([], "write") is None
    with pytest.raises(Unauthorized):
        strict.authorize([], "read")
    key, token = access.create(paths, ("read",))
    header = [f"Bearer {token}".encode()]
    for each in (guard, strict):
        assert each.authorize(header, "read") == key
        with pytest.raises(Forbidden):
            each.authorize(header, "write")
    access.revoke(paths, key.id)
    for each in (guard, strict):
        for credentials in ([], header):
            with pytest.raises(Unauthorized):
                each.authorize(credentials, "read")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org", "", "localhost.example.org"])  # noqa: S104
def test_without_keys_only_the_loopback(tmp_path: Path, host: str) -> None:
    """Refused with wrong usage in one line, and no lake is made."""
    lake = tmp_path / "lake"
    done = CliRunner().invoke(commands, ["serve", "--data", str(lake), "--host", host, "--port", "0"])
    assert (done.exit_code, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "keys" in done.stderr and not lake.exists()
    done = CliRunner(env={"RUNLAKE_HOST": host}).invoke(commands, ["serve", "--data", str(lake)])
    assert done.exit_code == 2


def test_any_address_with_a_key(paths: Paths) -> None:
    """Listening where others could reach it, a service whose keys are all revoked stays closed."""
    key, token = access.create(paths, ("read",))
    server = Server(paths.folder, "--host", "0.0.0.0")  # noqa: S104
    try:
        server.wait_listening()
        url = server.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{url}/metrics").status_code == 401
        assert httpx.get(f"{url}/metrics", headers=bearer(token)).status_code == 200
        access.revoke(paths, key.id)
        assert (
            httpx.get(f"{url}/metrics").status_code
            == httpx.get(f"{url}/metrics", headers=bearer(token)).status_code
            == 401
        )
        assert httpx.get(f"{url}/health").status_code == 200
    finally:
        assert server.stop() == 0
    done = CliRunner().invoke(commands, ["serve", "--data", str(paths.folder), "--host", "0.0.0.0", "--port", "0"])  # noqa: S104
    assert done.exit_code == 2, done.stderr


def test_no_auth_opens_until_there_is_a_key(paths: Paths) -> None:
    """--no-auth is about the address; it never switches keys off."""
    server = Server(paths.folder, "--host", "0.0.0.0", "--no-auth")  # noqa: S104
    try:
        server.wait_listening()
        url = server.url.replace("0.0.0.0", "127.0.0.1")  # noqa: S104
        assert httpx.get(f"{url}/metrics").status_code == 200
        access.create(paths, ("read",))
        assert httpx.get(f"{url}/metrics").status_code == 401
    finally:
        assert server.stop() == 0


def test_a_key_file_that_cannot_be_written(paths: Paths) -> None:
    """The keys there were stay."""
    key, _ = access.create(paths, ("read",))
    paths.keys.with_suffix(".part").mkdir()
    with pytest.raises(LakeDamaged):
        access.create(paths, ("read",))
    assert access.stored(paths) == (key,)
    assert json.loads(paths.keys.read_text())["keys"][0]["id"] == key.id
