"""Fixtures: stores and real server processes under every settings file of tests/settings."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import children
import duckdb
import engine
import hypothesis
import pytest
from beginnings import begin
from support import SETTINGS_FILES, Server, load_settings

from runlake.settings import Settings
from runlake.store import Store

# What lands must not depend on how busy the machine is, nor on luck; by hand every run tries other cases. Text makes
# the first case of a test slow: it loads tables of Unicode.
hypothesis.settings.register_profile(
    "unhurried",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
hypothesis.settings.load_profile("unhurried")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--as-shipped`: slower, and nothing is left out."""
    parser.addoption(
        "--as-shipped", action="store_true", help="start every process anew; check the signatures of extensions"
    )


def pytest_configure(config: pytest.Config) -> None:
    # httpx reads all certificates for every client that it makes, and for every call without one: 20 ms.
    ssl.create_default_context = cache(ssl.create_default_context)  # type: ignore[assignment]
    if not config.getoption("--as-shipped"):
        children.forking = True
        engine.trust_extensions()


def pytest_unconfigure() -> None:
    children.close()


def pytest_report_header() -> str:
    """Which engine the results are from."""
    return f"duckdb {duckdb.__version__}"


@pytest.fixture(params=SETTINGS_FILES, ids=lambda path: path.stem)
def any_settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a lake in a temporary folder, once per settings file: default and hostile ones."""
    file: Path = request.param
    return load_settings(file, tmp_path / "lake")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The settings as shipped, for a lake in a temporary folder."""
    return Settings(data=str(tmp_path / "lake"))


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """An open, empty store with the settings as shipped."""
    opened = Store(begin(settings))
    opened.load()
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A real `runlake serve` process on an empty lake, on a free port of the loopback."""
    with Server(Path(settings.data)) as running:
        yield running
