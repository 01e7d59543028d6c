"""The driver of browsers: one in a process, because Playwright runs no second one beside it."""

from __future__ import annotations

import atexit
import shutil
from functools import cache
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright


@cache
def driver() -> Playwright:
    """Playwright, until the process ends."""
    started = sync_playwright().start()
    atexit.register(started.stop)
    return started


def chromium() -> Path:
    """Debian's chromium; raises FileNotFoundError."""
    found = shutil.which("chromium")
    if found is None:
        raise FileNotFoundError("there is no chromium: apt-get install chromium")
    return Path(found)


def windowless() -> Path:
    """The same without its windows, where that is installed: screens are there in half of the time."""
    found = shutil.which("chromium-headless-shell")
    return chromium() if found is None else Path(found)
