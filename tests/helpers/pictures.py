"""Pictures of the page for README and handbook: `python tests/helpers/pictures.py [NAME…]` writes docs/page-*.png.

The history has a fixed seed and end, and the browser a fixed clock, so what they show changes with the page only; the
milliseconds in the footer are left out.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page
from screens import NOW, UNTIL, launched, until
from support import HERE, Server, runlake

TARGET: Final = HERE.parent / "docs"
SHAPE: Final = ["--runs", "300000", "--days", "30", "--tasks", "200", "--seed", "7", "--incidents", "--until", UNTIL]
WIDTH, HEIGHT = 1280, 800
PATHS: Final = {
    "overview": "/",
    "runs": "/ui/runs?range=7d",
    "run": "/ui/runs/{run}",
    "tasks": "/ui/tasks?range=7d",
    "errors": "/ui/errors?range=7d",
}
SCHEMES: Final = {"runs": ("light", "dark")}  # of the others one is enough: each picture is 150 KB of the repository
# All answers are there, and nothing is dimmed or on its way.
SETTLED: Final = """() => document.querySelector('.foot')?.innerText.includes('snapshot')
    && !document.querySelector('.stale, .waiting, .skeleton, tr.coming')"""


def main(names: list[str]) -> None:
    """Take the pictures of these names, by default of all."""
    with tempfile.TemporaryDirectory(prefix="runlake-pictures-") as folder:
        lake = Path(folder) / "lake"
        made = runlake("generate", *SHAPE, "--data", str(lake))
        if made.returncode != 0:
            raise SystemExit(made.stderr)
        with Server(lake) as server, launched() as browser:
            for name in names or PATHS:
                for scheme in SCHEMES.get(name, ("light",)):
                    take(browser, server, name, scheme)


def take(browser: Browser, server: Server, name: str, scheme: str) -> None:
    """Write one picture."""
    path = PATHS[name].format(run=interesting(server))
    context = browser.new_context(
        viewport={"width": WIDTH, "height": HEIGHT},
        color_scheme="dark" if scheme == "dark" else "light",
        timezone_id="UTC",
        locale="en-GB",
    )
    page = context.new_page()
    page.clock.set_fixed_time(NOW)
    page.goto(server.url + path)
    until(page, SETTLED)
    without_milliseconds(page)
    page.screenshot(path=TARGET / f"page-{name}{'-dark' if scheme == 'dark' else ''}.png")
    context.close()


def without_milliseconds(page: Page) -> None:
    """They differ each time."""
    page.evaluate(
        "() => { const foot = document.querySelector('.foot > span');"
        " foot.textContent = foot.textContent.replace(/ · \\d+ answers?, [\\d,]+ ms$/, ''); }"
    )


def interesting(server: Server) -> str:
    """A second attempt that failed with a traceback."""
    asked = {"status": "failed", "attempt_min": "2", "error": "Traceback", "start_time": "2026-11-01", "limit": "1"}
    answer = server.client.get("/runs", params={**asked, "end_time": UNTIL}).json()
    return str(answer["items"][0]["id"])


if __name__ == "__main__":
    main(sys.argv[1:])
