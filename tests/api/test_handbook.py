"""The handbook and the API browser as they are served: fixed names, strict policies, nothing from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import urldefrag

import httpx
import pytest
from handbook import BUILT, DOCS, build
from support import Server

from runlake.api import docs

ADDRESSES: Final = ["/docs", *(f"/docs/{name}" for name in docs.HANDBOOK)]
BROWSER_ADDRESSES: Final = ["/docs/api", *(f"/docs/api/{name}" for name in docs.BROWSER)]
LINK: Final = re.compile(r'(?:src|href)="([^"]*)"')
CLOSED: Final = {"default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a real service."""
    with Server(tmp_path_factory.mktemp("handbook") / "lake") as server:
        yield server.client


def text_of(path: str) -> str:
    return docs.asset(path).content.decode()


def test_the_html_is_what_the_pages_give() -> None:
    """Run `make docs` when this fails."""
    built = {file.name: file.read_bytes() for file in BUILT.iterdir()}
    assert built == build()


def test_every_page_is_listed() -> None:
    assert {file.stem for file in DOCS.glob("*.md")} == set(docs.PAGES)


@pytest.mark.parametrize("name", docs.PAGES)
def test_links_of_a_page_lead_somewhere(client: httpx.Client, name: str) -> None:
    """Pages, places in pages, style sheet and icon; what leads out of the service is https and named in the source."""
    page = text_of(f"handbook/{name}.html")
    for link in LINK.findall(page):
        if link.startswith("https://"):
            assert f"]({link})" in (DOCS / f"{name}.md").read_text(encoding="utf-8")
            continue
        address, place = urldefrag(link)
        answer = client.get(address) if address else None
        assert answer is None or answer.status_code == 200, link
        if place:
            assert f'id="{place}"' in (answer.text if answer else page), link


@pytest.mark.parametrize("name", docs.PAGES)
def test_a_page_has_one_title_and_names_itself_in_the_navigation(name: str) -> None:
    page = text_of(f"handbook/{name}.html")
    assert page.startswith('<!DOCTYPE html>\n<html lang="en">')
    assert page.count("<h1 ") == page.count('aria-current="page"') == page.count('href="#content"') == 1
    assert not re.search(r"<script|<style|\sstyle=|\son\w+=|javascript:|<!--", page)
    ids = re.findall(r' id="([^"]*)"', page)
    assert len(ids) == len(set(ids)) > 1


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_handbook_has_no_scripts(client: httpx.Client, address: str) -> None:
    policy = set(client.get(address).headers["content-security-policy"].split("; "))
    assert policy == CLOSED | {"style-src 'self'", "img-src 'self'"}


@pytest.mark.parametrize("address", BROWSER_ADDRESSES)
def test_the_api_browser_has_only_its_own_scripts(client: httpx.Client, address: str) -> None:
    """Style attributes are all that may stand inline."""
    policy = set(client.get(address).headers["content-security-policy"].split("; "))
    own = {"script-src 'self'", "style-src 'self'", "connect-src 'self'"}
    assert policy == CLOSED | own | {"style-src-attr 'unsafe-inline'", "img-src 'self' data:"}


@pytest.mark.parametrize("address", [*ADDRESSES, *BROWSER_ADDRESSES])
def test_an_answer_has_its_type_and_is_kept_by_its_tag(client: httpx.Client, address: str) -> None:
    """HEAD says the same; with the tag the answer is a 304, whatever its encoding was."""
    answer = client.get(address, headers={"Accept-Encoding": "gzip"})
    kind = {"html": "text/html", "css": "text/css", "js": "text/javascript", "png": "image/png"}
    suffix = address.rpartition(".")[2] if "." in address else "html"
    assert answer.headers["content-type"].partition(";")[0] == kind.get(suffix, "text/plain")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-cache"
    head = client.head(address, headers={"Accept-Encoding": "gzip"})
    assert (head.status_code, head.content) == (200, b"")
    plain = client.get(address, headers={"Accept-Encoding": "identity"})
    assert answer.content == plain.content
    for tag in (answer.headers["etag"], f'"other", {answer.headers["etag"]}', "*"):
        again = client.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.content) == (304, b"")
    assert head.headers["etag"] == plain.headers["etag"] == answer.headers["etag"]
    assert client.get(address, headers={"If-None-Match": '"other"'}).status_code == 200


def test_a_slash_at_the_end_is_ignored(client: httpx.Client) -> None:
    for address in ("/docs", "/docs/http-api", "/docs/api"):
        assert client.get(f"{address}/").content == client.get(address).content
    assert client.get("/docs/index").content == client.get("/docs").content


@pytest.mark.parametrize(
    "address",
    ["nope", "index.html", "http-api.md", "api.html", "api/nope", "api/index", "api/api.js/x", "../routes.py"],
)
def test_every_other_name_is_a_problem(client: httpx.Client, address: str) -> None:
    for escaped in (address, address.replace("/", "%2f").replace("..", "%2e%2e")):
        answer = client.get(f"/docs/{escaped}")
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_browser_loads_what_is_there() -> None:
    linked = set(LINK.findall(text_of("api.html")))
    assert linked - {"/schema", "/docs/favicon-32x32.png"} == {
        f"/docs/api/{name}" for name in ("api.js", "swagger-ui-bundle.js", "swagger-ui.css")
    }


def test_nothing_contacts_another_host() -> None:
    for name in ("api.html", "api.js", "handbook.css"):
        assert not re.search(r"(?:\w+:)?//[\w.-]+\.\w", text_of(name)), name
    assert "validatorUrl: null" in text_of("api.js")
    for name, kinds in (("swagger-ui.css", {"data:"}), ("handbook.css", set())):
        style = text_of(name)
        assert "@import" not in style
        assert {link[:5] for link in re.findall(r"url\(\s*[\"']?([^)\"']*)", style)} == kinds


def test_the_api_browser_works_under_its_policy() -> None:
    """No inline script, and nothing makes a style sheet on the page."""
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\son\w+=|javascript:", text_of("api.html"))
    assert 'createElement("style")' not in text_of("swagger-ui-bundle.js")
