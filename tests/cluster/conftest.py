"""The servers of a session."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import elsewhere as servers
import pytest
from elsewhere import Elsewhere

from runlake.settings import Settings


@pytest.fixture(scope="session")
def elsewhere() -> Iterator[Elsewhere]:
    """A PostgreSQL and a server of S3."""
    with servers.running() as found:
        yield found


@pytest.fixture
def far(elsewhere: Elsewhere, tmp_path: Path) -> Settings:
    """A new lake there, whose node has a folder of its own; without upkeep of its own."""
    return elsewhere.settings(tmp_path / "node", maintain_seconds=1000.0)
