"""A process whose clock is off, by libfaketime."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import pytest

_LIBRARIES: Final = sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
NOTICED_SECONDS: Final = 2.1  # after which a process has read the file again: it keeps what it read for over a second


def faked(clock: Path) -> dict[str, str]:
    """The environment of a process whose clock is off by what a file says, such as `+2d`."""
    if not _LIBRARIES:
        if os.environ.get("CI"):
            pytest.fail("libfaketime is not installed (Debian package libfaketime)")
        pytest.skip("libfaketime is not installed (Debian package libfaketime)")
    return {
        "LD_PRELOAD": str(_LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_CACHE_DURATION": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
