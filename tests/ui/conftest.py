"""A real service over a generated history, and Debian's chromium at a fixed time. Whatever a page says aloud fails."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page
from screens import NOW, SHAPE, Opened, launched
from support import Server, runlake


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A service over 20,000 runs of two weeks, with incidents at their end. Tests only read it."""
    lake = tmp_path_factory.mktemp("history") / "lake"
    assert runlake("generate", *SHAPE, "--data", str(lake)).returncode == 0
    with Server(lake) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """The browser; each test has a profile of its own in it."""
    with launched() as browser:
        yield browser


class Watch:
    """What pages did that no page may do: messages, errors, refusals of the policy, refused or foreign requests."""

    def __init__(self, origin: str, expected: tuple[str, ...]) -> None:
        self.origin = origin
        self.expected = expected  # messages with one of these words are part of the test
        self.seen: list[str] = []

    def follow(self, page: Page) -> None:
        """Watch a page; the browser reports refusals of its policy as messages."""
        page.on("console", lambda message: self._heard(f"{message.type}: {message.text}"))
        page.on("response", lambda response: self._answered(response.status, response.url))
        page.on("pageerror", lambda error: self._say(f"error: {error}"))
        page.on("request", lambda request: self._requested(request.url))

    def _heard(self, text: str) -> None:
        if "Failed to load resource" not in text:  # `_answered` says of what
            self._say(text)

    def _answered(self, status: int, url: str) -> None:
        if status >= HTTPStatus.BAD_REQUEST:
            self._say(f"{status}: {url}")

    def _requested(self, url: str) -> None:
        if not url.startswith((f"{self.origin}/", "data:")):
            self._say(f"request: {url}")

    def _say(self, text: str) -> None:
        if not any(word in text for word in self.expected):
            self.seen.append(text)


@pytest.fixture
def open_page(chromium: Browser, history: Server) -> Iterator[Opened]:
    """Opens a path of the page: at NOW, in UTC, 1440 px wide. Options are those of a browser context."""
    watches: list[Watch] = []
    contexts: list[BrowserContext] = []

    def opened(path: str, server: Server = history, expected: tuple[str, ...] = (), **options: Any) -> Page:
        width, height = options.pop("width", 1440), options.pop("height", 900)
        options = {"timezone_id": "UTC", "locale": "en-GB"} | options
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        watch = Watch(server.url, expected)
        watches.append(watch)
        context.on("page", watch.follow)
        page = context.new_page()
        page.clock.set_fixed_time(NOW)
        page.goto(server.url + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [watch.seen for watch in watches if watch.seen] == []
