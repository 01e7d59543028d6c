"""The files behind the page, without a browser: addresses, headers, packing; and that api.ts is what the API is."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typescript
from support import Server

from runlake import access
from runlake.paths import Paths
from runlake.ui import pages

STATIC = Path(pages.__file__).parent / "static"
PLAIN = {"Accept-Encoding": "identity"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client without a key of a service that has one."""
    lake = tmp_path_factory.mktemp("keyed") / "lake"
    with Server(lake) as server:
        access.create(Paths.of(lake), ("read",))
        yield server.client


@pytest.mark.parametrize("path", ["/", "/ui", "/ui/runs", "/ui/runs/", "/ui/tasks/7f3e4d2c/more", "/ui/no such page"])
def test_every_address_of_the_page_is_the_same_file(client: httpx.Client, path: str) -> None:
    """Without a key, under a policy that lets no text become a script."""
    answer = client.get(path, headers=PLAIN)
    assert answer.status_code == 200 and answer.content == (STATIC / "index.html").read_bytes()
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert client.head(path).headers["etag"] == answer.headers["etag"]
    assert client.get(path, headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_assets_are_kept_for_ever(client: httpx.Client) -> None:
    """Each has its hash in its name; they come packed, and unpacked for who wants that; old names are a 404."""
    names = re.findall(r'/ui/assets/([^"]+)', (STATIC / "index.html").read_text())
    assert {name.rpartition(".")[2] for name in names} == {"css", "js", "svg"}
    for name in sorted({*names, *(file.name for file in (STATIC / "assets").iterdir())}):
        packed = client.get(f"/ui/assets/{name}", headers={"Accept-Encoding": "gzip"})
        plain = client.get(f"/ui/assets/{name}", headers=PLAIN)
        assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
        assert packed.content == plain.content == (STATIC / "assets" / name).read_bytes()
        assert packed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert int(packed.headers["content-length"]) == len(gzip.compress(plain.content, 9))
        assert packed.headers["vary"] == "Accept-Encoding"
    for name in ("app-OLDHASH1.js", "index.html", "..%2findex.html"):
        assert client.get(f"/ui/assets/{name}").status_code == 404


def test_the_page_holds_no_data(client: httpx.Client) -> None:
    """What it shows needs the key."""
    assert client.get("/runs").status_code == 401
    assert client.post("/", json={}).status_code == 401


def test_the_types_of_the_page_are_those_of_the_api() -> None:
    """Run `python tests/helpers/typescript.py` when this fails."""
    assert typescript.TARGET.read_text(encoding="utf-8") == typescript.document()


def test_no_source_of_the_page_is_long() -> None:
    """At most 400 lines, as every file; api.ts is made."""
    sources = [*typescript.TARGET.parent.rglob("*.ts*"), *typescript.TARGET.parent.rglob("*.css")]
    lengths = {file.name: len(file.read_text(encoding="utf-8").splitlines()) for file in sources}
    assert {name for name, length in lengths.items() if length > 400} == {"api.ts"}
